"""One attempt at one delivery: claim, compose, begin, call, and say how it went.

No transaction is open while a document is drawn or a carrier is called. What goes
wrong is logged by its kind alone: an exception's text may quote what was being sent.
"""

import logging
from dataclasses import replace

from gateway import channels, documents, lanes, layout_check, messages
from gateway.message import DeliveryError, Message
from models import ChannelName, Delivery, ErrorClass
from pmp import clock, deliveries, settings
from pmp.deliveries import Claim, barred, calling, fax_hours, turns
from pmp.documents import DocumentLostError
from pmp.errors import RuleError

log = logging.getLogger(__name__)


def attempt(delivery_id: int) -> int | None:
    """Send a delivery, if it is due and no other worker has it; give who is next.

    One of its channel that is more urgent goes instead of it. None is next where
    nothing was done: the lane is full, or the carrier is not called.
    """
    known = Delivery.get_or_none(Delivery.id == delivery_id)
    if known is None:
        return None
    with lanes.entered(known.channel) as free:
        at = clock.now()
        if not free or not _send(turns.instead_of(known, at=at), known.channel):
            return None
    return deliveries.following(known.channel, at=clock.now())


def _send(delivery_id: int, name: ChannelName) -> bool:
    """Make one attempt; False where there is none to be made."""
    delivery, at = Delivery.get_by_id(delivery_id), clock.now()
    channel = channels.for_delivery(delivery)
    if fax_hours.put_off(delivery, at=at):
        return True
    if not calling.may_call(name, channel.CARRIER, at=at):
        return False
    claimed = deliveries.claim(delivery_id, carrier=channel.CARRIER, at=at)
    if claimed is None:
        return False
    if _is_barred(claimed):
        return True
    message = _composed(claimed)
    if message is not None and deliveries.begin(
        claimed, pdf=message.pdf, at=clock.now()
    ):
        _call(channel, claimed, message)
    return True


def _is_barred(claimed: Claim) -> bool:
    """Give up on an address that is somebody else's, however the row came here."""
    if not barred.closes(claimed.delivery):
        return False
    deliveries.mark_failed(
        claimed,
        error_class=ErrorClass.REJECTED,
        text="its address is somebody else's",
        at=clock.now(),
    )
    return True


def _composed(claimed: Claim) -> Message | None:
    """Make the message; where that fails, record it and give None."""
    try:
        message = messages.compose(claimed.delivery, claimed.attempt)
        _must_be_fit(message)
    except Exception as error:  # noqa: BLE001 - whatever it is, the row must say so
        lasting = isinstance(
            error,
            documents.DocumentError | DocumentLostError | RuleError | DeliveryError,
        ) and not isinstance(error, documents.NotDrawnNowError)
        kind = ErrorClass.DOCUMENT if lasting else ErrorClass.UNKNOWN
        name = type(error).__name__
        log.warning("delivery %s: %s while composing", claimed.delivery.id, name)
        # These say what is wrong with the document; others may quote what is in it.
        told = isinstance(error, documents.DocumentError | DeliveryError)
        text = f"not composed: {error if told else name}"
        deliveries.mark_failed(claimed, error_class=kind, text=text, at=clock.now())
        return None
    public_url, key = settings.current().public_url, claimed.attempt.idempotency_key
    return replace(
        message,
        address=claimed.delivery.address,
        delivery_id=claimed.delivery.id,
        key=key,
        media_url=f"{public_url}/media/{claimed.media_token}",
        status_url=f"{public_url}/hooks/fax/laml/status?attempt={key}",
        until=claimed.delivery.deadline_at,
    )


def _must_be_fit(message: Message) -> None:
    """Raise DeliveryError for pages that nobody should be sent."""
    if message.pdf and (faults := layout_check.problems(message.pdf)):
        raise DeliveryError(ErrorClass.DOCUMENT, " ".join(faults))


def _call(channel: channels.Channel, claimed: Claim, message: Message) -> None:
    try:
        reference = channel.send(message)
    except DeliveryError as error:
        _record(claimed, error)
        return
    except Exception as error:  # noqa: BLE001 - a fault of ours, after the call began
        name = type(error).__name__
        log.warning("delivery %s: %s while sending", claimed.delivery.id, name)
        kind = ErrorClass.UNKNOWN if channel.REPEATABLE else ErrorClass.IN_DOUBT
        _record(claimed, DeliveryError(kind, f"unexpected {name}"))
        return
    later = claimed.delivery.channel == ChannelName.LETTER or isinstance(
        channel, channels.ReceiptChannel
    )
    mark = deliveries.mark_submitted if later else deliveries.mark_sent
    mark(claimed, reference=reference, at=clock.now())


def _record(claimed: Claim, error: DeliveryError) -> None:
    log.warning("delivery %s: %s", claimed.delivery.id, error.error_class)
    if error.error_class == ErrorClass.IN_DOUBT:
        deliveries.mark_maybe(claimed, text=str(error), at=clock.now())
        return
    deliveries.mark_failed(
        claimed,
        error_class=error.error_class,
        text=str(error),
        at=clock.now(),
        retry_after=error.retry_after,
    )
