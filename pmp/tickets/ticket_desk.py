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
from pmp import asap, audit, clock, dispensations, documents, readers
from pmp.asap import elements
from pmp.documents import DocumentLostError
from pmp.thresholds import case_recipients, correction_notices
from pmp.thresholds.correction_notices import Field
from pmp.tickets import whole_records, writing
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
    """What a change of an entry would set off.

    `told` were sent it in a threshold report; `readers` saw it in a look-up of theirs.
    """

    cases: int
    told: int
    readers: int = 0

    @property
    def words(self) -> str:
        """Say who will be told: 12 people: 5 recipients of reports, 7 looked it up."""
        return told_words(self.told, self.readers)


def seen(ticket: Ticket, *, by: User, at: datetime) -> None:
    """Put on the audit record that somebody looks at a ticket and its entry."""
    detail = {"about": whole_records.subject(ticket)}
    writing.record(audit.Event.TICKET_VIEWED, ticket, by=by, at=at, detail=detail)


def source(entry: Dispensation | None, *, by: User, at: datetime) -> list[Element]:
    """Give the record of the submission that an entry came from, element by element.

    Empty if it came from no file, or the file was purged.
    """
    submission = entry.submission if entry else None
    if entry is None or submission is None:
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


def changes(entry: Dispensation | None) -> list[Change]:
    """Give each change of an entry since the pharmacy reported it, the oldest first."""
    if entry is None:
        return []
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


def told_words(recipients: int, looked_up: int) -> str:
    """Say how many people are told of a change, and as what."""
    total = recipients + looked_up
    sent = ("recipient of a threshold report", "recipients of threshold reports")
    saw = ("who looked it up", "who looked it up")
    said = [
        f"{number} {one if number == 1 else many}"
        for number, (one, many) in ((recipients, sent), (looked_up, saw))
        if number
    ]
    if not said:
        return "nobody"
    return f"{total} {'person' if total == 1 else 'people'}: {', '.join(said)}"


def effect(entry: Dispensation | None, *, at: datetime) -> Effect:
    """Tell how many standing cases count an entry, and how many people were sent it."""
    if entry is None:
        return Effect(0, 0)
    cases = list(
        ThresholdCase.select()
        .join(CaseEntry)
        .where(CaseEntry.dispensation == entry)
        .where(ThresholdCase.status != CaseStatus.WITHDRAWN)
    )
    told = sum(len(case_recipients.sent_to(case)) for case in cases)
    return Effect(len(cases), told, readers.count(entry, at=at))


def others_about(ticket: Ticket) -> list[Ticket]:
    """Give the other tickets about the same entry, open and resolved, newest first."""
    same = Ticket.patient == ticket.patient
    if ticket.dispensation is not None:
        same = Ticket.dispensation == ticket.dispensation
    return list(
        Ticket.select()
        .where(same)
        .where(Ticket.id != ticket.id)
        .order_by(Ticket.id.desc())
    )


def changed(entry: Dispensation | None, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Give of the wanted fields those that differ from what the entry says."""
    if entry is None:
        return {}
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
