"""Where the reading of a transaction stands, between its segments."""

from dataclasses import dataclass, field

from pmp.asap.draft import Draft
from pmp.asap.records import Origin

NOISE = b" \t\r\n\0\x1a"
"""What may stand between segments: blanks, line ends, NUL, the old end-of-file mark."""

Place = tuple[int, int]
"""Segment number and byte offset."""
Patient = tuple[bytes, int, int, int]
"""A PAT segment: its text, day of birth as a number if the quick way may use it (else
0), segment number and byte offset."""


@dataclass(slots=True)
class Group:
    """The segments of a record that is not complete yet."""

    draft: Draft
    origin: Origin
    raw: list[bytes]


@dataclass(slots=True)
class Walk:
    """Where the reading of a transaction stands; one object for both ways of reading.

    `segment` is the number in the file of the last segment, `first` that of TH,
    `record` the number in the file of the last record.  `sound`: no rule objects to
    the PHA segment.
    """

    segment: int
    first: int
    record: int
    origin: Origin
    pharmacy_place: Place = (0, 0)
    in_pharmacy: bool = False
    patient: Patient | None = None
    patient_used: bool = True
    orphan_pre: Place | None = None
    group: Group | None = None
    seen: set[str] = field(default_factory=set)
    sound: bool = False

    @property
    def may_be_quick(self) -> bool:
        """Whether nothing is pending that only the segments one by one settle."""
        return (
            self.sound
            and self.in_pharmacy
            and self.patient_used
            and not self.orphan_pre
            and "zero" not in self.seen
        )
