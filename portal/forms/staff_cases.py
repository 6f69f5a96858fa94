"""Which threshold cases are listed, and what is done with many of them."""

from typing import Any

from flask import request
from wtforms.fields import TextAreaField
from wtforms.validators import Length

from models import CaseStatus
from pmp.thresholds.case_lists import Answers, Wanted
from portal.forms import Form
from portal.numbers import whole


def wanted_cases() -> Wanted:
    """Read the list's filters; what is none of their words filters nothing."""
    status = request.args.get("status", "")
    answers = request.args.get("answers", "")
    return Wanted(
        status=CaseStatus(status) if status in set(CaseStatus) else None,
        rule=request.args.get("rule", ""),
        answers=Answers(answers) if answers in set(Answers) else None,
    )


def asked() -> dict[str, Any]:
    """Give the filters as they stand in the address, to go back to the same list."""
    names = ("status", "rule", "answers")
    return {name: request.args[name] for name in names if request.args.get(name)}


class SeveralForm(Form):
    """The chosen cases come as `case`, all that the page showed as `shown`."""

    reason = TextAreaField("Why they are closed", validators=[Length(max=1000)])

    def chosen(self) -> list[int]:
        """Give the ids of the chosen cases; all on the page where that was ticked."""
        name = "shown" if request.form.get("all") else "case"
        return request.form.getlist(name, type=whole)
