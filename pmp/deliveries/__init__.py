"""Sending: a worker claims a delivery, says that it begins, and tells how it went.

A rule requests a delivery in the transaction of its cause. A worker claims the row
with a conditional UPDATE, which sets a lease and writes the attempt down, composes the
message, says that it begins, and only then calls the carrier, outside any transaction.
What the queue loses, `due` finds again. Who is next is in `turns`, which carriers are
called in `calling`, what happens when a lease runs out in `doubts`, what carriers
report in `callbacks`, what staff do in `delivery_desk`.
"""

import hashlib
import secrets
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta

from models import (
    ChannelName,
    Delivery,
    DeliveryAttempt,
    DeliveryKind,
    DeliveryState,
    DocumentKind,
    ErrorClass,
    User,
)
from pmp import database, documents, settings
from pmp.deliveries import calling, fax_hours, steps
from pmp.deliveries.in_house import NOT_MAILED
from pmp.deliveries.lines import is_withdrawn, withdraw
from pmp.deliveries.outbox import (
    FINAL,
    Route,
    change,
    changed,
    doubt,
    fail,
    lease,
    line,
    note,
    on_change,
    on_request,
    request,
    soon,
    taken,
)
from pmp.deliveries.turns import due, following

__all__ = [
    "Claim",
    "Route",
    "begin",
    "claim",
    "due",
    "following",
    "mark_failed",
    "mark_maybe",
    "mark_sent",
    "mark_submitted",
    "on_change",
    "on_request",
    "request",
    "token_hash",
    "withdraw_for",
]

_DOCUMENT_KINDS = {
    DeliveryKind.CREDENTIAL_LETTER: DocumentKind.CREDENTIAL_LETTER,
    DeliveryKind.THRESHOLD_REPORT: DocumentKind.THRESHOLD_REPORT,
    DeliveryKind.CORRECTION_NOTICE: DocumentKind.CORRECTION_NOTICE,
}


@dataclass(frozen=True)
class Claim:
    """A delivery taken for one attempt, and the clear token of its media address.

    `steady`: nothing was wrong with the carrier.
    """

    delivery: Delivery
    attempt: DeliveryAttempt
    media_token: str
    steady: bool = False


def claim(delivery_id: int, *, carrier: str, at: datetime) -> Claim | None:
    """Take a due delivery for one attempt; None if it is not due or another has it.

    None too while its carrier is not called, and outside the hours of faxes.
    The lease, the attempt, its idempotency key ("<delivery>-<number>") and the hash
    of its media token are on disk when this returns.
    """
    owner, token = secrets.token_hex(16), secrets.token_urlsafe(32)
    until = at + lease()
    resting = fax_hours.closed_since(ChannelName.FAX, at) or fax_hours.LONG_AGO
    lease_of = {
        "delivery": delivery_id,
        "owner": owner,
        "until": until,
        "at": at,
        "resting": resting,
    }
    with database.atomic() as turn:
        delivery = steps.take.one(carrier=carrier, **lease_of)
        steady = delivery is not None
        delivery = delivery or steps.take_to_try.one(**lease_of)
        if delivery is None:
            return None
        if not steady and not calling.enter(
            delivery.channel, carrier, until=until, at=at
        ):
            turn.rollback()
            return None
        attempt = _written_down(delivery, carrier=carrier, token=token, at=at)
    return Claim(delivery, attempt, token, steady)


def begin(claimed: Claim, *, pdf: bytes | None, at: datetime) -> bool:
    """Say that the carrier is about to be called; False if the lease was lost.

    Keeps what is about to be sent. An attempt that never got this far was surely not
    sent; from here on its end must be learned from the carrier.
    """
    with nullcontext() if pdf is None else database.atomic():
        held = steps.call.change(
            delivery=claimed.delivery.id,
            owner=claimed.delivery.lease_owner,
            until=at + lease(),
            at=at,
        )
        if not held:
            return False
        if pdf is not None:
            delivery = taken(claimed.delivery.id)
            _keep(delivery, pdf, at=at)
            delivery.save(only=[Delivery.document])
            claimed.delivery.document = delivery.document
    claimed.delivery.called_at = at
    return True


def mark_submitted(claimed: Claim, *, reference: str, at: datetime) -> None:
    """Record that the carrier took the message (a letter: that it waits to be printed).

    `reference` is the carrier's own. A call-back may have come first; it then stands.
    """
    _accepted(claimed, DeliveryState.SUBMITTED, reference=reference, at=at)


def mark_sent(claimed: Claim, *, reference: str, at: datetime) -> None:
    """Record a final sending by a channel that gives no receipt."""
    _accepted(claimed, DeliveryState.SENT, reference=reference, at=at)


def mark_maybe(claimed: Claim, *, text: str, at: datetime) -> None:
    """Record that the carrier may or may not have taken the message."""
    with database.atomic():
        delivery = taken(claimed.delivery.id)
        ended = _end(claimed.attempt, ErrorClass.IN_DOUBT, at=at)
        if ended and _holds_lease(delivery, claimed):
            doubt(delivery, claimed.attempt, text=text, at=at)
    calling.failed(delivery, claimed.attempt, ErrorClass.IN_DOUBT, text=text, at=at)


def mark_failed(
    claimed: Claim,
    *,
    error_class: ErrorClass,
    text: str,
    at: datetime,
    retry_after: timedelta | None = None,
) -> None:
    """Record a failure: another try later, the next route, or staff's attention."""
    called = claimed.delivery.called_at is not None
    with database.atomic():
        delivery = taken(claimed.delivery.id)
        ended = _end(claimed.attempt, error_class, at=at)
        if ended and _holds_lease(delivery, claimed):
            fail(
                delivery,
                claimed.attempt,
                error_class,
                text=text,
                at=at,
                retry_after=retry_after,
            )
    if not called:
        calling.unused(delivery, claimed.attempt, at=at)
        return
    calling.failed(
        delivery,
        claimed.attempt,
        error_class,
        text=text,
        at=at,
        retry_after=retry_after,
    )


def withdraw_for(  # noqa: PLR0913 - what, about whom, why, by whom
    *,
    kind: DeliveryKind,
    subject_id: int,
    reason: str,
    by: User | None,
    at: datetime,
    key: str = "",
    printed: bool = True,
) -> int:
    """Cancel what has not left the house about a subject; give how many.

    What is under way is not sent again, nor by a next way: if it does not arrive now,
    it ends as cancelled. Only that of which the dedupe key begins with `key`; without
    `printed` no letter of which there is paper.
    """
    left_alone = FINAL if printed else FINAL | {DeliveryState.PRINTED}
    query = (
        Delivery.select(Delivery.id)
        .where(Delivery.kind == kind)
        .where(Delivery.subject_id == subject_id)
        .where(Delivery.dedupe_key.startswith(key))
        .where(Delivery.state.not_in(left_alone))
        .order_by(Delivery.id)
    )
    source = by.username if by else "system"
    with database.atomic():
        found = [taken(delivery.id) for delivery in query]
        here = [delivery for delivery in found if _is_here(delivery)]
        for delivery in found:
            if delivery not in here and delivery.state not in left_alone:
                withdraw(delivery, source=source, text=reason, at=at)
        for delivery in here:
            change(delivery, DeliveryState.CANCELLED, source=source, text=reason, at=at)
    return len(here)


def token_hash(token: str) -> str:
    """Give the form in which a media token is stored and compared."""
    return hashlib.sha256(token.encode()).hexdigest()


def _is_here(delivery: Delivery) -> bool:
    """Tell whether a message can still be kept from its carrier, or stopped there."""
    if delivery.state in {DeliveryState.HELD, DeliveryState.QUEUED}:
        return True
    if delivery.state == DeliveryState.SENDING:
        return delivery.called_at is None  # it is being drawn
    is_letter: bool = delivery.channel == ChannelName.LETTER
    return is_letter and delivery.state in {DeliveryState.IN_DOUBT, *NOT_MAILED}


def _holds_lease(delivery: Delivery, claimed: Claim) -> bool:
    held: bool = (
        delivery.state == DeliveryState.SENDING
        and delivery.lease_owner == claimed.delivery.lease_owner
    )
    return held


def _written_down(
    delivery: Delivery, *, carrier: str, token: str, at: datetime
) -> DeliveryAttempt:
    facts = {
        "number": delivery.attempts,
        "idempotency_key": f"{delivery.id}-{delivery.attempts}",
        "carrier": carrier,
        "media_sha256": token_hash(token),
        "media_until": at + timedelta(minutes=settings.current().media_minutes),
        "started_at": at,
    }
    number = steps.write_down.add(delivery=delivery.id, **facts)
    attempt = DeliveryAttempt(id=number, delivery=delivery, **facts)
    line(delivery, DeliveryState.QUEUED, source="worker", at=at, attempt=attempt)
    return attempt


def _accepted(
    claimed: Claim, to: DeliveryState, *, reference: str, at: datetime
) -> None:
    if not _is_taken(claimed, to, reference=reference, at=at):
        _accept(claimed, to, reference=reference, at=at)
    if claimed.delivery.channel == ChannelName.LETTER:
        _stop_withdrawn(claimed, at=at)
    if not claimed.steady:
        calling.answered(claimed.delivery, claimed.attempt, at=at)


def _stop_withdrawn(claimed: Claim, *, at: datetime) -> None:
    """Cancel a letter that was withdrawn just while it was handed over."""
    if not is_withdrawn(claimed.delivery):
        return
    with database.atomic():
        delivery = taken(claimed.delivery.id)
        if delivery.state == DeliveryState.SUBMITTED:
            text = "withdrawn before it was printed"
            to = DeliveryState.CANCELLED
            change(delivery, to, source="worker", text=text, at=at)


def _is_taken(
    claimed: Claim, to: DeliveryState, *, reference: str, at: datetime
) -> bool:
    """Record the usual: the lease is held, and no call-back has come before."""
    with database.atomic() as turn:
        delivery = steps.accept.one(
            delivery=claimed.delivery.id,
            owner=claimed.delivery.lease_owner,
            to=to.value,
            at=at,
            due_at=at + soon() * 2,
            final_at=at if to in FINAL else None,
        )
        ended = delivery and steps.end_well.change(
            attempt=claimed.attempt.id, reference=reference, at=at
        )
        if not ended:
            turn.rollback()
            return False
        before = DeliveryState.SENDING
        changed(delivery, before, source="worker", at=at, attempt=claimed.attempt)
    return True


def _accept(claimed: Claim, to: DeliveryState, *, reference: str, at: datetime) -> None:
    with database.atomic():
        delivery = taken(claimed.delivery.id)
        attempt = claimed.attempt
        reported = DeliveryAttempt.get_by_id(attempt.id).carrier_reference is not None
        attempt.carrier_reference = reference
        attempt.save(only=[DeliveryAttempt.carrier_reference])
        if not _end(attempt, None, at=at) and reported:
            return
        late = attempt.number != delivery.attempts
        doubted = delivery.state == DeliveryState.IN_DOUBT
        if not late and (doubted or _holds_lease(delivery, claimed)):
            delivery.submitted_at = at
            delivery.due_at = at + soon() * 2
            delivery.error_class, delivery.error_text = None, ""
            delivery.needs_staff = False
            change(delivery, to, source="worker", at=at, attempt=attempt)
        elif late or delivery.state in {DeliveryState.QUEUED, DeliveryState.SENDING}:
            # This worker slept through its lease; the next may send, or has sent, it
            # again.
            delivery.possible_duplicate = True
            delivery.save()
            note(delivery, attempt, source="worker", at=at, text="accepted too late")


def _end(
    attempt: DeliveryAttempt, error_class: ErrorClass | None, *, at: datetime
) -> bool:
    """Write down how an attempt ended; False if a call-back has done so already."""
    stored = DeliveryAttempt.get_by_id(attempt.id)
    if stored.ended_at is not None:
        return False
    attempt.ended_at = at
    attempt.error_class = error_class
    attempt.outcome = error_class.value if error_class else steps.ACCEPTED
    # Only these: a call-back may have put the reference there meanwhile.
    attempt.save(
        only=[
            DeliveryAttempt.ended_at,
            DeliveryAttempt.error_class,
            DeliveryAttempt.outcome,
        ]
    )
    return True


def _keep(delivery: Delivery, pdf: bytes, *, at: datetime) -> None:
    """Keep what is about to be sent, once: a report's chart copy is the same file."""
    old = delivery.document
    sha256 = hashlib.sha256(pdf).hexdigest()
    if old and old.sealed and old.sha256 == sha256:
        return
    kind = _DOCUMENT_KINDS.get(delivery.kind, DocumentKind.NOTICE)
    delivery.document = documents.same(kind=kind, sha256=sha256) or documents.keep(
        kind=kind, media_type="application/pdf", body=pdf, at=at
    )
    if old and kind == DocumentKind.CREDENTIAL_LETTER:
        # Composing it anew made a new secret; the page with the old one must go.
        documents.purge(old, at=at)
