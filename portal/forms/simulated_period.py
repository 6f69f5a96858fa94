"""The days that a threshold rule is tried out for; if not said, the last quarter."""

from datetime import date

from wtforms.validators import Optional

from portal.forms import Form, UsDateField


class SimulatedPeriodForm(Form):
    since = UsDateField("From", validators=[Optional()])
    until = UsDateField("to", validators=[Optional()])

    def offer(self, since: date, until: date) -> None:
        """Fill in days where none were typed."""
        for part, day in ((self.since, since), (self.until, until)):
            if not (part.data or any(part.raw_data or ())):
                part.data = day

    def days(self) -> tuple[date, date]:
        """Give the first and the last day, once there are both."""
        since, until = self.since.data, self.until.data
        if since is None or until is None:
            raise ValueError("offer days before")
        return since, until
