"""Email by SMTP, with verified TLS unless the settings say otherwise.

PMP_MAIL_URL is smtp://user:password@host:port?tls=required|optional|none, or smtps://
for TLS from the first byte. One recipient a message. A delivery's emails all have one
Message-ID, so that a copy sent in doubt is recognised as one; where bounces go to, and
what a report of delivery repeats, are marks of the same delivery.
"""

import contextlib
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from gateway import sealing
from gateway.channels.smtp_answers import Moment, meaning
from gateway.message import DeliveryError, Message
from gateway.time_limit import TimeLimit
from models import ErrorClass
from pmp import settings
from pmp.deliveries import marks

CARRIER = "smtp"
REPEATABLE = False
TLS = ("required", "optional", "none")
# How many of a single answer's time-outs the whole conversation may last.
MOST_TIMEOUTS = 4
LONGEST_LINE = 78  # RFC 5322, 2.1.1
LONGEST_REFERENCE = 200


def send(message: Message) -> str:
    """Hand the email to the relay; give the attempt's key and the relay's own words.

    In these it names the message in its log. What an answer means is in smtp_answers.
    A connection lost, or time over, once the text has begun to go is IN_DOUBT: the
    relay may have it.
    """
    mail = made(message)
    with TimeLimit(longest_seconds()) as limit, _relay(limit) as relay:
        _offer(relay, message, limit)
        said = _hand_over(relay, message, mail, limit)
    return f"{message.key} {said}".strip()[:LONGEST_REFERENCE]


def longest_seconds() -> float:
    """Give how long a conversation may last as a whole: always less than a lease."""
    chosen = settings.current()
    timeout, lease = chosen.channel_timeout_seconds, chosen.lease_seconds
    return min(timeout * MOST_TIMEOUTS, (timeout + lease) / 2)


def made(message: Message) -> EmailMessage:
    """Make the email of a message: plain text, or text and PDF under seal.

    DeliveryError DOCUMENT where it would carry a file without one, REJECTED for an
    address that cannot be one.
    """
    if message.pdf is not None and not (message.certificate or message.pass_phrase):
        raise DeliveryError(ErrorClass.DOCUMENT, "an email must not carry a document")
    chosen = settings.current()
    mail = EmailMessage()
    try:
        mail["To"] = _recipient(message.address)
        mail["Subject"] = message.subject
    except (ValueError, HeaderParseError, IndexError) as error:
        raise DeliveryError(ErrorClass.REJECTED, "not an email address") from error
    mail["From"] = Address(chosen.system_name, addr_spec=chosen.mail_from)
    mail["Message-ID"] = marks.message_id(message.delivery_id)
    mail["Auto-Submitted"] = "auto-generated"
    _fill(mail, message)
    return mail


def _fill(mail: EmailMessage, message: Message) -> None:
    text, pdf = message.text, message.pdf
    if pdf is None:
        mail.set_content(text, cte=_encoding(text))
    elif message.certificate:
        sealing.seal(mail, text=text, pdf=pdf, certificate=message.certificate)
    else:
        mail.set_content(text, cte=_encoding(text))
        sealing.attach_locked(mail, pdf=pdf, pass_phrase=message.pass_phrase)


def _recipient(address: str) -> Address | str:
    """Give the address if it has the form of one; ValueError and others if not."""
    if any(not sign.isprintable() or sign.isspace() for sign in address):
        raise ValueError("a blank or a control character in an address")
    # The library refuses letters beyond ASCII; whether the relay does is seen later.
    plain = Address(addr_spec=re.sub(r"[^\x00-\x7f]", "x", address))
    return plain if address.isascii() else address


def _encoding(text: str) -> str:
    """Choose what every relay carries unchanged, whether it takes eight bits or not."""
    short = all(len(line) <= LONGEST_LINE for line in text.splitlines())
    return "7bit" if text.isascii() and short else "quoted-printable"


class _Relay(smtplib.SMTP):
    """smtplib's client, within a time limit, with TLS from the first byte or not."""

    def __init__(self, url: SplitResult, limit: TimeLimit) -> None:
        self._limit = limit
        self._context = _trust() if url.scheme == "smtps" else None
        timeout = settings.current().channel_timeout_seconds
        port = url.port or (465 if self._context else 587)
        super().__init__(url.hostname or "", port, timeout=timeout)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection = socket.create_connection((host, port), timeout)
        self._limit.watch(connection)
        if self._context:
            return self._context.wrap_socket(connection, server_hostname=host)
        return connection


@contextmanager
def _relay(limit: TimeLimit) -> Iterator[smtplib.SMTP]:
    """Connect, and leave as one should; a lost good-bye changes nothing."""
    url = urlsplit(settings.current().mail_url.get_secret_value())
    relay = _connected(url, limit)
    try:
        yield relay
    finally:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            relay.quit()


def _connected(url: SplitResult, limit: TimeLimit) -> smtplib.SMTP:
    try:
        return _open(url, limit)
    except (ssl.SSLError, smtplib.SMTPNotSupportedError) as error:
        if limit.is_over:
            raise _down(error, limit) from error
        raise DeliveryError(ErrorClass.CONFIGURATION, f"TLS: {error}") from error
    except smtplib.SMTPAuthenticationError as error:
        # 454 is a temporary failure of authentication (RFC 4954).
        text = _bytes(error.smtp_error).decode("ascii", "replace")
        kind = meaning(Moment.SENDER, error.smtp_code, text)
        raise DeliveryError(kind, f"{error.smtp_code} sign-in refused") from error
    except (OSError, smtplib.SMTPException) as error:
        raise _down(error, limit) from error


def _open(url: SplitResult, limit: TimeLimit) -> smtplib.SMTP:
    tls = parse_qs(url.query).get("tls", ["required"])[0]
    if tls not in TLS:
        raise DeliveryError(ErrorClass.CONFIGURATION, f"tls={tls}: not known")
    relay = _Relay(url, limit)
    try:
        _greet(relay, url, tls)
    except Exception:
        relay.close()
        raise
    return relay


def _greet(relay: smtplib.SMTP, url: SplitResult, tls: str) -> None:
    relay.ehlo()
    plain = url.scheme != "smtps"
    if plain and (
        tls == "required" or (tls == "optional" and relay.has_extn("starttls"))
    ):
        relay.starttls(context=_trust())
    if url.username:
        relay.login(unquote(url.username), unquote(url.password or ""))


def _trust() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=settings.current().mail_ca_file or None)


def _offer(relay: smtplib.SMTP, message: Message, limit: TimeLimit) -> None:
    """Name sender and recipient, and ask for word of what becomes of the message."""
    number, address = message.delivery_id, message.address
    try:
        relay.ehlo_or_helo_if_needed()
        about_mail, about_recipient = _wishes(relay, number, address)
        sender = marks.envelope_sender(number)
        _agreed(Moment.SENDER, relay.mail(sender, about_mail))
        _agreed(Moment.RECIPIENT, relay.rcpt(address, about_recipient))
    except (OSError, smtplib.SMTPException) as error:
        raise _down(error, limit) from error


def _wishes(
    relay: smtplib.SMTP, number: int, address: str
) -> tuple[list[str], list[str]]:
    """Give the parameters of MAIL and RCPT that this relay understands.

    RET=HDRS: a bounce brings our own text back to nobody (RFC 3461).
    """
    about_mail, about_recipient = [], []
    if not address.isascii():
        if not relay.has_extn("smtputf8"):
            text = "the relay takes no address with letters beyond ASCII"
            raise DeliveryError(ErrorClass.REJECTED, text)
        about_mail += ["SMTPUTF8", "BODY=8BITMIME"]
    if relay.has_extn("dsn"):
        about_mail += ["RET=HDRS", f"ENVID={marks.envelope_id(number)}"]
        about_recipient += ["NOTIFY=FAILURE,DELAY"]
    return about_mail, about_recipient


def _agreed(moment: Moment, answer: tuple[int, bytes]) -> None:
    code, said = answer
    if code not in {250, 251, 252}:
        raise _refused(moment, code, said)


def _refused(moment: Moment, code: int, said: bytes) -> DeliveryError:
    text = said.decode("ascii", "replace")
    return DeliveryError(meaning(moment, code, text), f"{code} {text}")


def _hand_over(
    relay: smtplib.SMTP, message: Message, mail: EmailMessage, limit: TimeLimit
) -> str:
    policy = SMTP if message.address.isascii() else SMTPUTF8
    body = re.sub(rb"(?m)^\.", b"..", mail.as_bytes(policy=policy))
    try:
        code, said = relay.docmd("DATA")
    except (OSError, smtplib.SMTPException) as error:
        raise _down(error, limit) from error
    if code != 354:
        raise _refused(Moment.TEXT, code, said)
    try:
        relay.send(body + b".\r\n")
        code, said = relay.getreply()
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryError(ErrorClass.IN_DOUBT, str(_down(error, limit))) from error
    if not 200 <= code < 600:
        raise DeliveryError(ErrorClass.IN_DOUBT, "the relay's answer cannot be read")
    _agreed(Moment.TEXT, (code, said))
    return "".join(filter(str.isprintable, said.decode("ascii", "replace")))


def _down(error: Exception, limit: TimeLimit) -> DeliveryError:
    """Say that the relay is away for now, or what it answered instead of a greeting."""
    if limit.is_over:
        return DeliveryError(ErrorClass.CARRIER_DOWN, "the relay took too long")
    if isinstance(error, smtplib.SMTPResponseException):
        code = error.smtp_code
        text = _bytes(error.smtp_error).decode("ascii", "replace")
        kind = meaning(Moment.SENDER, code, text) if code > 0 else None
        return DeliveryError(kind or ErrorClass.CARRIER_DOWN, f"{code} {text}")
    if isinstance(error, socket.gaierror):
        text = "the mail relay's name is not known"
        return DeliveryError(ErrorClass.CARRIER_DOWN, text)
    return DeliveryError(ErrorClass.CARRIER_DOWN, f"{type(error).__name__}: {error}")


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
