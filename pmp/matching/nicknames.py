"""Which short forms go with which first names, for matching and look-ups alike.

BILL is short for WILLIAM, and so is WILL; but BILL and WILL may be two brothers.  A
line of nicknames.txt is “long: short short | own own”: the short forms and other
spellings of a name, and behind the bar those that are given as names of their own as
well (JACK, LISA): a person who searches may mean them, but siblings may be called so,
and matching joins nobody by them. Pure.
"""

from collections.abc import Mapping
from pathlib import Path

_Names = frozenset[str]
_NONE: _Names = frozenset()


def _read(text: str) -> Mapping[str, tuple[_Names, _Names]]:
    """Give long form → its short forms, and those that are names of their own."""
    found = {}
    for line in text.splitlines():
        long, _, others = line.partition(":")
        short, _, own = others.partition("|")
        found[long] = frozenset(short.split()), frozenset(own.split())
    return found


_FORMS = _read((Path(__file__).parent / "nicknames.txt").read_text("utf-8"))
_LONG: dict[str, set[str]] = {}
for _long, (_short, _own) in _FORMS.items():
    for _name in {_long, *_short, *_own}:
        _LONG.setdefault(_name, set()).add(_long)


def is_short_for(one: str, other: str) -> bool:
    """Whether one first name, as compared, is a short form of the other: BOB, ROBERT.

    Either may be the short one.  Not so where siblings bear both: JACK, JOHN.
    """
    return any(
        short in _FORMS.get(long, (_NONE, _NONE))[0]
        for short, long in ((one, other), (other, one))
    )


def of_one_name(one: str, other: str) -> bool:
    """Whether two first names, as compared, go back to one: BILL, WILL; JACK, JOHN."""
    return one != other and not _LONG.get(one, _NONE).isdisjoint(_LONG.get(other, ()))


def are_short_forms(one: str, other: str) -> bool:
    """Whether both are short forms of one name: BILL and WILL, of WILLIAM."""
    return any({one, other} <= _FORMS[long][0] for long in _LONG.get(one, ()))
