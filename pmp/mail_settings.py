"""Which email addresses and mailboxes the settings may name; pure."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_ADDRESS = re.compile(r"[\w.!#$%&'*/=?^{|}~+-]+@[\w.-]+", re.ASCII)


def address(text: str) -> str:
    """Give back one email address, or nothing; ValueError else."""
    if text and not _ADDRESS.fullmatch(text):
        raise ValueError("give one email address, such as pmp@example.org")
    return text


def mailbox(url: str) -> str:
    """Give back the address of an IMAP mailbox, or nothing; ValueError else."""
    parts = urlsplit(url)
    if url and (parts.scheme not in {"imap", "imaps"} or not parts.hostname):
        raise ValueError("use imaps://user:password@host:993/Folder")
    if "none" in parse_qs(parts.query).get("tls", []) and (
        parts.hostname not in LOOPBACK
    ):
        raise ValueError("tls=none is for this machine alone")
    if not unquote(url).isascii() or re.search(r"[\x00-\x1f]", unquote(url)):
        raise ValueError("its name, password and folders must be plain ASCII")
    return url
