"""Evaluating the threshold rules for the patients of a submission, beside millions.

A hundred thousand fills, then 1.5 million (scale 1), of a state as it is: nine in ten
patients have one or two prescribers and pharmacies, one in a hundred has had the
numbers at some time, a few have cases.  Measured is what a touched patient costs when
a day's submission is evaluated, in the batches of the intake, where no case changes;
whatever the size of the table it is to be 10 µs, and not many times what the engine
takes to count the same patients' fills.  Beside it, without a target: the
same for late records, of which any day may be, the nightly run over everybody, a rule
that is tried out, and a case that is made, with its reports and audit rows.
"""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from time import perf_counter
from typing import Any

import psycopg
from peewee import fn

import models
from bench import Measure
from bench._engines import each_engine, program
from models import (
    Dispensation,
    DrugClass,
    Patient,
    Pharmacy,
    Prescriber,
    ReportedIdentity,
    Species,
    ThresholdCase,
)
from pmp import bulk, clock, database, settings, thresholds, uploads
from pmp.thresholds import simulation, threshold_rules

PART = "thresholds"
FEW, MANY = 10_000, 150_000
"""Patients; each has ten fills on average."""
TOUCHED = 20_000
"""Of a day, where there are as many."""
LATE = 3
"""Days that the fills of a day's submission are old, at most."""
ROUNDS = 5
MOST_US = 10.0
"""On a machine that does nothing else; a busy one is held to the next."""
MOST_TIMES = 5.0
"""Of counting the same patients' fills, batch by batch."""
_SHOPS, _WRITERS = 700, 24_000
_DAYS = 730


def run(scale: float) -> list[Measure]:
    """Measure SQLite, and Postgres where one answers, small and large."""
    measures: list[Measure] = []
    for size in (FEW, max(FEW, round(MANY * scale))):
        for engine, url in each_engine():
            with program(url):
                measures += _measured(engine, size)
    return measures


def _measured(engine: str, patients: int) -> list[Measure]:
    fills = _load(patients)
    size = f"{fills / 1e6:.1f} M fills, {engine}"
    threshold_rules.seed(at=clock.now())
    first = _seconds(lambda: thresholds.run(clock.now()))
    cases = ThresholdCase.select().count()
    _tidy()
    night = _seconds(lambda: thresholds.run(clock.now()))
    draw = random.Random(patients)  # noqa: S311 - which are touched, nothing secret
    touched = sorted(draw.sample(range(1, patients + 1), min(TOUCHED, patients)))
    today = _best(touched, clock.today() - timedelta(days=LATE))
    long_ago = _best(touched, None)
    quarter = simulation.last_quarter(clock.today())
    tried = _seconds(lambda: _try_out(*quarter))
    name = f"touched patient, {size}"
    bare = _best_of(lambda: _count(touched)) / len(touched) * 1e6
    beside = f"beside counting their fills, {size}"
    return [
        Measure(PART, name, today, MOST_US, today / MOST_US, -1, "us"),
        Measure(PART, beside, today, bare, today / bare, -MOST_TIMES, "us"),
        _told(f"late records, {size}", long_ago, "us"),
        _told(f"nightly, a patient, {size}", night / patients * 1e6, "us"),
        _told(f"simulated quarter, a patient, {size}", tried / patients * 1e6, "us"),
        _told(f"case made, {size}", (first - night) / max(cases, 1) * 1e3, "ms"),
    ]


def _told(name: str, result: float, unit: str) -> Measure:
    """Give a measure that has no target."""
    return Measure(PART, name, result, result, 1.0, 0, unit)


def _seconds(work: Any) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def _try_out(since: date, until: date) -> None:
    """Simulate a preset as its page does, with whom its reports would go to."""
    found = simulation.compare(threshold_rules.DEFAULT, since=since, until=until)
    if not found.would.channels:
        raise AssertionError("nobody would have a report")


def _best(touched: list[int], since: date | None) -> float:
    """Give the microseconds that each touched patient took in the best round."""
    return _best_of(lambda: _evaluate(touched, since)) / len(touched) * 1e6


def _best_of(work: Any) -> float:
    return min(_seconds(work) for _ in range(ROUNDS))


def _batches(touched: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(touched), uploads.PATIENTS_AT_ONCE):
        yield touched[start : start + uploads.PATIENTS_AT_ONCE]


def _count(touched: list[int]) -> None:
    """Count the fills of each, as an engine does it from its index: the limit."""
    fills = fn.COUNT(Dispensation.id)
    for batch in _batches(touched):
        query: Any = (
            Dispensation.select(Dispensation.patient)
            .where(bulk.among(Dispensation.patient, batch))
            .group_by(Dispensation.patient)
            .having(fills > _MOST_FILLS)
        )
        if list(query.tuples()):
            raise AssertionError("more fills than there are")


def _evaluate(touched: list[int], since: date | None) -> None:
    at = clock.now()
    for batch in _batches(touched):
        if thresholds.evaluate(batch, since=since, at=at):
            raise AssertionError("a case changed that nobody touched")


def _load(patients: int) -> int:
    """Put people and fills into tables whose indexes are made afterwards."""
    table: Any = Dispensation
    table._schema.drop_indexes()  # noqa: SLF001 - loading is not what is measured
    now = clock.now()
    numbers = range(1, patients + 1)
    with database.atomic():
        _shops_and_writers()
        bulk.insert(Patient, [{"id": n, "created_at": now} for n in numbers])
        bulk.insert(ReportedIdentity, [_identity(n) for n in numbers])
        _dispense()
    table._schema.create_indexes()  # noqa: SLF001
    _tidy()
    return int(Dispensation.select().count())


def _tidy() -> None:
    """Let the engine learn what it holds, as it does of itself within the hour."""
    if database.is_sqlite():
        models.database.execute_sql("ANALYZE")
        return
    models.database.commit()
    with psycopg.connect(settings.current().database_url, autocommit=True) as own:
        own.execute("VACUUM (ANALYZE)")


def _identity(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "fingerprint": f"{number:064x}",
        "patient": number,
        "last_name": f"SAMPLE{number}",
        "first_name": "ANNA",
        "birth_date": "1980-02-16",
        "species": Species.HUMAN,
        "last_key": f"SAMPLE{number}",
        "first_key": "ANNA",
        "last_sound": "SMPL",
        "linked_at": clock.now(),
    }


def _shops_and_writers() -> None:
    shops = [
        {"id": n, "dea": f"FB{n:07}", "name": f"PHARMACY {n}"}
        for n in range(1, _SHOPS + 1)
    ]
    writers = [
        {"id": n, "dea": f"BB{n:07}", "last_name": f"WRITER {n}"}
        for n in range(1, _WRITERS + 1)
    ]
    bulk.insert(Pharmacy, shops)
    bulk.insert(Prescriber, writers)


def _one_fill() -> Dispensation:
    """Store a fill that all others are copied from but for who, where and when."""
    fill: Dispensation = Dispensation.create(
        row_code="D-0",
        patient=1,
        identity=1,
        pharmacy=1,
        prescriber=1,
        prescription_number="0",
        filled_on=clock.today(),
        fill_number=0,
        product_code="00406051201",
        quantity=60,
        days_supply=15,
        drug_name="OXYCODONE HCL 10 MG TABLET",
        ingredient="OXYCODONE HYDROCHLORIDE",
        strength=10,
        strength_unit="mg",
        form="TABLET",
        schedule="CII",
        drug_class=DrugClass.OPIOID,
        mme_key="oxycodone",
        stored_at=clock.now(),
    )
    return fill


_MOST_FILLS = 18


def _dispense() -> None:
    """Give everybody 2 to 18 fills, by the engine itself, in the order they came.

    Of a thousand patients 600 go to one prescriber, 300 to two, 85 to three and two
    pharmacies, 13 to four of each in two years, and 2 to six within two months.
    """
    first = _one_fill()
    rest = "%" if database.is_sqlite() else "%%"
    person = "CAST(person.id AS BIGINT)"
    kind = f"({person} * 104729 {rest} 1000)"
    days = f"CASE WHEN {kind} >= 998 THEN 60 ELSE {_DAYS} END"
    back = f"(({person} * 7919 + turn.n * 15485863) {rest} {days})"
    today = clock.today()
    day = (
        f"date('{today}', '-' || {back} || ' days')"
        if database.is_sqlite()
        else f"DATE '{today}' - ({back})::int"
    )
    writers = f"CASE WHEN {kind} < 600 THEN 1 WHEN {kind} < 900 THEN 2"
    writers += f" WHEN {kind} < 985 THEN 3 WHEN {kind} < 998 THEN 4 ELSE 6 END"
    shops = f"CASE WHEN {kind} < 800 THEN 1 WHEN {kind} < 985 THEN 2"
    shops += f" WHEN {kind} < 998 THEN 4 ELSE 6 END"
    ours = {
        "id": "turn.n * 10000000 + person.id",
        "row_code": "'D-' || (turn.n * 10000000 + person.id)",
        "patient_id": "person.id",
        "identity_id": "person.id",
        "pharmacy_id": f"1 + ({person} * 31 + turn.n {rest} ({shops})) {rest} {_SHOPS}",
        "prescriber_id": f"1 + ({person} * 37 + turn.n {rest} ({writers}))"
        f" {rest} {_WRITERS}",
        "prescription_number": "CAST(person.id * 100 + turn.n AS VARCHAR)",
        "filled_on": day,
    }
    fields = [field.column_name for field in Dispensation._meta.sorted_fields]  # noqa: SLF001
    values = ", ".join(ours.get(name, f'one."{name}"') for name in fields)
    columns = ", ".join(f'"{name}"' for name in fields)
    turns = " UNION ALL ".join(f"SELECT {n} AS n" for n in range(1, _MOST_FILLS + 1))
    models.database.execute_sql(
        f"INSERT INTO dispensation ({columns}) SELECT {values}"  # noqa: S608
        f" FROM ({turns}) AS turn CROSS JOIN reported_identity AS person"
        f" CROSS JOIN dispensation AS one WHERE one.id = {first.id}"
        f" AND turn.n <= 2 + {person} * 7927 {rest} 17"
    )
    first.delete_instance()
