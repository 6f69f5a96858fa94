"""What one programme asks of its submissions, where it differs from the standard.

A state decides which versions it accepts, which elements it requires, and how grave
each rule is.  Nothing here is code: `parse_profile` and `parse_severities` read what an
administrator has written.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Use(StrEnum):
    """What a programme wants of an element.

    REQUIRED: empty, the record is held.  WHEN_AVAILABLE: empty, a warning.  OPTIONAL:
    nothing is said.  NOT_USED: what is sent there is passed over and not kept.
    """

    REQUIRED = "required"
    WHEN_AVAILABLE = "when_available"
    OPTIONAL = "optional"
    NOT_USED = "not_used"


class Gravity(StrEnum):
    """How grave a rule is; OFF: it is not applied."""

    FATAL = "fatal"
    ERROR = "error"
    WARNING = "warning"
    OFF = "off"


@dataclass(frozen=True)
class Programme:
    """The rules of one programme.

    `accepted`: versions of the standard; `uses`: element id → use, where it differs
    from the default; `gravities`: code of a rule → gravity, likewise.
    """

    accepted: frozenset[str] = frozenset({"4.2", "4.2A", "4.2B"})
    uses: Mapping[str, Use] = field(default_factory=dict)
    gravities: Mapping[str, Gravity] = field(default_factory=dict)
    keeps_social_security_numbers: bool = False


USUAL = Programme()
"""What holds where a programme says nothing."""
