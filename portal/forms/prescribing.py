"""Reviewing what was dispensed under one's own DEA numbers."""

from wtforms import StringField
from wtforms.validators import Length, Optional

from pmp.dispensations.prescribing import Wanted
from portal.forms import Form, UsDateField
from portal.forms.dispensing import without_a_date


class PrescribingForm(Form):
    """What to show; sent by POST: it names people."""

    since = UsDateField("Filled from", validators=[Optional()])
    until = UsDateField("to", validators=[Optional()])
    patient = StringField("Patient", validators=[Length(max=60)])
    drug = StringField("Drug or NDC", validators=[Length(max=60)])
    pharmacy = StringField("Pharmacy", validators=[Length(max=60)])

    def forget_days(self) -> None:
        """Ask for every day, whatever was typed."""
        for part in (self.since, self.until):
            part.data = part.raw_data = None

    def wanted(self) -> Wanted:
        """Give what is asked for; a date of birth may stand among a patient's names."""
        patient, born = without_a_date(self.patient.data or "")
        return Wanted(
            since=self.since.data,
            until=self.until.data,
            patient=patient,
            born=born,
            drug=self.drug.data or "",
            pharmacy=self.pharmacy.data or "",
        )
