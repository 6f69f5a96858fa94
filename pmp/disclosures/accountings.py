"""The accounting that a patient may ask for: who was told what, when, where and why.

45 CFR 164.528: of six years, by date, recipient and address, what, and purpose. It also
has the lists of names that look-ups showed, which led to no report, and leaves out what
an office had suspended. Making one is on the audit record first.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from peewee import JOIN, SQL, NodeList, Value, fn

from models import (
    Disclosure,
    Licence,
    LookUp,
    LookUpOutcome,
    Patient,
    ReportedIdentity,
    Role,
    User,
)
from pmp import audit, clock, database, delegates, disclosures, lookup, settings
from pmp.disclosures import names
from pmp.errors import NotFoundError, RuleError
from pmp.matching import whereabouts
from pmp.matching.whereabouts import Stay
from pmp.wording import phone, us_time

HEADINGS = ("Time", "To", "Address", "What", "Purpose")
LISTED = "name, date of birth and address in a list of those who fit a search"
PLACES = {
    Role.PRACTITIONER: "A practitioner",
    Role.PHARMACY: "A pharmacy",
    Role.DELEGATE: "A delegate of a practitioner or pharmacy",
}
_BEHIND_NAME = re.compile(r" \(([^()\s]+)\)$")


@dataclass(frozen=True)
class Line:
    """One disclosure in the words that a patient reads."""

    at: datetime
    recipient: str
    address: str
    what: str
    purpose: str


@dataclass(frozen=True)
class Accounting:
    """What left the program about a person within some days, newest first."""

    patient_id: int
    name: str
    birth_date: date
    since: date
    until: date
    lines: Sequence[Line]
    made_by: User
    made_at: datetime


def longest(at: datetime) -> tuple[date, date]:
    """Give the first and the last day that a patient may ask for at a time."""
    today = clock.day_of(at)
    return years_before(today, settings.current().accounting_years), today


def years_before(day: date, years: int) -> date:
    """Give the same day so many years before; of February 29 the 28th."""
    leaps = day.month == 2 and day.day == 29
    return day.replace(year=day.year - years, day=28 if leaps else day.day)


def patient_now(patient_id: int) -> Patient:
    """Give under whom a patient is found today, after joins; NotFoundError."""
    found = Patient.get_or_none(Patient.id == patient_id)
    if found is None:
        raise NotFoundError("There is no such patient.")
    now: Patient = found
    if not ReportedIdentity.select().where(ReportedIdentity.patient == now).exists():
        now = Patient.get_by_id(whereabouts.joined_with(patient_id))
    return now


def open_accounting(
    patient_id: int,
    *,
    what: str,
    by: User,
    at: datetime,
    days: tuple[date, date] | None = None,
) -> Accounting:
    """Make an accounting of some days, else of all that may be asked for.

    `what` is "page", "PDF", "CSV" or a request's number. NotFoundError where nobody is
    reported under the number.
    """
    since, until = days or longest(at)
    if since > until:
        raise RuleError("The first day is after the last.", field="since")
    name, birth_date = names.of_patient(patient_id)
    audit.record(
        audit.Event.ACCOUNTING_MADE,
        actor=by.username,
        subject=f"patient:{patient_id}",
        at=at,
        detail={"what": what, "since": str(since), "until": str(until)},
    )
    lines = sorted(
        [*_disclosed(patient_id, since, until, at), *_listed(patient_id, since, until)],
        key=lambda line: line.at,
        reverse=True,
    )
    return Accounting(patient_id, name, birth_date, since, until, lines, by, at)


def table(accounting: Accounting) -> list[tuple[str, ...]]:
    """Give an accounting as rows under HEADINGS, for a file."""
    return [
        (us_time(each.at), each.recipient, each.address, each.what, each.purpose)
        for each in accounting.lines
    ]


def _disclosed(
    patient_id: int, since: date, until: date, at: datetime
) -> Iterator[Line]:
    stayed = whereabouts.stays_of(patient_id)
    rows: Any = (
        Disclosure.select(Disclosure, LookUp, User, Licence)
        .join(LookUp, JOIN.LEFT_OUTER)
        .join(User, JOIN.LEFT_OUTER)
        .join(Licence, JOIN.LEFT_OUTER)
        .where(whereabouts.whose(stayed, Disclosure.patient, Disclosure.at))
        .where(_within(Disclosure.at, since, until))
        .where(disclosures.may_be_told(clock.day_of(at)))
        .order_by(Disclosure.id.desc())
    )
    found = list(rows)
    delegates.loaded(each.look_up for each in found if each.look_up)
    users = _users_named(found)
    for each in found:
        user = each.look_up.user if each.look_up else users.get(_behind(each))
        yield Line(
            each.at,
            _recipient(user, each.look_up) if user else each.recipient,
            _place(user, each.look_up) if user else _address(each.address),
            f"{each.what[:1].upper()}{each.what[1:]}",
            each.purpose,
        )


def _listed(patient_id: int, since: date, until: date) -> Iterator[Line]:
    """Give the look-ups that showed a person among others who fitted."""
    stayed = whereabouts.stays_of(patient_id)
    rows: Any = (
        LookUp.select(LookUp, User, Licence)
        .join(User)
        .join(Licence, JOIN.LEFT_OUTER)
        .where(LookUp.outcome == LookUpOutcome.CANDIDATES)
        .where(_within(LookUp.at, since, until))
        .where(reduce(or_, map(_offered, stayed)))
        .order_by(LookUp.id.desc())
    )
    for each in delegates.loaded(rows):
        purpose = lookup.PURPOSE_WORDS[each.purpose]
        what = f"{LISTED[:1].upper()}{LISTED[1:]}"
        who, where = _recipient(each.user, each), _place(each.user, each)
        yield Line(each.at, who, where, what, purpose)


def _offered(stay: Stay) -> Any:
    """Give the condition that a look-up offered a patient during a stay."""
    offered: Any = LookUp.candidates
    listed = fn.JSON_EACH if database.is_sqlite() else fn.JSONB_ARRAY_ELEMENTS_TEXT
    values = NodeList(
        (SQL("SELECT CAST(value AS INTEGER) FROM"), listed(offered)), parens=True
    )
    return Value(stay.patient_id).in_(values) & stay.during(LookUp.at)


def _within(time: Any, since: date, until: date) -> Any:
    """Give the condition that a time falls on one of these days."""
    after = clock.start_of(until + timedelta(days=1))
    return (time >= clock.start_of(since)) & (time < after)


def _behind(disclosure: Disclosure) -> str:
    """Give the user name that stands behind a recipient's name; empty if none does."""
    found = _BEHIND_NAME.search(disclosure.recipient)
    return found[1] if found else ""


def _users_named(found: Iterable[Disclosure]) -> dict[str, User]:
    named = {_behind(each) for each in found if not each.look_up} - {""}
    rows: Any = (
        User.select(User, Licence)
        .join(Licence, JOIN.LEFT_OUTER)
        .where(User.username.in_(sorted(named)))
    )
    return {user.username: user for user in rows}


def _recipient(user: User, look_up: LookUp | None) -> str:
    """Name a user, or only what they are, as the programme's policy says."""
    if settings.current().patient_told_names == "persons" or user.role not in PLACES:
        return delegates.with_supervisor(user.name, look_up)
    return PLACES[user.role]


def _place(user: User, look_up: LookUp | None) -> str:
    """Give the address of record of a user, or of whom they looked up for; or none."""
    delegation = look_up.delegation if look_up else None
    licence = delegation.supervisor.licence if delegation else user.licence
    if licence is None:
        return ""
    town = f"{licence.city}, {licence.state} {licence.zip}".strip(", ")
    return ", ".join(part for part in (licence.street, town) if part)


def _address(text: str) -> str:
    """Write a number, an email address or postal lines in one line."""
    return phone(", ".join(filter(None, map(str.strip, text.splitlines()))))
