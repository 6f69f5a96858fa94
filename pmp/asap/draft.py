"""One record as the rules see it: elements by id, where they stand, which version."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from pmp.asap.programme import USUAL, Programme

_DATE = re.compile(r"\d{8}", re.ASCII)


@dataclass(slots=True)
class Draft:
    """The elements of one DSP and of its PHA, PAT, PRE, CDI and AIR segments.

    `places` maps a segment (“DSP”, “CDI.2”) to its number and byte offset in the
    file.  `orphan_pre`: a PRE stood before the DSP; `extra_pre`: one came too many.
    `programme` says how the record is judged.
    """

    elements: Mapping[str, str]
    version: str
    today: date
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    orphan_pre: bool = False
    extra_pre: bool = False
    programme: Programme = USUAL

    def __getitem__(self, element: str) -> str:
        """Give the element's text, “” if it was not sent."""
        return self.elements.get(element, "")

    def day(self, element: str) -> date | None:
        """Give the element as a date; None if it is empty or no date."""
        return parse_day(self[element])

    def has(self, segment: str) -> bool:
        """Whether the record has such a segment."""
        return segment in self.places

    def ingredients(self) -> Iterator[str]:
        """Give what to put behind “CDI03” for each CDI: “”, “.2”, “.3” and so on."""
        return self.numbers("CDI")

    def numbers(self, wanted: str) -> Iterator[str]:
        """Give what to put behind the elements of each segment of a kind, as sent."""
        for place in self.places:
            segment, _, nth = place.partition(".")
            if segment == wanted:
                yield f".{nth}" if nth else ""

    def locate(self, element: str) -> tuple[str, int, int]:
        """Give the segment id, segment number and byte offset of an element."""
        base, _, nth = element.partition(".")
        segment = base.rstrip("0123456789")
        number, offset = (
            self.places.get(f"{segment}.{nth}" if nth else segment)
            or self.places.get("DSP")
            or (0, 0)
        )
        return segment, number, offset

    @property
    def void(self) -> bool:
        """Whether the record asks to void another."""
        return self["DSP01"].zfill(2) == "02"

    @property
    def animal(self) -> bool:
        """Whether the patient is an animal."""
        return self["PAT20"].zfill(2) == "02"

    @property
    def compound(self) -> bool:
        """Whether the product is a compound, listed in CDI segments."""
        return self["DSP07"].zfill(2) == "06"

    @property
    def zero(self) -> bool:
        """Whether it says “nothing dispensed”: a patient named Zero Report."""
        last, first = self["PAT07"], self["PAT08"]
        return first.upper() == "ZERO" and last.upper() == "REPORT"


@lru_cache(maxsize=65536)
def parse_day(text: str) -> date | None:
    """Read CCYYMMDD; None if it is no day, or before 1850."""
    if not _DATE.fullmatch(text) or text < "1850":
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def places_of(elements: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    """Name the segments that some elements imply, for a record typed on a page."""
    found: dict[str, tuple[int, int]] = {}
    for element in elements:
        base, _, nth = element.partition(".")
        segment = base.rstrip("0123456789")
        found[f"{segment}.{nth}" if nth else segment] = (0, 0)
    return dict(sorted(found.items()))
