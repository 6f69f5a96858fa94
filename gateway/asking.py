"""Asking a carrier about a message: in doubt, or silent for too long."""

import logging

from gateway import carrier_media, channels
from gateway.message import DeliveryError
from models import Delivery, DeliveryAttempt, DeliveryState
from pmp import clock
from pmp.deliveries import callbacks, carrier_copies, doubts, outbox, receipts
from pmp.faxes import carrier_copies as received_copies

log = logging.getLogger(__name__)


def about_doubt(delivery_id: int) -> None:
    """Find out whether the carrier has a message that may have been sent."""
    delivery = Delivery.get_or_none(Delivery.id == delivery_id)
    if delivery is None or delivery.state != DeliveryState.IN_DOUBT:
        return
    attempt = outbox.last_attempt(delivery)
    carrier = channels.with_receipts(attempt.carrier) if attempt else None
    if attempt is None or carrier is None:
        again = delivery.channel in doubts.HARMLESS_TWICE
        text = "sent again" if again else "cannot ask"
        doubts.cannot_tell(delivery_id, text=text, at=clock.now())
        return
    try:
        report = carrier.find(delivery.address, attempt.media_sha256 or "")
    except DeliveryError as error:
        doubts.cannot_tell(delivery_id, text=str(error), at=clock.now())
        return
    if report is None:
        doubts.not_there(delivery_id, at=clock.now())
    else:
        callbacks.apply(
            report,
            carrier=attempt.carrier,
            source="poll",
            at=clock.now(),
            attempt_key=attempt.idempotency_key,
        )


def about_silence(delivery_id: int) -> None:
    """Ask what became of a message whose carrier has not said so.

    One that should not arrive any more is stopped first, where the carrier can.
    """
    delivery = Delivery.get_or_none(Delivery.id == delivery_id)
    if delivery is None or delivery.state != DeliveryState.SUBMITTED:
        return
    attempt = outbox.last_attempt(delivery)
    carrier = channels.with_receipts(attempt.carrier) if attempt else None
    reference = attempt.carrier_reference if attempt else None
    if attempt and carrier and reference:
        try:
            _stop_if_unwanted(carrier, delivery, reference)
            report = carrier.look(reference)
        except DeliveryError as error:
            log.warning("delivery %s: cannot ask: %s", delivery_id, error.error_class)
        else:
            callbacks.apply(
                report, carrier=attempt.carrier, source="poll", at=clock.now()
            )
    receipts.ask_later(delivery_id, at=clock.now())


def to_forget(attempt_id: int) -> None:
    """Have the carrier destroy its copy of a message that is over and done.

    A cancelled fax whose number we never got is looked for first, and stopped. One
    that has arrived all the same is staff's.
    """
    found = carrier_copies.finished(attempt_id)
    carrier = channels.with_receipts(found.carrier) if found else None
    if found is None or carrier is None:
        return
    try:
        if reference := found.carrier_reference or _looked_for(carrier, found):
            if found.delivery.state == DeliveryState.CANCELLED:
                _stop(carrier, reference)
            carrier.forget(reference)
    except DeliveryError as error:
        log.warning("attempt %s: not forgotten: %s", attempt_id, error.error_class)
        carrier_copies.not_forgotten(found, at=clock.now())
        return
    carrier_copies.forgotten(attempt_id, at=clock.now())


def to_forget_received(fax_id: int) -> None:
    """Have the carrier destroy its copy of a fax whose pages we have."""
    fax = received_copies.kept(fax_id)
    carrier = channels.with_receipts(fax.source) if fax else None
    if fax is None or carrier is None:
        return
    try:
        carrier.forget(carrier_media.reference_of(fax))
    except DeliveryError as error:
        log.warning("fax %s: not forgotten: %s", fax_id, error.error_class)
        received_copies.not_forgotten(fax, at=clock.now())
        return
    received_copies.forgotten(fax, at=clock.now())


def _stop_if_unwanted(
    carrier: channels.ReceiptChannel, delivery: Delivery, reference: str
) -> None:
    if receipts.is_unwanted(delivery):
        can_stop = _stop(carrier, reference)
        receipts.stopped(delivery.id, can_stop=can_stop, at=clock.now())


def _stop(carrier: channels.ReceiptChannel, reference: str) -> bool:
    """Ask a carrier not to send what it has; False if this one cannot be asked.

    Where it is too late, what it says of the message tells how that ended.
    """
    if not isinstance(carrier, channels.StoppingChannel):
        return False
    try:
        carrier.stop(reference)
    except DeliveryError as error:
        log.warning("%s: not stopped: %s", reference, error.error_class)
    return True


def _looked_for(carrier: channels.ReceiptChannel, attempt: DeliveryAttempt) -> str:
    """Find the reference of an attempt that may be with the carrier; "": it is not."""
    report = carrier.find(attempt.delivery.address, attempt.media_sha256 or "")
    if report is None:
        return ""
    callbacks.apply(
        report,
        carrier=attempt.carrier,
        source="poll",
        at=clock.now(),
        attempt_key=attempt.idempotency_key,
    )
    return report.reference
