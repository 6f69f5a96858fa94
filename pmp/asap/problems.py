"""What can be wrong with a submission, in words that a technician can act on."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How far a problem reaches: the transaction, one record, or nobody."""

    FATAL = "fatal"
    ERROR = "error"
    WARNING = "warning"


class Gravity(StrEnum):
    """How grave a programme finds a rule; OFF: it is not applied."""

    FATAL = "fatal"
    ERROR = "error"
    WARNING = "warning"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong, where it is, and what to do.

    `segment` counts segments from 1 over the whole file; `byte_offset` is where that
    segment begins, or the very fault where it lies inside or behind a segment.  Both
    are 0 where a record was typed on a page.  In a UTF-16 file the offset is that of
    `body.decode(reading.encoding).encode()`, without its byte order mark.  `record` is
    the number of the record, None for the
    file.  `element` is like “DSP09”, or “CDI03.2” for the second CDI of a record,
    or “” when the segment as a whole is meant.  `value` may hold patient data.
    """

    code: str
    severity: Severity
    segment: int
    byte_offset: int
    record: int | None
    segment_id: str
    element: str
    value: str
    message: str
    fix: str

    def as_json(self) -> dict[str, object]:
        """Give the shape that `asap check --json` promises."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "segment": self.segment,
            "segment_id": self.segment_id,
            "element": self.element,
            "value": self.value,
            "message": self.message,
            "fix": self.fix,
            "byte_offset": self.byte_offset,
            "record": self.record,
        }
