"""What a user searches for and what for; what is too little or too much is refused."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from models import Delegation, Purpose, Role, User
from pmp import clock, delegates
from pmp.errors import RuleError
from pmp.lookup.birth_dates import EARLIEST
from pmp.matching.identities import name_key

FEWEST_LETTERS = 2
LONGEST_PERIOD = timedelta(days=5 * 366)
_ZIP = re.compile(r"\d{5}(-?\d{4})?", re.ASCII)
PURPOSES: dict[Role, tuple[Purpose, ...]] = {
    Role.PRACTITIONER: (Purpose.TREATING, Purpose.REVIEWING_OWN),
    Role.PHARMACY: (Purpose.DISPENSING, Purpose.REVIEWING_OWN),
}
PURPOSE_WORDS = {
    Purpose.TREATING: "Treating this patient",
    Purpose.DISPENSING: "Dispensing to this patient",
    Purpose.REVIEWING_OWN: "Reviewing what I prescribed or dispensed",
    Purpose.OVERSIGHT: "Oversight",
}


@dataclass(frozen=True)
class Criteria:
    """What a user searches for; the period is of fill dates, both included.

    `zip` is empty or has five digits, with or without four more; `delegation` says on
    whose behalf a delegate searches, by its number.
    """

    first_name: str
    last_name: str
    birth_date: date
    purpose: Purpose
    since: date
    until: date
    similar: bool = False
    zip: str = ""
    delegation: int | None = None


def purposes(user: User, *, at: datetime) -> tuple[Purpose, ...]:
    """Give the purposes for which a user of this role may search.

    A delegate's are of those whom they look up for: the care of a patient alone.
    """
    if user.role is Role.DELEGATE:
        theirs = (_for_care(each) for each in delegates.supervisors(user, at=at))
        return tuple(dict.fromkeys(theirs))
    return PURPOSES.get(user.role, ())


def check(criteria: Criteria, *, by: User, at: datetime) -> None:
    """Raise RuleError, with the field, unless a search is meant for one person."""
    for field, name in (("first_name", "first name"), ("last_name", "last name")):
        if len(name_key(getattr(criteria, field))) < FEWEST_LETTERS:
            message = f"Enter at least {FEWEST_LETTERS} letters of the {name}"
            raise RuleError(message, field=field)
    today = clock.day_of(at)
    if not EARLIEST <= criteria.birth_date <= today:
        raise RuleError(
            "Enter the date of birth, such as 04/28/1971", field="birth_date"
        )
    if criteria.zip and not _ZIP.fullmatch(criteria.zip):
        raise RuleError("Enter the ZIP code's five digits, or nothing", field="zip")
    check_purpose(criteria.purpose, by=by, at=at, delegation=criteria.delegation)
    _check_period(criteria, today)


def check_purpose(
    purpose: Purpose, *, by: User, at: datetime, delegation: int | None = None
) -> None:
    """Raise RuleError unless a user may look up for a purpose, and on that behalf."""
    delegates.require_usable(delegation, by=by, at=at)
    allowed = purposes(by, at=at)
    if delegation is not None:
        theirs = (each for each in delegates.usable(by, at=at) if each.id == delegation)
        allowed = tuple(_for_care(each.supervisor) for each in theirs)
    if purpose not in allowed:
        raise RuleError("Say what you need this report for", field="purpose")


def purpose_on_behalf_of(delegation: int | None) -> Purpose:
    """Give what a look-up on somebody's behalf is for; `check` refuses nobody's."""
    row: Delegation | None = Delegation.get_or_none(Delegation.id == delegation)
    return _for_care(row.supervisor) if row else Purpose.TREATING


def _for_care(supervisor: User) -> Purpose:
    """Give for what is looked up on behalf of a practitioner or a pharmacy."""
    return PURPOSES[supervisor.role][0]


def _check_period(criteria: Criteria, today: date) -> None:
    if criteria.since > criteria.until:
        raise RuleError("The first day is after the last day", field="since")
    if criteria.until > today:
        raise RuleError("The last day is in the future", field="until")
    if criteria.until - criteria.since > LONGEST_PERIOD:
        raise RuleError("Ask for at most five years", field="since")
