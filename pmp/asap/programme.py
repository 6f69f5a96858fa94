"""What one programme asks of its submissions, where it differs from the standard.

A state decides which versions it accepts, which elements it requires, and how grave
each rule is.  Nothing here is code: `parse_profile` and `parse_severities` read what an
administrator has written.
"""

import difflib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TypeVar

from pmp.asap import catalogue, elements
from pmp.asap.elements import Bound, Use
from pmp.asap.problems import Gravity, Severity

_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The elements of one version that must not be empty, by segment (“PAT”)."""

    required: Mapping[str, tuple[str, ...]]
    when_available: Mapping[str, tuple[str, ...]]


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

    def use(self, element: elements.Element) -> Use:
        """Give what it wants of an element."""
        return self.uses.get(element.id, element.use)

    @cached_property
    def not_used(self) -> frozenset[str]:
        """The elements that are passed over as if they had not been sent."""
        return frozenset(
            element for element, use in self.uses.items() if use is Use.NOT_USED
        )

    @cached_property
    def severities(self) -> Mapping[str, Severity | None]:
        """How grave each code is; None for what is not told."""
        gravities = {
            code: self.gravities.get(code, entry.gravity)
            for code, entry in catalogue.entries().items()
        }
        return {
            code: None if gravity is Gravity.OFF else Severity(gravity.value)
            for code, gravity in gravities.items()
        }

    @cached_property
    def wanted(self) -> Mapping[str, Wanted]:
        """What must not be empty, by version."""
        return {
            version: Wanted(
                required=self._with_use(version, Use.REQUIRED),
                when_available=self._with_use(version, Use.WHEN_AVAILABLE),
            )
            for version in elements.VERSIONS
        }

    def _with_use(self, version: str, use: Use) -> dict[str, tuple[str, ...]]:
        found = {
            segment: tuple(each.id for each in those if self.use(each) is use)
            for segment, those in elements.layout(version).items()
            if segment in elements.OF_RECORDS
        }
        return {segment: ids for segment, ids in found.items() if ids}


USUAL = Programme()
"""What holds where a programme says nothing."""


def parse_versions(text: str) -> frozenset[str]:
    """Read “4.2,4.2B”; ValueError that names every version which cannot be read."""
    given = frozenset(part.strip() for part in text.split(",") if part.strip())
    readable = ", ".join(elements.VERSIONS)
    if not given:
        raise ValueError(f"name at least one version: {readable}")
    if unknown := sorted(given - set(elements.VERSIONS)):
        raise ValueError(f"{', '.join(unknown)} cannot be read; use {readable}")
    return given


def parse_profile(text: str) -> dict[str, Use]:
    """Read “PAT17=required,DSP24=not_used”; ValueError that names every fault."""
    known = {each.id: each for each in elements.of_records()}
    return _parse(
        text, "element", known, Use, lambda name, use: _bound(known[name], use)
    )


def parse_severities(text: str) -> dict[str, Gravity]:
    """Read “R05=error,W01=fatal,R10=off”; ValueError that names every fault."""
    return _parse(text, "rule", catalogue.entries(), Gravity, _grave)


def _bound(element: elements.Element, use: Use) -> str:
    """Say why an element cannot have a use; “” if it can."""
    if element.bound is Bound.REQUIRED and use is not Use.REQUIRED:
        return f"{element.id} stays required: no record can be stored without it"
    if element.bound is Bound.KEPT and use is Use.NOT_USED:
        return f"{element.id} tells records apart: it cannot be not_used"
    return ""


def _grave(code: str, gravity: Gravity) -> str:
    """Say why a rule cannot be so grave; “” if it can."""
    entry = catalogue.entries()[code]
    if gravity in entry.may_be:
        return ""
    if len(entry.may_be) == 1:
        return f"{code} is always {entry.may_be[0].value}. {entry.why}".rstrip(".")
    allowed = ", ".join(each.value for each in entry.may_be)
    why = entry.why or "It judges the file as a whole, no record."
    return f"{code} can be {allowed}, not {gravity.value}. {why}".rstrip(".")


def _parse(
    text: str,
    noun: str,
    known: Collection[str],
    choices: type[_Choice],
    refusal: Callable[[str, _Choice], str],
) -> dict[str, _Choice]:
    found: dict[str, _Choice] = {}
    faults: list[str] = []
    for name, word in _pairs(text):
        choice = next((each for each in choices if each.value == word.lower()), None)
        fault = ""
        if name not in known:
            fault = f"no {noun} is called “{name}”{_nearest(name, known)}"
        elif choice is None:
            fault = f"{name} is “{word}”; use {', '.join(choices)}"
        elif name in found and found[name] is not choice:
            fault = f"{name} is given twice, as {found[name].value} and {word}"
        if choice and not fault and not (fault := refusal(name, choice)):
            found[name] = choice
        faults += [fault] if fault else []
    if faults:
        raise ValueError("; ".join(faults))
    return found


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for part in text.replace("\n", ",").split(","):
        if part.strip():
            name, _, word = part.partition("=")
            yield name.strip().upper(), word.strip()


def _nearest(name: str, known: Collection[str]) -> str:
    padded = re.sub(r"(?<!\d)(\d)$", r"0\1", name)
    if padded in known:
        return f" (did you mean {padded}?)"
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f" (did you mean {close[0]}?)" if close else ""
