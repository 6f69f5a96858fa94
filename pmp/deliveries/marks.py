"""Marks that an email carries, by which what comes back is known as our message's.

Each is the delivery's number and a seal made with the secret key, so that nobody can
make one for a message that they never saw: `<number>.<seal>@…` as Message-ID, the same
in the bounce address, and as the envelope's id of RFC 3461.
"""

import hmac
import re

from pmp import settings

_MARK = re.compile(r"(\d{1,18})\.([0-9a-f]{16,24})")
_SEPARATOR = "+"


def message_id(delivery_id: int) -> str:
    """Give the Message-ID of all emails of a delivery: one sent twice is one."""
    domain = settings.current().mail_from.rpartition("@")[2]
    return f"<{delivery_id}.{_seal('message', delivery_id, 24)}@{domain}>"


def envelope_id(delivery_id: int) -> str:
    """Give what RFC 3461 calls ENVID, which a report of delivery repeats."""
    return f"{delivery_id}.{_seal('envelope', delivery_id, 16)}"


def envelope_sender(delivery_id: int) -> str:
    """Give the address that bounces of a delivery's emails go to.

    bounce+<number>.<seal>@… where PMP_MAIL_BOUNCE_TO is set, else PMP_MAIL_FROM.
    """
    chosen = settings.current()
    if not chosen.mail_bounce_to:
        return chosen.mail_from
    local, _, domain = chosen.mail_bounce_to.rpartition("@")
    seal = _seal("bounce", delivery_id, 16)
    return f"{local}{_SEPARATOR}{delivery_id}.{seal}@{domain}"


def of_message_id(text: str) -> int | None:
    """Give the delivery of a Message-ID of ours; None of any other, or a forged one."""
    found = _MARK.match(text.strip().strip("<>"))
    return _sealed(found, "message", 24)


def of_envelope_id(text: str) -> int | None:
    """Give the delivery of an envelope id of ours; None of any other."""
    return _sealed(_MARK.fullmatch(text.strip()), "envelope", 16)


def of_bounce_address(address: str) -> int | None:
    """Give the delivery that a bounce address of ours is for; None of any other."""
    found = _in_bounce_address(address)
    return _sealed(found, "bounce", 16)


def is_forged(address: str) -> bool:
    """Tell whether it has the form of a bounce address of ours, but not its seal."""
    found = _in_bounce_address(address)
    return found is not None and _sealed(found, "bounce", 16) is None


def _in_bounce_address(address: str) -> re.Match[str] | None:
    ours = settings.current().mail_bounce_to.lower()
    local, _, domain = ours.rpartition("@")
    given, _, given_domain = address.strip().strip("<>").lower().rpartition("@")
    start = f"{local}{_SEPARATOR}"
    if not ours or domain != given_domain or not given.startswith(start):
        return None
    return _MARK.fullmatch(given.removeprefix(start))


def _sealed(found: re.Match[str] | None, purpose: str, length: int) -> int | None:
    if found is None:
        return None
    right = _seal(purpose, int(found[1]), length)
    return int(found[1]) if hmac.compare_digest(found[2], right) else None


def _seal(purpose: str, delivery_id: int, length: int) -> str:
    key = settings.current().secret_key.get_secret_value().encode()
    text = f"{purpose}:{delivery_id}".encode()
    return hmac.new(key, text, "sha256").hexdigest()[:length]
