"""What a carrier says about a message: only from the carrier, and only forwards.

A call-back is signed over the address that we gave and the body as it came. What it
says, or what asking the carrier gave, moves a delivery on and never back: repeated,
late and disordered reports leave one line each in the history and change nothing.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import parse_qsl

from peewee import IntegrityError

from models import (
    Delivery,
    DeliveryAttempt,
    DeliveryEvent,
    DeliveryState,
    ErrorClass,
)
from pmp import audit, database, documents
from pmp.deliveries import outbox
from pmp.reaching import stations

LARGEST_BODY = 64 * 1024


class Progress(StrEnum):
    UNDERWAY = "underway"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True)
class CarrierReport:
    """What a carrier says of one message.

    `status` is its own word; `error_class` says what follows from a failure;
    `station` is how the answering machine called itself.
    """

    reference: str
    status: str
    progress: Progress
    error_class: ErrorClass | None = None
    text: str = ""
    pages: int | None = None
    station: str = ""


def is_signed(*, url: str, body: bytes, headers: Mapping[str, str], key: str) -> bool:
    """Tell whether a call-back was signed with our key, in any of LaML's ways.

    `url` is the address that we gave out, with its query, never one made from the
    request's Host. Over url + body as it came, in hex: X-SignalWire-SHA256-Signature
    and X-SignalWire-Signature (SHA-1). Over url + sorted fields, in base64, SHA-1:
    X-Twilio-Signature and X-SignalWire-Signature. Without a key nothing is signed.
    """
    if not key or len(body) > LARGEST_BODY:
        return False
    given = {name.lower(): value for name, value in headers.items()}
    strong = given.get("x-signalwire-sha256-signature")
    if strong is not None:
        return _same(strong, _mac(key, url.encode() + body, "sha256").hex())
    plain = _mac(key, url.encode() + body, "sha1").hex()
    fields = base64.b64encode(_mac(key, _flat(url, body), "sha1")).decode()
    wire = given.get("x-signalwire-signature", "")
    return (
        _same(wire, plain)
        or _same(wire, fields)
        or _same(given.get("x-twilio-signature", ""), fields)
    )


def refuse(*, what: str, address: str, at: datetime) -> None:
    """Keep in the audit record that an unsigned or forged call-back was refused."""
    audit.record(
        audit.Event.CALLBACK_REFUSED,
        actor="system",
        subject=f"callback:{what}",
        at=at,
        address=address,
    )


def apply(
    report: CarrierReport,
    *,
    carrier: str,
    source: str,
    at: datetime,
    attempt_key: str = "",
) -> Delivery | None:
    """Move the delivery that a report is about; None if there is none.

    The attempt is found by the carrier's reference or, where the report outran the
    answer to our own call, by the key in the address that we gave.
    """
    with database.atomic():
        attempt = _attempt(report.reference, carrier=carrier, key=attempt_key)
        if attempt is None:
            return None
        delivery = outbox.taken(attempt.delivery.id)
        if _is_news(delivery, attempt, report, source=source, at=at):
            _adopt(attempt, report)
            another = stations.seen(delivery, report.station, at=at)
            _move(delivery, attempt, report, source=source, at=at)
            if another is not None:
                stations.flag(delivery, another, at=at)
    return delivery


class MediaGone(Exception):  # noqa: N818 - what it says to the carrier: 410
    """The media address is not, or no longer, valid."""


def media(token: str, *, at: datetime) -> bytes:
    """Give the PDF that a carrier fetches, and note that it did; MediaGone else.

    A token is good for one attempt, until its time is over or the delivery's end is
    known; within that it may be fetched more than once, as carriers do.
    """
    attempt: DeliveryAttempt | None = DeliveryAttempt.get_or_none(
        DeliveryAttempt.media_sha256 == hashlib.sha256(token.encode()).hexdigest()
    )
    if attempt is None or attempt.media_until is None or attempt.media_until < at:
        raise MediaGone
    delivery = attempt.delivery
    if delivery.state in outbox.FINAL or delivery.document is None:
        raise MediaGone
    try:
        body = documents.read(delivery.document)
    except documents.DocumentLostError as lost:
        raise MediaGone from lost
    attempt.media_fetched_at = attempt.media_fetched_at or at
    attempt.save(only=[DeliveryAttempt.media_fetched_at])
    return body


def _mac(key: str, message: bytes, digest: str) -> bytes:
    return hmac.new(key.encode(), message, digest).digest()


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())


def _flat(url: str, body: bytes) -> bytes:
    fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    return (url + "".join(name + value for name, value in sorted(set(fields)))).encode()


def _attempt(reference: str, *, carrier: str, key: str) -> DeliveryAttempt | None:
    known: DeliveryAttempt | None = DeliveryAttempt.get_or_none(
        carrier=carrier, carrier_reference=reference
    )
    if known is not None or not key:
        return known
    early: DeliveryAttempt | None = DeliveryAttempt.get_or_none(
        carrier=carrier, idempotency_key=key
    )
    if early is not None and early.carrier_reference in {None, reference}:
        return early
    return None


def _is_news(
    delivery: Delivery,
    attempt: DeliveryAttempt,
    report: CarrierReport,
    *,
    source: str,
    at: datetime,
) -> bool:
    """Write the report down; False if the same one is there already."""
    try:
        with database.atomic():
            DeliveryEvent.create(
                delivery=delivery,
                attempt=attempt,
                source=source,
                event_key=f"{attempt.carrier}:{report.reference}:{report.status}"[:255],
                from_state=delivery.state.value,
                to_state=delivery.state.value,
                note=f"carrier says {report.status} {report.text}"[:200].strip(),
                at=at,
            )
    except IntegrityError:
        return False
    return True


def _adopt(attempt: DeliveryAttempt, report: CarrierReport) -> None:
    attempt.carrier_reference = report.reference
    attempt.pages_sent = (
        report.pages if report.pages is not None else attempt.pages_sent
    )
    attempt.station = report.station or attempt.station
    attempt.save(
        only=[
            DeliveryAttempt.carrier_reference,
            DeliveryAttempt.pages_sent,
            DeliveryAttempt.station,
        ]
    )


def _move(
    delivery: Delivery,
    attempt: DeliveryAttempt,
    report: CarrierReport,
    *,
    source: str,
    at: datetime,
) -> None:
    if delivery.state in outbox.FINAL:
        return
    current = attempt.number == delivery.attempts
    if report.progress == Progress.DELIVERED:
        # Even where a later attempt is being made: this one did arrive.
        delivery.possible_duplicate = delivery.possible_duplicate or not current
        delivery.needs_staff = False
        outbox.change(
            delivery, DeliveryState.DELIVERED, source=source, at=at, attempt=attempt
        )
    elif not current or delivery.state == DeliveryState.QUEUED:
        return
    elif report.progress == Progress.FAILED:
        _failed(delivery, attempt, report, source=source, at=at)
    elif delivery.state == DeliveryState.IN_DOUBT:
        delivery.due_at = at + outbox.soon() * 2
        outbox.change(
            delivery, DeliveryState.SUBMITTED, source=source, at=at, attempt=attempt
        )


def _failed(
    delivery: Delivery,
    attempt: DeliveryAttempt,
    report: CarrierReport,
    *,
    source: str,
    at: datetime,
) -> None:
    error_class = report.error_class or ErrorClass.UNKNOWN
    outbox.end_attempt(attempt, error_class, at=at)
    text = f"{report.status} {report.text}".strip()
    outbox.fail(delivery, attempt, error_class, text=text, at=at, source=source)
