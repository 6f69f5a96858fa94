"""Matching people: public lists beside Splink, and reports beside 2 million people.

FEBRL's lists are rough and have no relatives in them: they are matched by weights
alone, as `match link` does with such a list.  What is stored is matched behind the
gate, through `pmp.matching.link`, on people made anew each time; the seed is printed,
and `PMP_BENCH_SEED` repeats it.  Speed is told beside what the engine can do with the
same rows: executemany on SQLite, COPY on Postgres.
"""

import os
import secrets
from collections.abc import Iterator
from importlib.util import find_spec
from random import Random
from typing import TYPE_CHECKING

from bench import Measure
from bench._engines import each_engine, program

if TYPE_CHECKING:
    from bench._beside import Outcome

PART = "match"
PEOPLE, FEWEST = 2_000_000, 20_000
STRANGERS_EACH = 50  # one report of each kind for so many people
F1, BESIDE_SPLINK = 0.99, 0.003
STRANGERS, RELATIVES, MEMBERS = 0.001, 0.003, 0.995
OF_LIMIT = 1 / 50
WANTED = 5_000.0
LIMIT_ROWS, ROUNDS = 20_000, 3
_NEEDED = ("recordlinkage", "splink", "faker")


def run(scale: float) -> list[Measure]:
    """Measure the lists, then who is joined and how quickly, on each engine."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise SystemExit(
            f"bench match needs {', '.join(missing)}: make bench installs them"
            " (pip install --require-hashes -r requirements-bench.txt)."
        )
    seed = int(os.environ.get("PMP_BENCH_SEED") or secrets.randbelow(10**9))
    print(f"{PART}: seed {seed}", flush=True)
    return [*_lists(seed), *_beside(seed, max(FEWEST, round(PEOPLE * scale)))]


def _lists(seed: int) -> Iterator[Measure]:
    from bench import _febrl, _splink  # noqa: PLC0415 - heavy, and told of above

    for number, rows in _febrl.lists(seed):
        ours = _febrl.score(rows, _febrl.link(rows, relatives=False))
        gated = _febrl.score(rows, _febrl.link(rows, relatives=True))
        peer = _febrl.score(rows, _splink.link(rows))
        for who, found in (("ours", ours), ("ours, gated", gated), ("Splink", peer)):
            print(
                f"{PART}: FEBRL {number}, {who:<12} precision {found.precision:.4f}"
                f" recall {found.recall:.4f} F1 {found.f1:.4f}",
                flush=True,
            )
        yield _share(f"FEBRL {number}, F1", ours.f1, 1.0, F1)
        most = 1.0 - BESIDE_SPLINK / peer.f1
        yield _share(f"FEBRL {number}, F1 beside Splink", ours.f1, peer.f1, most)


def _beside(seed: int, count: int) -> Iterator[Measure]:
    for engine, url in each_engine():
        yield from _engine(engine, url, seed, count)


def _engine(engine: str, url: str, seed: int, count: int) -> Iterator[Measure]:
    from bench import _beside  # noqa: PLC0415 - as above

    each = count // STRANGERS_EACH
    with program(url):
        people, strangers = _beside.population(seed, count, each)
        given, more = _beside.reports(Random(seed), people, strangers, each)  # noqa: S311
        _beside.store(people, more)
        outcome, seconds = _beside.linked(given, count + len(more))
        yield from _joined(f"{engine}, {count:,}", outcome)
        rows = min(LIMIT_ROWS, len(given))
        most = rows / min(_beside.limit(rows) for _ in range(ROUNDS))
    speed = len(given) / seconds
    name = f"identities, {engine}, {count:,}"
    yield Measure(PART, name, speed, most, speed / most, OF_LIMIT, "a second")
    name = f"beside 5,000 (no target), {engine}"
    yield Measure(PART, name, speed, WANTED, speed / WANTED, 0, "a second")


def _joined(where: str, outcome: "Outcome") -> Iterator[Measure]:
    from bench._reports import MAY_BE_REVIEWED, MUST_LINK  # noqa: PLC0415 - as above

    for kind, reports in sorted(outcome.reports.items()):
        shares = [
            f"{what} {counted[kind] / reports:.4f}"
            for what, counted in (
                ("joined", outcome.joined),
                ("reviewed", outcome.reviewed),
                ("wrong", outcome.wrong),
            )
        ]
        print(f"{PART}: {where}, {kind:<30} {reports:>6}  {' '.join(shares)}")
    reviews = 1000 * outcome.reviews / outcome.reports.total()
    print(f"{PART}: {where}, reviews for 1000 reports: {reviews:.1f}", flush=True)
    must, may = list(MUST_LINK), list(MAY_BE_REVIEWED)
    wrong, joined, reviewed = outcome.wrong, outcome.joined, outcome.reviewed
    yield _share(
        f"strangers joined, {where}", outcome.share(wrong, ["stranger"]), 1, -STRANGERS
    )
    for kinds in (["twin", "twin, name alike"], ["junior"]):
        name = f"{kinds[0]}s joined, {where}"
        yield _share(name, outcome.share(wrong, kinds), 1, -RELATIVES)
    yield _share(f"members found, {where}", outcome.share(joined, must), 1, MEMBERS)
    either = outcome.share(joined, must + may) + outcome.share(reviewed, must + may)
    yield _share(f"all noise, found or reviewed, {where}", either, 1, 0)
    yield _share(
        f"all noise, found (no target), {where}",
        outcome.share(joined, must + may),
        1,
        0,
    )
    another = outcome.share(wrong, must + may)
    yield _share(f"members joined to another, {where}", another, 1, -STRANGERS)


def _share(name: str, result: float, limit: float, target: float) -> Measure:
    percent = 100 * result, 100 * limit
    return Measure(PART, name, *percent, result / limit, target, "%")
