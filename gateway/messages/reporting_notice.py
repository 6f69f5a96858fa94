"""Tells a pharmacy of days that it has not reported, or of records that are held.

By email with a link to the page that answers; by fax or letter as one page that can be
signed and faxed back. It names days and the pharmacy, never a patient.
"""

from typing import Any
from urllib.parse import urlencode

from gateway import documents, messages
from gateway.message import Message
from models import ChannelName, Delivery, DeliveryAttempt, NoticeKind, ReportingNotice
from pmp import clock, settings
from pmp.deliveries import contacts
from pmp.errors import RuleError
from pmp.reporting import schedules, standing
from pmp.wording import span_words, us_date

MOST_LINES = 5


def compose(delivery: Delivery, attempt: DeliveryAttempt) -> Message:
    """Give the notice; RuleError if nothing that it asks about is open any more."""
    notice: ReportingNotice = ReportingNotice.get_by_id(delivery.subject_id)
    if notice.answered_at is not None:
        raise RuleError("Nothing is open any more; the notice is not sent.")
    context = _context(notice)
    if delivery.channel == ChannelName.EMAIL:
        return messages.mail(delivery, "reporting_notice", **context)
    letter = delivery.channel == ChannelName.LETTER
    context |= {
        "to_lines": delivery.address.splitlines() if letter else [context["name"]],
        "at": attempt.started_at,
    }
    return Message(
        address=delivery.address,
        subject="Reporting",
        pdf=_drawn(notice, context),
        to_name=context["name"],
    )


def _drawn(notice: ReportingNotice, context: dict[str, Any]) -> bytes:
    if notice.reply_code is None:
        return documents.pdf("reporting_notice", **context)
    return documents.faxable_pdf("reporting_notice", notice.reply_code, **context)


def _context(notice: ReportingNotice) -> dict[str, Any]:
    held = notice.kind is NoticeKind.HELD_RECORDS
    submission = notice.submission
    return {
        "notice": notice,
        "kind": notice.kind.value,
        "name": _name(notice),
        "days": _days(notice),
        "link": settings.current().public_url
        + (f"/submissions/{notice.__data__['submission']}" if held else _zero(notice)),
        "portal": settings.current().public_url,
        "held": submission.held if submission else 0,
        "came": clock.day_of(submission.received_at) if submission else None,
    }


def _days(notice: ReportingNotice) -> list[str]:
    """Write what is still open of a notice's days; at most a few lines of it."""
    if notice.pharmacy is None:
        return []
    spans = standing.open_days(
        notice.pharmacy,
        schedules.calendar(),
        first=notice.first_day,
        last=notice.last_day,
        today=clock.today(),
    )
    lines = [span_words(first, last) for first, last in spans[:MOST_LINES]]
    if more := len(spans) - len(lines):
        lines.append(f"and {more} more, up to {us_date(spans[-1][1])}")
    return lines


def _zero(notice: ReportingNotice) -> str:
    asked = {
        "pharmacy": notice.__data__["pharmacy"],
        "first": notice.first_day.isoformat(),
        "last": notice.last_day.isoformat(),
    }
    return f"/submissions/zero?{urlencode(asked)}"


def _name(notice: ReportingNotice) -> str:
    if notice.pharmacy:
        return contacts.name_of(notice.pharmacy)
    return notice.submission.submitted_by.name if notice.submission else ""
