"""Leaflets that go to patients with a report: plain words, one page each.

Each is a text file: a title, a line that says for whom, then headings ("# ") with their
points ("- "). A state puts its own, by the same or other names, into a folder
(`leaflets_dir`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pmp import settings
from pmp.errors import NotFoundError

OWN = Path(__file__).parent
# All of them on one page: goes with each threshold report, and is in no list.
COUNSELING = "counseling"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")


@dataclass(frozen=True)
class Leaflet:
    """A leaflet; `parts` are headings, each with its points."""

    name: str
    title: str
    subtitle: str
    parts: Sequence[tuple[str, Sequence[str]]]


def every() -> list[Leaflet]:
    """Give all leaflets: ours in their order, then a state's own by name."""
    ours = ("patients", "parents", "disposal", "treatment")
    found = {file.stem for folder in _folders() for file in folder.glob("*.txt")}
    names = [*ours, *sorted(found - {*ours, COUNSELING})]
    return [leaflet(name) for name in names if _NAME.fullmatch(name)]


def leaflet(name: str) -> Leaflet:
    """Give a leaflet by its name; NotFoundError if there is none."""
    if _NAME.fullmatch(name):
        for folder in _folders():
            file = folder / f"{name}.txt"
            if file.is_file():
                return read(name, file.read_text("utf-8"))
    raise NotFoundError("There is no such leaflet.")


def read(name: str, text: str) -> Leaflet:
    """Read a leaflet's text; ValueError if it has no title or a stray line."""
    title, *rest = [line.strip() for line in text.splitlines() if line.strip()] or [""]
    if not title or title[0] in "#-":
        raise ValueError(f"{name}: the first line is the title")
    subtitle = rest.pop(0) if rest and rest[0][0] not in "#-" else ""
    parts: list[tuple[str, list[str]]] = []
    for line in rest:
        if line.startswith("# "):
            parts.append((line[2:], []))
        elif line.startswith("- ") and parts:
            parts[-1][1].append(line[2:])
        else:
            raise ValueError(f"{name}: not a heading and not a point: {line[:40]}")
    whole = tuple((heading, tuple(points)) for heading, points in parts)
    return Leaflet(name, title, subtitle, whole)


def _folders() -> list[Path]:
    own = settings.current().leaflets_dir
    return [Path(own), OWN] if own else [OWN]
