"""Is this paper the program's? Asked by whoever holds a report, by the code on it.

The question is public, since whoever holds the paper is seldom a user: the answer says
nothing about the patient, and more of the report only to its own user and to staff.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from models import AuditEvent, ReportCopy, Role, ThresholdReportCopy, User
from pmp import audit
from pmp.accounts.lock_out import ThrottledError
from pmp.errors import RuleError
from pmp.lookup import report_codes, report_copies
from pmp.permissions import Permission, can
from pmp.thresholds import threshold_copies, threshold_reports

# Codes cannot be guessed; this keeps anybody from trying, or from filling the record.
MOST_QUESTIONS = 20
WINDOW = timedelta(minutes=10)
SHORT_HASH = 12
PUBLIC = "public"
ROLE_WORDS = {
    Role.PRACTITIONER: "a practitioner",
    Role.PHARMACY: "a pharmacy",
    Role.DELEGATE: "a delegate of a practitioner or pharmacy",
}


@dataclass(frozen=True)
class Verdict:
    """What the holder of a code is told.

    `short_hash` begins the SHA-256 of the PDF, as a computer gives it for the file.
    `since` says what became of the report. `copy` or `threshold_copy` is for its own
    user and staff alone.
    """

    code: str
    is_genuine: bool
    what: str = ""
    made_at: datetime | None = None
    made_for: str = ""
    pages: int = 0
    short_hash: str = ""
    since: str = ""
    copy: ReportCopy | None = None
    threshold_copy: ThresholdReportCopy | None = None
    is_own: bool = False


def verify(typed: str, *, by: User | None, address: str, at: datetime) -> Verdict:
    """Say whether a report with this code was made.

    RuleError, at `code`, for what cannot be a code; ThrottledError for too many
    questions from one place. Each question is on the audit record.
    """
    try:
        code = report_codes.read(typed)
    except ValueError as problem:
        raise RuleError(f"{problem}.", field="code") from None
    actor = by.username if by else PUBLIC
    _refuse_a_crowd(actor, address, at=at)
    copy = report_copies.by_code(code)
    threshold_copy = None if copy else threshold_copies.by_code(code)
    audit.record(
        audit.Event.REPORT_VERIFIED,
        actor=actor,
        subject=_subject(copy, threshold_copy),
        at=at,
        address=address,
        detail={"genuine": bool(copy or threshold_copy)},
    )
    if copy:
        return _of_look_up(copy, by=by)
    if threshold_copy:
        return _of_threshold(threshold_copy, by=by)
    return Verdict(code, is_genuine=False)


def _of_look_up(copy: ReportCopy, *, by: User | None) -> Verdict:
    is_own = by is not None and copy.made_by.id == by.id
    return Verdict(
        code=copy.code,
        is_genuine=True,
        what="patient report",
        made_at=copy.made_at,
        made_for=ROLE_WORDS.get(copy.made_by.role, "program staff"),
        pages=copy.pages,
        short_hash=copy.sha256[:SHORT_HASH],
        copy=copy if is_own or _is_staff(by) else None,
        is_own=is_own,
    )


def _of_threshold(copy: ThresholdReportCopy, *, by: User | None) -> Verdict:
    is_own = by is not None and threshold_copies.is_mine(copy, by=by)
    return Verdict(
        code=str(copy.code),
        is_genuine=True,
        what=threshold_reports.WHAT,
        made_at=copy.made_at,
        made_for="a prescriber" if copy.recipient.prescriber else "a pharmacy",
        pages=copy.pages,
        short_hash=copy.sha256[:SHORT_HASH],
        since=threshold_copies.what_became(copy),
        threshold_copy=copy if is_own or _is_staff(by) else None,
        is_own=is_own,
    )


def _is_staff(by: User | None) -> bool:
    return by is not None and can(by.role, Permission.TICKET_WORK)


def _subject(
    copy: ReportCopy | None, threshold_copy: ThresholdReportCopy | None
) -> str:
    if threshold_copy:
        return f"threshold_report_copy:{threshold_copy.id}"
    return f"report_copy:{copy.id if copy else 'unknown'}"


def _refuse_a_crowd(actor: str, address: str, *, at: datetime) -> None:
    asked = (
        AuditEvent.select()
        .where(AuditEvent.at > at - WINDOW)
        .where(AuditEvent.event == audit.Event.REPORT_VERIFIED.value)
        .where((AuditEvent.actor == actor) & (AuditEvent.address == address))
        .count()
    )
    if asked >= MOST_QUESTIONS:
        raise ThrottledError(
            f"Too many codes were asked about from here. Wait {WINDOW.seconds // 60}"
            " minutes, or call the program."
        )
