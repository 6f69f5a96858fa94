"""Submitting files end to end, beside the engine's own bulk limit.

A file of people who are known already is received, read, checked, matched, stored and
evaluated against a threshold rule.  The limit is the same number of the same rows put
into the same table, indexes and all, by nothing but executemany (SQLite) or COPY
(Postgres).  Both run in turns and the best time of each counts.

Many files of ordinary size, one after another, must not become slower as the tables
grow: the last tenth of them is measured against the first.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from statistics import mean
from time import perf_counter
from typing import Any

import models
from bench import Measure
from bench._engines import each_engine, program
from models import Dispensation, Role, ThresholdRule, User, UserStatus
from pmp import bulk, clock, database, drugs, uploads
from pmp.asap import generate
from pmp.dispensations.row_codes import row_code

PART = "submit"
RECORDS = 20_000
ROUNDS = 3
TARGET = 1 / 8
FILES = 200
FILE_RECORDS = 100
STEADY = 0.8


def run(scale: float) -> list[Measure]:
    """Measure SQLite, and Postgres where one answers."""
    records = max(500, round(RECORDS * scale))
    each = max(20, round(FILE_RECORDS * scale))
    parts: tuple[Callable[[str, str], Measure], ...] = (
        lambda engine, url: _measured(engine, url, records),
        lambda engine, url: _steady(engine, url, each),
    )
    measures = []
    for part in parts:
        measures += [part(engine, url) for engine, url in each_engine()]
    return measures


def _measured(engine: str, url: str, records: int) -> Measure:
    with program(url):
        submitter = _furnish()
        body = _large(7, records)
        _submit(body, submitter)
        submitted, limit = [], []
        for turn in range(1, ROUNDS + 1):
            submitted.append(_submit(_other_numbers(body, turn), submitter))
            limit.append(_insert(_rows(turn)))
    best, least = records / min(submitted), records / min(limit)
    name = f"people known, {engine}"
    return Measure(PART, name, best, least, best / least, TARGET, "records/s")


def _steady(engine: str, url: str, each: int) -> Measure:
    """Compare the last tenth of many files with the first.

    Of each tenth the faster half counts: whatever else the machine does makes the
    others slower.
    """
    with program(url):
        submitter = _furnish()
        body = _large(8, FILES * each)
        _submit(body, submitter)
        files = _split(_other_numbers(body, 1), each)
        seconds = [_submit(file, submitter) for file in files]
    tenth = FILES // 10
    tenths = seconds[:tenth], seconds[-tenth:]
    first, last = (each / mean(sorted(part)[: tenth // 2]) for part in tenths)
    name = f"last tenth of {FILES} files, {engine}"
    return Measure(PART, name, last, first, last / first, STEADY, "records/s")


def _large(seed: int, records: int) -> bytes:
    """Give a file of fills of yesterday: nothing in it is late."""
    yesterday = clock.today() - timedelta(days=1)
    return generate.large_submission(seed=seed, records=records, until=yesterday)


def _split(body: bytes, each: int) -> Iterator[bytes]:
    """Give the records of one file as files of `each` records."""
    lines = body.splitlines(keepends=True)
    heads, segments = lines[:3], lines[3:-2]
    control = heads[0].split(b"*")[2]
    for start in range(0, len(segments), 3 * each):
        part = segments[start : start + 3 * each]
        ends = [
            b"TP*%d~\n" % (len(part) + 2),
            b"TT*%s*%d~\n" % (control, len(part) + 5),
        ]
        yield b"".join([*heads, *part, *ends])


def _furnish() -> User:
    """Make what a program has: products, a threshold rule, someone who submits."""
    now = clock.now()
    drugs.seed(at=now)
    ThresholdRule.create(
        name="5 and 5 in 90 days",
        prescribers=5,
        pharmacies=5,
        window_days=90,
        written_by="bench",
        written_at=now,
    )
    user: User = User.create(
        username="bench",
        role=Role.STAFF,
        status=UserStatus.ACTIVE,
        name="Bench",
        created_at=now,
    )
    return user


def _submit(body: bytes, by: User) -> float:
    start = perf_counter()
    received = uploads.receive(filename="bench.dat", body=body, by=by, at=clock.now())
    done = uploads.process(received.id, at=clock.now())
    seconds = perf_counter() - start
    if done.stored < 0.9 * done.records:
        raise AssertionError(f"only {done.stored} of {done.records} were stored")
    return seconds


def _other_numbers(body: bytes, turn: int) -> bytes:
    """Give the same fills under other prescription numbers: people stay the same."""
    return re.sub(rb"(DSP\*00\*)", rb"\g<1>9%d" % turn, body)


def _rows(turn: int) -> list[tuple[Any, ...]]:
    """Give rows like those just stored, ready for the driver, under other numbers."""
    last: Any = Dispensation.select(Dispensation.submission).order_by(
        Dispensation.id.desc()
    )
    query: Any = (
        Dispensation.select()
        .where(Dispensation.submission == last.limit(1).tuples().get()[0])
        .tuples()
    )
    names = [field.name for field in Dispensation._meta.sorted_fields]  # noqa: SLF001
    rows = [dict(zip(names, row, strict=True)) for row in query]
    with database.atomic():
        ids = bulk.next_ids(Dispensation, len(rows))
    for row, number in zip(rows, ids, strict=True):
        row |= {
            "id": number,
            "row_code": row_code(number),
            "prescription_number": f"8{turn}{row['prescription_number']}",
            "status": str(row["status"]),
            "drug_class": str(row["drug_class"]),
            "stored_at": row["stored_at"].replace(tzinfo=None),
        }
    return [tuple(row[name] for name in names) for row in rows]


def _insert(rows: Sequence[tuple[Any, ...]]) -> float:
    fields = Dispensation._meta.sorted_fields  # noqa: SLF001
    columns = ", ".join(f'"{field.column_name}"' for field in fields)
    start = perf_counter()
    with database.atomic():
        connection = models.database.connection()
        if database.is_sqlite():
            places = ", ".join("?" * len(fields))
            sql = f"INSERT INTO dispensation ({columns}) VALUES ({places})"  # noqa: S608
            connection.executemany(sql, rows)
        else:
            sql = f"COPY dispensation ({columns}) FROM STDIN"
            with connection.cursor() as cursor, cursor.copy(sql) as copy:
                for row in rows:
                    copy.write_row(row)
    return perf_counter() - start
