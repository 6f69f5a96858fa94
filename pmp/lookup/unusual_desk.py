"""Unusual look-ups for staff: who looked whom up, why it stands out, what came of it.

Whatever staff see here names patients, so each sight of it is on the audit record.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from peewee import fn

from models import (
    LookUp,
    UnusualKind,
    UnusualLookUp,
    UnusualLookUpMessage,
    UnusualStatus,
    User,
)
from pmp import audit, clock, database, delegates, downloads, sorting
from pmp.downloads import Listing
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.lookup.criteria import PURPOSE_WORDS
from pmp.paging import Page, page_of
from pmp.wording import us_time

PAGE_SIZE = 50
LATEST = "-found"
SORTS: dict[str, Any] = {
    "number": UnusualLookUp.id,
    "looked": LookUp.at,
    "user": User.name,
    "kind": UnusualLookUp.kind,
    "state": UnusualLookUp.status,
    "found": UnusualLookUp.found_at,
}
FILE = Listing("unusual_look_ups", "look-ups", "Choose fewer days.")
KIND_WORDS = {
    UnusualKind.PROTECTED_PERSON: "Protected person",
    UnusualKind.OWN_NAME: "Own name",
    UnusualKind.NO_LINK: "No fill of their own",
    UnusualKind.VOLUME: "More than usual",
    UnusualKind.LIMIT: "Limit reached",
    UnusualKind.ODD_HOUR: "Odd hour",
}
STATUS_WORDS = {
    UnusualStatus.OPEN: "New",
    UnusualStatus.ASKED: "User asked",
    UnusualStatus.ANSWERED: "User answered",
    UnusualStatus.EXPLAINED: "Explained",
}
WAITING = "waiting"  # everything that is not explained
HEADINGS = (
    "Number",
    "Look-up",
    "Looked up",
    "User name",
    "User",
    "Why",
    "Reason",
    "Purpose",
    "Result",
    "State",
    "Explained by",
    "Explained",
    "Messages",
)


@dataclass(frozen=True)
class Wanted:
    """What to list; an empty part does not narrow. `status` may be WAITING.

    `sort` is one of SORTS, a minus before it turns it round; else the newest is first.
    """

    status: str = WAITING
    kind: str = ""
    username: str = ""
    since: date | None = None
    until: date | None = None
    sort: str = ""

    @property
    def order(self) -> str:
        return sorting.known(self.sort, SORTS, otherwise=LATEST)


def listing(wanted: Wanted, *, by: User, at: datetime, page: int = 1) -> Page:
    """Give a page of what is wanted; on the audit record first."""
    listed = page_of(_query(wanted), number=page, size=PAGE_SIZE)
    _record_list(wanted, listed.rows, by=by, at=at, page=listed.number)
    return listed


def rows_of(wanted: Wanted, *, by: User, at: datetime) -> list[list[Any]]:
    """Give all that is wanted as rows under HEADINGS, for a file.

    Whom they looked up and what was said stays on the page: a file lies on a desk.
    RuleError if they are more than a file may hold; on the audit record first.
    """
    rows = downloads.within_limit(_query(wanted), FILE)
    _record_list(wanted, rows, by=by, at=at, file=True)
    said = _said()
    return [_line(row, said.get(row.id, 0)) for row in rows]


def get(unusual_id: int, *, by: User, at: datetime) -> UnusualLookUp:
    """Give one by its number; on the audit record first. NotFoundError."""
    found: UnusualLookUp | None = (
        _joined().where(UnusualLookUp.id == unusual_id).first()
    )
    if found is None:
        raise NotFoundError("There is no unusual look-up with this number.")
    _record(audit.Event.UNUSUAL_LISTED, found, by=by, at=at)
    return found


def others_of(unusual: UnusualLookUp) -> list[UnusualLookUp]:
    """Give what else was unusual about the same user's look-ups, newest first."""
    query = _joined().where(
        (UnusualLookUp.user == unusual.user) & (UnusualLookUp.id != unusual.id)
    )
    return list(query.order_by(UnusualLookUp.id.desc()).limit(20))


def ask(unusual: UnusualLookUp, *, text: str, by: User, at: datetime) -> None:
    """Ask the user, who sees it at the next look-up; RuleError without words."""
    if not text.strip():
        raise RuleError("Write what you ask the user", field="text")
    _change(unusual, UnusualStatus.ASKED, text=text, by=by, at=at)


def explain(unusual: UnusualLookUp, *, text: str, by: User, at: datetime) -> None:
    """Mark as explained, with a note of how; RuleError without one."""
    if not text.strip():
        raise RuleError("Write how it is explained", field="text")
    _change(unusual, UnusualStatus.EXPLAINED, text=text, by=by, at=at)


_EVENTS = {
    UnusualStatus.ASKED: audit.Event.UNUSUAL_ASKED,
    UnusualStatus.EXPLAINED: audit.Event.UNUSUAL_EXPLAINED,
}


def _change(
    unusual: UnusualLookUp,
    status: UnusualStatus,
    *,
    text: str,
    by: User,
    at: datetime,
) -> None:
    columns: dict[str, Any] = {"status": status}
    if status is UnusualStatus.EXPLAINED:
        columns |= {"explained_by": by.username, "explained_at": at}
    with database.atomic():
        changed = (
            UnusualLookUp.update(**columns)
            .where(UnusualLookUp.id == unusual.id)
            .where(UnusualLookUp.status == unusual.status)
            .where(UnusualLookUp.status != UnusualStatus.EXPLAINED)
            .execute()
        )
        if not changed:
            raise ConflictError(
                "Somebody else has changed this meanwhile. Nothing was done; look at"
                " it again."
            )
        UnusualLookUpMessage.create(
            unusual=unusual, at=at, by=by.username, text=text.strip()
        )
        _record(_EVENTS[status], unusual, by=by, at=at)


def _joined() -> Any:
    return (
        UnusualLookUp.select(UnusualLookUp, LookUp, User)
        .join(LookUp)
        .switch(UnusualLookUp)
        .join(User)
    )


def _query(wanted: Wanted) -> Any:
    query = _joined()
    for condition in _conditions(wanted):
        query = query.where(condition)
    return sorting.in_order(query, wanted.order, SORTS, then=UnusualLookUp.id)


def _conditions(wanted: Wanted) -> Iterator[Any]:
    if wanted.status == WAITING:
        yield UnusualLookUp.status != UnusualStatus.EXPLAINED
    elif wanted.status:
        yield UnusualLookUp.status == wanted.status
    if wanted.kind:
        yield UnusualLookUp.kind == wanted.kind
    if wanted.username:
        yield User.username == wanted.username.strip()
    if wanted.since:
        yield UnusualLookUp.found_at >= clock.start_of(wanted.since)
    if wanted.until:
        end = clock.start_of(wanted.until + timedelta(days=1))
        yield UnusualLookUp.found_at < end


def _said() -> dict[int, int]:
    """Count what was said about each."""
    table = UnusualLookUpMessage
    query: Any = table.select(table.unusual, fn.COUNT(table.id))
    return dict(query.group_by(table.unusual).tuples())


def _line(row: UnusualLookUp, said: int) -> list[Any]:
    look_up, user = row.look_up, row.user
    return [
        row.id,
        look_up.id,
        us_time(look_up.at),
        user.username,
        f"{user.name}{delegates.behalf(look_up)}",
        KIND_WORDS[row.kind],
        row.reason,
        PURPOSE_WORDS[look_up.purpose],
        look_up.outcome.value,
        STATUS_WORDS[row.status],
        row.explained_by,
        us_time(row.explained_at),
        said,
    ]


def _record_list(
    wanted: Wanted, rows: list[UnusualLookUp], *, by: User, at: datetime, **more: object
) -> None:
    narrowed = {"status": wanted.status, "kind": wanted.kind, "user": wanted.username}
    shown = [row.id for row in rows]
    audit.record(
        audit.Event.UNUSUAL_LISTED,
        actor=by.username,
        subject=FILE.subject,
        at=at,
        detail={**narrowed, "shown": shown, **more},
    )


def _record(
    event: audit.Event, unusual: UnusualLookUp, *, by: User, at: datetime
) -> None:
    audit.record(
        event,
        actor=by.username,
        subject=f"look_up:{unusual.look_up.id}",
        at=at,
        detail={"unusual": unusual.id},
    )
