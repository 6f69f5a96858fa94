"""Reading a recipient's S/MIME certificate, and saying why one will not do; pure.

A certificate is used to seal a report for one mailbox: it must name that mailbox, be
made for sealing email, be in force, and have a key that is not weak. Who issued it is
shown to whoever adds it and not required: the mailbox's owner hands it in after
sign-in, or staff do who have it from them.
"""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pmp.errors import RuleError

LARGEST = 64 * 1024
LEAST_BITS = 2048
_WEAK_HASHES = (hashes.MD5, hashes.SHA1)
_FIELD = "certificate"
_BROKEN = (
    ValueError,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    UnsupportedAlgorithm,
)


@dataclass(frozen=True)
class Certificate:
    """What is kept of a certificate, and shown of it."""

    pem: str
    fingerprint: str  # SHA-256, in hex
    holder: str
    issuer: str
    not_after: datetime


def read(raw: bytes, *, address: str, at: datetime) -> Certificate:
    """Give the certificate for an email address from a file; RuleError if none will do.

    The file is PEM, DER or PKCS #7, with others of its chain or without.
    """
    found = _load(raw)
    try:
        own = [each for each in found if address.lower() in _addresses(each)]
        if not own:
            named = sorted({name for each in found for name in _addresses(each)})
            words = f"it is for {', '.join(named)}" if named else "it names no address"
            raise _refusal(f"This certificate is not for {address}: {words}")
        for each in own:
            _refuse_unfit(each, at=at)
        return _kept(max(own, key=lambda each: each.not_valid_after_utc))
    except _BROKEN as error:
        raise _refusal("This certificate cannot be read; export it anew") from error


def _load(raw: bytes) -> list[x509.Certificate]:
    if len(raw) > LARGEST:
        raise _refusal("This file is too large to be a certificate")
    if b"PRIVATE KEY" in raw:
        raise _refusal(
            "This file holds a private key, which nobody but its owner may have."
            " Nothing was kept; export the certificate without its key"
        )
    for load in (
        x509.load_pem_x509_certificates,
        lambda raw: [x509.load_der_x509_certificate(raw)],
        pkcs7.load_pem_pkcs7_certificates,
        pkcs7.load_der_pkcs7_certificates,
    ):
        try:
            if found := load(raw):
                return found
        except _BROKEN:
            continue
    raise _refusal(
        "This file is no certificate. Choose one that ends in .cer, .crt, .pem or .p7b"
    )


def _addresses(certificate: x509.Certificate) -> set[str]:
    """Give the email addresses that a certificate names, in small letters."""
    subject = certificate.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS)
    named = [str(each.value) for each in subject]
    try:
        names = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
        named += names.value.get_values_for_type(x509.RFC822Name)
    except x509.ExtensionNotFound:
        pass
    return {each.lower() for each in named}


def _refuse_unfit(certificate: x509.Certificate, *, at: datetime) -> None:
    if certificate.not_valid_after_utc <= at:
        day = f"{certificate.not_valid_after_utc:%m/%d/%Y}"
        raise _refusal(f"This certificate was good until {day}; get a new one")
    if certificate.not_valid_before_utc > at:
        raise _refusal("This certificate is not in force yet")
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise _refusal("Only certificates with an RSA key can be used here")
    if key.key_size < LEAST_BITS:
        raise _refusal(
            f"Its key has {key.key_size} bits; it needs {LEAST_BITS} or more"
        )
    if isinstance(certificate.signature_hash_algorithm, _WEAK_HASHES):
        raise _refusal("It is signed with a weak hash (MD5 or SHA-1); get a new one")
    if not _may_seal_mail(certificate):
        raise _refusal(
            "This certificate was not made for sealing email;"
            " ask for one for secure email (S/MIME)"
        )


def _may_seal_mail(certificate: x509.Certificate) -> bool:
    """Tell what RFC 8550 wants of a certificate that mail is sealed for."""
    of_class = certificate.extensions.get_extension_for_class
    try:
        if of_class(x509.BasicConstraints).value.ca:
            return False
    except x509.ExtensionNotFound:
        pass
    try:
        if not of_class(x509.KeyUsage).value.key_encipherment:
            return False
    except x509.ExtensionNotFound:
        pass
    try:
        uses = set(of_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return True
    wanted = {
        ExtendedKeyUsageOID.EMAIL_PROTECTION,
        ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    }
    return bool(uses & wanted)


def _kept(certificate: x509.Certificate) -> Certificate:
    return Certificate(
        pem=certificate.public_bytes(Encoding.PEM).decode(),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        holder=_name(certificate.subject),
        issuer=_name(certificate.issuer),
        not_after=certificate.not_valid_after_utc,
    )


def _name(name: x509.Name) -> str:
    """Give the common name, or the organisation, or the whole of it, in one line."""
    for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        if found := name.get_attributes_for_oid(kind):
            return _line(str(found[0].value))
    return _line(name.rfc4514_string())


def _line(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable())[:200] or "no name"


def _refusal(words: str) -> RuleError:
    return RuleError(words, _FIELD)
