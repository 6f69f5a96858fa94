"""Was a call-back signed with our key? All the ways in which LaML carriers sign.

Over the address and the body as it came, in hex: X-SignalWire-SHA256-Signature and
X-SignalWire-Signature (SHA-1). Over the address and the sorted fields, in base64:
X-Twilio-Signature and X-SignalWire-Signature, SHA-1, or what the header
X-Twilio-Webhooks-Signature-Settings names (HMAC_SHA1, HMAC_SHA256).
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

LARGEST_BODY = 64 * 1024
_SETTINGS = "x-twilio-webhooks-signature-settings"
_DIGESTS = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}
_PORTS = {"https": 443, "http": 80}


def is_signed(*, url: str, body: bytes, headers: Mapping[str, str], key: str) -> bool:
    """Tell whether a call-back was signed with our key; without a key nothing is.

    `url` is the address that we gave out, with its query, never one made from the
    request's Host. Carriers differ in whether they write the usual port of a scheme
    into what they sign: both are good. A signature in SHA-256, once given, must be
    right: a weaker one does not stand in for it.
    """
    if not key or len(body) > LARGEST_BODY:
        return False
    given = {name.lower(): value for name, value in headers.items()}
    return any(_is_signed(each, body, given, key) for each in _addresses(url))


def _is_signed(url: str, body: bytes, given: Mapping[str, str], key: str) -> bool:
    strong = given.get("x-signalwire-sha256-signature")
    if strong is not None:
        return _same(strong, _mac(key, url.encode() + body, "sha256").hex())
    digest = _DIGESTS.get(_algorithm(given.get(_SETTINGS, "")))
    if digest is None:
        return False
    fields = base64.b64encode(_mac(key, _flat(url, body), digest)).decode()
    if digest != "sha1":
        return _same(given.get("x-twilio-signature", ""), fields)
    plain = _mac(key, url.encode() + body, "sha1").hex()
    wire = given.get("x-signalwire-signature", "")
    return (
        _same(wire, plain)
        or _same(wire, fields)
        or _same(given.get("x-twilio-signature", ""), fields)
    )


def _addresses(url: str) -> list[str]:
    """Give the address as it is, and with the usual port put in or left out."""
    parts = urlsplit(url)
    usual = _PORTS.get(parts.scheme)
    if parts.port not in {None, usual} or usual is None:
        return [url]
    host = parts.netloc.removesuffix(f":{usual}")
    forms = [parts._replace(netloc=each).geturl() for each in (host, f"{host}:{usual}")]
    return list(dict.fromkeys([url, *forms]))


def _algorithm(settings: str) -> str:
    for part in settings.split(","):
        name, found, value = part.partition("=")
        if found and name.strip().lower() == "algorithm" and value.strip():
            return value.strip().upper()
    return "HMAC_SHA1"


def _mac(key: str, message: bytes, digest: str) -> bytes:
    return hmac.new(key.encode(), message, getattr(hashlib, digest)).digest()


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.strip().encode(), right.encode())


def _flat(url: str, body: bytes) -> bytes:
    fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    return (url + "".join(name + value for name, value in sorted(set(fields)))).encode()
