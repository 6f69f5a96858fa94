"""An application beside the roster: what agrees, what differs, what stands in the way.

For staff only. A difference needs a second person's word; some things nobody can waive.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from models import (
    Application,
    AuditEvent,
    Licence,
    Pharmacy,
    Profession,
    User,
    UserStatus,
)
from pmp import audit, clock
from pmp.deliveries.contacts import address_lines
from pmp.registration.names import name_key, same_company, same_person
from pmp.wording import us_date, zip_code

ROSTER_DIGITS = 7
_NUMBER = re.compile(r"([A-Z]*)\W*0*(\d+)")


@dataclass(frozen=True)
class Line:
    """One thing that both sides say; `agrees` None: nothing follows from it."""

    label: str
    given: str
    listed: str
    agrees: bool | None


@dataclass(frozen=True)
class Comparison:
    """What staff decide by; `differences` can be overridden, `bars` cannot."""

    licence: Licence | None
    lines: tuple[Line, ...]
    differences: tuple[str, ...]
    bars: tuple[str, ...]
    holders: tuple[User, ...] = ()  # accounts that must be closed first


def compare(application: Application, *, at: datetime) -> Comparison:
    """Lay an application beside the licence that it names, as of a time."""
    licence = licence_of(application)
    if licence is None:
        return Comparison(
            None,
            (),
            (),
            ("The roster has no licence with this number, nor with this DEA number.",),
        )
    lines = _lines(application, licence, day=clock.day_of(at))
    differences = tuple(
        f"{line.label}: the roster says “{line.listed}”, the application"
        f" “{line.given}”."
        if line.given
        else f"{line.label}: {line.listed}."
        for line in lines
        if line.agrees is False
    )
    holders = _holders(application, licence)
    bars = _bars(licence, holders)
    return Comparison(licence, lines, differences, bars, holders)


def licence_of(application: Application) -> Licence | None:
    """Find the licence that an application names, by its number, else by its DEA."""
    number = _NUMBER.fullmatch(application.licence_number)
    query = Licence.select().where(Licence.profession == application.profession)
    if number and number[1]:
        codes = (
            application.licence_number,
            f"{number[1]}.{number[2]:0>{ROSTER_DIGITS}}",
        )
        found = list(query.where(Licence.code.in_(codes)))
    elif number:
        ending = f".{number[2]:0>{ROSTER_DIGITS}}"
        found = list(query.where(Licence.code.endswith(ending)))
    else:
        found = list(query.where(Licence.code == application.licence_number))
    found = found or list(query.where(Licence.dea == application.dea))
    return max(found, key=lambda row: _likeness(application, row), default=None)


def is_active(licence: Licence, *, day: date) -> bool:
    """Tell whether a licence is in force on a day."""
    return licence.active and not (licence.expires_on and licence.expires_on < day)


def typed_by(application: Application) -> str:
    """Give who typed an application: a user name, or "applicant"."""
    row: AuditEvent | None = (
        AuditEvent.select()
        .where(AuditEvent.subject == f"registration:{application.code}")
        .where(AuditEvent.event == audit.Event.REGISTRATION_SUBMITTED.value)
        .first()
    )
    return row.actor if row else "applicant"


def others_like(application: Application) -> list[Application]:
    """Give other registrations with the same DEA number, newest first."""
    query = (
        Application.select()
        .where(Application.dea == application.dea)
        .where(Application.id != application.id)
        .order_by(Application.id.desc())
        .limit(5)
    )
    return list(query)


def repeats_of(application: Application) -> list[Application]:
    """Give the same applicant's other registrations of the same licence, as typed."""
    query = same_licence(application).where(Application.id != application.id)
    name = name_key(applicant_name(application))
    found = query.order_by(Application.id)
    return [each for each in found if name_key(applicant_name(each)) == name]


def same_licence(application: Application) -> Any:
    """Select the registrations that name the same licence as typed, itself too."""
    return (
        Application.select()
        .where(Application.profession == application.profession)
        .where(Application.licence_number == application.licence_number)
        .where(Application.dea == application.dea)
    )


def account_closed_by(application: Application) -> str:
    """Give who closed an account for an application; empty if nobody did."""
    rows = AuditEvent.select().where(
        AuditEvent.event == audit.Event.USER_CLOSED.value,
        AuditEvent.at >= application.submitted_at,
    )
    closed = [r.actor for r in rows if application.code in r.detail.values()]
    return closed[-1] if closed else ""


def applicant_name(application: Application) -> str:
    """Give an applicant as the roster writes names: SEMYON RODKIN, ELM PHARMACY."""
    if application.profession == Profession.PHARMACY:
        name: str = application.pharmacy_name
        return name
    parts = (application.first_name, application.middle_name, application.last_name)
    return " ".join(part for part in parts if part)


def _lines(
    application: Application, licence: Licence, *, day: date
) -> tuple[Line, ...]:
    until = f", until {us_date(licence.expires_on)}" if licence.expires_on else ""
    lines = [
        Line(
            "Status of the licence",
            "",
            f"{licence.status}{until}",
            is_active(licence, day=day),
        ),
        Line(
            "Name",
            applicant_name(application),
            licence.name,
            _names_agree(application, licence),
        ),
        Line(
            "Licence number",
            application.licence_number,
            licence.code,
            _numbers_agree(application.licence_number, licence.code),
        ),
        _number_line("DEA number", application.dea, licence.dea),
        _number_line("NPI", application.npi, licence.npi),
    ]
    if application.profession == Profession.PHARMACY:
        lines.append(_number_line("NCPDP number", application.ncpdp, licence.ncpdp))
    lines.append(Line("Address", _address(application), _address(licence), None))
    return tuple(lines)


def _number_line(label: str, given: str, listed: str | None) -> Line:
    known = bool(given and listed)
    return Line(label, given, listed or "", given == listed if known else None)


def _numbers_agree(given: str, code: str) -> bool:
    one, other = _NUMBER.fullmatch(given), _NUMBER.fullmatch(code)
    if not one or not other:
        return given == code
    return one[2] == other[2] and one[1] in {"", other[1]}


def _names_agree(application: Application, licence: Licence) -> bool:
    if application.profession == Profession.PHARMACY:
        return same_company(licence.name, application.pharmacy_name)
    return same_person(
        licence.name,
        last_name=application.last_name,
        first_name=application.first_name,
    )


def _likeness(application: Application, licence: Licence) -> tuple[bool, bool, bool]:
    return (
        _names_agree(application, licence),
        licence.dea == application.dea,
        licence.active,
    )


def _holders(application: Application, licence: Licence) -> tuple[User, ...]:
    """Give the accounts in the way: of the licence, or of a pharmacy's DEA number.

    After a change of owner a pharmacy may have a new permit and keep its DEA number:
    two accounts would both report for it.
    """
    mine = User.licence == licence
    if application.profession == Profession.PHARMACY:
        same = Pharmacy.select().where(Pharmacy.dea == application.dea)
        mine |= User.pharmacy.in_(same)
    query = User.select().where(mine).where(User.status != UserStatus.CLOSED)
    return tuple(each for each in query if each != application.user)


def _bars(licence: Licence, holders: tuple[User, ...]) -> tuple[str, ...]:
    bars = []
    if not address_lines(licence):
        bars.append(
            "The licence has no whole address of record: a letter could not be mailed."
        )
    for holder in holders:
        what = "licence" if holder.licence == licence else "DEA number"
        bars.append(f"This {what} has an account already: {holder.username}.")
    return tuple(bars)


def _address(row: Application | Licence) -> str:
    parts = (row.street, row.city, f"{row.state} {zip_code(row.zip)}".strip())
    return ", ".join(part for part in parts if part)
