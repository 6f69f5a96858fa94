"""Every problem by its code: its meaning, how grave it is, what may change.

Read from catalogue.csv beside this module, one row a code; those of a register are
found only when a record is stored (`pmp.uploads.register`).  What a programme may not
change has its reason there, which is told to whoever tries.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from pmp.asap.problems import Gravity


@dataclass(frozen=True, slots=True)
class Entry:
    """One code: `of_record` or of the file; `may_be` what a programme may make of it.

    `why` is the reason for what is not in `may_be`, “” where the code is free.
    """

    code: str
    of_record: bool
    meaning: str
    gravity: Gravity
    may_be: tuple[Gravity, ...]
    why: str


@cache
def entries() -> Mapping[str, Entry]:
    """Give all entries by code: those of the file, errors, warnings."""
    table = resources.files("pmp.asap").joinpath("catalogue.csv")
    with table.open(encoding="utf-8") as stream:
        return {
            row["code"]: Entry(
                code=row["code"],
                of_record=row["of"] == "record",
                meaning=row["meaning"],
                gravity=Gravity(row["gravity"]),
                may_be=tuple(map(Gravity, (row["may_be"] or row["gravity"]).split())),
                why=row["why"],
            )
            for row in csv.DictReader(stream)
        }
