"""Who corrected what of a submission, when: value by value, and what was taken back."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models import RecordStatus, Submission, SubmissionRecord, User
from pmp import audit
from pmp.asap import elements
from pmp.paging import Page, page_of
from pmp.wording import us_time, words

PAGE = 50
HEADINGS = (
    "Record",
    "Rx number",
    "Outcome",
    "Element",
    "Name",
    "Submitted",
    "Corrected",
    "By",
    "When",
    "Reason",
)


@dataclass(frozen=True)
class Line:
    """One corrected element: its id, its name in words, before and after."""

    element: str
    name: str
    before: str
    after: str


def dealt_with(submission: Submission) -> Any:
    """Give the query of the records that someone corrected or took back, in order."""
    return (
        SubmissionRecord.select()
        .where(SubmissionRecord.submission == submission)
        .where(SubmissionRecord.corrected_by != "")
        .order_by(SubmissionRecord.number)
    )


def page(submission: Submission, *, number: int = 1) -> Page:
    """Give a page of those records."""
    return page_of(dealt_with(submission), number=number, size=PAGE)


def lines_of(record: SubmissionRecord, *, version: str) -> list[Line]:
    """Give what was changed in a record, element by element."""
    return [
        Line(name, elements.label(name, version), record.elements.get(name, ""), after)
        for name, after in sorted(record.corrections.items())
    ]


def outcome_of(record: SubmissionRecord) -> str:
    """Say in words what became of a record that someone dealt with."""
    said = {
        RecordStatus.CORRECTED: "Corrected and stored",
        RecordStatus.HELD: "Still held",
        RecordStatus.WITHDRAWN: "Taken back",
        RecordStatus.DUPLICATE: "Corrected; it was reported before",
    }
    status: RecordStatus = record.status
    return said.get(status) or f"Corrected: {words(status).lower()}"


def download(
    submission: Submission, *, by: User, at: datetime
) -> Iterator[tuple[Any, ...]]:
    """Give the rows of a CSV file under `HEADINGS`; on the audit record first."""
    audit.record(
        audit.Event.SUBMISSION_DOWNLOADED,
        actor=by.username,
        subject=f"submission:{submission.id}",
        at=at,
        detail={"what": "corrections"},
    )
    return _rows(submission)


def _rows(submission: Submission) -> Iterator[tuple[Any, ...]]:
    for record in dealt_with(submission).iterator():
        head = (record.number, record.prescription_number, outcome_of(record))
        tail = (record.corrected_by, us_time(record.corrected_at), record.reason)
        lines = lines_of(record, version=submission.version)
        for line in lines or [Line("", "", "", "")]:
            yield (*head, line.element, line.name, line.before, line.after, *tail)
