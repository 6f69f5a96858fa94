"""The elements of each version of the standard: names, kinds, longest lengths.

Read from elements.csv beside this module, one row for each element and range of
versions; `use` R is what this programme requires of a record, O the rest.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

VERSIONS = ("4.0", "4.1", "4.2", "4.2A", "4.2B", "5.0")
"""Versions that can be read; whether one is accepted is the programme's setting."""

SEGMENTS = ("TH", "IS", "PHA", "PAT", "DSP", "PRE", "CDI", "AIR", "TP", "TT")


@dataclass(frozen=True, slots=True)
class Element:
    """One element: “DSP09”, its name in words, type (AN, N, D, DT, TM), length, use."""

    id: str
    name: str
    kind: str
    longest: int
    required: bool

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
            element = Element(
                row["id"], row["name"], row["type"], int(row["max"]), row["use"] == "R"
            )
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


def label(element_id: str, version: str = "4.2B") -> str:
    """Name an element in words; its id (“DSP99”) if the version does not have it."""
    base, _, nth = element_id.partition(".")
    found = by_id(version).get(base)
    name = found.name if found else base
    return f"{name} ({nth})" if nth else name


@cache
def _rows() -> tuple[dict[str, str], ...]:
    table = resources.files("pmp.asap").joinpath("elements.csv")
    with table.open(encoding="utf-8") as stream:
        return tuple(csv.DictReader(stream))


def _covers(row: Mapping[str, str], version: str) -> bool:
    place = VERSIONS.index(version)
    until = VERSIONS.index(row["until"]) if row["until"] else len(VERSIONS)
    return VERSIONS.index(row["since"]) <= place <= until
