"""Email that came back: what a report of delivery changes, and what it cannot.

A relay's "yes" ends a delivery as sent; hours later the recipient's system may still
refuse it. Only a report that carries one of our marks counts. It is the one thing that
takes a delivery from sent to failed: the next route is used, and where there is none
staff are asked. "Delayed" is a line in the history. Nothing else ever goes backwards.
"""

from datetime import datetime
from enum import StrEnum

from peewee import IntegrityError

from models import (
    ChannelName,
    Delivery,
    DeliveryEvent,
    DeliveryState,
    ErrorClass,
)
from pmp import database
from pmp.deliveries import bounce_reports, callbacks, lines, outbox
from pmp.deliveries.bounce_reports import BounceReport, Fate, RecipientReport

SOURCE = "call-back"
# What a bounce can still change: the relay took it, or may have.
_OPEN = frozenset({DeliveryState.SENT, DeliveryState.IN_DOUBT, DeliveryState.QUEUED})
_ARRIVES = frozenset({DeliveryState.SENT, DeliveryState.IN_DOUBT})
_WORDS = {
    "1.1": "there is no such mailbox",
    "1.2": "there is no such mail system",
    "1.6": "the mailbox has moved",
    "1.10": "the mail system takes no mail",
    "2.1": "the mailbox is closed",
    "2.2": "the mailbox is full",
    "3.4": "it is too large for their system",
    "4.1": "their system does not answer",
    "4.4": "the way to their system is not known",
    "4.7": "their system did not take it in time",
}
_SUBJECTS = {
    "1": "the address is not right",
    "2": "the mailbox takes no mail",
    "4": "their system cannot be reached",
    "6": "their system refused its form",
    "7": "their system refused it",
}


class Taken(StrEnum):
    """What became of a mail from the bounce mailbox."""

    CHANGED = "changed"
    NOTED = "noted"
    KNOWN = "known"  # the same report came before
    LATER = "later"  # the message is being sent at this moment
    IGNORED = "ignored"  # an answering machine's
    FORGED = "forged"
    NOT_UNDERSTOOD = "not understood"


def take_in(raw: bytes, *, at: datetime, address: str = "") -> tuple[Taken, str]:
    """Take in a mail that came back; give what it changed, and why in a few words.

    The words name a delivery's number, never a person. `address` is where it came
    from, for the audit record of a forged one.
    """
    try:
        report = bounce_reports.read(raw)
    except bounce_reports.NotOursError as other:
        if other.forged:
            callbacks.refuse(what="bounce", address=address, at=at)
            return Taken.FORGED, other.reason
        kind = Taken.IGNORED if other.ignore else Taken.NOT_UNDERSTOOD
        return kind, other.reason
    return _apply(report, at=at), f"delivery {report.delivery_id}"


def words(status: str) -> str:
    """Say what an enhanced status code (5.1.1) means to who reads the history."""
    code = status.partition(".")[2]
    known = _WORDS.get(code) or _SUBJECTS.get(code.partition(".")[0])
    return known or "it could not be delivered"


def _apply(report: BounceReport, *, at: datetime) -> Taken:
    with database.atomic():
        known = Delivery.get_or_none(id=report.delivery_id)
        if known is None or known.channel != ChannelName.EMAIL:
            return Taken.NOT_UNDERSTOOD
        delivery = outbox.taken(known.id)
        about = _of(delivery, report)
        if delivery.state == DeliveryState.SENDING:
            return Taken.LATER
        if not _is_news(delivery, about, report, at=at):
            return Taken.KNOWN
        if about.fate == Fate.FAILED and _may_fail(delivery):
            _fail(delivery, about, at=at)
            return Taken.CHANGED
        if about.fate == Fate.DELIVERED and delivery.state in _ARRIVES:
            delivery.needs_staff = False
            outbox.change(delivery, DeliveryState.DELIVERED, source=SOURCE, at=at)
            return Taken.CHANGED
    return Taken.NOTED


def _of(delivery: Delivery, report: BounceReport) -> RecipientReport:
    """Give what a report says of our recipient; of another, where mail is passed on."""
    own = delivery.address.lower()
    named = (each for each in report.about if own in each.recipients)
    return next(named, report.about[0])


def _may_fail(delivery: Delivery) -> bool:
    """Tell whether it is believed to be there, or waits to be tried once more."""
    return delivery.state in _OPEN and delivery.attempts > 0


def _fail(delivery: Delivery, about: RecipientReport, *, at: datetime) -> None:
    text = f"came back: {words(about.status)}"
    delivery.error_class = _class_of(about.status)
    delivery.error_text = f"{text} ({about.status} {about.said})".replace("( ", "(")
    delivery.error_text = delivery.error_text[: lines.LONGEST_ERROR]
    wrong = delivery.error_class == ErrorClass.REJECTED
    delivery.needs_staff = wrong or not outbox.ways_left(delivery)
    outbox.change(delivery, DeliveryState.FAILED, source=SOURCE, text=text, at=at)
    outbox.fall_back(delivery, at=at)


def _class_of(status: str) -> ErrorClass:
    code = status.partition(".")[2]
    if code == "2.2":
        return ErrorClass.BUSY
    if code == "3.4" or code.startswith("6."):
        return ErrorClass.DOCUMENT
    return ErrorClass.REJECTED


def _is_news(
    delivery: Delivery, about: RecipientReport, report: BounceReport, *, at: datetime
) -> bool:
    """Write the report down; False if the same one is there already."""
    said = f"report of delivery: {about.fate.value} {about.status}"
    try:
        with database.atomic():
            DeliveryEvent.create(
                delivery=delivery,
                source=SOURCE,
                event_key=f"bounce:{delivery.id}:{report.key}",
                from_state=delivery.state.value,
                to_state=delivery.state.value,
                note=f"{said}, {words(about.status)}" if about.status else said,
                at=at,
            )
    except IntegrityError:
        return False
    return True
