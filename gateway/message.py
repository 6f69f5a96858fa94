"""What a channel is handed, and the one error that it raises."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from models import ErrorClass


@dataclass(frozen=True)
class Message:
    """A composed message. A composer fills the first nine; the worker the others.

    `certificate` (PEM) is what the PDF of an email is sealed for, `pass_phrase` what
    opens it: without one of them no email carries one. `certified`: as a letter it is
    to be sent so that its receipt is proven. `to_name` is for the cover sheet of a fax
    whose PDF does not begin with one of its own (`has_cover`). `key` is the attempt's
    idempotency key, `delivery_id` stays the same from one attempt to the next,
    `media_url` is where a fax carrier fetches the PDF and `status_url` where it
    reports; after `until` nobody wants it any more.
    """

    address: str
    subject: str = ""
    text: str = ""
    pdf: bytes | None = None
    certificate: str = ""
    pass_phrase: str = field(default="", repr=False)
    certified: bool = False
    to_name: str = ""
    has_cover: bool = False
    delivery_id: int = 0
    key: str = ""
    media_url: str = ""
    status_url: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class IncomingFax:
    """A fax that a carrier has for us: its reference there, and who sent it."""

    reference: str
    from_number: str


class DeliveryError(Exception):
    """A channel could not send; `error_class` says what follows from it.

    IN_DOUBT: the carrier may have the message. `retry_after` is the carrier's wish.
    The text is kept and shown to staff; it holds no message and no secret.
    """

    def __init__(
        self,
        error_class: ErrorClass,
        text: str,
        *,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(text)
        self.error_class = error_class
        self.retry_after = retry_after
