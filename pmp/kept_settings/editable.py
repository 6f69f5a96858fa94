"""Which settings administrators may change on the page, and in which words.

Only what a wrong value cannot make the program unreachable or unsafe by: no keys,
addresses of carriers, places of files, or rules of who may sign in.
"""

from dataclasses import dataclass
from enum import StrEnum

from pmp import settings


class Kind(StrEnum):
    """How a setting is typed."""

    LINE = "line"
    LINES = "lines"  # each line counts
    TEXT = "text"  # a paragraph
    PHONE = "phone"
    EMAIL = "email"
    NUMBER = "number"


@dataclass(frozen=True)
class Editable:
    """A setting as the page names it."""

    name: str
    label: str
    hint: str = ""
    kind: Kind = Kind.NUMBER
    may_be_empty: bool = False


@dataclass(frozen=True)
class Group:
    """Settings that are changed together; `key` stands in the page's address."""

    key: str
    title: str
    settings: tuple[Editable, ...]


OFFICE = Group(
    "office",
    "The office, as letters and pages name it",
    (
        Editable("system_name", "Full name of the system", kind=Kind.LINE),
        Editable("short_name", "Short name", kind=Kind.LINE),
        Editable("department", "Department", kind=Kind.LINE),
        Editable("department_short", "Its short name", kind=Kind.LINE),
        Editable(
            "office_lines",
            "Postal lines of the office",
            "Return address of letters: 2 to 4 lines, the last one city, state and ZIP",
            Kind.LINES,
        ),
        Editable(
            "program_phone",
            "Telephone for questions and inaccuracies",
            "On every page, letter and fax",
            Kind.PHONE,
        ),
        Editable(
            "fax_number",
            "The program's fax number",
            "Signed pages come here and faxes go out from here: your carrier must know"
            " the number as yours",
            Kind.PHONE,
        ),
        Editable("help_phone", "Technical help for submissions", kind=Kind.PHONE),
        Editable("help_email", "Email for technical help", kind=Kind.EMAIL),
        Editable("web_site", "The department's web site", kind=Kind.LINE),
        Editable("referral_office", "To whom tickets are referred", kind=Kind.LINE),
        Editable(
            "privacy_contact",
            "Whom patients call about their privacy",
            "Name or title, in letters that deny a request or take more time",
            Kind.LINE,
        ),
        Editable(
            "privacy_phone",
            "Their telephone",
            "Empty: the telephone for questions",
            Kind.PHONE,
            may_be_empty=True,
        ),
    ),
)
TEXTS = Group(
    "texts",
    "Texts on paper and pages",
    (
        Editable(
            "disclosure_notice",
            "What a patient report says of its use",
            "On the page and in the PDF, before the statutes",
            Kind.TEXT,
        ),
        Editable(
            "statutes", "The statutes that allow disclosure", "As printed", Kind.TEXT
        ),
        Editable(
            "treatment_line", "Whom leaflets say to call about treatment", "", Kind.TEXT
        ),
    ),
)
HOURS = Group(
    "hours",
    "Hours",
    (
        Editable(
            "fax_hours",
            "Hours in which faxes are sent",
            "Such as 7-21; 0-24 is any hour. At night they ring in homes",
            Kind.LINE,
        ),
        Editable(
            "unusual_hours",
            "Hours at which a look-up is unusual",
            "Such as 23-5; empty is none",
            Kind.LINE,
            may_be_empty=True,
        ),
    ),
)
DAYS = Group(
    "days",
    "Days and terms",
    (
        Editable(
            "queue_overdue_days", "Days until what waits on Work queues is overdue"
        ),
        Editable("registration_days", "Days until a registration without a fax ends"),
        Editable("licence_grace_days", "Days that a licence counts after its last one"),
        Editable(
            "licence_notice_days",
            "Days before it that users are told their licence ends",
            "0 is never",
        ),
        Editable("reminder_days", "Days before it is due that a pharmacy is reminded"),
        Editable("late_notices", "Late notices to a pharmacy, one a week"),
        Editable("correction_days", "Days to correct held records"),
        Editable("draft_days", "Days that a typed draft is kept"),
        Editable("ticket_triage_days", "Business days to take up a ticket"),
        Editable("ticket_dispenser_hours", "Hours that a pharmacy has to answer"),
        Editable("ticket_days", "Days until a ticket is due"),
        Editable("ticket_reopen_days", "Days in which a ticket may be opened again"),
        Editable(
            "unanswered_days",
            "Days until a threshold report without an answer is listed",
        ),
        Editable("alert_minutes", "Minutes between two alerts to staff about messages"),
    ),
)
WARNINGS = Group(
    "warnings",
    "What patient reports warn of",
    (
        Editable("mme_caution", "MME a day from which a report warns"),
        Editable("mme_high", "MME a day from which it warns strongly"),
        Editable("warn_prescribers", "Prescribers …"),
        Editable("warn_pharmacies", "… or pharmacies …"),
        Editable("warn_window_days", "… within so many days"),
        Editable("warn_early_days", "Days of supply left that make a refill early"),
        Editable("warn_long_use_days", "Opioids on more days in a row than"),
        Editable("warn_naive_days", "Days without an opioid before a first one"),
        Editable("warn_first_adult_days", "First opioid for more days than"),
        Editable("warn_first_minor_days", "The same, for a patient under 18"),
        Editable(
            "warn_together_days", "Days of opioid and benzodiazepine: stronger words"
        ),
        Editable("warn_together_long_days", "The same: strongest words"),
        Editable("warn_same_kind_days", "Two of one kind on more days than"),
        Editable("warn_methadone_mg", "More mg of methadone a day than"),
        Editable("warn_acetaminophen_mg", "More mg of acetaminophen a day than"),
    ),
)
GROUPS = {group.key: group for group in (OFFICE, TEXTS, HOURS, DAYS, WARNINGS)}
BY_NAME = {each.name: each for group in GROUPS.values() for each in group.settings}


def is_fixed(name: str) -> bool:
    """Tell whether the environment keeps a setting from being changed on the page."""
    fixed = settings.given().settings_fixed.split(",")
    return "all" in fixed or name in fixed


def may_change(name: str) -> bool:
    """Tell whether the page may change a setting."""
    return name in BY_NAME and not is_fixed(name)
