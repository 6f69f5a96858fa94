"""What staff say at the fax desk about pages and papers."""

from wtforms import IntegerField, StringField
from wtforms.fields import TextAreaField
from wtforms.validators import InputRequired, Length

from portal.forms import Form


class TicketPaperForm(Form):
    code = StringField(
        "Ticket",
        description="Its number, such as T261123-7, or the code under the symbol",
        validators=[InputRequired("Enter the ticket's number"), Length(max=40)],
    )


class PutAsideForm(Form):
    note = TextAreaField(
        "Why they are put aside",
        description="An advertisement, a wrong number, not for us",
        validators=[InputRequired("Say why they are put aside"), Length(max=1000)],
    )


class DivideForm(Form):
    page = IntegerField(
        "Another form begins on page",
        description="It and the pages after it become a fax of their own",
        validators=[InputRequired("Say with which page the other form begins")],
    )
