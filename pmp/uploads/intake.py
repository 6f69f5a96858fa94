"""Takes a batch of records in: decides what becomes of each, in order, and stores it.

Each record has one outcome (a `RecordStatus`) and any number of remarks that its reader
could not know: whether the product, the fill or the pharmacy is known.
"""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property

import models
from models import RecordStatus, Severity, Submission
from pmp import asap, clock, database, reporters, settings
from pmp.reporters import Coverage
from pmp.reporting import arrivals
from pmp.uploads import remarks, rows, waiting_voids, zeros
from pmp.uploads.known import Known, know
from pmp.uploads.register import SAME_NUMBER_DAYS, Register, Seen
from pmp.uploads.remarks import Remark
from pmp.uploads.reportable import not_reportable
from pmp.uploads.standing import Change, Fill, Ledger, Outcome, Prescription, Row
from pmp.uploads.waiting_voids import Arrival, Met, Void

# Any number but those of the migrations and the audit record.
ADVISORY_LOCK = 20572

R = RecordStatus
STORED = (R.STORED, R.STORED_WITH_WARNING, R.REVISED)


@dataclass(frozen=True)
class Decided:
    """What became of a record; `void` is the row of a void that found nothing."""

    record: asap.Record
    status: RecordStatus
    remarks: tuple[Remark, ...] = ()
    fill: Fill | None = None
    void: Row | None = None

    def saying(self, remark: Remark) -> "Decided":
        """Give the same with one more remark."""
        status = R.STORED_WITH_WARNING if self.status is R.STORED else self.status
        return replace(self, status=status, remarks=(*self.remarks, remark))


@dataclass
class Intake:
    """Where the records of one submission go; a dry run stores none of them.

    Submission 0: records that are only rehearsed, as if they came now.
    """

    submission: int
    by: str
    coverage: Coverage
    at: datetime
    dry: bool
    ledger: Ledger = field(default_factory=Ledger)
    register: Register = field(default_factory=Register)

    @cached_property
    def received(self) -> date:
        """The day on which the submission came."""
        found = Submission.get_or_none(Submission.id == self.submission)
        return clock.day_of(found.received_at if found else self.at)

    def arrival(self, record: asap.Record) -> Arrival:
        """Give what tells whether a record is older than a void."""
        number = self.submission or sys.maxsize  # none has come after it
        return Arrival(number, record.number, record.created)

    def change(self, record: asap.Record, what: str) -> Change:
        """Give a record as what changes a fill."""
        number, segment = record.number, record.segment_number
        reason = f"{what} by the pharmacy's submission"
        return Change(self.submission, number, segment, self.by, reason)


def take_in(intake: Intake, records: Sequence[asap.Record]) -> list[Decided]:
    """Decide on records in their order, and store them unless this is a dry run.

    In a transaction of the caller's, which holds no more than this batch.
    """
    reported = [
        found
        for record in records
        if (found := record.dispensing) and intake.coverage.covers(record.pharmacy)
    ]
    take_turns(intake, records)
    if not intake.dry:
        intake.ledger.forget()
    known = know(reported, at=intake.at, dry=intake.dry)
    changing = known.changing
    intake.ledger.load(known.prescriptions | changing, voided=changing)
    intake.register.learn(known.kept)
    decided = [_decide(intake, known, record) for record in records]
    decided = _with_zero_remarks(decided)
    met = _meet_waiting(intake, known, decided)
    if not intake.dry:
        _store(intake, decided, met)
    return decided


def take_turns(intake: Intake, records: Iterable[asap.Record]) -> None:
    """Have two files of one pharmacy take turns, but for a dry run."""
    if not intake.dry:
        keys = {reporters.pharmacy_key(record.pharmacy) for record in records}
        take_turn(":".join(key) for key in keys)


def take_turn(keys: Iterable[str]) -> None:
    """Wait for other transactions that hold one of these keys, and hold them all.

    On SQLite there is one writer anyway.
    """
    if not database.is_sqlite():
        for key in sorted(set(keys)):
            models.database.execute_sql(
                "SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (ADVISORY_LOCK, key)
            )


def _decide(intake: Intake, known: Known, record: asap.Record) -> Decided:
    if record.held:
        return Decided(record, R.HELD)
    if not intake.coverage.covers(record.pharmacy):
        return Decided(
            record,
            R.HELD,
            (remarks.not_covered(*reporters.pharmacy_key(record.pharmacy)),),
        )
    reported = record.dispensing
    if reported is None:
        return Decided(record, R.ZERO_REPORT)
    if reported.status is asap.Status.VOID:
        return _void(intake, known, record, reported)
    if remark := not_reportable(reported, known.products):
        return Decided(record, R.NOT_REPORTABLE, (remark,))
    return _new_or_revised(intake, known, record, reported)


def _void(
    intake: Intake, known: Known, record: asap.Record, reported: asap.Dispensing
) -> Decided:
    row = _key_row(reported, known)
    change = intake.change(record, "voided")
    hours = settings.current().void_wait_hours
    outcome = intake.ledger.void(row, change, wait_hours=hours)
    decided = _decided(record, outcome)
    return decided if outcome.fill else replace(decided, void=row)


def _new_or_revised(
    intake: Intake, known: Known, record: asap.Record, reported: asap.Dispensing
) -> Decided:
    row, ledger = _row(intake, known, record, reported), intake.ledger
    others = _of_others(ledger, row, revised=reported.status is asap.Status.REVISE)
    seen = Seen(record, reported, known.products, others, intake.received)
    found = intake.register.remarks(seen)
    if any(remark.severity is Severity.ERROR for remark in found):
        return Decided(record, R.HELD, tuple(found))
    if reported.status is asap.Status.REVISE:
        outcome = ledger.revise(row, intake.change(record, "revised"))
    else:
        outcome = ledger.new(row)
    return _decided(record, outcome, found)


def _decided(
    record: asap.Record, outcome: Outcome, found: Sequence[Remark] = ()
) -> Decided:
    status = outcome.status
    if status is R.STORED and (record.problems or found):
        status = R.STORED_WITH_WARNING
    # Of a record that is counted once there is nothing more to say.
    said = () if status is R.DUPLICATE else tuple(found)
    decided = Decided(record, status, said, outcome.fill)
    return decided.saying(outcome.remark) if outcome.remark else decided


def _of_others(ledger: Ledger, row: Row, *, revised: bool) -> list[date]:
    """Give the days on which the row's number stands for another patient."""
    patient, filled = row["patient"], row["filled_on"]
    fills = ledger.standing((row["pharmacy"], row["prescription_number"]))
    return [
        fill.row["filled_on"]
        for fill in fills
        if patient not in {None, fill.row["patient"]}
        and abs((fill.row["filled_on"] - filled).days) <= SAME_NUMBER_DAYS
        # A revision may well say that the fill is another patient's.
        and not (revised and fill.row["fill_number"] == row["fill_number"])
    ]


def _key_row(reported: asap.Dispensing, known: Known) -> Row:
    key = reporters.pharmacy_key(reported.pharmacy)
    return rows.key_row(reported, known.pharmacies.get(key, key))


def _row(
    intake: Intake, known: Known, record: asap.Record, reported: asap.Dispensing
) -> Row:
    prescriber = reporters.prescriber_key(reported.prescriber)
    identity, patient = known.patients[reported.patient]
    # A dry run keeps all its rows in memory: nobody reads the product's facts there.
    facts = {} if intake.dry else rows.facts_of(reported, known.products, known.facts)
    return {
        **_key_row(reported, known),
        "patient": patient,
        "identity": identity,
        "prescriber": known.prescribers.get(prescriber, prescriber),
        "submission": intake.submission,
        "record_number": record.number,
        "segment_number": record.segment_number,
        "stored_at": intake.at,
        **rows.content(reported),
        **facts,
    }


def _with_zero_remarks(decided: Sequence[Decided]) -> list[Decided]:
    reports = [zero for each in decided if (zero := _zero_of(each))]
    found = iter(zeros.remarks(reports))
    return [
        each.saying(remark) if _zero_of(each) and (remark := next(found)) else each
        for each in decided
    ]


def _zero_of(decided: Decided) -> asap.ZeroReport | None:
    return decided.record.zero_report if decided.status is R.ZERO_REPORT else None


def _meet_waiting(intake: Intake, known: Known, decided: list[Decided]) -> list[Met]:
    """Let voids that waited take out what came; say so, and where it is doubtful.

    Once the whole batch is decided: whether a void means a fill depends on the others
    of its prescription.  `decided` gets the remarks.
    """
    if not known.voids:
        return []
    met: list[Met] = []
    # Of a fill that was stored and revised in the batch, the revision's content counts.
    stored = [n for n, each in enumerate(decided) if each.status in STORED]
    last = {id(decided[place].fill): place for place in stored}
    for place in sorted(last.values()):
        each = decided[place]
        if each.fill:
            found, remark = _meet(intake, known.voids, each.record, each.fill)
            met += found
            decided[place] = each.saying(remark) if remark else each
    return met


def _meet(
    intake: Intake,
    voids: dict[Prescription, list[Void]],
    record: asap.Record,
    fill: Fill,
) -> tuple[list[Met], Remark | None]:
    prescription = fill.row["pharmacy"], fill.row["prescription_number"]
    waited = voids.get(prescription, [])
    fills = intake.ledger.standing(prescription)
    found, doubtful = waiting_voids.meet(fill, fills, intake.arrival(record), waited)
    if found:
        void = found.void
        intake.ledger.take_out(fill, void.change)
        applied = replace(void, applied=True)
        voids[prescription] = [applied if each is void else each for each in waited]
        sent = void.change
        return [found], remarks.void_had_come(sent.submission, sent.record_number)
    if doubtful:
        sent = doubtful.change
        return [], remarks.void_may_have_come(sent.submission, sent.record_number)
    return [], None


def _store(intake: Intake, decided: Sequence[Decided], met: Sequence[Met]) -> None:
    intake.ledger.write(at=intake.at)
    _note_pharmacies(intake, decided)
    waiting_voids.settle(met, at=intake.at)
    _have_wait(intake, decided)
    reports = [zero for each in decided if (zero := _zero_of(each))]
    zeros.store(reports, submission=intake.submission, by=intake.by, at=intake.at)


def _have_wait(intake: Intake, decided: Sequence[Decided]) -> None:
    wait = timedelta(hours=settings.current().void_wait_hours)
    found = [each for each in decided if each.void]
    if not (wait and found):
        return
    reported = [each.record.pharmacy for each in found]
    keys = [reporters.pharmacy_key(pharmacy) for pharmacy in reported]
    ids = reporters.pharmacy_ids(dict(zip(keys, reported, strict=True)), make=True)
    voids = [
        ({**(each.void or {}), "pharmacy": ids[key]}, intake.arrival(each.record))
        for each, key in zip(found, keys, strict=True)
    ]
    waiting_voids.keep(voids, at=intake.at, wait=wait)


# A void and a zero report say nothing about what was dispensed in days of their own.
_NO_ARRIVAL = {R.VOIDED, R.VOID_NOT_FOUND, R.ZERO_REPORT}


def _note_pharmacies(intake: Intake, decided: Sequence[Decided]) -> None:
    """Write down whose fills came, held ones too: those are chased by themselves."""
    had = list[arrivals.Had]()
    good = dict[reporters.PharmacyKey, asap.Pharmacy]()
    held = dict[reporters.PharmacyKey, asap.Pharmacy]()
    for each in decided:
        reported = each.record.pharmacy
        key = reporters.pharmacy_key(reported)
        if each.status in _NO_ARRIVAL or not (
            key[1] and intake.coverage.covers(reported)
        ):
            continue
        # A held record's pharmacy may be what is wrong with it: it makes none.
        (held if each.status is R.HELD else good)[key] = reported
        had.append(arrivals.Had(key, _filled_on(each.record)))
    pharmacies = reporters.pharmacy_ids(held, make=False)
    pharmacies |= reporters.pharmacy_ids(good, make=True)
    arrivals.note(intake.submission, had, pharmacies=pharmacies)


def _filled_on(record: asap.Record) -> date | None:
    if record.dispensing:
        return record.dispensing.filled_on
    return record.draft.day("DSP05")
