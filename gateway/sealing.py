"""Sealing a document for one mailbox: S/MIME (RFC 8551), AES-256, RSA.

What is sealed is a whole mail of its own, text and attachment; outside stand only the
addresses, a subject that names nobody, and the seal.
"""

from email.message import EmailMessage
from email.policy import SMTP

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509 import load_pem_x509_certificate

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
