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
from pmp.reporting import notices, settling, zeros
from pmp.wording import us_date


@dataclass(frozen=True)
class Answer:
    """A notice that a fax answers, and the zero report that came of it, if one did."""

    notice: ReportingNotice
    zero: ZeroReport | None


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

    Days after the last stored fill are reported as empty: where a record stands, it
    counts. Nothing is recorded for days that were settled before.
    """
    try:
        notice = notices.by_reply_code(code)
    except NotFoundError as unknown:
        return unknown.message
    if notice.pharmacy is None:
        return f"Notice {code} is about held records: a fax cannot answer it."
    name = contacts.name_of(notice.pharmacy)
    if notice.answered_at is not None:
        return f"{name} answers a notice that was settled before: nothing was recorded."
    pharmacy = notice.pharmacy
    last = min(notice.last_day, clock.day_of(at))
    filled = zeros.last_fill(pharmacy, notice.first_day, last)
    first = zeros.day_after(filled) if filled else notice.first_day
    days = f"{us_date(first)} to {us_date(last)}"
    if first > last:
        return f"{name} has records up to {us_date(last)}: nothing was recorded."
    by = _by(fax)
    try:
        with database.atomic():
            zeros.record(pharmacy, first=first, last=last, by=by, at=at)
            settling.answered(notice, by=by, at=at)
    except RuleError as refusal:
        return f"{name}: {refusal.message}"
    return f"{name}, nothing dispensed {days}: recorded. Look at the signature."


def of(fax: InboundFax) -> Answer | None:
    """Give the notice that a fax answers; None for a fax that answers none."""
    for code in codes_in(fax.codes):
        notice = ReportingNotice.get_or_none(reply_code=code)
        if notice and notice.pharmacy:
            zero = ZeroReport.get_or_none(
                pharmacy=notice.pharmacy, reported_by=_by(fax.id)
            )
            return Answer(notice, zero)
    return None


def take_back(fax: InboundFax, *, by: User, at: datetime) -> None:
    """Undo what a fax recorded: it is not signed, or says something else."""
    answer = of(fax)
    if answer is None or answer.zero is None:
        raise RuleError("Nothing was recorded from this fax.")
    zeros.take_back(answer.zero, by=by.username, at=at)


def _by(fax: int) -> str:
    return f"fax {fax}"
