"""What a rule is, and the words in which its faults are told."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from pmp.asap import elements
from pmp.asap.draft import Draft

_PLACEHOLDER = re.compile(
    r"(?:PLEASE )?ENTER\b.*|[A-Z].* HERE|<[A-Z _]+>|\[[A-Z _]+\]|TBD|TO BE .*"
    r"|UNKNOWN|N/A|NULL|NONE",
    re.IGNORECASE,
)


class Fault(NamedTuple):
    """One thing wrong: at which element, in what words, and what to do."""

    element: str
    message: str
    fix: str


Check = Callable[[Draft], Iterator[Fault]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A check with its code; `for_zero`: zero reports obey it too."""

    code: str
    check: Check
    for_zero: bool = False


CATALOGUE: dict[str, Rule] = {}
"""Every rule for a record by its code."""


def rule(code: str, *, for_zero: bool = False) -> Callable[[Check], Check]:
    """Enter a check in the catalogue."""

    def enter(check: Check) -> Check:
        CATALOGUE[code] = Rule(code, check, for_zero)
        return check

    return enter


def name(element: str) -> str:
    """Give an element as messages name it: “Quantity dispensed (DSP09)”."""
    return f"{elements.label(element)} ({element})"


def quoted(text: str) -> str:
    """Give a value as messages show it; a placeholder is called one."""
    if is_placeholder(text):
        return f"“{text}”, a placeholder that nobody filled in"
    return f"“{text}”"


def is_placeholder(text: str) -> bool:
    """Whether a text stands where someone should have put a value."""
    return bool(_PLACEHOLDER.fullmatch(text))


def fault_of(element: str, problem: str, fix: str) -> Fault:
    """Make a fault of a problem whose last sentence may say what to do."""
    message, _, last = problem.rpartition(". ")
    if message:
        return Fault(element, f"{name(element)}: {message}.", last)
    return Fault(element, f"{name(element)}: {problem}", fix)


def length_fault(element: str, text: str, defined: elements.Element) -> Fault:
    """Say how much too long an element is."""
    return Fault(
        element,
        f"{name(element)} has {len(text)} characters; {defined.longest} are allowed.",
        "Shorten it.",
    )


def us(day: date) -> str:
    """Write a day as its readers do: 01/31/2026."""
    return f"{day:%m/%d/%Y}"
