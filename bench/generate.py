"""Generating a synthetic state, beside writing what it consists of.

The limit is what no generator can pass: the same files, each joined from lines that
are ready and written, and the same truth.  Both write to the same folder, in turns, and
each one's best time counts, so that a busy machine harms them alike.  What 100,000
records a second are on this machine at this hour is told by splitting the same bytes,
which the machine that the wish was made for does to 1.14 million records a second.
"""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from time import process_time

from bench import Measure
from pmp.asap import generate

PART = "generate"
SCALE, DAYS = 20.0, 60
ROUNDS = 3
WANTED = 100_000.0
"""Records a second that are wanted on a machine that does nothing else."""

TARGET = 1 / 20
"""Of writing what is ready, which is hardly more than copying memory."""

SPLIT_WHERE_WANTED = 1_140_000.0
"""Records a second that a bare split makes of where `WANTED` is wanted."""

LONGER = 3
"""How many times the usual days there are for the measure of linearity."""

Ready = list[tuple[str, list[str], list[str]]]


def run(scale: float) -> list[Measure]:
    """Measure against the limit and the wish, and that more days cost no more each."""
    size = max(0.5, SCALE * scale)
    memory = Path("/dev/shm")  # noqa: S108 - the disk is not what is measured
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as out:
        folder = Path(out)
        ready = _ready(size)
        records = sum(len(rows) for _, _, rows in ready)
        bodies = ["".join(lines).encode() for _, lines, _ in ready]
        limit = generated = split = float("inf")
        for _ in range(ROUNDS):
            limit = min(limit, _write_ready(ready, folder))
            split = min(split, _split(bodies))
            generated = min(generated, _generate(size, DAYS, folder)[1])
        del ready, bodies
        many, longer = _generate(size, DAYS * LONGER, folder)
    speed, later, most = records / generated, many / longer, records / limit
    return [
        _measure("files and truth", speed, most, TARGET),
        _measure(
            "beside splitting them", speed, records / split, WANTED / SPLIT_WHERE_WANTED
        ),
        _measure("beside 100,000 a second (no target)", speed, WANTED, 0),
        _measure(f"{LONGER} times the days", later, speed, 0.8),
    ]


def _measure(name: str, result: float, limit: float, target: float) -> Measure:
    return Measure(PART, name, result, limit, result / limit, target, "records/s")


def _ready(size: float) -> Ready:
    """Give the lines of every file and of its truth."""
    return [
        (
            file.name,
            file.body.decode().splitlines(keepends=True),
            file.lines.splitlines(keepends=True),
        )
        for file in generate.submissions(seed=1, days=DAYS, scale=size)
    ]


def _write_ready(ready: Iterable[tuple[str, list[str], list[str]]], out: Path) -> float:
    start = process_time()
    with (out / "truth.csv").open("w", encoding="utf-8") as truth:
        for name, lines, rows in ready:
            (out / name).write_bytes("".join(lines).encode())
            truth.write("".join(rows))
    return process_time() - start


def _split(bodies: Iterable[bytes]) -> float:
    """Split into segments and elements, as the limit of `bench read` does."""
    start = process_time()
    for body in bodies:
        for segment in body.split(b"~"):
            segment.strip().split(b"*")
    return process_time() - start


def _generate(size: float, days: int, out: Path) -> tuple[int, float]:
    """Generate and write, as the command does; give how many records, and the time."""
    start, records = process_time(), 0
    with (out / "truth.csv").open("w", encoding="utf-8") as truth:
        for file in generate.submissions(seed=1, days=days, scale=size):
            (out / file.name).write_bytes(file.body)
            truth.write(file.lines)
            records += file.records
    return records, process_time() - start
