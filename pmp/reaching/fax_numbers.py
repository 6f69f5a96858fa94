"""What is known of a fax number: proven or not, wrong, what answers, whose it is.

`confirm_by_code` is for whoever has the code of a test page in hand and not its owner:
staff on the telephone, or at the fax desk once they have looked at a page that was
faxed back.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from peewee import fn

from models import (
    ChannelName,
    ContactCheck,
    FaxNumber,
    HowConfirmed,
    Licence,
    Pharmacy,
    Prescriber,
    User,
    UserStatus,
)
from pmp import audit, database
from pmp.deliveries import barred, contacts, receipts
from pmp.errors import NotFoundError, RuleError
from pmp.identifiers import e164, not_a_number
from pmp.reaching import checks, held_faxes, page_codes
from pmp.reaching.proofs import Owner

MOST_OWNERS = 20
# A machine that says its own number says at least these of its digits.
LEAST_DIGITS = 7


class State(StrEnum):
    """What a fax number is, for one of those who have it."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    WRONG = "wrong"


@dataclass(frozen=True)
class Standing:
    """Where a fax number of somebody stands, how that is known, and since when.

    `says_so` is weak evidence: the machine that answers calls itself by this number.
    """

    number: str
    state: State
    check: ContactCheck | None = None  # that proved it
    waiting: ContactCheck | None = None  # a test page that is out to it
    row: FaxNumber | None = None
    says_so: bool = False


def standing(owner: Owner, number: str, *, at: datetime) -> Standing:
    """Give where a number of somebody stands."""
    row = known(number)
    check = checks.last_confirmed(owner, ChannelName.FAX, number)
    waiting = checks.open_check(owner, ChannelName.FAX, at=at)
    if waiting is not None and waiting.address != number:
        waiting = None
    state = State.VERIFIED if check else State.UNVERIFIED
    if barred.among([number]):
        state = State.WRONG
    says_so = bool(row and is_its_own(row.station, number))
    return Standing(number, state, check, waiting, row, says_so)


def is_its_own(station: str, number: str) -> bool:
    """Tell whether a machine calls itself by the last digits of its number."""
    digits = "".join(sign for sign in station if sign.isdigit())[-10:]
    return len(digits) >= LEAST_DIGITS and number.endswith(digits)


def confirm_by_code(
    code: str, *, how: HowConfirmed, by: str, at: datetime
) -> ContactCheck:
    """Take the code of a test page, whoever has it in hand; `by` a user name or system.

    RuleError, at the field, if it is no such code or no longer good.
    """
    written = page_codes.read_code(code)
    check: ContactCheck | None = ContactCheck.get_or_none(
        ContactCheck.code == written, ContactCheck.channel == ChannelName.FAX
    )
    if written is None or check is None:
        raise NotFoundError(
            "No test page has this code. It stands in big letters on the page, such as"
            " FXT-7K3Q-9XW4.",
            field="code",
        )
    return checks.confirm(check, how=how, by=by, at=at)


def faxed_back(codes: Iterable[str]) -> list[ContactCheck]:
    """Give the test pages of ours among the codes on a fax, to be looked at.

    A stranger who faxes one back with "wrong number" on it has the code as well, so a
    fax proves nothing before a person has seen it.
    """
    query = (
        ContactCheck.select()
        .where(ContactCheck.channel == ChannelName.FAX)
        .where(ContactCheck.code.in_(page_codes.codes_in(codes)))
        .order_by(ContactCheck.id)
    )
    return list(query)


def block(number: str, *, why: str, by: str, at: datetime) -> FaxNumber:
    """Send nothing more to a number: it is somebody else's.

    Whatever waits for it goes by its next way, and so does what its carrier can still
    be kept from faxing. Its proofs are void: whoever has it
    later proves it again. RuleError without a reason or number.
    """
    if not why.strip():
        raise RuleError("Say how you know that it is wrong.", field="why")
    plain = written(number)
    with database.atomic():
        waiting = held_faxes.waiting_for(plain)
        row = row_of(plain)
        if row.blocked_at is not None:
            return row
        row.blocked_at, row.blocked_by, row.blocked_why = at, by, why.strip()
        row.save()
        ContactCheck.update(ended_at=at).where(
            ContactCheck.address == row.number,
            ContactCheck.channel == ChannelName.FAX,
            ContactCheck.ended_at.is_null(),
        ).execute()
        held_faxes.stop(waiting, by=by, at=at)
        receipts.ask_soon(plain, at=at)
        _record(audit.Event.NUMBER_BLOCKED, row, by, at, {"why": why.strip()})
    return row


def release(number: str, *, by: User, at: datetime) -> FaxNumber:
    """Send to a number again that was blocked by mistake; it is to be proven anew."""
    with database.atomic():
        row = row_of(written(number))
        if row.blocked_at is not None:
            row.blocked_at, row.blocked_by, row.blocked_why = None, "", ""
            row.save()
            _record(audit.Event.NUMBER_RELEASED, row, by.username, at, {})
    return row


def known(number: str) -> FaxNumber | None:
    """Give what the program has learned of a number; None: nothing yet."""
    row: FaxNumber | None = FaxNumber.get_or_none(FaxNumber.number == number)
    return row


def is_closed(number: str) -> bool:
    """Tell whether nothing is sent to a number, blocked or after an incident."""
    return bool(barred.among([number]))


def checks_of(number: str) -> list[ContactCheck]:
    """Give every test page that went to a number, the newest first."""
    query = (
        ContactCheck.select()
        .where(ContactCheck.channel == ChannelName.FAX)
        .where(ContactCheck.address == number)
        .order_by(ContactCheck.id.desc())
    )
    return list(query)


def owners_of(number: str) -> list[Owner]:
    """Give the users, licences, prescribers and pharmacies with a number; at most 20.

    However it was written. Who is a user is given as one, not also as a licence.
    """
    users = [each for each in _with(User, number) if each.status == UserStatus.ACTIVE]
    others: list[Owner] = [
        each
        for table in (Licence, Prescriber, Pharmacy)
        for each in _with(table, number)
    ]
    return [*users, *others][:MOST_OWNERS]


def name_of(owner: Owner) -> str:
    """Write the name of whoever has a number."""
    if isinstance(owner, Prescriber | Pharmacy):
        return contacts.name_of(owner)
    return str(owner.name)


def written(number: str) -> str:
    """Bring a typed number to +1 and ten digits; RuleError, at the field, if none."""
    plain = e164(number)
    if plain is None:
        raise RuleError(not_a_number(number), field="fax")
    return plain


def row_of(number: str) -> FaxNumber:
    """Give the row of a number, made if there is none; taken until the end."""
    FaxNumber.insert(number=number).on_conflict_ignore().execute()
    query = FaxNumber.select().where(FaxNumber.number == number)
    row: FaxNumber = (query if database.is_sqlite() else query.for_update()).get()
    return row


def _with(table: type[Any], number: str) -> list[Any]:
    """Find those with a number among texts as they came: (860) 555-0123, 8605550123."""
    plain = table.fax
    for sign in "()-. +/":
        plain = fn.REPLACE(plain, sign, "")
    digits = number.removeprefix("+1")
    query = (
        table.select()
        .where((plain == digits) | (plain == f"1{digits}"))
        .order_by(table.id)
        .limit(MOST_OWNERS)
    )
    return list(query)


def _record(
    event: audit.Event,
    row: FaxNumber,
    actor: str,
    at: datetime,
    detail: dict[str, Any],
) -> None:
    subject = f"fax_number:{row.number}"
    audit.record(event, actor=actor, subject=subject, at=at, detail=detail)
