"""CMS's file of all providers, eight million rows of 330 columns: previewed, applied.

The limit is the bare csv reader over a part of the same file, in processor time of the
process that reads. Memory is the peak of a process of its own. One provider in eighty
has a licence of the state, and half of those are on its roster.
"""

import csv
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter, process_time

from bench import Measure
from bench._engines import each_engine, program
from bench.roster import MOST_MEMORY_MB, peak_memory_mb
from models import Licence, Profession, RosterState
from pmp import bulk, clock, identifiers, roster, settings

PART = "nppes"
ROWS = 8_000_000
COLUMNS = 330
OF_THE_STATE = 80
"""Of so many providers one has a licence of the state."""
BATCH = 2_000
FIRST_NPI = 100_000_000
BARE_ROWS = 200_000
LEAST_SHARE = 0.4
"""What a preview must reach of the bare reader's speed."""
_NAMED = {
    "NPI": "{npi}",
    "Entity Type Code": "1",
    "Provider Organization Name (Legal Business Name)": "",
    "Provider Last Name (Legal Name)": "{last}",
    "Provider First Name": "ANN",
    "Provider Other Organization Name": "",
    "Provider Business Practice Location Address Telephone Number": "8605550142",
    "Provider Business Practice Location Address Fax Number": "8605550143",
    "NPI Deactivation Date": "",
    "NPI Reactivation Date": "",
    "Provider License Number_1": "{licence}",
    "Provider License Number State Code_1": "{state}",
    **{f"Provider License Number_{n}": "" for n in range(2, 16)},
    **{f"Provider License Number State Code_{n}": "" for n in range(2, 16)},
}
_OTHERS = [f"Something else {n}" for n in range(COLUMNS - len(_NAMED))]


def run(scale: float) -> list[Measure]:
    """Measure on SQLite, and on Postgres where one answers."""
    rows = max(5_000, round(ROWS * scale))
    measures: list[Measure] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "npidata_pfile_20260101-20260107.csv")
        _write(path, rows)
        some = min(rows, BARE_ROWS)
        bare = some / _bare(path, some)
        for engine, url in each_engine():
            # In a process of its own, whose peak nothing else has raised before.
            with ProcessPoolExecutor(1, get_context("spawn")) as processes:
                told = processes.submit(_trial, url, path, rows).result()
            speed, peak = rows / told["preview"], told["peak"]
            measures += [
                _measure(f"preview, {engine}", speed, bare, LEAST_SHARE, "rows/s"),
                _measure(f"memory, {engine}", peak, MOST_MEMORY_MB, -1, "MB"),
                _measure(f"apply, {engine}", told["apply"], 1, 0, "licences/s"),
            ]
    return measures


def _measure(
    name: str, result: float, limit: float, target: float, unit: str
) -> Measure:
    return Measure(PART, name, result, limit, result / limit, target, unit)


def _write(path: Path, rows: int) -> None:
    names = [*_NAMED, *_OTHERS]
    line = ",".join(f'"{cell}"' for cell in [*_NAMED.values(), *([""] * len(_OTHERS))])
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(f'"{name}"' for name in names) + "\n")
        for number in range(rows):
            ours = number % OF_THE_STATE == 0
            file.write(
                line.format(
                    npi=identifiers.whole_npi(FIRST_NPI + number),
                    last=f"PROVIDER {number}",
                    licence=f"{number:07d}",
                    state="CT" if ours else "NY",
                )
                + "\n"
            )


def _bare(path: Path, rows: int) -> float:
    """Split some rows into cells; give the processor's seconds."""
    begin = process_time()
    with path.open(encoding="utf-8", newline="") as sheet:
        for _ in islice(csv.reader(sheet), rows):
            pass
    return process_time() - begin


def _trial(url: str, path: Path, rows: int) -> dict[str, float]:
    """Import the file; give the preview's seconds, the speed and the peak in MB."""
    told = {}
    with program(url), settings.changed(state_code="CT"):
        roster_rows = _licences(rows)
        while some := list(islice(roster_rows, BATCH)):  # not what is measured
            bulk.insert(Licence, some)
        begin = process_time()
        batch = roster.preview(path, by="bench", at=clock.now())
        told["preview"] = process_time() - begin
        begin = perf_counter()
        batch = roster.apply(batch.id, by="bench", at=clock.now())
        told["apply"] = batch.changed / (perf_counter() - begin)
        if batch.state != RosterState.APPLIED or not batch.changed:
            raise AssertionError(f"{path.name} is {batch.state}")
    told["peak"] = peak_memory_mb()
    return told


def _licences(rows: int) -> Iterator[dict[str, object]]:
    """Give the roster: each second provider of the state."""
    for number in range(0, rows, OF_THE_STATE * 2):
        yield {
            "credential_id": str(number),
            "code": f"CSP.{number:07d}",
            "profession": Profession.PRACTITIONER,
            "name": f"ANN PROVIDER {number}",
            "status": "ACTIVE",
            "active": True,
            "street": "1 Main St",
            "city": "HARTFORD",
            "state": "CT",
            "zip": "06106",
        }
