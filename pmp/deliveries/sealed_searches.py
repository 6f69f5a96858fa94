"""What staff searched for, sealed: a page's address may hold it, and says nothing.

A number, an email address or a name narrows the list of deliveries, and may be a
patient's. Sealed with the document key it lasts in the links to the next page and to
the file, while no log, history or bookmark tells what it was.
"""

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pmp import settings

NONCE_BYTES = 12
LONGEST = 100


def seal(text: str) -> str:
    """Give a search, cut at 100 characters, as a word for an address; "" for none."""
    words = text.strip()[:LONGEST]
    if not words:
        return ""
    nonce = os.urandom(NONCE_BYTES)
    sealed = nonce + _cipher().encrypt(nonce, words.encode(), None)
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def opened(word: str) -> str:
    """Give the search that `seal` made a word of; "" for anything else."""
    try:
        sealed = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_")
        body = _cipher().decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None)
    except (ValueError, binascii.Error, InvalidTag):
        return ""
    return body.decode()


def _cipher() -> AESGCM:
    secret = settings.current().document_key.get_secret_value().encode()
    made = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"searches")
    return AESGCM(made.derive(secret))
