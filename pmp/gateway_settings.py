"""The settings of the gateway: email, fax, letters, text messages, and their times.

Part of pmp.settings, which reads them. docs/settings.md lists each of them.
"""

import re
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from pmp import clock_hours, letter_settings, mail_settings
from pmp.mail_settings import LOOPBACK

PREFIX = "PMP_"
FAX_SCHEMES = frozenset(
    {"folder", "laml+https", "laml+http", "sinch+https", "sinch+http", "hylafax"}
)


class GatewaySettings(BaseModel):
    """How messages leave and come in. `Settings` extends it."""

    mail_url: SecretStr = Field(default=SecretStr("folder:"))
    mail_from: str = "pmp@example.org"
    mail_ca_file: str = ""
    mail_bounce_to: str = ""
    bounce_imap_url: SecretStr = Field(default=SecretStr(""))
    mail_documents: Literal["never", "smime", "pdf"] = "never"
    staff_mail_to: str = ""
    fax_url: SecretStr = Field(default=SecretStr("folder:"))
    fax_signing_key: SecretStr = Field(default=SecretStr(""))
    fax_media_hosts: str = ""
    fax_hours: str = "7-21"
    letters_url: SecretStr = Field(default=SecretStr("folder:"))
    letters_signing_key: SecretStr = Field(default=SecretStr(""))
    letters_credentials: Literal["print", "carrier"] = "print"
    letters_certified: bool = True
    envelope: Literal["double10", "single10"] = "double10"
    fax_imap_url: SecretStr = Field(default=SecretStr(""))
    fax_mail_from: str = ""
    fax_quality: Literal["standard", "fine", "superfine"] = "fine"
    sms_url: SecretStr = Field(default=SecretStr(""))
    sms_from: str = ""
    lease_seconds: int = Field(default=300, ge=1, le=3600)
    channel_timeout_seconds: int = Field(default=30, ge=1, le=120)
    sweep_seconds: int = Field(default=30, ge=1, le=60)
    media_minutes: int = Field(default=120, ge=1, le=1440)
    alert_minutes: int = Field(default=60, ge=5, le=1440)

    @field_validator("fax_hours")
    @classmethod
    def _some_hours_of_a_day(cls, text: str) -> str:
        if not clock_hours.parse(text):
            raise ValueError("write two hours, such as 7-21; 0-24 is any hour")
        return text

    @field_validator("fax_url")
    @classmethod
    def _fax_address(cls, url: SecretStr) -> SecretStr:
        parts = urlsplit(url.get_secret_value())
        if parts.scheme not in FAX_SCHEMES:
            raise ValueError(
                "use folder:, laml+https://project:token@host/path,"
                " sinch+https://key:secret@fax.api.sinch.com/project or"
                " hylafax://user:password@127.0.0.1:4559/modem"
            )
        if parts.scheme == "hylafax" and parts.hostname not in LOOPBACK:
            raise ValueError(
                "hylafax is for this machine alone, since it encrypts nothing; reach"
                " another machine through a tunnel"
            )
        if parts.scheme.endswith("+http") and parts.hostname not in LOOPBACK:
            secure = f"{parts.scheme}s"
            raise ValueError(f"{parts.scheme} is for this machine alone; use {secure}")
        if parts.scheme.startswith("sinch") and not parts.path.strip("/"):
            raise ValueError("name the project: sinch+https://key:secret@host/project")
        return url

    @field_validator("letters_url")
    @classmethod
    def _letters_address(cls, url: SecretStr) -> SecretStr:
        letter_settings.check_address(url.get_secret_value())
        return url

    @field_validator("mail_url")
    @classmethod
    def _mail_address(cls, url: SecretStr) -> SecretStr:
        if urlsplit(url.get_secret_value()).scheme not in {"folder", "smtp", "smtps"}:
            raise ValueError("use folder: or smtp://user:password@host:port")
        return url

    @field_validator("mail_from", "mail_bounce_to")
    @classmethod
    def _email_address(cls, address: str) -> str:
        return mail_settings.address(address)

    @field_validator("bounce_imap_url", "fax_imap_url")
    @classmethod
    def _mailbox_address(cls, url: SecretStr) -> SecretStr:
        return SecretStr(mail_settings.mailbox(url.get_secret_value()))

    @field_validator("sms_url")
    @classmethod
    def _sms_address(cls, url: SecretStr) -> SecretStr:
        parts = urlsplit(url.get_secret_value())
        if parts.scheme not in {"", "folder", "twilio+https", "twilio+http"}:
            raise ValueError("use nothing, folder: or twilio+https://sid:token@host")
        if parts.scheme == "twilio+http" and parts.hostname not in LOOPBACK:
            raise ValueError("twilio+http is for this machine alone; use twilio+https")
        return url

    @model_validator(mode="after")
    def _call_ends_before_its_lease(self) -> Self:
        timeout, lease = self.channel_timeout_seconds, self.lease_seconds
        if timeout >= lease:
            raise ValueError(
                f"{PREFIX}CHANNEL_TIMEOUT_SECONDS ({timeout}) must be less than "
                f"{PREFIX}LEASE_SECONDS ({lease})"
            )
        return self

    @model_validator(mode="after")
    def _fax_mail_has_senders(self) -> Self:
        if self.fax_imap_url.get_secret_value() and not self.fax_mail_from.strip():
            raise ValueError(
                f"{PREFIX}FAX_IMAP_URL needs {PREFIX}FAX_MAIL_FROM: the addresses from"
                " which your provider sends faxes"
            )
        return self

    @model_validator(mode="after")
    def _texts_have_a_sender(self) -> Self:
        by_twilio = self.sms_url.get_secret_value().startswith("twilio+")
        if by_twilio and not re.fullmatch(r"\+1\d{10}|MG[0-9a-f]{32}", self.sms_from):
            raise ValueError(
                f"{PREFIX}SMS_FROM: give the number that text messages come from, such"
                " as +18605550100, or the messaging service's MG… number"
            )
        return self

    @property
    def fax_rings(self) -> bool:
        """Whether a fax rings somewhere: not where it is only written to a folder."""
        return urlsplit(self.fax_url.get_secret_value()).scheme != "folder"
