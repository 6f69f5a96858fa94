"""A mail relay (aiosmtpd) on this machine that fails as it is told to.

Each message takes the next step of `script`, else `usual`: ok · 421 450 550 554 (the
answer to its recipient) · 451-data 554-data (the answer to its text) · drop-before
drop-data (the line is cut before, or with, the text, which is not taken) · drop-after
(it is taken, then the line is cut without an answer).
"""

import datetime as dt
import ipaddress
import socket
import ssl
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Relay:
    """Use as a context manager; `url` is what PMP_MAIL_URL is set to."""

    def __init__(
        self, *script: str, usual: str = "ok", certificate: Path | None = None
    ) -> None:
        self.script, self.usual = list(script), usual
        self.taken: list[Any] = []
        self.recipients: list[str] = []
        self.was_encrypted: list[bool] = []
        self.step = usual
        context = _context(certificate) if certificate else None
        self._port = _free_port()
        self._controller = Controller(
            self, hostname="127.0.0.1", port=self._port, tls_context=context
        )
        self.tls = "required" if certificate else "none"

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._port}?tls={self.tls}"

    # What aiosmtpd calls

    async def handle_RCPT(  # noqa: N802
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        self.step = self.script.pop(0) if self.script else self.usual
        self.was_encrypted.append(session.ssl is not None)
        if self.step.isdecimal():
            return f"{self.step} 5.1.1 as told"
        envelope.rcpt_tos.append(address)
        if self.step == "drop-before":
            server.transport.abort()  # type: ignore[union-attr]
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self.step == "drop-data":
            server.transport.abort()  # type: ignore[union-attr]
            return "451 4.3.0 as told"
        if self.step.endswith("-data"):
            return f"{self.step[:3]} 4.3.0 as told"
        content: Any = envelope.content
        mail: Any = message_from_bytes(content, policy=policy.default)
        self.taken.append(mail)
        self.recipients += envelope.rcpt_tos
        if self.step == "drop-after":
            server.transport.abort()  # type: ignore[union-attr]
        return "250 OK"


def make_certificate(
    folder: Path, *, address: str = "127.0.0.1", days_left: int = 1
) -> Path:
    """Make a certificate for 127.0.0.1 that is its own authority, and its key.

    For another address, or one that is over, as the test wants.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    now = dt.datetime.now(dt.UTC)
    here = x509.IPAddress(ipaddress.ip_address(address))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=9))
        .not_valid_after(now + dt.timedelta(days=days_left))
        .add_extension(x509.SubjectAlternativeName([here]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "relay.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as there:
        port: int = there.getsockname()[1]
        return port


def _context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
