"""The one box of the staff frame."""

from wtforms import StringField
from wtforms.validators import DataRequired, Length

from pmp import codes
from portal.forms import Form


class FindForm(Form):
    anything = StringField(
        "Find anything",
        description="A code from any paper of ours, the number of a fax, delivery or"
        " case, a user name, a licence or DEA number",
        validators=[
            DataRequired("Type what is printed on the paper"),
            Length(max=codes.LONGEST),
        ],
    )
