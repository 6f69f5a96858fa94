"""The audit record: append-only, chained by hashes, its end sealed.

Each row's hash covers the row and the hash before it; the head holds the last one under
an HMAC with the secret key, so that a changed row, a missing row and a cut-off tail are
all found by `verify`. The rows hold no patient data: they point (`patient:17`).
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from peewee import fn

from models import AuditEvent, AuditHead
from pmp import database, settings
from pmp.audit.events import Event
from pmp.prepared import Given, at_once, prepared

__all__ = ["Entry", "Event", "record", "record_all", "verify"]

FIRST_HASH = "0" * 64
# Any number but the one of the migrations: chains grow one row at a time.
ADVISORY_LOCK = 20571


@dataclass(frozen=True)
class Entry:
    """A row to be added, see `record`."""

    event: Event
    actor: str
    subject: str
    at: datetime
    detail: dict[str, Any] | None = None
    address: str = ""

    def content(self) -> dict[str, Any]:
        """Give what is hashed, beside the hash before it."""
        return {
            "at": self.at.isoformat(),
            "event": self.event.value,
            "actor": self.actor,
            "subject": self.subject,
            "address": self.address,
            "detail": self.detail or {},
        }


def record(
    event: Event,
    *,
    actor: str,
    subject: str,
    at: datetime,
    detail: dict[str, Any] | None = None,
    address: str = "",
) -> AuditEvent:
    """Add a row, in the transaction of its cause: the two stand or fall together.

    `actor` is a username, "system" or "applicant"; `subject` a word and an id
    ("ticket:T261123-7"); `detail` holds ids, counts and reasons, no patient's name.
    """
    return record_all([Entry(event, actor, subject, at, detail, address)])[0]


def record_all(entries: Sequence[Entry]) -> list[AuditEvent]:
    """Add the rows of one act in their order, at least one; see `record`."""
    rows: list[AuditEvent] = []
    with database.together():
        head = _take_turn()
        # After an end that we did not seal the chain begins anew: it stays visible.
        previous = head.last_hash if head and _is_sealed(head) else FIRST_HASH
        for entry in entries:
            content = entry.content()
            facts = content | {
                "at": entry.at,
                "detail": json.loads(_canonical(content["detail"])),
                "previous_hash": previous,
                "hash": _hash(previous, content),
            }
            rows.append(AuditEvent(**facts))
            previous = rows[-1].hash
        numbers = _write.add_each([row.__data__ for row in rows])
        for row, number in zip(rows, numbers, strict=True):
            row.id = number
        _seal(head, rows[-1])
    return rows


def verify() -> list[str]:
    """Check the whole chain; give one sentence for each fault, none if it is whole.

    Others may write meanwhile: the chain must go through the end that was sealed when
    the check began, and not beyond the one that is sealed when it ends.
    """
    faults = []
    sealed = AuditHead.get_or_none()
    previous, last_id, at_seal = FIRST_HASH, 0, ""
    for row in _rows():
        if row.previous_hash != previous:
            faults.append(f"Event {row.id}: a row before it is missing or was changed.")
        if row.hash != _hash(row.previous_hash, _content(row)):
            faults.append(f"Event {row.id}: its content was changed.")
        previous, last_id = row.hash, row.id
        if sealed and row.id == sealed.last_id:
            at_seal = row.hash
    head = AuditHead.get_or_none()
    if head is None:
        return [*faults, "The seal on the end is missing."] if last_id else faults
    if not _is_sealed(head):
        faults.append("The seal on the end was not made with this secret key.")
    if last_id > head.last_id or (sealed and at_seal != sealed.last_hash):
        faults.append(f"The record ends at event {last_id}, not at {head.last_id}.")
    return faults


def _rows() -> Iterator[AuditEvent]:
    query = AuditEvent.select().order_by(AuditEvent.id)
    return iter(query.iterator())


def _content(row: AuditEvent) -> dict[str, Any]:
    return {
        "at": row.at.isoformat(),
        "event": row.event,
        "actor": row.actor,
        "subject": row.subject,
        "address": row.address,
        "detail": row.detail,
    }


def _canonical(content: Any) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)


def _hash(previous: str, content: dict[str, Any]) -> str:
    return hashlib.sha256(f"{previous}{_canonical(content)}".encode()).hexdigest()


def _sealed(last_id: int, last_hash: str) -> str:
    key = settings.current().secret_key.get_secret_value().encode()
    return hmac.new(key, f"{last_id}:{last_hash}".encode(), "sha256").hexdigest()


def _is_sealed(head: AuditHead) -> bool:
    return hmac.compare_digest(head.seal, _sealed(head.last_id, head.last_hash))


def _seal(head: AuditHead | None, row: AuditEvent) -> None:
    end = {"last_id": row.id, "last_hash": row.hash, "seal": _sealed(row.id, row.hash)}
    if head is None:
        AuditHead.create(**end)
    else:
        _move_head.change(id=head.id, **end)


@prepared
def _write() -> Any:
    return AuditEvent.insert(
        at=Given("at", into=AuditEvent.at),
        event=Given("event"),
        actor=Given("actor"),
        subject=Given("subject"),
        address=Given("address"),
        detail=Given("detail", into=AuditEvent.detail),
        previous_hash=Given("previous_hash"),
        hash=Given("hash"),
    )


@prepared
def _head() -> Any:
    return AuditHead.select().limit(1)


@prepared
def _move_head() -> Any:
    return AuditHead.update(
        last_id=Given("last_id"), last_hash=Given("last_hash"), seal=Given("seal")
    ).where(AuditHead.id == Given("id"))


@prepared
def _turn() -> Any:
    return AuditHead.select(fn.PG_ADVISORY_XACT_LOCK(ADVISORY_LOCK)).from_().tuples()


def _take_turn() -> AuditHead | None:
    """Wait until nobody else writes here; give the head as they left it, if any."""
    if database.is_sqlite():  # its transactions are IMMEDIATE: we are alone already
        return cast("AuditHead | None", _head.one())
    _, found = at_once(_turn.asked(), _head.asked())
    return found[0] if found else None
