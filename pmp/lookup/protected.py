"""Protected persons: staff want to know of every look-up of theirs.

Who is on the list is itself sensitive: only who may keep it sees it, each time on the
audit record, and nobody who looks somebody up is told. It is no file: a file names no
patient, and of this list nothing would be left.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from peewee import fn

from models import LookUp, ProtectedPerson, ReportedIdentity, User
from pmp import audit, database, sorting
from pmp.errors import NotFoundError, RuleError
from pmp.matching.identities import name_key
from pmp.paging import Page, page_of

BY_NAME = "name"
SORTS: dict[str, Any] = {
    "name": fn.LOWER(
        ProtectedPerson.last_name.concat(", ").concat(ProtectedPerson.first_name)
    ),
    "born": ProtectedPerson.birth_date,
    "added": ProtectedPerson.added_at,
}


def concerns(look_up: LookUp, reported: Iterable[ReportedIdentity]) -> bool:
    """Tell whether a look-up asked for, or showed, somebody on the list."""
    people = [(look_up.first_name, look_up.last_name, look_up.birth_date)]
    people += [(each.first_name, each.last_name, each.birth_date) for each in reported]
    listed = ProtectedPerson.select().where(
        ProtectedPerson.removed_at.is_null()
        & ProtectedPerson.birth_date.in_({born for _, _, born in people if born})
    )
    keys = {_key(*person) for person in people}
    return any(
        _key(each.first_name, each.last_name, each.birth_date) in keys
        for each in listed
    )


def listed(
    text: str = "", *, sort: str = BY_NAME, by: User, at: datetime, page: int = 1
) -> Page:
    """Give a page of the list, by name; on the audit record first, with who is shown.

    Each word of `text` must be part of a name or of the reason. `sort` is one of SORTS,
    a minus before it turns it round.
    """
    query: Any = ProtectedPerson.select().where(ProtectedPerson.removed_at.is_null())
    for word in text.replace(",", " ").split():
        query = query.where(
            ProtectedPerson.last_name.contains(word)
            | ProtectedPerson.first_name.contains(word)
            | ProtectedPerson.reason.contains(word)
        )
    order = sorting.known(sort, SORTS, otherwise=BY_NAME)
    found = page_of(
        sorting.in_order(query, order, SORTS, then=ProtectedPerson.id), number=page
    )
    audit.record(
        audit.Event.PROTECTED_LISTED,
        actor=by.username,
        subject="protected_persons",
        at=at,
        detail={"shown": [each.id for each in found.rows]},
    )
    return found


def add(
    *,
    first_name: str,
    last_name: str,
    birth_date: date,
    reason: str,
    by: User,
    at: datetime,
) -> ProtectedPerson:
    """Put somebody on the list; RuleError where they are on it or a part lacks."""
    for field, text in (("first_name", first_name), ("last_name", last_name)):
        if not name_key(text):
            raise RuleError("Enter the name", field=field)
    if not reason.strip():
        raise RuleError("Say why this person is protected", field="reason")
    key = _key(first_name, last_name, birth_date)
    with database.atomic():
        for each in _of_day(birth_date):
            if _key(each.first_name, each.last_name, each.birth_date) == key:
                raise RuleError("This person is on the list", field="last_name")
        made: ProtectedPerson = ProtectedPerson.create(
            first_name=first_name,
            last_name=last_name,
            birth_date=birth_date,
            reason=reason.strip(),
            added_by=by.username,
            added_at=at,
        )
        _record(audit.Event.PROTECTED_ADDED, _subject(made), by=by, at=at)
    return made


def remove(person_id: int, *, by: User, at: datetime) -> ProtectedPerson:
    """Take somebody off the list; the row stays, for the record."""
    with database.atomic():
        found: ProtectedPerson | None = ProtectedPerson.get_or_none(
            (ProtectedPerson.id == person_id) & ProtectedPerson.removed_at.is_null()
        )
        if found is None:
            raise NotFoundError("Nobody on the list has this number.")
        found.removed_by, found.removed_at = by.username, at
        found.save()
        _record(audit.Event.PROTECTED_REMOVED, _subject(found), by=by, at=at)
    return found


def _of_day(day: date) -> list[ProtectedPerson]:
    query = ProtectedPerson.select().where(
        (ProtectedPerson.birth_date == day) & ProtectedPerson.removed_at.is_null()
    )
    return list(query)


def _key(first: str, last: str, born: date | None) -> tuple[str, str, date | None]:
    return name_key(first), name_key(last), born


def _subject(person: ProtectedPerson) -> str:
    return f"protected_person:{person.id}"


def _record(event: audit.Event, subject: str, *, by: User, at: datetime) -> None:
    audit.record(event, actor=by.username, subject=subject, at=at)
