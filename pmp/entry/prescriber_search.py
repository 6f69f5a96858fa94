"""Finding a prescriber while a name or a DEA number is typed.

Known are those that records have named, by an index on the last name, and those of
the roster that have a DEA number.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from peewee import fn

from models import Licence, Prescriber, Profession
from pmp.drugs.product_search import LAST
from pmp.registration.names import split_person

MOST = 10
SHORTEST = 2


@dataclass(frozen=True)
class Found:
    """A prescriber to choose, with what the PRE segment says of them."""

    number: str  # DEA number, “/” and suffix if there is one
    words: str
    elements: dict[str, str]


def find(text: str, *, limit: int = MOST) -> list[Found]:
    """Give those whose last name or DEA number begins with the text, by name.

    With a second word, or a comma, the first name begins with it.  Nothing for fewer
    than two characters.
    """
    wanted = " ".join(text.replace(",", " ").split())[:80]
    if len(wanted) < SHORTEST:
        return []
    if any(sign.isdigit() for sign in wanted):
        rows = [*_reported_with(wanted, limit), *_listed_with(wanted, limit)]
    else:
        last, _, first = wanted.lower().partition(" ")
        rows = _reported_named(last, first, limit)
        if len(rows) < limit:
            rows += _listed_named(last, first)
    found = _unique(rows)
    return sorted(found, key=lambda each: each.words)[:limit]


def named(number: str) -> Found | None:
    """Give the prescriber of a DEA number, with “/” and suffix if there is one."""
    dea, _, suffix = number.strip().upper().partition("/")
    row: Any = Prescriber.get_or_none(
        Prescriber.dea == dea, Prescriber.dea_suffix == suffix
    )
    if row is None and not suffix:  # a suffix is somebody under a hospital's number
        row = Licence.get_or_none(Licence.dea == dea)
    return next(iter(_unique([row])), None) if row else None


def _reported_with(number: str, limit: int) -> list[Any]:
    begin = number.upper().replace(" ", "")
    query = Prescriber.select().where(Prescriber.dea.between(begin, begin + LAST))
    return list(query.where(Prescriber.dea.startswith(begin)).limit(limit))


def _listed_with(number: str, limit: int) -> list[Any]:
    begin = number.upper().replace(" ", "")
    query = _listed().where(Licence.dea.between(begin, begin + LAST))
    return list(query.where(Licence.dea.startswith(begin)).limit(limit))


def _reported_named(last: str, first: str, limit: int) -> list[Any]:
    key = fn.LOWER(Prescriber.last_name)
    query = (
        Prescriber.select()
        .where(key.between(last, last + LAST))
        .where(Prescriber.last_name.startswith(last))
    )
    if first:
        query = query.where(Prescriber.first_name.startswith(first))
    query = query.order_by(key, Prescriber.first_name)
    return list(query.limit(limit))


def _listed_named(last: str, first: str) -> list[Any]:
    """Give licensees by last name; the roster writes a name as one text, last at last.

    It has some tens of thousands of rows: read through, and only for three letters.
    """
    if len(last) <= SHORTEST:
        return []
    query = _listed().where(Licence.name.contains(last))
    if first:
        query = query.where(Licence.name.contains(first))
    return [
        row
        for row in query.limit(MOST * 20)
        if split_person(row.name)[0].lower().startswith(last)
    ]


def _listed() -> Any:
    return Licence.select().where(
        Licence.profession == Profession.PRACTITIONER,
        Licence.active == True,  # noqa: E712 - SQL
        Licence.dea.is_null(is_null=False),
    )


def _unique(rows: Iterable[Any]) -> list[Found]:
    """Give each number once: as records name it before as the roster does."""
    found: dict[str, Found] = {}
    for row in rows:
        made = _found(row)
        found.setdefault(made.number, made)
    return list(found.values())


def _found(row: Any) -> Found:
    if isinstance(row, Licence):
        last, first = split_person(row.name)
        suffix = ""
    else:
        last, first, suffix = row.last_name, row.first_name, row.dea_suffix
    elements = {
        "PRE02": row.dea,
        "PRE03": suffix,
        "PRE01": row.npi or "",
        "PRE05": last,
        "PRE06": first,
        "PRE08": (row.phone or "").removeprefix("+1"),
    }
    number = f"{row.dea}/{suffix}" if suffix else row.dea
    name = f"{last}, {first}".strip(", ").upper() or "Name not known"
    return Found(number, f"{name} · DEA {number}", elements)
