"""The Department's file of two million rows: previewed, applied, and a day later again.

The limit of a preview is the bare csv reader: every row of the same file split into
cells, decoded, and nothing looked at. Both are told in processor time of the process
that reads, so that a busy machine harms them alike; what Postgres does besides is not
in it. Memory is the peak of a process of its own.
"""

import csv
import re
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter, process_time

from bench import Measure, _roster
from bench._engines import each_engine, program
from models import RosterImport, RosterState
from pmp import clock, roster
from pmp.roster import applying, batches

PART = "roster"
ROWS = 2_100_000
SEED = 17
MOST_MEMORY_MB = 200.0
LEAST_SHARE = 0.4
"""What a preview of a daily file must reach of the bare reader's speed."""


def run(scale: float) -> list[Measure]:
    """Measure on SQLite, and on Postgres where one answers."""
    rows = max(5_000, round(ROWS * scale))
    measures: list[Measure] = []
    with tempfile.TemporaryDirectory() as folder:
        first, later = Path(folder, "first.tsv"), Path(folder, "later.tsv")
        _roster.write(first, rows=rows, seed=SEED)
        _roster.write(later, rows=rows, seed=SEED, day=1)
        bare = rows / min(_bare(first), _bare(later))
        for engine, url in each_engine():
            # In a process of its own, whose peak nothing else has raised before.
            with ProcessPoolExecutor(1, get_context("spawn")) as processes:
                told = processes.submit(_trial, url, first, later).result()
            measures += _measures(engine, rows, bare, told)
    return measures


def _measures(
    engine: str, rows: int, bare: float, told: dict[str, float]
) -> list[Measure]:
    first, later = rows / told["first"], rows / told["later"]
    peak = told["peak"]
    return [
        _measure(f"daily preview, {engine}", later, bare, LEAST_SHARE, "rows/s"),
        _measure(f"first preview, {engine}", first, bare, 0, "rows/s"),
        _measure(f"memory, {engine}", peak, MOST_MEMORY_MB, -1, "MB"),
        *(
            _measure(f"{name}, {engine}", told[name], told[name], 0, unit)
            for name, unit in (
                ("apply first", "licences/s"),
                ("apply daily", "licences/s"),
                ("undo daily", "licences/s"),
            )
        ),
    ]


def _measure(
    name: str, result: float, limit: float, target: float, unit: str
) -> Measure:
    return Measure(PART, name, result, limit, result / limit, target, unit)


def _bare(path: Path) -> float:
    """Split every row into cells; give the processor's seconds."""
    begin = process_time()
    with path.open(encoding="utf-8", newline="") as sheet:
        for _ in csv.reader(sheet, delimiter="\t"):
            pass
    return process_time() - begin


def _trial(url: str, first: Path, later: Path) -> dict[str, float]:
    """Import a file and the next day's; give seconds, speeds, and the peak in MB."""
    told = {}
    with program(url):
        _, told["first"], told["apply first"] = _imported(first)
        batch, told["later"], told["apply daily"] = _imported(later)
        if not (batch.new and batch.changed and batch.gone):
            raise AssertionError("nothing changed in a day")
        roster.begin_to_undo(batch.id, reason="bench", by="bench", at=clock.now())
        begin = perf_counter()
        applying.undo(batch.id, now=clock.now)
        told["undo daily"] = _changes(batch) / (perf_counter() - begin)
        if batches.get(batch.id).state != RosterState.UNDONE:
            raise AssertionError("it was not undone")
    told["peak"] = peak_memory_mb()
    return told


def _imported(path: Path) -> tuple[RosterImport, float, float]:
    """Import a file; give the preview's seconds, and licences applied a second."""
    begin = process_time()
    batch = roster.preview(path, by="bench", at=clock.now())
    seconds = process_time() - begin
    begin = perf_counter()
    batch = roster.apply(batch.id, by="bench", at=clock.now())
    speed = _changes(batch) / (perf_counter() - begin)
    if batch.state != RosterState.APPLIED:
        raise AssertionError(f"{path.name} is {batch.state}")
    return batch, seconds, speed


def _changes(batch: RosterImport) -> int:
    return batch.new + batch.changed + batch.gone


def peak_memory_mb() -> float:
    """Give the most memory that this process has had, in MB."""
    # Not getrusage: its peak begins with what the parent had when it made this process.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else float("inf")
