"""Voids that came before their records: they wait, then void what was written earlier.

A pharmacy may send a void and a corrected new record together, of a fill that never
came in or is still held.  So a void that waited must never take the replacement: it
applies only to a record that is surely older than itself (see `Void.is_after`).  Until
its time is up it applies to every such record, so that an old file which comes in parts
or twice cannot bring the fill back.  See docs/decisions/0010.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models import (
    RecordStatus,
    Submission,
    SubmissionProblem,
    SubmissionRecord,
    User,
    WaitingVoid,
)
from pmp import bulk, database
from pmp.uploads.remarks import Remark, found_later, voided_before
from pmp.uploads.standing import Change, Fill, Prescription, Row, meant_by

AT_ONCE = 500
REASON = "voided when it came: its void had come before"
KEPT = (
    "pharmacy",
    "prescription_number",
    "filled_on",
    "fill_number",
    "partial",
    "product_code",
    "quantity",
)
R = RecordStatus
# A void's record → the count of its submission that it is in.
COUNTS = {
    R.VOID_NOT_FOUND: "void_not_found",
    R.DUPLICATE: "duplicate",
    R.VOIDED: "voided",
}


@dataclass(frozen=True)
class Arrival:
    """A record that comes in: by its submission, number there, and TH05 with TH06.

    `created` is CCYYMMDDHHMMSS, “” if its file does not say.
    """

    submission: int
    number: int
    created: str


@dataclass(frozen=True)
class Void:
    """A void that waits; `row` has the fill's key and quantity, `change` its sender."""

    number: int
    row: Row
    written: str
    applied: bool
    change: Change

    def is_after(self, record: Arrival) -> bool:
        """Tell whether the void surely came after a record, so that it may void it.

        It did if the record's submission was received first, or the record stands
        before it in one file (a held record, corrected on the page).  Else both files
        must say when they were written, the record's strictly earlier.
        """
        mine = self.change
        if record.submission == mine.submission:
            return record.number < mine.record_number
        if record.submission < mine.submission:
            return True
        return bool(record.created and record.created < self.written)

    def is_of_file(self, record: Arrival) -> bool:
        """Tell whether it came in the same submission as a record."""
        return record.submission == self.change.submission


@dataclass(frozen=True)
class Met:
    """A fill that a waiting void took out, and voids that would have done the same."""

    fill: Fill
    void: Void
    record: Arrival
    repeated: Sequence[Void]


def for_records(
    wanted: Iterable[Prescription], *, at: datetime, lock: bool
) -> dict[Prescription, list[Void]]:
    """Give the voids that wait for records of these prescriptions, the oldest first.

    `lock` holds their submissions, whose counts may change, until the transaction ends.
    """
    by_pharmacy: dict[int, set[str]] = {}
    for pharmacy, number in wanted:
        by_pharmacy.setdefault(pharmacy, set()).add(number)
    found: dict[Prescription, list[Void]] = {}
    for pharmacy in sorted(_that_wait(by_pharmacy, at)):
        for void in _voids(pharmacy, sorted(by_pharmacy[pharmacy]), at):
            key = pharmacy, void.row["prescription_number"]
            found.setdefault(key, []).append(void)
    if found and lock and not database.is_sqlite():
        senders = {v.change.submission for voids in found.values() for v in voids}
        _hold(sorted(senders))
    return found


def meet(
    fill: Fill, fills: Sequence[Fill], record: Arrival, voids: Sequence[Void]
) -> tuple[Met | None, Void | None]:
    """Give the void that takes a fill out as it comes, or one of which it is doubtful.

    `fills` are those of its prescription that stand, itself among them.
    """
    fitting = [void for void in voids if meant_by(void.row, fills) is fill]
    later = [void for void in fitting if void.is_after(record)]
    if later:
        # One that has found no record yet, the one written first.
        first = min(later, key=lambda void: (void.applied, void.written, void.number))
        rest = [void for void in later if void is not first and not void.applied]
        return Met(fill, first, record, rest), None
    doubtful = [
        void for void in fitting if not void.applied and not void.is_of_file(record)
    ]
    return None, doubtful[0] if doubtful else None


def keep(rows: Sequence[tuple[Row, Arrival]], *, at: datetime, wait: timedelta) -> None:
    """Have voids that found nothing wait; each row has its pharmacy's id."""
    bulk.insert(
        WaitingVoid,
        [
            {name: row[name] for name in KEPT}
            | {
                "submission": record.submission,
                "record_number": record.number,
                "written": record.created,
                "waits_until": at + wait,
            }
            for row, record in rows
        ],
    )


def settle(met: Iterable[Met], *, at: datetime) -> None:
    """Write down, where the voids were sent, that their records have come."""
    for each in met:
        mine, fill = each.void.change, each.fill.row
        remark = found_later(each.record.submission, each.record.number)
        _move(each.void, R.VOIDED, remark, fill["id"])
        again = voided_before(at, mine.record_number)
        for void in each.repeated:
            _move(void, R.DUPLICATE, again, fill["id"])
        query = WaitingVoid.update(applied_at=at)
        query.where(WaitingVoid.id == each.void.number).execute()


def forget_waiting_voids(*, at: datetime) -> int:
    """Drop the voids that have waited long enough; give how many."""
    dropped = 0
    while ids := _over(at):
        dropped += WaitingVoid.delete().where(WaitingVoid.id.in_(ids)).execute()
    return dropped


def _that_wait(pharmacies: Iterable[int], at: datetime) -> list[int]:
    """Give which of these pharmacies have voids that wait: mostly none."""
    table: Any = WaitingVoid
    query = (
        table.select(table.pharmacy)
        .where(table.pharmacy.in_(sorted(pharmacies)), table.waits_until > at)
        .distinct()
        .tuples()
    )
    return [pharmacy for (pharmacy,) in query]


def _voids(pharmacy: int, numbers: Sequence[str], at: datetime) -> Iterator[Void]:
    void, record = WaitingVoid, SubmissionRecord
    query: Any = (
        void.select(void, record.segment_number, record.corrected_by, User.username)
        .join(Submission)
        .join(User, on=(Submission.submitted_by == User.id))
        .join_from(
            void,
            record,
            on=(record.submission == void.submission)
            & (record.number == void.record_number),
        )
        .where(
            void.pharmacy == pharmacy,
            void.prescription_number.in_(numbers),
            void.waits_until > at,
        )
        .order_by(void.id)
        .dicts()
    )
    for row in query:
        yield Void(
            number=row["id"],
            row={name: row[name] for name in KEPT},
            written=row["written"],
            applied=row["applied_at"] is not None,
            change=Change(
                submission=row["submission"],
                record_number=row["record_number"],
                segment_number=row["segment_number"],
                by=row["corrected_by"] or row["username"],
                reason=REASON,
            ),
        )


def _hold(submissions: Sequence[int]) -> None:
    # In this order, and before the batch takes its turn with the matching of people:
    # whoever processes one of them waits here, and not in a circle.
    query = Submission.select(Submission.id).where(Submission.id.in_(submissions))
    list(query.order_by(Submission.id).for_update())


def _move(void: Void, status: RecordStatus, remark: Remark, fill: int) -> None:
    """Move a void's record to another status, and its submission's counts with it."""
    mine = void.change
    before: SubmissionRecord = SubmissionRecord.get(
        SubmissionRecord.submission == mine.submission,
        SubmissionRecord.number == mine.record_number,
    )
    if before.status not in COUNTS or before.status in {status, R.VOIDED}:
        return
    (
        SubmissionRecord.update(status=status, dispensation=fill)
        .where(SubmissionRecord.id == before.id)
        .execute()
    )
    less, more = COUNTS[before.status], COUNTS[status]
    counts = {
        less: getattr(Submission, less) - 1,
        more: getattr(Submission, more) + 1,
    }
    Submission.update(**counts).where(Submission.id == mine.submission).execute()
    _say(mine, remark)


def _say(mine: Change, remark: Remark) -> None:
    """Replace what a void's page says of it."""
    problem = SubmissionProblem
    (
        problem.update(
            code=remark.code,
            message=remark.message,
            fix=remark.fix,
            element=remark.element,
            value=remark.value,
        )
        .where(problem.submission == mine.submission)
        .where(problem.record_number == mine.record_number)
        .where(problem.code.in_(["P04", "P08"]))
        .execute()
    )


def _over(at: datetime) -> list[int]:
    query: Any = (
        WaitingVoid.select(WaitingVoid.id)
        .where(WaitingVoid.waits_until <= at)
        .limit(AT_ONCE)
        .tuples()
    )
    return [number for (number,) in query]
