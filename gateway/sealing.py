"""Sealing a document for one mailbox: S/MIME, or a PDF that a pass phrase opens.

S/MIME (RFC 8551, AES-256, RSA) seals a whole mail of its own, text and attachment;
outside stand only the addresses, a subject that names nobody, and the seal. A locked
PDF (ISO 32000-2, revision 6: AES-256) leaves the text beside it open.
"""

import io
import secrets
from email.message import EmailMessage
from email.policy import SMTP

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509 import load_pem_x509_certificate
from pypdf import PdfReader, PdfWriter
from pypdf.errors import PyPdfError

from gateway.message import DeliveryError
from models import ErrorClass

FILE_NAME = "report.pdf"


def seal(mail: EmailMessage, *, text: str, pdf: bytes, certificate: str) -> None:
    """Give a mail its sealed content: the text and the PDF, for one certificate.

    DeliveryError DOCUMENT where the certificate cannot be used.
    """
    inside = EmailMessage(policy=SMTP)
    inside.set_content(text, cte="quoted-printable")
    inside.add_attachment(
        pdf, maintype="application", subtype="pdf", filename=FILE_NAME
    )
    try:
        sealed = (
            pkcs7.PKCS7EnvelopeBuilder()
            .set_data(inside.as_bytes())
            .add_recipient(load_pem_x509_certificate(certificate.encode()))
            .set_content_encryption_algorithm(AES256)
            .encrypt(Encoding.DER, [pkcs7.PKCS7Options.Binary])
        )
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        name = type(error).__name__
        raise DeliveryError(ErrorClass.DOCUMENT, f"not sealed: {name}") from error
    mail.set_content(
        sealed,
        maintype="application",
        subtype="pkcs7-mime",
        params={"smime-type": "enveloped-data", "name": "smime.p7m"},
        disposition="attachment",
        filename="smime.p7m",
    )


def attach_locked(mail: EmailMessage, *, pdf: bytes, pass_phrase: str) -> None:
    """Attach a PDF that opens with a pass phrase; DeliveryError DOCUMENT if it cannot.

    The owner's password is made and forgotten: it would open the file as well.
    """
    try:
        writer, locked = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf))), io.BytesIO()
        owner = secrets.token_urlsafe(32)
        writer.encrypt(pass_phrase, owner_password=owner, algorithm="AES-256")
        writer.write(locked)
    except (PyPdfError, ValueError, TypeError, KeyError) as error:
        name = type(error).__name__
        raise DeliveryError(ErrorClass.DOCUMENT, f"not locked: {name}") from error
    mail.add_attachment(
        locked.getvalue(), maintype="application", subtype="pdf", filename=FILE_NAME
    )
