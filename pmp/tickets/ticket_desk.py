"""What staff see of a ticket: an entry beside its source, and its effect.

Reading a submission's own words is a use of patient data, so it is on the audit record.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from models import (
    CaseEntry,
    CaseStatus,
    Dispensation,
    ThresholdCase,
    Ticket,
    User,
)
from pmp import asap, audit, clock, dispensations, documents
from pmp.asap import elements
from pmp.documents import DocumentLostError
from pmp.thresholds import case_recipients, correction_notices
from pmp.thresholds.correction_notices import Field
from pmp.tickets import writing
from pmp.wording import words

# The dispensing and its patient: what a dispute is about, in this order.
SEGMENTS = ("DSP", "PAT", "PRE", "PHA")


@dataclass(frozen=True)
class Element:
    """An element as the pharmacy submitted it: DSP09, Quantity dispensed, 60."""

    code: str
    name: str
    value: str


@dataclass(frozen=True)
class Change:
    """One change of an entry: when, by whom, why, and what it was and became."""

    at: datetime
    by: str
    reason: str
    fields: Sequence[Field]


@dataclass(frozen=True)
class Effect:
    """What a change of an entry would set off."""

    cases: int
    told: int


def seen(ticket: Ticket, *, by: User, at: datetime) -> None:
    """Put on the audit record that staff look at a ticket and its entry."""
    detail = {"entry": ticket.dispensation.row_code}
    writing.record(audit.Event.TICKET_VIEWED, ticket, by=by, at=at, detail=detail)


def source(entry: Dispensation, *, by: User, at: datetime) -> list[Element]:
    """Give the record of the submission that an entry came from, element by element.

    Empty if it came from no file, or the file was purged.
    """
    submission = entry.submission
    if submission is None:
        return []
    audit.record(
        audit.Event.SUBMISSION_VIEWED,
        actor=by.username,
        subject=f"submission:{submission.id}",
        at=at,
        detail={"record": entry.record_number},
    )
    try:
        body = documents.read(submission.document)
    except DocumentLostError:
        return []
    reading = asap.read([body], today=clock.day_of(submission.received_at))
    record = next(islice(reading, entry.record_number - 1, None), None)
    if record is None:
        return []
    version = record.origin.version
    return [
        Element(code, elements.label(code, version), value)
        for code, value in sorted(record.elements.items(), key=_in_order)
    ]


def changes(entry: Dispensation) -> list[Change]:
    """Give each change of an entry since the pharmacy reported it, the oldest first."""
    kept = dispensations.versions_of(entry)
    now = {"status": entry.status.value, "patient": entry.patient.id}
    contents = [*(version.content for version in kept), now]
    return [
        Change(
            version.changed_at,
            version.changed_by,
            version.reason,
            [
                *correction_notices.changed_fields(entry, version.version + 1),
                *_standing(version.content, after),
            ],
        )
        for version, after in zip(kept, contents[1:], strict=True)
    ]


def effect(entry: Dispensation) -> Effect:
    """Tell how many standing cases count an entry, and how many people were sent it."""
    cases = list(
        ThresholdCase.select()
        .join(CaseEntry)
        .where(CaseEntry.dispensation == entry)
        .where(ThresholdCase.status != CaseStatus.WITHDRAWN)
    )
    told = sum(len(case_recipients.sent_to(case)) for case in cases)
    return Effect(len(cases), told)


def others_about(ticket: Ticket) -> list[Ticket]:
    """Give the other tickets about the same entry, open and resolved, newest first."""
    return list(
        Ticket.select()
        .where(Ticket.dispensation == ticket.dispensation)
        .where(Ticket.id != ticket.id)
        .order_by(Ticket.id.desc())
    )


def changed(entry: Dispensation, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Give of the wanted fields those that differ from what the entry says."""
    return {
        name: value
        for name, value in wanted.items()
        if value is not None and value != getattr(entry, name)
    }


def _standing(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Field]:
    """Tell that an entry was removed or put back, or went to another person."""
    if before["status"] != after["status"]:
        yield Field("Entry", words(before["status"]), words(after["status"]))
    if before["patient"] != after["patient"]:
        yield Field("Patient", f"{before['patient']}", f"{after['patient']}")


def _in_order(pair: tuple[str, str]) -> tuple[int, str]:
    segment = pair[0][:3]
    place = SEGMENTS.index(segment) if segment in SEGMENTS else len(SEGMENTS)
    return place, pair[0]
