"""What an import would change, or has changed, as people read it."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

from models import (
    Licence,
    RosterChange,
    RosterImport,
    RosterProblem,
    RosterWhat,
)
from pmp.paging import Page, pages_of
from pmp.wording import phone, us_date, zip_code

SIZE = 50
INVALID = "invalid"
LISTS = (*(what.value for what in RosterWhat), INVALID)
HEADINGS = ("What", "Row", "Number", "Of whom", "Column", "Before", "After", "Why")
_LABELS = {
    "credential_id": "CredentialId",
    "code": "licence number",
    "dea": "DEA number",
    "npi": "NPI",
    "ncpdp": "NCPDP number",
    "nppes_fax": "fax known to CMS",
    "zip": "ZIP code",
    "expires_on": "expires on",
    "active": "active",
    "preferred_channel": "preferred channel",
    "licence": "licence",
    "last_name": "last name",
    "first_name": "first name",
}
_ORDER = (
    *("credential_id", "code", "profession", "name", "last_name", "first_name"),
    *("status", "active", "expires_on", "street", "city", "state", "zip"),
    *("dea", "npi", "ncpdp", "phone", "fax", "nppes_fax", "email", "preferred_channel"),
    "licence",
)
_OF_NEW = ("status", "expires_on", "street", "city", "state", "zip")
Line = tuple[str, str, str]


def rows(batch: RosterImport, wanted: str, *, number: int) -> Page:
    """Give a page of one of the lists, in the file's order."""
    table = RosterProblem if wanted == INVALID else RosterChange
    query = table.select().where(table.batch == batch)
    if wanted != INVALID:
        query = query.where(RosterChange.what == wanted)
    total = query.count()
    found = list(query.order_by(table.row, table.id).paginate(number, SIZE))
    return Page(found, number, pages_of(total, SIZE), total)


def lists(batch: RosterImport) -> dict[str, int]:
    """Give the lists of an import and how long each is."""
    return {name: getattr(batch, name) for name in LISTS}


def done(batch: RosterImport) -> int:
    """Count the changes that are in force: those applied, or not yet undone."""
    query = RosterChange.select().where(RosterChange.batch == batch)
    return int(query.where(RosterChange.done).count())


def samples(batch: RosterImport, *, most: int) -> list[RosterChange]:
    """Give the first few changes of each kind."""
    return [
        row
        for what in RosterWhat
        for row in RosterChange.select()
        .where(RosterChange.batch == batch, RosterChange.what == what)
        .order_by(RosterChange.id)
        .limit(most)
    ]


def problems(batch: RosterImport, *, most: int = 0) -> list[RosterProblem]:
    """Give the rows that cannot be used; all, or so many."""
    query = RosterProblem.select().where(RosterProblem.batch == batch)
    query = query.order_by(RosterProblem.row, RosterProblem.id)
    return list(query.limit(most) if most else query)


def lines(change: RosterChange) -> list[Line]:
    """Give what differs: the column's name, before, after; of a new row what matters.

    Of a new licence only its standing and address: its name and number stand above.
    """
    names: Sequence[str] = _columns(change)
    if change.what == RosterWhat.NEW and "status" in change.after:
        names = [name for name in _OF_NEW if change.after.get(name)]
    return [
        (
            _LABELS.get(name, name),
            _words(name, change.before.get(name)),
            _words(name, change.after[name]),
        )
        for name in names
    ]


def every_line(batch: RosterImport) -> Iterator[Sequence[Any]]:
    """Give all of an import as rows under HEADINGS, one a column that changes."""
    query = RosterChange.select().where(RosterChange.batch == batch)
    for change in query.order_by(RosterChange.id).iterator():
        for name in _columns(change):
            before = _words(name, change.before.get(name))
            yield (
                change.what.value,
                change.row or "",
                change.key,
                change.label,
                _LABELS.get(name, name),
                before,
                _words(name, change.after[name]),
                "",
            )
    for problem in problems(batch):
        yield (
            INVALID,
            problem.row,
            "",
            "",
            problem.column,
            problem.value,
            "",
            problem.message,
        )


def _columns(change: RosterChange) -> list[str]:
    """Give the columns that differ, in our order: Postgres keeps none in JSON."""
    return [name for name in _ORDER if name in change.after]


def _words(name: str, value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _WRITTEN.get(name, str)(value)


def _licence_code(number: int) -> str:
    found: Licence | None = Licence.get_or_none(Licence.id == number)
    return found.code if found else str(number)


_WRITTEN: dict[str, Callable[[Any], str]] = {
    "licence": _licence_code,
    "zip": zip_code,
    "phone": phone,
    "fax": phone,
    "nppes_fax": phone,
    "expires_on": lambda text: us_date(date.fromisoformat(text)),
}
