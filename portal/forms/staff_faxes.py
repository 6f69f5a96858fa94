"""What staff say at the fax desk about pages and papers."""

from wtforms import IntegerField, SelectChoice, StringField
from wtforms.fields import TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from models import FaxStatus
from pmp.faxes import TRAY
from pmp.faxes.fax_lists import Wanted
from pmp.wording import words
from portal.forms import Form, UsDateField
from portal.forms.filters import SealedFilterForm, menu, one_of

_NUMBER = StringField(
    "From number", description="Or a part of it", validators=[Length(max=40)]
)


class TrayFilterForm(SealedFilterForm):
    """Which of the faxes that wait to list; the sender may be a patient."""

    sealed = "number"
    number = _NUMBER
    status = menu("State", [SelectChoice(each, words(each)) for each in TRAY])

    def wanted(self, sort: str) -> Wanted:
        """Give what to list."""
        return Wanted(
            status=one_of(FaxStatus, self.status.data),
            number=self.number.data or "",
            sort=sort,
        )


class AsideFilterForm(SealedFilterForm):
    """Which of the faxes that were put aside to list."""

    sealed = "number"
    number = _NUMBER
    by = StringField("Put aside by", validators=[Length(max=150)])
    since = UsDateField("Came from", validators=[Optional()])
    until = UsDateField("To", validators=[Optional()])

    def wanted(self, sort: str) -> Wanted:
        """Give what to list."""
        return Wanted(
            aside=True,
            number=self.number.data or "",
            by=self.by.data or "",
            since=self.since.data,
            until=self.until.data,
            sort=sort,
        )


class TicketPaperForm(Form):
    code = StringField(
        "Ticket",
        description="Its number, such as T261123-7, or the code under the symbol",
        validators=[InputRequired("Enter the ticket's number"), Length(max=40)],
    )


class PutAsideForm(Form):
    note = TextAreaField(
        "Why they are put aside",
        description="An advertisement, a wrong number, not for us. Name no patient.",
        validators=[InputRequired("Say why they are put aside"), Length(max=1000)],
    )


class DivideForm(Form):
    page = IntegerField(
        "Another form begins on page",
        description="It and the pages after it become a fax of their own",
        validators=[InputRequired("Say with which page the other form begins")],
    )
