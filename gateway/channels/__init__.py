"""The ways out, one module each, chosen by the settings.

Every channel sends; one whose carrier gives receipts can also look a message up by its
reference and find one by what was sent. A new carrier is a module and a line here.
"""

from collections.abc import Iterator
from datetime import datetime
from importlib import import_module
from typing import Protocol, cast, runtime_checkable
from urllib.parse import urlsplit

from gateway.channels.listed_faxes import Finding
from gateway.message import DeliveryError, IncomingFax, Message
from models import ChannelName, Delivery
from pmp import settings
from pmp.deliveries import in_house
from pmp.deliveries.callbacks import CarrierReport

__all__ = [
    "Channel",
    "CheckedChannel",
    "DeliveryError",
    "IncomingChannel",
    "Message",
    "ReceiptChannel",
    "StoppingChannel",
    "carriers",
    "for_channel",
    "for_delivery",
    "repeatable",
    "with_incoming",
    "with_receipts",
]


class Channel(Protocol):
    """A way out. REPEATABLE: the same message sent twice leaves one message."""

    CARRIER: str
    REPEATABLE: bool

    def send(self, message: Message) -> str:
        """Send; give the carrier's reference, or raise DeliveryError."""


@runtime_checkable
class ReceiptChannel(Protocol):
    """A way out whose carrier tells afterwards what became of a message."""

    CARRIER: str

    def look(self, reference: str) -> CarrierReport:
        """Ask what became of a message; DeliveryError if the carrier cannot say."""

    def find(self, address: str, media_sha256: str) -> CarrierReport | None:
        """Find a message by its media token's hash; None if surely not there."""

    def forget(self, reference: str) -> None:
        """Have the carrier destroy its copy; no error if it has none."""


@runtime_checkable
class StoppingChannel(Protocol):
    """A way out whose carrier can be kept from sending what it has taken."""

    def stop(self, reference: str) -> None:
        """Ask for it not to be sent; DeliveryError where the carrier does not."""


@runtime_checkable
class IncomingChannel(Protocol):
    """A way whose carrier lists what came in, for an office that it cannot reach."""

    CARRIER: str

    def incoming(self, *, since: datetime) -> list[IncomingFax]:
        """List the faxes that came in whole since a time."""

    def pages_of(self, reference: str) -> bytes:
        """Fetch a fax's pages; DeliveryError if the carrier does not give them."""


@runtime_checkable
class CheckedChannel(Protocol):
    """A way that can be tried without sending anything."""

    def check(self) -> Iterator[Finding]:
        """Find out, one thing after another; DeliveryError where one cannot be had."""


# Channel and scheme of its address → module of gateway.channels.
_MODULES = {
    (ChannelName.EMAIL, "folder"): "folder",
    (ChannelName.EMAIL, "smtp"): "email_smtp",
    (ChannelName.EMAIL, "smtps"): "email_smtp",
    (ChannelName.FAX, "folder"): "folder",
    (ChannelName.FAX, "laml+https"): "fax_laml",
    (ChannelName.FAX, "laml+http"): "fax_laml",
    (ChannelName.FAX, "sinch+https"): "fax_sinch",
    (ChannelName.FAX, "sinch+http"): "fax_sinch",
    (ChannelName.FAX, "hylafax"): "fax_hylafax",
    (ChannelName.LETTER, "folder"): "letters_print",
    (ChannelName.LETTER, "lob+https"): "letters_lob",
    (ChannelName.LETTER, "lob+http"): "letters_lob",
    (ChannelName.SMS, ""): "sms_off",
    (ChannelName.SMS, "folder"): "sms_folder",
    (ChannelName.SMS, "twilio+https"): "sms_twilio",
    (ChannelName.SMS, "twilio+http"): "sms_twilio",
}


def for_channel(name: ChannelName) -> Channel:
    """Give the channel that the settings choose."""
    chosen = settings.current()
    address = {
        ChannelName.EMAIL: chosen.mail_url.get_secret_value(),
        ChannelName.FAX: chosen.fax_url.get_secret_value(),
        ChannelName.LETTER: chosen.letters_url.get_secret_value(),
        ChannelName.SMS: chosen.sms_url.get_secret_value(),
    }[name]
    module = _MODULES[name, urlsplit(address).scheme]
    return cast("Channel", import_module(f"gateway.channels.{module}"))


def for_delivery(delivery: Delivery) -> Channel:
    """Give the channel of a delivery: a letter with a password is printed here.

    Unless the settings let the print-and-mail company have it too.
    """
    if in_house.prints(delivery):
        return cast("Channel", import_module("gateway.channels.letters_print"))
    return for_channel(delivery.channel)


def repeatable() -> frozenset[str]:
    """Name the carriers where a second sending leaves one message."""
    used = {way.CARRIER for way in map(for_channel, ChannelName) if way.REPEATABLE}
    return frozenset(used | {in_house.CARRIER})


def carriers() -> dict[ChannelName, str]:
    """Name the carrier of each channel that the settings choose, if it has one."""
    chosen = {name: for_channel(name).CARRIER for name in ChannelName}
    return {name: carrier for name, carrier in chosen.items() if carrier != "none"}


def with_receipts(carrier: str) -> ReceiptChannel | None:
    """Give the channel to ask about a carrier's messages, if it is the one in use."""
    for name in ChannelName:
        channel = for_channel(name)
        if carrier == channel.CARRIER and isinstance(channel, ReceiptChannel):
            return channel
    return None


def with_incoming(carrier: str) -> IncomingChannel | None:
    """Give the channel that lists a carrier's incoming faxes, if it is in use."""
    channel: object = for_channel(ChannelName.FAX)
    if isinstance(channel, IncomingChannel) and carrier == channel.CARRIER:
        return channel
    return None
