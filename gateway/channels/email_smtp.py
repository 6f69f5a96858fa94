"""Email by SMTP, with verified TLS unless the settings say otherwise.

PMP_MAIL_URL is smtp://user:password@host:port?tls=required|optional|none, or smtps://
for TLS from the first byte. One recipient a message. A delivery's emails all have one
Message-ID, so that a copy sent in doubt is recognised as one.
"""

import contextlib
import hmac
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from gateway.message import DeliveryError, Message
from models import ErrorClass
from pmp import settings

CARRIER = "smtp"
REPEATABLE = False
TLS = ("required", "optional", "none")


def send(message: Message) -> str:
    """Hand the email to the relay; give its Message-ID.

    A 4xx answer is a relay that is down for now, a 5xx about the recipient is final. A
    connection lost once the text has gone is IN_DOUBT: the relay may have it.
    """
    mail = made(message)
    with _relay() as relay:
        _offer(relay, message.address)
        _hand_over(relay, mail)
    return str(mail["Message-ID"])


def made(message: Message) -> EmailMessage:
    """Make the email of a message, plain text and nothing else.

    DeliveryError DOCUMENT where it would carry a file, REJECTED for an address that
    cannot be one.
    """
    if message.pdf is not None:
        raise DeliveryError(ErrorClass.DOCUMENT, "an email must not carry a document")
    chosen = settings.current()
    mail = EmailMessage()
    try:
        mail["To"] = Address(addr_spec=message.address)
        mail["Subject"] = message.subject
    except (ValueError, HeaderParseError, IndexError) as error:
        raise DeliveryError(ErrorClass.REJECTED, "not an email address") from error
    mail["From"] = Address(chosen.system_name, addr_spec=chosen.mail_from)
    mail["Message-ID"] = _message_id(message.delivery_id, chosen.mail_from)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    return mail


def _message_id(delivery_id: int, sender: str) -> str:
    key = settings.current().secret_key.get_secret_value().encode()
    seal = hmac.new(key, f"message:{delivery_id}".encode(), "sha256").hexdigest()[:24]
    return f"<{delivery_id}.{seal}@{sender.rpartition('@')[2]}>"


@contextmanager
def _relay() -> Iterator[smtplib.SMTP]:
    """Connect, and leave as one should; a lost good-bye changes nothing."""
    relay = _connected(urlsplit(settings.current().mail_url.get_secret_value()))
    try:
        yield relay
    finally:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            relay.quit()


def _connected(url: SplitResult) -> smtplib.SMTP:
    try:
        return _open(url)
    except (ssl.SSLError, smtplib.SMTPNotSupportedError) as error:
        raise DeliveryError(ErrorClass.CONFIGURATION, f"TLS: {error}") from error
    except smtplib.SMTPAuthenticationError as error:
        # 454 is a temporary failure of authentication (RFC 4954).
        kind = _class_of(error.smtp_code, refused=ErrorClass.CONFIGURATION)
        raise DeliveryError(kind, f"{error.smtp_code} sign-in refused") from error
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryError(ErrorClass.CARRIER_DOWN, _short(error)) from error


def _open(url: SplitResult) -> smtplib.SMTP:
    timeout = settings.current().channel_timeout_seconds
    host, tls = url.hostname or "", parse_qs(url.query).get("tls", ["required"])[0]
    if tls not in TLS:
        raise DeliveryError(ErrorClass.CONFIGURATION, f"tls={tls}: not known")
    relay: smtplib.SMTP
    if url.scheme == "smtps":
        relay = smtplib.SMTP_SSL(
            host, url.port or 465, timeout=timeout, context=_trust()
        )
    else:
        relay = smtplib.SMTP(host, url.port or 587, timeout=timeout)
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


def _offer(relay: smtplib.SMTP, address: str) -> None:
    try:
        relay.ehlo_or_helo_if_needed()
        answers = [relay.mail(settings.current().mail_from), relay.rcpt(address)]
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryError(ErrorClass.CARRIER_DOWN, _short(error)) from error
    for code, text in answers:
        if code not in {250, 251, 252}:
            raise DeliveryError(_class_of(code), _answer(code, text))


def _hand_over(relay: smtplib.SMTP, mail: EmailMessage) -> None:
    try:
        code, text = relay.data(mail.as_bytes(policy=mail.policy.clone(linesep="\r\n")))
    except smtplib.SMTPDataError as error:  # refused before the text was sent
        code, text = error.smtp_code, _bytes(error.smtp_error)
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryError(ErrorClass.IN_DOUBT, _short(error)) from error
    if code != 250:
        raise DeliveryError(_class_of(code), _answer(code, text))


def _class_of(code: int, refused: ErrorClass = ErrorClass.REJECTED) -> ErrorClass:
    return refused if 500 <= code < 600 else ErrorClass.CARRIER_DOWN


def _answer(code: int, text: bytes) -> str:
    return f"{code} {text.decode('ascii', 'replace')}"


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def _short(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _answer(error.smtp_code, _bytes(error.smtp_error))
    if isinstance(error, socket.gaierror):
        return "the mail relay's name is not known"
    return f"{type(error).__name__}: {error}"
