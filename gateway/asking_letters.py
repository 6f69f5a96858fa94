"""Asking a print-and-mail company about letters, and having cancelled ones stopped."""

import logging

from gateway import channels
from gateway.message import DeliveryError
from models import Delivery, DeliveryAttempt, DeliveryState, ErrorClass
from pmp import clock
from pmp.deliveries import callbacks, carried_letters, carrier_copies, outbox

log = logging.getLogger(__name__)


def about_letter(delivery_id: int) -> None:
    """Ask what became of a letter that is with the company or in the post."""
    delivery = Delivery.get_or_none(Delivery.id == delivery_id)
    attempt = outbox.last_attempt(delivery) if delivery else None
    carrier = channels.with_receipts(attempt.carrier) if attempt else None
    if attempt and carrier and attempt.carrier_reference:
        try:
            report = carrier.look(attempt.carrier_reference)
        except DeliveryError as error:
            log.warning("letter %s: cannot ask: %s", delivery_id, error.error_class)
        else:
            callbacks.apply(
                report, carrier=attempt.carrier, source="poll", at=clock.now()
            )
    if delivery is not None:
        carried_letters.ask_later(delivery_id, at=clock.now())


def to_take_back(attempt_id: int) -> None:
    """Have a company stop a letter that was cancelled; staff know where it is too late.

    One whose number we never got is looked for first.
    """
    attempt = DeliveryAttempt.get_or_none(DeliveryAttempt.id == attempt_id)
    if attempt is None or attempt.delivery.state != DeliveryState.CANCELLED:
        return
    carrier = channels.with_receipts(attempt.carrier)
    if carrier is None:
        return
    try:
        reference = attempt.carrier_reference or _found(carrier, attempt)
        if reference:
            carrier.forget(reference)
    except DeliveryError as error:
        log.warning("attempt %s: not stopped: %s", attempt_id, error.error_class)
        if error.error_class == ErrorClass.REJECTED:
            carried_letters.too_late(attempt_id, at=clock.now())
        return
    carrier_copies.forgotten(attempt_id, at=clock.now())


def _found(carrier: channels.ReceiptChannel, attempt: DeliveryAttempt) -> str:
    report = carrier.find(attempt.delivery.address, attempt.media_sha256 or "")
    return report.reference if report else ""
