"""Letters on their way to the post: printed in a batch, mailed, sometimes returned."""

from collections.abc import Collection
from datetime import datetime

from models import ChannelName, Delivery, DeliveryState, User
from pmp import audit, database, documents
from pmp.deliveries import outbox
from pmp.errors import RuleError

MOST_IN_A_BATCH = 200
_WAITING = (DeliveryState.SUBMITTED, DeliveryState.PRINTED)


def waiting() -> list[Delivery]:
    """Give the letters to print and to mail, the oldest first."""
    query = (
        Delivery.select()
        .where(Delivery.channel == ChannelName.LETTER)
        .where(Delivery.state.in_(_WAITING))
        .order_by(Delivery.id)
        .limit(MOST_IN_A_BATCH)
    )
    return list(query)


def mailed(*, limit: int = 50) -> list[Delivery]:
    """Give the letters mailed last, the newest first: one of them may come back."""
    query = (
        Delivery.select()
        .where(Delivery.channel == ChannelName.LETTER)
        .where(Delivery.state == DeliveryState.MAILED)
        .order_by(Delivery.final_at.desc())
        .limit(limit)
    )
    return list(query)


def print_batch(ids: Collection[int], *, by: User, at: datetime) -> list[bytes]:
    """Give the letters of a batch as PDFs, oldest first, and mark them printed.

    One that was printed before may be printed again: paper jams. RuleError if none is
    chosen or one of them no longer waits.
    """
    with database.atomic():
        batch = _chosen(ids, _WAITING, refusal="Not in the list any more")
        bodies = [_body(letter) for letter in batch]
        for letter in batch:
            outbox.change(
                letter, DeliveryState.PRINTED, source=by.username, text="printed", at=at
            )
        _record(audit.Event.LETTERS_PRINTED, batch, by=by, at=at)
    return bodies


def mark_mailed(ids: Collection[int], *, by: User, at: datetime) -> int:
    """Record that printed letters were taken to the post; give how many."""
    with database.atomic():
        batch = _chosen(
            ids, (DeliveryState.PRINTED,), refusal="Print first what is to be mailed"
        )
        for letter in batch:
            letter.needs_staff = False
            outbox.change(letter, DeliveryState.MAILED, source=by.username, at=at)
        _record(audit.Event.LETTERS_MAILED, batch, by=by, at=at)
    return len(batch)


def mark_returned(letter_id: int, *, by: User, at: datetime) -> None:
    """Record that a mailed letter came back; somebody must see to it."""
    with database.atomic():
        [letter] = _chosen(
            [letter_id],
            (DeliveryState.MAILED,),
            refusal="Only a mailed letter comes back",
        )
        letter.needs_staff = True
        outbox.change(
            letter,
            DeliveryState.RETURNED,
            source=by.username,
            text="came back in the mail",
            at=at,
        )
        audit.record(
            audit.Event.DELIVERY_STAFF_ACTION,
            actor=by.username,
            subject=f"delivery:{letter.id}",
            at=at,
            detail={"action": "returned"},
        )


def _chosen(
    ids: Collection[int], states: tuple[DeliveryState, ...], *, refusal: str
) -> list[Delivery]:
    if not ids:
        raise RuleError("Choose at least one letter.", field="letters")
    known = Delivery.select(Delivery.id).where(Delivery.id.in_(list(ids)))
    batch = [outbox.taken(row.id) for row in known.order_by(Delivery.id)]
    letters = [row for row in batch if row.channel == ChannelName.LETTER]
    ready = [row for row in letters if row.state in states]
    if len(ready) != len(set(ids)):
        others = sorted(set(ids) - {row.id for row in ready})
        message = f"{refusal}: letter {', '.join(map(str, others))}."
        raise RuleError(message, field="letters")
    return ready


def _body(letter: Delivery) -> bytes:
    if letter.document is None or letter.document.sealed is None:
        message = (
            f"Letter {letter.id} has no pages any more: it was used or replaced. "
            "Choose the others."
        )
        raise RuleError(message, field="letters")
    return documents.read(letter.document)


def _record(
    event: audit.Event, batch: list[Delivery], *, by: User, at: datetime
) -> None:
    audit.record(
        event,
        actor=by.username,
        subject="letters",
        at=at,
        detail={"deliveries": [letter.id for letter in batch]},
    )
