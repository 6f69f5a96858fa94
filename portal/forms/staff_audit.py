"""What an auditor searches for."""

from wtforms import IntegerField, SelectChoice, SelectField, StringField
from wtforms.validators import Length, NumberRange, Optional

from pmp.audit import audit_search
from pmp.audit.audit_search import Search
from portal.forms import UsDateField
from portal.forms.filters import FilterForm


class AuditForm(FilterForm):
    actor = StringField("Who (user name)", validators=[Optional(), Length(max=150)])
    event = SelectField("What", choices=[], validate_choice=False)
    patient = IntegerField(
        "Patient number", validators=[Optional(), NumberRange(min=1, max=2**31 - 1)]
    )
    subject = StringField("About", validators=[Optional(), Length(max=150)])
    address = StringField(
        "From which computer (IP)", validators=[Optional(), Length(max=60)]
    )
    since = UsDateField("From", validators=[Optional()])
    until = UsDateField("To", validators=[Optional()])

    def offer(self) -> None:
        """List the kinds of events."""
        kinds = [SelectChoice(name, name) for name in audit_search.events()]
        self.event.choices = [SelectChoice("", "Anything"), *kinds]

    def search(self, sort: str = "") -> Search:
        """Give what was asked for."""
        return Search(
            actor=self.actor.data or "",
            event=self.event.data or "",
            subject=self.subject.data or "",
            patient_id=self.patient.data,
            since=self.since.data,
            until=self.until.data,
            address=self.address.data or "",
            sort=sort,
        )
