"""Which threshold cases are listed, and what is done with many of them."""

from typing import Any

from flask import request
from wtforms import SelectChoice
from wtforms.fields import TextAreaField
from wtforms.validators import Length

from models import CaseStatus
from pmp.thresholds.case_lists import ANSWER_WORDS, Answers, Wanted
from portal.forms import Form
from portal.forms.filters import FilterForm, menu, menu_of, one_of
from portal.numbers import whole

ANY = SelectChoice("", "Any")


class CaseFilterForm(FilterForm):
    """Which cases to list; it names no patient."""

    status = menu_of("Status", CaseStatus, first=ANY)
    rule = menu("Rule", [], ANY)
    answers = menu_of("Answers", Answers, ANSWER_WORDS, ANY)

    def offer(self, rules: list[str]) -> None:
        """Give the names of the rules to choose from."""
        self.rule.choices = [ANY, *(SelectChoice(each, each) for each in rules)]

    def wanted(self, sort: str) -> Wanted:
        """Give what to list; what is none of their words filters nothing."""
        return Wanted(
            status=one_of(CaseStatus, self.status.data),
            rule=self.rule.data or "",
            answers=one_of(Answers, self.answers.data),
            sort=sort,
        )


def asked() -> dict[str, Any]:
    """Give filters and order as the address has them, to go back to the same list."""
    return CaseFilterForm(request.args).asked()


class SeveralForm(Form):
    """The chosen cases come as `case`, all that the page showed as `shown`."""

    reason = TextAreaField("Why they are closed", validators=[Length(max=1000)])

    def chosen(self) -> list[int]:
        """Give the ids of the chosen cases; all on the page where that was ticked."""
        name = "shown" if request.form.get("all") else "case"
        return request.form.getlist(name, type=whole)
