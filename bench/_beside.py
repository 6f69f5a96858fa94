"""Linking reports beside two million stored people, through `pmp.matching.link`.

Who should be found, and who must not be, is known; so is the most that the engine can
do with the same rows: executemany, or COPY, into the same tables, indexes and all.
"""

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from time import perf_counter
from typing import Any

import numpy as np

import models
from bench import _population, _reports
from bench._population import People
from bench._reports import Reporter
from models import MatchReview, Patient, ReportedIdentity
from pmp import bulk, clock, database, matching
from pmp.matching import Identity

BATCH = 20_000
ASKED = 5_000
"""How many reports are linked in one call."""


@dataclass(frozen=True)
class Report:
    """One report: of which kind, and whose patient it should be (0: nobody's)."""

    kind: str
    identity: Identity
    patient: int = 0


@dataclass
class Outcome:
    """What became of the reports, by their kind."""

    reports: Counter[str] = field(default_factory=Counter)
    joined: Counter[str] = field(default_factory=Counter)
    reviewed: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    reviews: int = 0

    def share(self, counted: Counter[str], kinds: Sequence[str]) -> float:
        """Give what share of the reports of some kinds was counted."""
        of = sum(self.reports[kind] for kind in kinds)
        return sum(counted[kind] for kind in kinds) / of if of else 0.0


def store(people: People, more: Sequence[Identity]) -> int:
    """Store a population, each its own patient; give the first patient of `more`.

    The patient of person n is n + 1.
    """
    table: Any = ReportedIdentity
    schema = table._schema  # noqa: SLF001 - indexes are quicker made after
    schema.drop_indexes()
    for start in range(0, len(people), BATCH):
        part = range(start, min(start + BATCH, len(people)))
        _store([people.identity(n) for n in part], start + 1)
    _store(more, len(people) + 1)
    schema.create_indexes()
    if not database.is_sqlite():
        for table in ("patient", "reported_identity"):
            models.database.execute_sql(
                "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)",
                (table, len(people) + len(more)),
            )
        models.database.execute_sql("ANALYZE reported_identity")
        models.database.execute_sql("ANALYZE patient")
    return len(people) + 1


def _store(identities: Sequence[Identity], first: int) -> None:
    now = clock.now()
    numbered = list(enumerate(identities, start=first))
    with database.atomic():
        bulk.insert(Patient, [{"id": n, "created_at": now} for n, _ in numbered])
        bulk.insert(
            ReportedIdentity,
            [matching.row_of(n, each, n, None, now) for n, each in numbered],
        )


def reports(
    rng: Random, people: People, strangers: People, each: int
) -> tuple[list[Report], list[Identity]]:
    """Give reports in an order of chance, and people who must be stored besides."""
    by = Reporter(rng, strangers, _population.names_alike(people.names))
    given: list[Report] = []
    for kind, noise in (_reports.MUST_LINK | _reports.MAY_BE_REVIEWED).items():
        share = each // (12 if kind in _reports.MUST_LINK else 40)
        for _ in range(max(200, share)):
            who = rng.randrange(len(people))
            given.append(Report(kind, noise(by, people.identity(who)), who + 1))
    given += [Report("stranger", strangers.identity(n)) for n in range(len(strangers))]
    more: dict[str, Identity] = {}
    for number in range(max(1_000, each // 5)):
        who = rng.randrange(len(people))
        born = people.identity(who)
        alike = number % 10 == 0
        one, other = _reports.twin(by, born, alike=alike)
        if alike and born.first in {one.first, other.first}:
            continue
        if alike:
            more[one.fingerprint] = one
        given.append(Report("twin, name alike" if alike else "twin", other))
        given.append(
            Report(
                "junior",
                _reports.junior(by, people.identity(rng.randrange(len(people)))),
            )
        )
    rng.shuffle(given)
    return given, list(more.values())


def linked(given: Sequence[Report], stored: int) -> tuple[Outcome, float]:
    """Link reports, some thousands at once; give what became of them, and the time."""
    seconds, outcome = 0.0, Outcome()
    for start in range(0, len(given), ASKED):
        part = given[start : start + ASKED]
        identities = [report.identity for report in part]
        begin = perf_counter()
        links = matching.link(identities, at=clock.now())
        seconds += perf_counter() - begin
        _judge(part, links, stored, outcome)
    return outcome, seconds


def _judge(
    part: Sequence[Report],
    links: Sequence[matching.Link],
    stored: int,
    outcome: Outcome,
) -> None:
    asked = _asked({link.identity_id for link in links})
    outcome.reviews += sum(len(candidates) for candidates in asked.values())
    for report, link in zip(part, links, strict=True):
        kind = report.kind
        outcome.reports[kind] += 1
        if report.patient and link.patient_id == report.patient:
            outcome.joined[kind] += 1
        elif link.patient_id <= stored:
            outcome.wrong[kind] += 1
        elif report.patient in asked.get(link.identity_id, ()):
            outcome.reviewed[kind] += 1


def _asked(identities: set[int]) -> dict[int, set[int]]:
    table: Any = MatchReview
    found: dict[int, set[int]] = {}
    query = table.select(table.identity, table.candidate).where(
        bulk.among(table.identity, sorted(identities))
    )
    for identity, candidate in query.tuples():
        found.setdefault(identity, set()).add(candidate)
    return found


def limit(count: int) -> float:
    """Insert so many of the last rows again, under other ids; give the time."""
    table: Any = ReportedIdentity
    names = [each.name for each in table._meta.sorted_fields]  # noqa: SLF001
    query = table.select().order_by(table.id.desc()).limit(count).tuples()
    rows = [dict(zip(names, row, strict=True)) for row in query]
    with database.atomic():
        ids = bulk.next_ids(ReportedIdentity, len(rows))
    for row, number in zip(rows, ids, strict=True):
        row |= {
            "id": number,
            "fingerprint": secrets.token_hex(32),
            "linked_at": row["linked_at"].replace(tzinfo=None),
            "link_evidence": "{}",
            "species": str(row["species"]),
            "link_score": None,
        }
    ready = [tuple(row[name] for name in names) for row in rows]
    columns = ", ".join(f'"{each.column_name}"' for each in table._meta.sorted_fields)  # noqa: SLF001
    begin = perf_counter()
    with database.atomic():
        connection = models.database.connection()
        if database.is_sqlite():
            places = ", ".join("?" * len(names))
            sql = f"INSERT INTO reported_identity ({columns}) VALUES ({places})"  # noqa: S608
            connection.executemany(sql, ready)
        else:
            sql = f"COPY reported_identity ({columns}) FROM STDIN"
            with connection.cursor() as cursor, cursor.copy(sql) as copy:
                for values in ready:
                    copy.write_row(values)
    seconds = perf_counter() - begin
    with database.atomic():
        table.delete().where(table.id >= ids[0]).execute()
    return seconds


def population(seed: int, count: int, strangers: int) -> tuple[People, People]:
    """Give people to be stored, and strangers by the same names and in other homes."""
    rng = np.random.default_rng(seed)
    given = _population.names(rng)
    return _population.people(rng, given, count), _population.people(
        rng, given, strangers
    )
