"""What a user has typed: today's records with what became of them, and one to copy."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from models import (
    Dispensation,
    RecordStatus,
    Submission,
    SubmissionRecord,
    SubmissionSource,
    User,
)
from pmp import asap, clock, documents
from pmp.asap import plain
from pmp.asap.draft import parse_day
from pmp.entry.reading import PHARMACY
from pmp.uploads import submissions
from pmp.uploads.programme import programme

MOST = 50
_LEFT_OUT = ("DSP02", "DSP03", "DSP13", "DSP17")


@dataclass(frozen=True)
class TypedRecord:
    """A typed record: its submission, what became of it, and its dispensation."""

    submission: Submission
    status: RecordStatus | None  # None while it is being taken in
    dispensation: Dispensation | None


def of_today(user: User, *, at: datetime) -> tuple[list[TypedRecord], int]:
    """Give a user's latest typed records of today, and how many there are in all."""
    midnight = clock.local(at).replace(hour=0, minute=0, second=0, microsecond=0)
    query = _typed(user).where(Submission.received_at >= midnight.astimezone(UTC))
    latest = list(query.order_by(Submission.id.desc()).limit(MOST))
    return [_record(each) for each in latest], query.count()


def became(submission: Submission) -> TypedRecord:
    """Tell what became of the record of a typed submission."""
    return _record(submission)


def last(user: User) -> Submission | None:
    """Give the submission that a user typed last."""
    found: Submission | None = _typed(user).order_by(Submission.id.desc()).first()
    return found


def copied(submission_id: int, *, by: User, at: datetime) -> dict[str, str]:
    """Give what to type for the next fill of the same patient and drug, as typed.

    Number and dates are new: filled today.  The fill number is the next one where the
    refills allow it, else 0.  Opening it is on the audit record.  NotFoundError for a
    submission that is not the user's, or was not typed.
    """
    submission = submissions.view(submission_id, by=by, at=at)
    elements = _elements(submission)
    typed = {name: text for name, text in shown(elements).items() if text}
    for name in _LEFT_OUT:
        typed.pop(name, None)
    fill, refills = (elements.get(name, "") for name in ("DSP06", "DSP04"))
    more = fill.isdecimal() and refills.isdecimal() and int(fill) < int(refills)
    return {
        **typed,
        "DSP01": "00",
        "DSP05": f"{clock.day_of(at):%m/%d/%Y}",
        "DSP06": str(int(fill) + 1) if more else "0",
    }


def remembered(user: User) -> dict[str, str]:
    """Give what a user's next record will most likely share with the last one typed."""
    before = last(user)
    if before is None:
        return {}
    elements = shown(_elements(before))
    return {name: elements.get(name, "") for name in (PHARMACY, "PAT15")}


def shown(elements: Mapping[str, str]) -> dict[str, str]:
    """Give a file's elements as one types them: dates by month, one pharmacy number."""
    typed = {
        name: _us(text) if name in plain.DATES else text
        for name, text in elements.items()
        if not name.startswith("PHA")
    }
    numbers = (elements.get(name, "") for name in ("PHA03", "PHA02", "PHA01"))
    return {**typed, PHARMACY: next(filter(None, numbers), "")}


def _typed(user: User) -> Any:
    return Submission.select().where(
        Submission.submitted_by == user, Submission.source == SubmissionSource.ENTRY
    )


def _elements(submission: Submission) -> dict[str, str]:
    """Read the one record of a typed submission again; none for any other's."""
    if submission.source != SubmissionSource.ENTRY:
        return {}
    today: date = clock.day_of(submission.received_at)
    body = documents.read(submission.document)
    for record in asap.read([body], today=today, programme=programme()):
        return record.elements
    return {}


def _record(submission: Submission) -> TypedRecord:
    """Tell what became of a typed record: a kept row, or else simply stored."""
    if submission.status in submissions.UNFINISHED:
        return TypedRecord(submission, None, None)
    row = SubmissionRecord.get_or_none(
        (SubmissionRecord.submission == submission) & (SubmissionRecord.number == 1)
    )
    stored = Dispensation.get_or_none(Dispensation.submission == submission)
    if row is None:
        return TypedRecord(submission, RecordStatus.STORED if stored else None, stored)
    return TypedRecord(submission, row.status, row.dispensation or stored)


def _us(text: str) -> str:
    day = parse_day(text)
    return f"{day:%m/%d/%Y}" if day else text
