"""Whom a fax without a code may be from, and what it may be about; with the reason.

By the caller's number and by what its machine calls itself, beside whom we know and to
whom we have faxed lately.  Only shown: a person attaches.  Names on the pages are read
by nobody but that person.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Any

from models import (
    Application,
    CaseRecipient,
    ChannelName,
    Delivery,
    DeliveryAttempt,
    DeliveryKind,
    InboundFax,
    Pharmacy,
    Prescriber,
    ReportingNotice,
    TicketQuestion,
    User,
    UserStatus,
)
from pmp import registration, wording
from pmp.deliveries import contacts
from pmp.identifiers import e164
from pmp.registration import comparison
from pmp.thresholds import case_recipients

LATELY = timedelta(days=60)
MOST = 10
MOST_IN_TRAY = 20  # the oldest: they are worked on first


class About(StrEnum):
    """What a fax may be about; that is how it is attached."""

    REGISTRATION = "registration"
    REPORT = "report"
    TICKET = "ticket"
    NOBODY_KNOWS = "nobody knows"


@dataclass(frozen=True)
class Guess:
    """Who it may be, why, and the code by which the fax is attached, if there is."""

    about: About
    who: str
    why: str
    code: str = ""


def guesses(fax: InboundFax, *, at: datetime) -> list[Guess]:
    """Give the best guesses, what can be attached first; none for an unknown caller.

    At most ten, each code once.
    """
    numbers = _numbers(fax)
    faxed = list(_faxed_to(numbers, fax.station.strip(), since=at - LATELY))
    found: dict[tuple[str, str], Guess] = {}
    for guess in (*_registrations(numbers), *faxed, *_known(numbers)):
        found.setdefault((guess.about, guess.code or guess.who), guess)
    named = {each.who for each in found.values() if each.code}
    kept = [each for each in found.values() if each.code or each.who not in named]
    return sorted(kept, key=lambda each: not each.code)[:MOST]


def _numbers(fax: InboundFax) -> list[str]:
    """Give the caller's number and the one that its machine gives as its name."""
    own = (e164(fax.from_number), e164(fax.station))
    return sorted({number for number in own if number})


def _registrations(numbers: list[str]) -> Iterator[Guess]:
    query = (
        Application.select()
        .where(Application.status.in_(registration.OPEN))
        .where(Application.fax.in_(numbers) | Application.phone.in_(numbers))
        .order_by(Application.submitted_at.desc())
        .limit(MOST)
    )
    for each in query:
        which = "fax" if each.fax in numbers else "telephone"
        yield Guess(
            About.REGISTRATION,
            comparison.applicant_name(each),
            f"The same {which} number as in registration {each.code}",
            each.code,
        )


def _faxed_to(numbers: list[str], station: str, *, since: datetime) -> Iterator[Guess]:
    """Guess from what we faxed there: to the number, or answered by that machine."""
    by_machine = (
        DeliveryAttempt.select(DeliveryAttempt.delivery)
        .where(DeliveryAttempt.station == station)
        .where(DeliveryAttempt.station != "")
        .where(DeliveryAttempt.started_at >= since)
    )
    query = (
        Delivery.select()
        .where(Delivery.channel == ChannelName.FAX)
        .where(Delivery.created_at >= since)
        .where(Delivery.address.in_(numbers) | Delivery.id.in_(by_machine))
        .order_by(Delivery.created_at.desc())
        .limit(3 * MOST)
    )
    for delivery in query:
        same = "number" if delivery.address in numbers else "machine"
        day = wording.us_date(delivery.created_at)
        about = _ABOUT.get(delivery.kind)
        if about and (guess := about(delivery.subject_id, f"this {same} on {day}")):
            yield guess


def _report(recipient_id: int, where: str) -> Guess | None:
    recipient = CaseRecipient.get_or_none(CaseRecipient.id == recipient_id)
    if recipient is None or not recipient.reply_code:
        return None
    who = contacts.name_of(case_recipients.who(recipient))
    why = f"We faxed a threshold report to {where}"
    return Guess(About.REPORT, who, why, recipient.reply_code)


def _question(question_id: int, where: str) -> Guess | None:
    question = TicketQuestion.get_or_none(TicketQuestion.id == question_id)
    if question is None or question.ticket.resolved_at is not None:
        return None
    who = contacts.name_of(question.pharmacy)
    number = question.ticket.number
    why = f"We faxed a question about ticket {number} to {where}"
    return Guess(About.TICKET, who, why, number)


def _notice(notice_id: int, where: str) -> Guess | None:
    notice = ReportingNotice.get_or_none(ReportingNotice.id == notice_id)
    if notice is None or notice.pharmacy is None:
        return None
    who = contacts.name_of(notice.pharmacy)
    return Guess(
        About.NOBODY_KNOWS, who, f"We faxed a notice about missing days to {where}"
    )


_ABOUT = {
    DeliveryKind.THRESHOLD_REPORT: _report,
    DeliveryKind.TICKET_QUESTION: _question,
    DeliveryKind.REPORTING_NOTICE: _notice,
}


def _known(numbers: list[str]) -> Iterator[Guess]:
    """Name whoever has the number: users, pharmacies, prescribers."""
    users = (
        User.select()
        .where(User.fax.in_(numbers) | User.phone.in_(numbers))
        .where(User.status == UserStatus.ACTIVE)
        .limit(MOST)
    )
    for user in users:
        yield Guess(About.NOBODY_KNOWS, user.name, _whose(user.fax, numbers, "user"))
    for pharmacy in _with_number(Pharmacy, numbers):
        who = contacts.name_of(pharmacy)
        why = _whose(pharmacy.fax, numbers, "pharmacy")
        yield Guess(About.NOBODY_KNOWS, who, why)
    for prescriber in _with_number(Prescriber, numbers):
        who = contacts.name_of(prescriber)
        why = _whose(prescriber.fax, numbers, "prescriber")
        yield Guess(About.NOBODY_KNOWS, who, why)


def _with_number(table: Any, numbers: list[str]) -> list[Any]:
    query = table.select().where(table.fax.in_(numbers) | table.phone.in_(numbers))
    return list(query.order_by(table.id).limit(MOST))


def _whose(fax: str | None, numbers: list[str], kind: str) -> str:
    which = "fax" if fax in numbers else "telephone"
    return f"The {which} number of this {kind}"


def first_of(rows: Iterable[InboundFax], *, at: datetime) -> dict[int, Guess]:
    """Give the best guess about each of the oldest faxes of the tray that has one."""
    oldest = islice(rows, MOST_IN_TRAY)
    found = ((row.id, guesses(row, at=at)) for row in oldest)
    return {number: few[0] for number, few in found if few}
