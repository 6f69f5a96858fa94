"""Looking a patient up beside millions: how long it takes, and whether size tells.

Two million people and ten million fills (scale 1) are put into SQLite and Postgres;
then one client, and eight that each rest between two searches as people do, look up
people who are there: exactly, with similar spellings, and all fills of one patient.
The limit is 5 ms for the slowest in a hundred; and beside a hundredth of the people
half of the searches must not be more than twice as quick.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from itertools import islice
from multiprocessing import get_context
from statistics import median, quantiles
from time import perf_counter, sleep
from typing import Any, NamedTuple

import models
from bench import Measure
from bench._engines import each_engine, program
from bench._people import people
from models import (
    Dispensation,
    Patient,
    Pharmacy,
    Prescriber,
    ReportedIdentity,
    Species,
)
from pmp import bulk, clock, database, settings
from pmp.history import rows as history_rows
from pmp.lookup import patient_search

PART = "search"
PEOPLE = 2_000_000
FILLS_EACH = 5
SHARE_OF_FEW = 100
"""The growth is measured from so many times fewer people."""
SEARCHES = 2_000
CLIENTS = 8
REST = 0.02
"""Seconds that each of several clients rests between two searches."""
MOST_MS = 5.0
MOST_GROWTH = 2.0
_BATCH = 5_000
_SHOPS, _WRITERS = 600, 9_000
_DAYS = 730
_LAST_DAY = date(2026, 11, 24)


class Asked(NamedTuple):
    """Somebody who is looked up."""

    first: str
    last: str
    born: date
    patient: int


def run(scale: float) -> list[Measure]:
    """Measure SQLite, and Postgres where one answers, small and large."""
    many = max(20_000, round(PEOPLE * scale))
    few = max(5_000, many // SHARE_OF_FEW)
    before = {engine: _measured(url, few, 1) for engine, url in each_engine()}
    measures: list[Measure] = []
    for engine, url in each_engine():
        found = _measured(url, many, 1, CLIENTS)
        measures += _compared(engine, many, before[engine], found)
    return measures


_Times = dict[tuple[str, int], list[float]]
"""(kind of search, clients) → milliseconds of each search."""


def _compared(engine: str, many: int, before: _Times, found: _Times) -> list[Measure]:
    size = f"{many * FILLS_EACH / 1e6:g} M fills, {engine}"
    measures = []
    for (kind, clients), times in found.items():
        slow = quantiles(times, n=100)[98]
        name = f"{kind}, {clients} at once, {size}"
        measures.append(_at_most(name, slow, MOST_MS, 1.0))
        if (kind, clients) in before:
            middle, earlier = median(times), median(before[kind, clients])
            name = f"{kind}, growth, {engine}"
            measures.append(_at_most(name, middle, earlier, MOST_GROWTH))
    return measures


def _at_most(name: str, result: float, limit: float, target: float) -> Measure:
    return Measure(PART, name, result, limit, result / limit, -target, "ms")


def _measured(url: str, count: int, *clients: int) -> _Times:
    with program(url):
        _load(count)
        wanted = _some(count)
    return {
        (kind, number): _times(url, kind, wanted, number)
        for kind in _SEARCHES
        for number in clients
    }


def _times(url: str, kind: str, wanted: Sequence[Asked], clients: int) -> list[float]:
    with ProcessPoolExecutor(clients, get_context("spawn")) as processes:
        parts = [wanted[start::clients] for start in range(clients)]
        rest = REST if clients > 1 else 0.0
        done = [processes.submit(_client, url, kind, part, rest) for part in parts]
        return [time for each in done for time in each.result()]


def _client(url: str, kind: str, wanted: Sequence[Asked], rest: float) -> list[float]:
    """Search one after another, as a process of the portal does; in milliseconds."""
    settings.use(settings.load({"PMP_DATABASE_URL": url, **_KEYS}))
    database.begin_use()
    search, times = _SEARCHES[kind], []
    with models.database.connection_context():
        for asked in wanted[:50]:
            search(asked)
        for asked in wanted:
            start = perf_counter()
            search(asked)
            times.append((perf_counter() - start) * 1000)
            sleep(rest)
    return times


_KEYS = {"PMP_SECRET_KEY": "s" * 64, "PMP_DOCUMENT_KEY": "d" * 64}


def _exact(asked: Asked) -> None:
    found = patient_search.find(
        first_name=asked.first,
        last_name=asked.last,
        birth_date=asked.born,
        similar=False,
    )
    if not any(each.patient_id == asked.patient for each in found):
        raise AssertionError("a person who is there was not found")


def _similar(asked: Asked) -> None:
    found = patient_search.find(
        first_name=asked.first,
        last_name=asked.last[:3] + asked.last[4:],
        birth_date=asked.born,
        similar=True,
    )
    if len(asked.last) > 5 and not found:
        raise AssertionError("a person who is there was not found by a misspelt name")


def _fills(asked: Asked) -> None:
    since = _LAST_DAY - timedelta(days=_DAYS)
    rows = list(history_rows.of_patient(asked.patient, since, _LAST_DAY))
    if len(rows) != FILLS_EACH:
        raise AssertionError("a fill is missing")


_SEARCHES: dict[str, Callable[[Asked], None]] = {
    "exact": _exact,
    "similar": _similar,
    "fills of a patient": _fills,
}


def _some(count: int) -> list[Asked]:
    draw = random.Random(count)  # noqa: S311 - which are looked up, nothing secret
    ids = draw.sample(range(1, count + 1), min(SEARCHES, count))
    rows: Any = ReportedIdentity.select().where(
        bulk.among(ReportedIdentity.id, sorted(ids))
    )
    some = [
        Asked(row.first_name, row.last_name, row.birth_date, row.patient_id)
        for row in rows
    ]
    draw.shuffle(some)
    return some


def _load(count: int) -> None:
    """Put people and fills into tables whose indexes are made afterwards."""
    tables: Any = (ReportedIdentity, Dispensation)
    for table in tables:
        table._schema.drop_indexes()  # noqa: SLF001 - loading is not what is measured
    now = clock.now()
    with database.atomic():
        _shops_and_writers()
        rows = _identities(count)
        while batch := list(islice(rows, _BATCH)):
            bulk.insert(Patient, [{"id": r["id"], "created_at": now} for r in batch])
            bulk.insert(ReportedIdentity, batch)
        _dispense(count)
    for table in tables:
        table._schema.create_indexes()  # noqa: SLF001
    # As either engine stands a while after so much came in.
    models.database.execute_sql("ANALYZE" if database.is_sqlite() else "VACUUM ANALYZE")


def _identities(count: int) -> Iterator[dict[str, Any]]:
    now = clock.now()
    for number, person in enumerate(people(random.Random(7), count), start=1):  # noqa: S311
        yield {
            "id": number,
            "fingerprint": person.fingerprint,
            "patient": number,
            "last_name": person.last,
            "first_name": person.first,
            "birth_date": person.birth_date,
            "sex": person.sex,
            "street": person.street,
            "city": person.city,
            "state": person.state,
            "zip": person.zip,
            "phone": person.phone,
            "species": Species.HUMAN,
            "last_key": person.last_key,
            "first_key": person.first_key,
            "last_sound": person.last_sound,
            "linked_at": now,
        }


def _shops_and_writers() -> None:
    bulk.insert(
        Pharmacy,
        [
            {"id": n, "dea": f"FB{n:07}", "name": f"PHARMACY {n}"}
            for n in range(1, _SHOPS + 1)
        ],
    )
    bulk.insert(
        Prescriber,
        [
            {"id": n, "dea": f"BB{n:07}", "last_name": f"WRITER {n}"}
            for n in range(1, _WRITERS + 1)
        ],
    )


def _one_fill() -> Any:
    """Store a fill that all others are copied from but for who, where and when."""
    return Dispensation.create(
        row_code="D-0",
        patient=1,
        identity=1,
        pharmacy=1,
        prescriber=1,
        prescription_number="0",
        filled_on=_LAST_DAY,
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
        drug_class=models.DrugClass.OPIOID,
        mme_key="oxycodone",
        stored_at=clock.now(),
    )


def _dispense(count: int) -> None:
    """Give everybody their fills, by the engine itself from one row as it should be."""
    first = _one_fill()
    mixed = "(CAST(person.id AS BIGINT) * 7919 + turn.n * 15485863)"
    rest = "%" if database.is_sqlite() else "%%"
    back = f"({mixed} {rest} {_DAYS})"
    day = (
        f"date('{_LAST_DAY}', '-' || {back} || ' days')"
        if database.is_sqlite()
        else f"DATE '{_LAST_DAY}' - {back}::int"
    )
    ours = {
        "id": f"1 + (person.id - 1) * {FILLS_EACH} + turn.n",
        "row_code": f"'D-' || ((person.id - 1) * {FILLS_EACH} + turn.n)",
        "patient_id": "person.patient_id",
        "identity_id": "person.id",
        "pharmacy_id": f"1 + {mixed} {rest} {_SHOPS}",
        "prescriber_id": f"1 + {mixed} {rest} {_WRITERS}",
        "prescription_number": "CAST(person.id * 10 + turn.n AS VARCHAR)",
        "filled_on": day,
    }
    fields = [field.column_name for field in Dispensation._meta.sorted_fields]  # noqa: SLF001
    values = ", ".join(ours.get(name, f'one."{name}"') for name in fields)
    columns = ", ".join(f'"{name}"' for name in fields)
    turns = " UNION ALL ".join(f"SELECT {n} AS n" for n in range(1, FILLS_EACH + 1))
    models.database.execute_sql(
        f"INSERT INTO dispensation ({columns}) SELECT {values}"  # noqa: S608
        f" FROM reported_identity AS person CROSS JOIN ({turns}) AS turn"
        f" CROSS JOIN dispensation AS one WHERE one.id = {first.id}"
        f" AND person.id <= {count}"
    )
    first.delete_instance()
