"""A submission as an ASAP file with its corrections in it, for the pharmacy's software.

The kept file is read again and written anew, a thousand records at a time as a
transaction of their own: beside the file itself (at most what an upload may have) only
those are in memory, and only their corrections.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby, islice
from typing import Any

from models import (
    RecordStatus,
    Submission,
    SubmissionRecord,
    SubmissionStatus,
    User,
)
from pmp import asap, audit, clock, documents
from pmp.asap.writer import write
from pmp.errors import NotFoundError, RuleError
from pmp.uploads.programme import programme

RECORDS_AT_ONCE = 1_000
S = SubmissionStatus
READ = (S.PROCESSED, S.PROCESSED_WITH_ERRORS, S.RESOLVED)
# An ID with what tells its kind and who issued it.
_IDS = (
    ("PAT03", "PAT02", "PAT01"),
    ("PAT06", "PAT05", "PAT04"),
    ("AIR05", "AIR04", "AIR03"),
)


def download(submission: Submission, *, by: User, at: datetime) -> Iterator[bytes]:
    """Write the whole submission as it is now; give the file in parts.

    Records that were taken back are left out, those still held are as corrected so
    far; an ID that was a Social Security number is left out.  On the audit record
    first.  NotFoundError if the file was refused or is not kept any longer, RuleError
    if nothing is left of it.
    """
    if submission.status not in READ:
        raise NotFoundError("There is no corrected file of this submission.")
    if submission.records == submission.withdrawn:
        raise RuleError("Every record was taken back: there is nothing to write.")
    try:
        body = documents.read(submission.document)
    except documents.DocumentLostError as lost:
        raise NotFoundError("The file is not kept any longer.") from lost
    audit.record(
        audit.Event.SUBMISSION_DOWNLOADED,
        actor=by.username,
        subject=f"submission:{submission.id}",
        at=at,
        detail={"what": "corrected file"},
    )
    return _parts(submission, body, at)


def _parts(submission: Submission, body: bytes, at: datetime) -> Iterator[bytes]:
    view = memoryview(body)
    reading = asap.read(
        (
            bytes(view[start : start + asap.CHUNK])
            for start in range(0, len(body), asap.CHUNK)
        ),
        today=clock.day_of(submission.received_at),
        programme=programme(),
    )
    records, number = iter(reading), 0
    while batch := list(islice(records, RECORDS_AT_ONCE)):
        kept = _as_corrected(submission, batch)
        for (transaction, version, message), group in groupby(kept, key=_header):
            number += 1
            header = reading.transactions[transaction - 1]
            yield write(
                [elements for _, elements in group],
                version=version,
                control_number=f"C{submission.id}-{number}",
                sender_id=header.sender_id,
                sender=header.sender,
                written=clock.local(at),
                message=message,
                test=header.test,
            )


def _header(kept: tuple[asap.Record, Mapping[str, str]]) -> tuple[int, str, str]:
    """Tell what the records of one transaction share."""
    record, elements = kept
    return record.transaction, record.version, elements.get("IS03", "")


def _as_corrected(
    submission: Submission, batch: Sequence[asap.Record]
) -> list[tuple[asap.Record, dict[str, str]]]:
    changed = _changed(submission, batch[0].number, batch[-1].number)
    found = []
    for record in batch:
        ours = changed.get(record.number)
        if ours is None:
            found.append((record, _without_hidden(record.elements)))
        elif ours.status is not RecordStatus.WITHDRAWN:
            elements = {**record.elements, **ours.corrections}
            found.append((record, _without_hidden(elements)))
    return found


def _changed(
    submission: Submission, first: int, last: int
) -> dict[int, SubmissionRecord]:
    query: Any = (
        SubmissionRecord.select()
        .where(SubmissionRecord.submission == submission)
        .where(SubmissionRecord.number.between(first, last))
        .where(SubmissionRecord.corrected_by != "")
    )
    return {record.number: record for record in query}


def _without_hidden(elements: Mapping[str, str]) -> dict[str, str]:
    """Leave out IDs whose digits were hidden: asterisks would be taken for an ID."""
    kept = {name: text for name, text in elements.items() if text}
    for names in _IDS:
        if names[0] in kept and not kept[names[0]].strip("*"):
            for name in names:
                kept.pop(name, None)
    return kept
