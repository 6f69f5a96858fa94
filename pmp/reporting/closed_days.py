"""Days on which the office is closed: they are no business days for a due date."""

from collections.abc import Iterable
from datetime import date, datetime

from models import ClosedDay, User
from pmp import audit, database
from pmp.errors import NotFoundError, RuleError
from pmp.reporting.holidays import federal_holidays

MOST = 400
LONGEST_NAME = 100


def of_year(year: int) -> list[ClosedDay]:
    """List the closed days of a year, in order."""
    query = ClosedDay.select().where(
        ClosedDay.day.between(date(year, 1, 1), date(year, 12, 31))
    )
    return list(query.order_by(ClosedDay.day))


def add(days: Iterable[tuple[date, str]], *, by: User, at: datetime) -> int:
    """Add closed days with their names; give how many are new.

    A day that is closed already keeps its name. RuleError without a name, or for more
    than 400 days at once.
    """
    wanted = {day: name.strip()[:LONGEST_NAME] for day, name in days}
    if not all(wanted.values()):
        raise RuleError("Give the day a name, such as Good Friday", field="name")
    if len(wanted) > MOST:
        raise RuleError(f"These are more than {MOST} days.", field="lines")
    with database.atomic():
        there = ClosedDay.select().where(ClosedDay.day.in_(sorted(wanted)))
        known = {row.day for row in there}
        new = {day: name for day, name in wanted.items() if day not in known}
        for day, name in new.items():
            ClosedDay.create(day=day, name=name)
        if new:
            _record({"added": [day.isoformat() for day in sorted(new)]}, by=by, at=at)
    return len(new)


def add_federal(year: int, *, by: User, at: datetime) -> int:
    """Add the federal holidays of a year; give how many are new."""
    return add(federal_holidays(year), by=by, at=at)


def remove(day: date, *, by: User, at: datetime) -> ClosedDay:
    """Take a closed day away; NotFoundError if it is none."""
    with database.atomic():
        row: ClosedDay | None = ClosedDay.get_or_none(ClosedDay.day == day)
        if row is None or not row.delete_instance():
            raise NotFoundError("This day is not among the closed days.")
        _record({"removed": [day.isoformat()]}, by=by, at=at)
    return row


def _record(detail: dict[str, list[str]], *, by: User, at: datetime) -> None:
    audit.record(
        audit.Event.REPORTING_CLOSED_DAYS_CHANGED,
        actor=by.username,
        subject="closed_days",
        at=at,
        detail=dict(detail),
    )
