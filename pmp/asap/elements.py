"""The elements of each version of the standard: names, kinds, longest lengths, use.

Read from elements.csv beside this module, one row for each element and range of
versions.  Its `use` is what is wanted where a programme says nothing: R required, RR
when available, O optional; `bound` is how far a programme may change that.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources

VERSIONS = ("4.0", "4.1", "4.2", "4.2A", "4.2B", "5.0")
"""Versions that can be read; whether one is accepted is the programme's setting."""

SEGMENTS = ("TH", "IS", "PHA", "PAT", "DSP", "PRE", "CDI", "AIR", "TP", "TT")
OF_RECORDS = ("PHA", "PAT", "DSP", "PRE", "CDI", "AIR")
"""The segments that make a record; the others make the envelope around records."""


class Use(StrEnum):
    """What a programme wants of an element, in a segment that is sent.

    REQUIRED: empty, the record is held.  WHEN_AVAILABLE: empty, a warning.  OPTIONAL:
    nothing is said.  NOT_USED: what is sent there is passed over and not kept.
    """

    REQUIRED = "required"
    WHEN_AVAILABLE = "when_available"
    OPTIONAL = "optional"
    NOT_USED = "not_used"


class Bound(StrEnum):
    """How far a programme may change the use of an element.

    REQUIRED: not at all, since a record cannot be stored without it.  KEPT: it cannot
    be passed over, since records are told apart by it.  ENVELOPE: it is of no record.
    """

    FREE = ""
    KEPT = "kept"
    REQUIRED = "required"
    ENVELOPE = "envelope"


_USES = {"R": Use.REQUIRED, "RR": Use.WHEN_AVAILABLE, "O": Use.OPTIONAL}


@dataclass(frozen=True, slots=True)
class Element:
    """One element: “DSP09”, its name in words, type (AN, N, D, DT, TM), length, use."""

    id: str
    name: str
    kind: str
    longest: int
    use: Use
    bound: Bound

    @property
    def segment(self) -> str:
        """The segment that it belongs to, like “DSP”."""
        return self.id[:-2]


@cache
def layout(version: str) -> Mapping[str, tuple[Element, ...]]:
    """Give the elements of each segment in their order; KeyError if unreadable."""
    if version not in VERSIONS:
        raise KeyError(version)
    segments: dict[str, list[Element]] = {segment: [] for segment in SEGMENTS}
    for row in _rows():
        if _covers(row, version):
            element = _element(row)
            segments[element.segment].append(element)
    return {segment: tuple(found) for segment, found in segments.items()}


@cache
def by_id(version: str) -> Mapping[str, Element]:
    """Give the elements of a version by their id."""
    return {
        element.id: element
        for segment in layout(version).values()
        for element in segment
    }


@cache
def of_records() -> tuple[Element, ...]:
    """Give each element of a record once, in the newest version that has it."""
    found = {row["id"]: _element(row) for row in _rows()}
    return tuple(each for each in found.values() if each.segment in OF_RECORDS)


def label(element_id: str, version: str = "4.2B") -> str:
    """Name an element in words; its id (“DSP99”) if the version does not have it."""
    base, _, nth = element_id.partition(".")
    found = by_id(version).get(base)
    name = found.name if found else base
    return f"{name} ({nth})" if nth else name


def _element(row: Mapping[str, str]) -> Element:
    return Element(
        id=row["id"],
        name=row["name"],
        kind=row["type"],
        longest=int(row["max"]),
        use=_USES[row["use"]],
        bound=Bound(row["bound"]),
    )


@cache
def _rows() -> tuple[dict[str, str], ...]:
    table = resources.files("pmp.asap").joinpath("elements.csv")
    with table.open(encoding="utf-8") as stream:
        return tuple(csv.DictReader(stream))


def _covers(row: Mapping[str, str], version: str) -> bool:
    place = VERSIONS.index(version)
    until = VERSIONS.index(row["until"]) if row["until"] else len(VERSIONS)
    return VERSIONS.index(row["since"]) <= place <= until
