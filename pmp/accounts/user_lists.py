"""The accounts for staff: found by name, number, role or state; sorted; as a file."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from peewee import JOIN

from models import Licence, ProposalStatus, Role, RoleChange, User, UserStatus
from pmp import audit, downloads, sorting
from pmp.accounts import standings
from pmp.downloads import Listing
from pmp.paging import Page, page_of
from pmp.wording import us_time, words

PAGE_SIZE = 50
FILE = Listing(
    "users", "users", "Choose a role or a state.", audit.Event.USERS_DOWNLOADED
)
HEADINGS = (
    "User name",
    "Name",
    "Role",
    "State",
    "Last sign-in",
    "Made",
    "Licence",
    "Licence is",
    "DEA",
    "Email",
)
SORTS: dict[str, Any] = {
    "user": User.username,
    "name": User.name,
    "role": User.role,
    "state": User.status,
    "seen": User.last_sign_in_at,
    "made": User.created_at,
}


class Standing(StrEnum):
    """What an account may be listed by besides its status."""

    LOCKED = "locked"
    NOT_LICENSED = "licence_not_active"
    PROPOSED = "other_role_proposed"
    NEVER_IN = "never_signed_in"


@dataclass(frozen=True)
class Wanted:
    """Which accounts to list; an empty part does not narrow.

    Each word of `text` must be part of the user name, the name, the email address, or
    the licence's number, name or DEA number. `state` is a UserStatus or a Standing.
    `sort` is one of SORTS, a minus before it turns it round.
    """

    text: str = ""
    role: Role | None = None
    state: UserStatus | Standing | None = None
    sort: str = "user"


def listed(wanted: Wanted, *, page: int, at: datetime) -> Page:
    """Give a page of accounts, their licences loaded, in the order that is wanted."""
    return page_of(_query(wanted, at=at), number=page, size=PAGE_SIZE)


def rows_of(wanted: Wanted, *, by: User, at: datetime) -> list[list[Any]]:
    """Give the list as lines of a file, under HEADINGS; kept on record.

    RuleError if it is longer than a file may be.
    """
    rows = downloads.rows_of(_query(wanted, at=at), FILE, by=by, at=at)
    return [_line(row, at=at) for row in rows]


def _line(user: User, *, at: datetime) -> list[Any]:
    licence = user.licence
    return [
        user.username,
        user.name,
        words(user.role),
        standings.state_words(user, at=at),
        us_time(user.last_sign_in_at),
        us_time(user.created_at),
        licence.code if licence else "",
        licence.status if licence else "",
        licence.dea if licence else "",
        user.email,
    ]


def _query(wanted: Wanted, *, at: datetime) -> Any:
    query: Any = User.select(User, Licence).join(Licence, JOIN.LEFT_OUTER)
    for word in wanted.text.replace(",", " ").split():
        query = query.where(_has(word))
    if wanted.role:
        query = query.where(User.role == wanted.role)
    if isinstance(wanted.state, UserStatus):
        query = query.where(User.status == wanted.state)
    elif wanted.state:
        query = query.where(_stands(wanted.state, at=at))
    return sorting.in_order(query, wanted.sort, SORTS, then=User.username)


def _has(word: str) -> Any:
    return (
        User.username.contains(word)
        | User.name.contains(word)
        | User.email.contains(word)
        | Licence.code.contains(word)
        | Licence.name.contains(word)
        | Licence.dea.contains(word)
    )


def _stands(standing: Standing, *, at: datetime) -> Any:
    proposed = RoleChange.select(RoleChange.user).where(
        RoleChange.status == ProposalStatus.OPEN
    )
    not_shut = User.status.not_in([UserStatus.SUSPENDED, UserStatus.CLOSED])
    conditions = {
        Standing.LOCKED: User.locked_until > at,
        Standing.NOT_LICENSED: (Licence.active == False) & not_shut,  # noqa: E712
        Standing.PROPOSED: User.id.in_(proposed),
        Standing.NEVER_IN: User.last_sign_in_at.is_null(),
    }
    return conditions[standing]
