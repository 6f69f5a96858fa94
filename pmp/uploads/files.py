"""Checks a whole file before anything of it is stored.

A fault that refuses a file can stand at its very end.  Meanwhile the page that waits is
told how far the reading has come.
"""

import time
from collections.abc import Iterable, Iterator

from models import Document, Submission, SubmissionStatus
from pmp import asap, clock, documents
from pmp.uploads.programme import programme

# Records kept in memory between the check of the whole file and their storing; of a
# larger file they are read a second time.
KEPT_RECORDS = 20_000
TELL_SECONDS = 1.0


def body_of(submission: Submission) -> bytes:
    """Give the file; its encrypted form is not kept in memory beside it."""
    document: Document = (
        Document.select().join(Submission).where(Submission.id == submission.id).get()
    )
    return documents.read(document)


def check(
    submission: Submission, body: bytes
) -> tuple[asap.Reading, list[asap.Record] | None]:
    """Read the whole file; keep its records unless they are too many.

    Writes down meanwhile how far it has come; `submission.bytes_read` is set.
    """
    reading = _reading(submission, _told(submission, _chunks(body)))
    kept: list[asap.Record] | None = []
    for record in reading:
        if kept is not None:
            kept.append(record)
            if len(kept) > KEPT_RECORDS:
                kept = None
    submission.bytes_read = len(body)
    return reading, kept


def read_again(submission: Submission, body: bytes) -> Iterator[asap.Record]:
    """Give the records of a file that has been checked."""
    return iter(_reading(submission, _chunks(body)))


def let_go(kept: list[asap.Record]) -> Iterator[asap.Record]:
    """Give records and keep none: once looked into, a record is many times as large."""
    kept.reverse()
    while kept:
        yield kept.pop()


def _chunks(body: bytes) -> Iterator[bytes]:
    view = memoryview(body)
    for start in range(0, len(body), asap.CHUNK):
        yield bytes(view[start : start + asap.CHUNK])


def _told(submission: Submission, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass chunks on; write down how far they go, about once in TELL_SECONDS."""
    passed, told = 0, time.monotonic()
    for chunk in chunks:
        yield chunk
        passed += len(chunk)
        if time.monotonic() - told >= TELL_SECONDS:
            unread = (
                Submission.status == SubmissionStatus.RECEIVED
            )  # a run that goes on says no more
            query = Submission.update(bytes_read=passed)
            query.where(Submission.id == submission.id, unread).execute()
            told = time.monotonic()


def _reading(submission: Submission, chunks: Iterable[bytes]) -> asap.Reading:
    return asap.read(
        chunks,
        # Judged by the day it came, so that a run that goes on judges alike.
        today=clock.day_of(submission.received_at),
        programme=programme(),
    )
