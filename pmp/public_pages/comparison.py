"""What differs between two texts of a page, line by line, words that changed marked."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pmp.public_pages import Text

_WORDS = re.compile(r"\s+|[^\s]+")


@dataclass(frozen=True)
class Run:
    """Words in a row that both texts have, or one of them alone."""

    words: str
    is_changed: bool


@dataclass(frozen=True)
class Pair:
    """A line before and after; empty where the other text has none like it."""

    before: Sequence[Run]
    after: Sequence[Run]


def differences(before: Text, after: Text) -> list[Pair]:
    """List the lines that differ, in order; none: the texts say the same."""
    return list(_pairs(_lines(before), _lines(after)))


def _lines(text: Text) -> list[str]:
    body = [line for line in text.body.splitlines() if line.strip()]
    return [text.title, text.summary, *body]


def _pairs(old: list[str], new: list[str]) -> Iterator[Pair]:
    for kind, i, j, k, m in _steps(old, new):
        if kind == "equal":
            continue
        gone, come = old[i:j], new[k:m]
        for number in range(max(len(gone), len(come))):
            left = gone[number] if number < len(gone) else ""
            right = come[number] if number < len(come) else ""
            yield _pair(left, right)


def _steps(old: list[str], new: list[str]) -> Any:
    return difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()


def _pair(left: str, right: str) -> Pair:
    old, new = _WORDS.findall(left), _WORDS.findall(right)
    before, after = [], []
    for kind, i, j, k, m in _steps(old, new):
        changed = kind != "equal"
        before += [Run("".join(old[i:j]), changed)] if i < j else []
        after += [Run("".join(new[k:m]), changed)] if k < m else []
    return Pair(before, after)
