"""Emails and faxes as files in <data dir>/outgoing/: for a demo, a trial, a test.

A file is named by its delivery, so that the same message written twice is one file.
"""

from email.policy import SMTP
from pathlib import Path

from gateway.channels import email_smtp
from gateway.message import DeliveryError, Message
from models import ErrorClass
from pmp import settings

CARRIER = "folder"
REPEATABLE = True


def send(message: Message) -> str:
    """Write <delivery>.eml or <delivery>.pdf; give the attempt's key as reference."""
    if "@" in message.address:
        kind, ending, body = "email", "eml", _mail(message)
    else:
        kind, ending, body = "fax", "pdf", _fax(message)
    folder = settings.current().data_dir / "outgoing" / kind
    try:
        write(folder / f"{message.delivery_id}.{ending}", body)
    except OSError as error:
        raise DeliveryError(ErrorClass.CONFIGURATION, error.strerror or "") from error
    return message.key


def _mail(message: Message) -> bytes:
    return email_smtp.made(message).as_bytes(policy=SMTP)


def _fax(message: Message) -> bytes:
    if message.pdf is None:
        raise DeliveryError(ErrorClass.DOCUMENT, "there is nothing to fax")
    return message.pdf


def write(path: Path, body: bytes) -> None:
    """Write a file whole or not at all, in a folder that is ours alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_suffix(".part")
    part.write_bytes(body)
    part.replace(path)
