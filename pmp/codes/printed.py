"""The codes that our papers carry: how each is read, and what it leads to."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from models import (
    CaseRecipient,
    ContactCheck,
    Delegation,
    EvidencePack,
    ReportCopy,
    ReportingNotice,
    Ticket,
    User,
)
from pmp import registration, settings, withheld
from pmp.codes.hits import Hit
from pmp.deliveries import letter_codes, letters, sealed_searches
from pmp.dispensations.row_codes import LIKE, SIGNS, check_sign, row_code, row_number
from pmp.errors import RuleError
from pmp.lookup import report_codes, report_copies
from pmp.matching import patient_files
from pmp.permissions import Permission, can
from pmp.reaching import page_codes
from pmp.registration import registration_codes
from pmp.reporting import notices
from pmp.thresholds import reply_codes, threshold_copies
from pmp.tickets import faxed_papers
from pmp.wording import phone, us_date, words

EVIDENCE_SIGNS = 10
TICKET = re.compile(r"T(\d\d[01]\d[0-3]\d)(\d{1,9})")  # the day, then the ticket
Find = Callable[[str, User, datetime], Hit | None]


@dataclass(frozen=True)
class Kind:
    """A kind of code; `read` gives its written form, None for what is no such code."""

    prefix: str
    name: str
    where: str
    example: str
    read: Callable[[str], str | None]
    find: Find
    permission: Permission


@dataclass(frozen=True)
class Reading:
    """A code that a text may be; `prefixed` says that its kind was typed as well."""

    kind: Kind
    code: str
    prefixed: bool


def kinds() -> list[Kind]:
    """Give every kind of code that stands on a paper."""
    mine = settings.current().registration_prefix.upper()
    return [
        Kind(mine, "registration code", *_REGISTRATION[1:]),
        *_KINDS,
    ]


def read(typed: str) -> list[Reading]:
    """Give the codes that a text may be, those whose kind was typed first."""
    plain = squeezed(typed)
    found = []
    for kind in kinds():
        prefix = squeezed(kind.prefix)
        prefixed = plain.startswith(prefix) and len(plain) > len(prefix)
        rest = plain.removeprefix(prefix) if prefixed else plain
        code = kind.read(kind.prefix + rest)
        if code is None and prefixed:
            code, prefixed = kind.read(kind.prefix + plain), False
        if code is not None:
            found.append(Reading(kind, code, prefixed))
    return sorted(found, key=lambda reading: not reading.prefixed)


def found(readings: list[Reading], *, by: User, at: datetime) -> list[Hit]:
    """Give what the codes stand for, of what a person may open."""
    hits = [
        reading.kind.find(reading.code, by, at)
        for reading in readings
        if can(by.role, reading.kind.permission)
    ]
    return [hit for hit in hits if hit]


def would_be(typed: str, readings: list[Reading]) -> list[str]:
    """Say, of a code that nothing has, what it would be, or what is wrong with it."""
    sure = [each for each in readings if each.prefixed] or readings
    if sure:
        return [
            f"{each.code} would be a {each.kind.name}. Nothing has it." for each in sure
        ]
    plain = squeezed(typed)
    return [
        f"It begins like a {kind.name} ({kind.example}), but a letter or digit is"
        " wrong, missing or too many. Compare it with the paper."
        for kind in kinds()
        if len(kind.prefix) > 1
        and plain.startswith(squeezed(kind.prefix))
        and any(sign.isdigit() for sign in plain)
    ]


def squeezed(text: str) -> str:
    """Give the letters and digits of a text, in the signs that codes are made of."""
    return "".join(sign for sign in text.upper() if sign.isalnum()).translate(LIKE)


# --- How each is read


def _row(text: str) -> str | None:
    try:
        return row_code(row_number(text))
    except ValueError:
        return None


def _report(text: str) -> str | None:
    try:
        return report_codes.read(text)
    except ValueError:
        return None


def _letter(text: str) -> str | None:
    number = letter_codes.read_code(text)
    return letter_codes.letter_code(number) if number else None


def _evidence(text: str) -> str | None:
    signs = text.removeprefix("E")
    if len(signs) != EVIDENCE_SIGNS or set(signs) - set(SIGNS):
        return None
    is_right = check_sign(signs[:-1]) == signs[-1]
    return f"E-{signs[:5]}-{signs[5:]}" if is_right else None


def _ticket_number(text: str) -> str | None:
    match = TICKET.fullmatch(text)
    return f"T{match[1]}-{match[2]}" if match else None


# --- What each leads to


def _registration(code: str, _by: User, _at: datetime) -> Hit | None:
    row = registration.by_code(code)
    if row is None:
        return _delegation(code)
    what = f"Registration {row.code}: {words(row.status).lower()}"
    address = f"/staff/registrations/{row.code}"
    return Hit(what, address, Permission.REGISTRATION_DECIDE)


def _delegation(code: str) -> Hit | None:
    """Give the delegate whose first sign-in takes this code, not a registration's."""
    row: Delegation | None = Delegation.get_or_none(Delegation.code == code)
    if row is None or not settings.current().delegates:
        return None
    what = f"{row.name}, delegate of {row.supervisor.name}: {words(row.status).lower()}"
    return Hit(what, f"/staff/delegates/{row.id}", Permission.DELEGATE_DECIDE)


def _patient(code: str, by: User, at: datetime) -> Hit | None:
    try:
        number = patient_files.find_by_row_code(code, by=by, at=at)
    except RuleError:
        return None
    what = f"The patient's page with row {code}"
    return Hit(what, f"/staff/patients/{number}", Permission.MATCH_DECIDE)


def _copy(code: str, _by: User, _at: datetime) -> Hit | None:
    if drawing := threshold_copies.by_code(code):
        what = f"Threshold report {code}, made {us_date(drawing.made_at)}"
        return _case(what, drawing.recipient)
    copy: ReportCopy | None = report_copies.by_code(code)
    if copy is None:
        return None
    who, made = copy.made_by, us_date(copy.made_at)
    what = f"Patient report {code}: genuine, made {made} for {who.username}"
    return Hit(what, f"/staff/users/{who.id}", Permission.USER_READ)


def _recipient(code: str, _by: User, _at: datetime) -> Hit | None:
    found: CaseRecipient | None = CaseRecipient.get_or_none(reply_code=code)
    return _case(f"The case of report {code}", found) if found else None


def _case(what: str, recipient: CaseRecipient) -> Hit:
    return Hit(what, f"/staff/cases/{recipient.case.id}", Permission.CASE_WORK)


def _ticket(ticket: Ticket | None, by: User) -> Hit | None:
    if ticket is None or not withheld.may_see(ticket.dispensation, by):
        return None
    what = f"Ticket {ticket.number}: {words(ticket.status).lower()}"
    return Hit(what, f"/staff/tickets/{ticket.number}", Permission.TICKET_WORK)


def _evidence_pack(code: str, by: User, _at: datetime) -> Hit | None:
    pack: EvidencePack | None = EvidencePack.get_or_none(code=code)
    return _ticket(pack.ticket, by) if pack else None


def _posted(code: str, _by: User, _at: datetime) -> Hit | None:
    letter = letters.by_code(code)
    if letter is None:
        return None
    what = f"Letter {code}: {words(letter.state).lower()}"
    address = f"/staff/deliveries/{letter.id}"
    return Hit(what, address, Permission.DELIVERY_WATCH)


def _notice(code: str, _by: User, _at: datetime) -> Hit | None:
    notice: ReportingNotice | None = ReportingNotice.get_or_none(reply_code=code)
    if notice is None:
        return None
    what = f"Reporting notice {code} of {us_date(notice.made_at)}"
    if notice.pharmacy is not None:
        address = f"/staff/reporting/pharmacies/{notice.pharmacy.id}"
        return Hit(what, address, Permission.REPORTING_WATCH)
    return Hit(what, "/staff/reporting", Permission.REPORTING_WATCH)


def _test_page(code: str, _by: User, _at: datetime) -> Hit | None:
    check: ContactCheck | None = ContactCheck.get_or_none(code=code)
    if check is None:
        return None
    # A number never stands in an address.
    address = f"/staff/fax-numbers/{sealed_searches.seal(check.address)}"
    what = f"Fax test page {code}, sent to {phone(check.address)}"
    return Hit(what, address, Permission.DELIVERY_WATCH)


_REGISTRATION = (
    "registration code",
    "confirmation pages",
    "CTR-7K3Q9-XW4MT",
    registration_codes.read_code,
    _registration,
    Permission.REGISTRATION_DECIDE,
)
_KINDS = [
    Kind(
        "V",
        "verification code",
        "the foot of patient reports and threshold reports",
        report_codes.EXAMPLE,
        _report,
        _copy,
        Permission.STAFF_CONSOLE,
    ),
    Kind(
        "D",
        "row code",
        "each row of a report",
        "D-7K3Q9XT",
        _row,
        _patient,
        Permission.MATCH_DECIDE,
    ),
    Kind(
        "RPL",
        "reply code",
        "reply pages and notes of a threshold report",
        "RPL-7K3Q9-XW4MT",
        reply_codes.read_code,
        _recipient,
        Permission.CASE_WORK,
    ),
    Kind(
        "T",
        "ticket number",
        "what goes out about a ticket",
        "T261123-7",
        _ticket_number,
        lambda code, by, _at: _ticket(Ticket.get_or_none(number=code), by),
        Permission.TICKET_WORK,
    ),
    Kind(
        "TKT",
        "ticket code",
        "what goes out about a ticket",
        "TKT-0000B-7K3QX",
        faxed_papers.read_code,
        lambda code, by, _at: _ticket(faxed_papers.by_code(code), by),
        Permission.TICKET_WORK,
    ),
    Kind(
        "E",
        "code of an evidence pack",
        "evidence packs",
        "E-7K3Q9-XW4MT",
        _evidence,
        _evidence_pack,
        Permission.TICKET_WORK,
    ),
    Kind(
        "LTR",
        "letter code",
        "the window of a letter",
        "LTR-0002K7",
        _letter,
        _posted,
        Permission.DELIVERY_WATCH,
    ),
    Kind(
        "DUE",
        "code of a reporting notice",
        "reminders and late notices",
        "DUE-7K3Q9-XW4MT",
        notices.read_code,
        _notice,
        Permission.REPORTING_WATCH,
    ),
    Kind(
        "FXT",
        "code of a fax test page",
        "fax test pages",
        "FXT-7K3Q-9XW4",
        page_codes.read_code,
        _test_page,
        Permission.DELIVERY_WATCH,
    ),
]
