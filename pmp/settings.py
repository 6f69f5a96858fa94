"""Typed settings from PMP_* variables, or files that PMP_*_FILE name.

All problems are named at once and stop the start. A state runs the program by setting
these; docs/settings.md lists each of them.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ConfigDict, Field, SecretStr, ValidationError, field_validator

from pmp import (
    clock_hours,
    gateway_settings,
    letter_settings,
    mail_settings,
    mme,
    reported_drugs,
    ticket_wordings,
)
from pmp.account_settings import AccountSettings
from pmp.asap import programme as asap_programme
from pmp.disclosure_settings import DisclosureSettings
from pmp.gateway_settings import GatewaySettings

PREFIX = gateway_settings.PREFIX
LOOPBACK = mail_settings.LOOPBACK


class SettingsError(Exception):
    """The settings are wrong; the text names each problem on a line of its own."""


class Settings(AccountSettings, DisclosureSettings, GatewaySettings):
    """Everything that differs from one installation or one state to another."""

    model_config = ConfigDict(frozen=True)

    # Where things are.
    data_dir: Path = Path("var")
    database_url: str = "sqlite:///var/pmp.db"
    queue_url: str = ""
    public_url: str = "http://127.0.0.1:8000"
    trusted_proxy: str = ""
    secret_key: SecretStr = Field(default=SecretStr(""), validate_default=True)
    document_key: SecretStr = Field(default=SecretStr(""), validate_default=True)

    # The program's own facts.
    demo: bool = False
    settings_fixed: str = ""
    time_zone: str = "America/New_York"
    state_name: str = "Connecticut"
    state_code: str = "CT"
    system_name: str = "Connecticut Prescription Monitoring Program"
    short_name: str = "CPMRS"
    department: str = "Department of Consumer Protection"
    department_short: str = "DCP"
    office_lines: str = (
        "Department of Consumer Protection\nPrescription Monitoring Program\n"
        "165 Capitol Avenue, Room 145\nHartford, CT 06106"
    )
    program_phone: str = "+18607136073"
    fax_number: str = "+18607137242"
    help_phone: str = "+18666833246"
    help_email: str = "ctrxreport@otech.com"
    web_site: str = "www.ct.gov/dcp"
    portal_name: str = "https://www.ctpmp.com"
    hipaa_site: str = "http://www.dhhs.gov/ocr/hipaa/"
    statutes: str = (
        "Connecticut General Statutes 20-570 to 20-630 and 21a-240 to 21a-283"
    )
    reporting_law: str = (
        "Connecticut General Statutes section 21a-254(j) and Regulations of"
        " Connecticut State Agencies sections 21a-254-2 to 21a-254-7"
    )
    disclosure_notice: str = (
        "Confidential patient information, disclosed for care under HIPAA and state"
        " law. Use no more of it than the purpose above needs, and for nothing else; do"
        " not pass it on except as the law allows. The program records this disclosure"
        " and accounts for it to the patient on request (45 CFR 164.528)."
    )
    treatment_line: str = (
        "SAMHSA's National Helpline, free and private, day and night: 1-800-662-4357."
    )
    leaflets_dir: str = ""
    registration_prefix: str = "CTR"
    address_of_record_help: str = "You can change it at www.elicense.ct.gov."
    roster_practitioner_credentials: str = (
        "CONTROLLED SUBSTANCE REGISTRATION FOR PRACTITIONER"
    )
    roster_pharmacy_credentials: str = "PHARMACY"
    asap_versions: str = "4.2,4.2A,4.2B"
    asap_profile: str = ""
    asap_severities: str = ""
    keep_social_security_numbers: bool = False

    # Policy.
    registration_days: int = Field(default=30, ge=1)
    registration_reminder_days: int = Field(default=10, ge=0, le=365)
    desk_hold_minutes: int = Field(default=15, ge=1, le=240)
    credential_days: int = Field(default=21, ge=1, le=21)
    lock_after: int = Field(default=4, ge=2, le=20)
    lock_minutes: int = Field(default=10, ge=1)
    idle_minutes: int = Field(default=15, ge=1, le=60)
    session_hours: int = Field(default=12, ge=1, le=24)
    password_min_length: int = Field(default=15, ge=8, le=64)
    look_ups_per_ten_minutes: int = Field(default=60, ge=1)
    look_ups_per_day: int = Field(default=400, ge=1)
    look_up_misses_in_a_row: int = Field(default=30, ge=2, le=500)
    similar_look_ups_per_hour: int = Field(default=30, ge=1)
    unusual_look_ups_per_day: int = Field(default=40, ge=10)
    unusual_without_link: int = Field(default=4, ge=2)
    unusual_hours: str = "23-5"
    scheduled_patients_per_day: int = Field(default=150, ge=1)
    schedule_days: int = Field(default=2, ge=1, le=14)
    report_hours: int = Field(default=8, ge=1, le=24)
    report_copy_days: int = Field(default=365, ge=1, le=3660)
    threshold_copy_days: int = Field(default=1096, ge=30, le=3660)
    ticket_days: int = Field(default=7, ge=1)
    ticket_triage_days: int = Field(default=2, ge=1, le=30)
    ticket_dispenser_hours: int = Field(default=72, ge=1, le=720)
    ticket_reopen_days: int = Field(default=30, ge=1, le=365)
    ticket_attachment_megabytes: int = Field(default=10, ge=1, le=40)
    ticket_wordings: str = ""
    fax_days: int = Field(default=2192, ge=30, le=7320)
    queue_overdue_days: int = Field(default=2, ge=1, le=60)
    referral_office: str = "Drug Control Division"
    tickets_per_day: int = Field(default=40, ge=1)
    written_request_days: int = Field(default=60, ge=1, le=90)
    correction_notice_years: int = Field(default=3, ge=1, le=10)
    hold_cases_for_review: bool = False
    fax_verified_only: Literal["off", "users", "all"] = "users"
    unanswered_days: int = Field(default=0, ge=0, le=365)
    care_notes_per_day: int = Field(default=10, ge=0)
    upload_megabytes: int = Field(default=64, ge=1, le=4096)
    uploads_together_megabytes: int = Field(default=200, ge=1, le=8192)
    submissions_dir: str = ""
    roster_dir: str = ""
    void_wait_hours: int = Field(default=72, ge=0, le=720)
    correction_days: int = Field(default=7, ge=1, le=90)
    draft_days: int = Field(default=14, ge=1, le=90)
    reminder_days: int = Field(default=3, ge=0, le=15)
    late_notices: int = Field(default=3, ge=1, le=12)
    carry_forward_days: int = Field(default=7, ge=0, le=31)
    reported_drugs: str = "CII,CIII,CIV,CV,gabapentin,naloxone=administrators"
    mme_rule_set: str = "CDC 2022"
    mme_caution: int = Field(default=50, ge=1)
    mme_high: int = Field(default=90, ge=1)
    warn_prescribers: int = Field(default=5, ge=2)
    warn_pharmacies: int = Field(default=5, ge=2)
    warn_window_days: int = Field(default=90, ge=1, le=730)
    warn_early_days: int = Field(default=3, ge=1)
    warn_early_part: Decimal = Field(default=Decimal("0.15"), ge=0, lt=1)
    warn_long_use_days: int = Field(default=90, ge=1)
    warn_naive_days: int = Field(default=60, ge=1)
    warn_first_adult_days: int = Field(default=7, ge=1)
    warn_first_minor_days: int = Field(default=5, ge=1)
    warn_together_days: int = Field(default=7, ge=1)
    warn_together_long_days: int = Field(default=30, ge=1)
    warn_same_kind_days: int = Field(default=7, ge=1)
    warn_methadone_mg: Decimal = Field(default=Decimal(40), gt=0)
    warn_acetaminophen_mg: Decimal = Field(default=Decimal(4000), gt=0)
    reporting_policy: Literal["twice_monthly", "monthly", "weekly", "daily"] = (
        "twice_monthly"
    )
    reporting_grace_days: int = Field(default=5, ge=0, le=31)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, ZoneInfoNotFoundError) as error:
            raise ValueError(f"no time zone is called {name!r}") from error
        return name

    @field_validator("mme_rule_set")
    @classmethod
    def _known_rule_set(cls, name: str) -> str:
        try:
            mme.rule_set(name)
        except KeyError as error:
            known = ", ".join(mme.rule_set_names())
            raise ValueError(f"no rule set is called {name!r}; use {known}") from error
        return name

    @field_validator("ticket_wordings")
    @classmethod
    def _readable_wordings(cls, path: str) -> str:
        ticket_wordings.load(path)
        return path

    @field_validator("unusual_hours")
    @classmethod
    def _hours_of_a_day(cls, text: str) -> str:
        clock_hours.parse(text)
        return text

    @field_validator("reported_drugs")
    @classmethod
    def _readable_drugs(cls, text: str) -> str:
        reported_drugs.parse(text)
        return text

    @field_validator("asap_versions")
    @classmethod
    def _readable_versions(cls, text: str) -> str:
        return ",".join(sorted(asap_programme.parse_versions(text)))

    @field_validator("asap_profile")
    @classmethod
    def _known_uses(cls, text: str) -> str:
        asap_programme.parse_profile(text)
        return text

    @field_validator("asap_severities")
    @classmethod
    def _known_severities(cls, text: str) -> str:
        asap_programme.parse_severities(text)
        return text

    @field_validator("public_url")
    @classmethod
    def _web_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(
                "give the portal's address, such as https://pmp.example.org"
            )
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ValueError("use https: patient data would cross the network in clear")
        return url.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _database_address(cls, url: str) -> str:
        if not url.startswith(("sqlite:///", "postgresql://", "postgres://")):
            raise ValueError("use sqlite:///path or postgresql://user@host/name")
        return url

    @field_validator("queue_url")
    @classmethod
    def _queue_address(cls, url: str) -> str:
        known = ("sqlite:///", "postgresql://", "redis://", "rediss://")
        if url and not url.startswith(known):
            raise ValueError("use sqlite:///path, postgresql://…, redis://… or nothing")
        return url

    @field_validator("office_lines")
    @classmethod
    def _few_office_lines(cls, text: str) -> str:
        return letter_settings.office_lines(text)

    @field_validator("settings_fixed")
    @classmethod
    def _names_of_settings(cls, text: str) -> str:
        names = [name.strip().lower() for name in text.split(",") if name.strip()]
        for name in names:
            if name != "all" and name not in cls.model_fields:
                raise ValueError(f"no setting is called {name!r}; use all, or names")
        return ",".join(names)

    @field_validator("secret_key", "document_key")
    @classmethod
    def _long_key(cls, key: SecretStr) -> SecretStr:
        if len(key.get_secret_value()) < 32:
            raise ValueError("give at least 32 random characters: openssl rand -hex 32")
        return key

    @property
    def most_upload_megabytes(self) -> int:
        """What the files of one request may have together: at least one of them."""
        return max(self.upload_megabytes, self.uploads_together_megabytes)

    @property
    def mme_limits(self) -> mme.Limits:
        """MME a day to be careful at, and to avoid."""
        return Decimal(self.mme_caution), Decimal(self.mme_high)

    @property
    def queue_address(self) -> str:
        """The queue's address: as set, else a SQLite file in the data folder."""
        return self.queue_url or f"sqlite:///{self.data_dir}/queue.db"


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; raise SettingsError that names every problem at once."""
    environment = os.environ if environment is None else environment
    given, problems = _given(environment)
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        problems += [_problem(each) for each in error.errors()]
    else:
        if not problems:
            return settings
    raise SettingsError("\n".join(problems))


def _given(environment: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    given: dict[str, str] = {}
    problems: list[str] = []
    for variable, value in environment.items():
        if not variable.startswith(PREFIX):
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name in Settings.model_fields:
            given[name] = value
        elif name.removesuffix("_file") in Settings.model_fields:
            try:
                given[name.removesuffix("_file")] = Path(value).read_text().strip()
            except OSError as error:
                problems.append(f"{variable}: {error.strerror}: {value}")
        else:
            problems.append(f"{variable}: no setting has this name")
    return given, problems


def _problem(error: Any) -> str:
    message = str(error["msg"]).removeprefix("Value error, ")
    if not error["loc"]:
        return message
    return f"{PREFIX}{str(error['loc'][0]).upper()}: {message}"


_as_set: Settings | None = None  # as the environment has them
_current: Settings | None = None  # with what is kept on the page laid over them
_trial: ContextVar[Settings | None] = ContextVar("trial", default=None)


def current() -> Settings:
    """Give the settings in force; read from the environment when first asked."""
    if (trial := _trial.get()) is not None:
        return trial
    if _current is None:
        use(load())
    return cast("Settings", _current)


def given() -> Settings:
    """Give the settings of the environment, without what is kept on the page."""
    current()
    return cast("Settings", _as_set)


def use(settings: Settings) -> None:
    """Put these settings in force, as the environment's: at the start, for tests."""
    global _as_set, _current  # noqa: PLW0603 - settings are read once
    _as_set = _current = settings


def with_values(kept: Mapping[str, Any]) -> Settings:
    """Give the environment's settings with others laid over; ValidationError if bad."""
    return Settings.model_validate({**given().model_dump(), **kept})


def lay_over(kept: Mapping[str, Any]) -> None:
    """Have values that are kept on the page hold in this process from now on.

    ValidationError, and nothing changes, where they will not do.
    """
    global _current  # noqa: PLW0603
    _current = with_values(kept) if kept else given()


@contextmanager
def tried(settings: Settings) -> Iterator[None]:
    """Have other settings in this thread alone, to see what they would do."""
    before = _trial.set(settings)
    try:
        yield
    finally:
        _trial.reset(before)


@contextmanager
def changed(**changes: Any) -> Iterator[Settings]:
    """Have settings differ for a while, in tests and simulations."""
    before = current()
    use(before.model_validate({**before.model_dump(), **changes}))
    try:
        yield current()
    finally:
        use(before)
