"""Files that the program keeps, encrypted at rest with the document key (AES-256-GCM).

They live in the database, so that any web host or worker can read them and a back-up
holds them.
"""

import hashlib
import os
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from models import Document, DocumentKind
from pmp import settings

NONCE_BYTES = 12


class DocumentLostError(Exception):
    """The document was purged, or was sealed with another key."""


def keep(*, kind: DocumentKind, media_type: str, body: bytes, at: datetime) -> Document:
    """Seal and store a file; `body` is never written anywhere in clear."""
    sealed = seal(body, purpose=kind.value)
    document: Document = Document.create(
        kind=kind,
        media_type=media_type,
        sha256=hashlib.sha256(body).hexdigest(),
        size=len(body),
        sealed=sealed,
        created_at=at,
    )
    return document


def same(*, kind: DocumentKind, sha256: str) -> Document | None:
    """Give a file of a kind that is kept already, by the hash of its bytes."""
    found: Document | None = (
        Document.select()
        .where(Document.sha256 == sha256)
        .where(Document.kind == kind)
        .where(Document.purged_at.is_null())
        .first()
    )
    return found


def read(document: Document) -> bytes:
    """Give a kept file's bytes; DocumentLostError if purged or of another key."""
    if document.sealed is None:
        raise DocumentLostError(f"document {document.id} was purged")
    try:
        return unseal(bytes(document.sealed), purpose=document.kind.value)
    except DocumentLostError as error:
        raise DocumentLostError(f"document {document.id}: {error}") from error


def purge(document: Document, *, at: datetime) -> None:
    """Destroy a kept file's bytes; its row, size and SHA-256 stay."""
    (
        Document.update(sealed=None, purged_at=at)
        .where(Document.id == document.id)
        .execute()
    )


def seal(body: bytes, *, purpose: str) -> bytes:
    """Encrypt with the document key; only the same purpose opens it again."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _cipher().encrypt(nonce, body, purpose.encode())


def unseal(sealed: bytes, *, purpose: str) -> bytes:
    """Decrypt what `seal` made; DocumentLostError if of another key or purpose."""
    nonce, cipher_text = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    try:
        return _cipher().decrypt(nonce, cipher_text, purpose.encode())
    except InvalidTag as error:
        raise DocumentLostError("wrong document key") from error


def _cipher() -> AESGCM:
    secret = settings.current().document_key.get_secret_value().encode()
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"documents").derive(
        secret
    )
    return AESGCM(key)
