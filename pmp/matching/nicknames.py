"""Which given names are one name and its short forms, for matching and look-ups alike.

A line of nicknames.txt holds names that are used for one another. Behind a bar stand
those that are given as names of their own as well: a person who searches means them,
but twins may be called so, and matching joins nobody by them. Pure.
"""

from pathlib import Path

_Groups = dict[str, set[int]]


def _read() -> tuple[_Groups, _Groups]:
    """Give the lines in which each name stands: before the bar, and anywhere."""
    close: _Groups = {}
    every: _Groups = {}
    text = (Path(__file__).parent / "nicknames.txt").read_text("utf-8")
    for number, line in enumerate(text.splitlines()):
        before, _, behind = line.partition("|")
        for name in before.split():
            close.setdefault(name, set()).add(number)
        for name in (*before.split(), *behind.split()):
            every.setdefault(name, set()).add(number)
    return close, every


_CLOSE, _EVERY = _read()
_NONE: frozenset[int] = frozenset()


def same_nickname(one: str, other: str) -> bool:
    """Whether two first names are a name and its short form, like ROBERT and BOB."""
    return _share_a_line(one, other, _CLOSE)


def near_nickname(one: str, other: str) -> bool:
    """Whether they may be, like ELIZABETH and LISA: enough to look, not to join."""
    return _share_a_line(one, other, _EVERY)


def _share_a_line(one: str, other: str, groups: _Groups) -> bool:
    shared = groups.get(one, _NONE) & groups.get(other, _NONE)
    return one != other and bool(shared)
