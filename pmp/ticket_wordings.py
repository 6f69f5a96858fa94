"""What reporters are told when a ticket is resolved: wordings that staff choose from.

A text file. A line "[voided: duplicate, returned_to_stock] Title" begins one: for this
outcome and these kinds, or for every kind if none is named. The lines below it are the
text; {row}, {pharmacy} and {phone} stand for the entry and the program's phone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from models import TicketOutcome, TicketProblem

OWN = Path(__file__).with_suffix(".txt")
LONGEST = 2000
_HEAD = re.compile(r"\[\s*(\w+)\s*(?::([\w\s,]*))?\]\s*(.+)")
_SIGNS = re.compile(r"\{(\w*)\}")
NAMES = frozenset({"row", "pharmacy", "phone"})


@dataclass(frozen=True)
class Wording:
    """A text for an outcome, and the kinds that it fits; none: every kind."""

    key: str
    outcome: TicketOutcome
    problems: frozenset[TicketProblem]
    title: str
    text: str


def read(text: str) -> list[Wording]:
    """Read a file's wordings in order; ValueError, with the line, if one is wrong."""
    found: list[Wording] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("#"):
            continue
        if line.startswith("["):
            found.append(_begun(line, number, len(found)))
        elif found:
            found[-1] = replace(found[-1], text=f"{found[-1].text}\n{line}")
        elif line.strip():
            raise ValueError(f"line {number}: a text without a heading")
    return [_finished(each) for each in found]


def load(path: str) -> list[Wording]:
    """Read a state's own file, or ours where the path is empty; ValueError."""
    file = Path(path) if path else OWN
    try:
        return read(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} cannot be read") from error


def fitting(
    wordings: list[Wording], outcome: TicketOutcome, problem: TicketProblem
) -> list[Wording]:
    """Give those of an outcome for a kind, first those that name the kind."""
    fits = [
        each
        for each in wordings
        if each.outcome is outcome and (not each.problems or problem in each.problems)
    ]
    return sorted(fits, key=lambda each: not each.problems)


def filled(wording: Wording, *, row: str, pharmacy: str, phone: str) -> str:
    """Give the text about one entry."""
    said = {"row": row, "pharmacy": pharmacy, "phone": phone}
    return _SIGNS.sub(lambda sign: said[sign[1]], wording.text)


def _begun(line: str, number: int, place: int) -> Wording:
    head = _HEAD.fullmatch(line.strip())
    if head is None:
        raise ValueError(f"line {number}: write [outcome: kind, kind] Title")
    try:
        outcome = TicketOutcome(head[1])
        problems = frozenset(map(TicketProblem, _names(head[2] or "")))
    except ValueError as unknown:
        raise ValueError(f"line {number}: {unknown}") from None
    return Wording(f"{outcome.value}-{place}", outcome, problems, head[3].strip(), "")


def _names(listed: str) -> Iterator[str]:
    return (name.strip() for name in listed.split(",") if name.strip())


def _finished(wording: Wording) -> Wording:
    text = wording.text.strip()
    if not text or len(text) > LONGEST:
        raise ValueError(f"{wording.title}: 1 to {LONGEST} letters of text are needed")
    if unknown := set(_SIGNS.findall(text)) - NAMES:
        raise ValueError(f"{wording.title}: nothing is called {min(unknown)!r}")
    return replace(wording, text=text)
