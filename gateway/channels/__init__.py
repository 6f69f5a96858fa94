"""The ways out, one module each, chosen by the settings.

Every channel sends; one whose carrier gives receipts can also look a message up by its
reference and find one by what was sent. A new carrier is a module and a line here.
"""

from importlib import import_module
from typing import Protocol, cast, runtime_checkable
from urllib.parse import urlsplit

from gateway.message import DeliveryError, Message
from models import ChannelName
from pmp import settings
from pmp.deliveries.callbacks import CarrierReport

__all__ = [
    "Channel",
    "DeliveryError",
    "Message",
    "ReceiptChannel",
    "for_channel",
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


# Channel and scheme of its address → module of gateway.channels.
_MODULES = {
    (ChannelName.EMAIL, "folder"): "folder",
    (ChannelName.EMAIL, "smtp"): "email_smtp",
    (ChannelName.EMAIL, "smtps"): "email_smtp",
    (ChannelName.FAX, "folder"): "folder",
    (ChannelName.FAX, "laml+https"): "fax_laml",
    (ChannelName.FAX, "laml+http"): "fax_laml",
    (ChannelName.LETTER, "folder"): "letters_print",
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
        ChannelName.LETTER: chosen.letters_url,
        ChannelName.SMS: chosen.sms_url.get_secret_value(),
    }[name]
    module = _MODULES[name, urlsplit(address).scheme]
    return cast("Channel", import_module(f"gateway.channels.{module}"))


def with_receipts(carrier: str) -> ReceiptChannel | None:
    """Give the channel to ask about a carrier's messages, if it is the one in use."""
    for name in (ChannelName.FAX, ChannelName.SMS):
        channel = for_channel(name)
        if carrier == channel.CARRIER and isinstance(channel, ReceiptChannel):
            return channel
    return None
