"""Certificates for sealed email, good ones and every kind of unfit one."""

import datetime as dt
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.conftest import NOW

# Made once: a key takes a while.
KEY = rsa.generate_private_key(65537, 2048)
_PURPOSES = {
    "mail": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "web": ExtendedKeyUsageOID.SERVER_AUTH,
}


def make_mail_certificate(
    address: str = "oakes@example.org",
    *,
    key: Any = KEY,
    days: tuple[int, int] = (-30, 365),
    purpose: str = "mail",
    seals: bool = True,
    authority: bool = False,
    named_in: str = "names",
) -> x509.Certificate:
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, "Rae Oakes")]
    if named_in == "subject":
        subject.append(x509.NameAttribute(NameOID.EMAIL_ADDRESS, address))
    issuer = [x509.NameAttribute(NameOID.COMMON_NAME, "Test Mail Authority")]
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(subject))
        .issuer_name(x509.Name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + dt.timedelta(days=days[0]))
        .not_valid_after(NOW + dt.timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([_PURPOSES[purpose]]), critical=False)
        .add_extension(_usage(seals=seals), critical=True)
    )
    if named_in == "names":
        names = x509.SubjectAlternativeName([x509.RFC822Name(address)])
        made = made.add_extension(names, critical=False)
    return made.sign(key, hashes.SHA256())


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


def private_pem() -> bytes:
    return KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def small_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 1024)  # noqa: S505 - to be refused


def curve_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _usage(*, seals: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=seals,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
