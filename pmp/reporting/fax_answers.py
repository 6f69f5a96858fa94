"""A notice that comes back by fax, signed: "nothing dispensed in these days".

The zero report is recorded at once, by the code alone, and the fax waits at the fax
desk until a person has looked at the signature; who finds none takes it back. Why both
is in docs/decisions/0015.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from models import InboundFax, ReportingNotice, User, ZeroReport
from pmp import clock, database
from pmp.deliveries import contacts
from pmp.errors import NotFoundError, RuleError
from pmp.reporting import notices, schedules, standing, zeros
from pmp.wording import span_words


@dataclass(frozen=True)
class Answer:
    """A notice that a fax answers, and the zero reports that came of it."""

    notice: ReportingNotice
    zeros: list[ZeroReport]


def codes_in(texts: Iterable[str]) -> list[str]:
    """Give the reply codes among texts read from a fax, in their written form."""
    return sorted({code for text in texts if (code := notices.read_code(text))})


def record_all(codes: Iterable[str], *, fax: int, at: datetime) -> str:
    """Record what a fax with these reply codes says; give the sentences for the desk.

    In the transaction that files the fax.
    """
    return " ".join(record(code, fax=fax, at=at) for code in codes)


def record(code: str, *, fax: int, at: datetime) -> str:
    """Record what a fax with a reply code says; give a sentence for the fax desk.

    What is still open of the notice's days is reported as empty: where a record
    stands, it counts. Nothing is recorded for days that were settled before.
    """
    try:
        notice = notices.by_reply_code(code)
    except NotFoundError as unknown:
        return unknown.message
    pharmacy, today = notice.pharmacy, clock.day_of(at)
    if pharmacy is None:
        return f"Notice {code} is about held records: a fax cannot answer it."
    name = contacts.name_of(pharmacy)
    spans = standing.open_days(
        pharmacy,
        schedules.calendar(),
        first=notice.first_day,
        last=notice.last_day,
        today=today,
    )
    if not spans:
        return f"{name} answers a notice that was settled before: nothing was recorded."
    try:
        with database.atomic():
            for first, last in spans:
                zeros.record(pharmacy, first=first, last=last, by=_by(fax), at=at)
    except RuleError as refusal:
        return f"{name}: {refusal.message}"
    days = ", ".join(span_words(first, last) for first, last in spans)
    return f"{name}, nothing dispensed {days}: recorded. Look at the signature."


def of(fax: InboundFax) -> Answer | None:
    """Give the notice that a fax answers; None for a fax that answers none."""
    for code in codes_in(fax.codes):
        notice = ReportingNotice.get_or_none(reply_code=code)
        if notice and notice.pharmacy:
            made = ZeroReport.select().where(
                ZeroReport.pharmacy == notice.pharmacy,
                ZeroReport.reported_by == _by(fax.id),
            )
            return Answer(notice, list(made.order_by(ZeroReport.first_day)))
    return None


def take_back(fax: InboundFax, *, by: User, at: datetime) -> None:
    """Undo what a fax recorded: it is not signed, or says something else."""
    answer = of(fax)
    if answer is None or not answer.zeros:
        raise RuleError("Nothing was recorded from this fax.")
    with database.atomic():
        for zero in answer.zeros:
            zeros.take_back(zero, by=by.username, at=at)


def _by(fax: int) -> str:
    return f"fax {fax}"
