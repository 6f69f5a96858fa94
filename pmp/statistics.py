"""Counts for people who steer: what waits for staff and for how long, what came in."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from peewee import SQL, fn

from models import (
    Application,
    ApplicationStatus,
    CaseStatus,
    Delivery,
    DeliveryState,
    Dispensation,
    DispensationStatus,
    FaxedReply,
    FaxedReplyStatus,
    FaxStatus,
    InboundFax,
    LicenceFinding,
    MatchReview,
    NoticeKind,
    RecipientReply,
    ReportingNotice,
    ScheduledRun,
    Session,
    StationChange,
    Submission,
    SubmissionStatus,
    ThresholdCase,
    Ticket,
    UnusualLookUp,
    UnusualStatus,
    UtcField,
)
from pmp import clock, settings
from pmp.accounts import sessions
from pmp.deliveries import delivery_figures, letters, mail_problems
from pmp.matching import open_reviews
from pmp.permissions import Permission
from pmp.prepared import prepared
from pmp.reaching import stations
from pmp.thresholds import case_lists, full_checks
from pmp.tickets import clocks, outside_answers

if TYPE_CHECKING:
    from peewee import ModelSelect

FAXES_TO_HANDLE = [FaxStatus.RECEIVED, FaxStatus.UNMATCHED, FaxStatus.UNREADABLE]
UNUSUAL_TO_SEE = [UnusualStatus.OPEN, UnusualStatus.ANSWERED]
SILENT_SWEEPS = 5


@dataclass(frozen=True)
class Queue:
    """What waits: how many, since when the oldest, and how many are late."""

    words: str
    address: str  # of the page where it is worked off
    permission: Permission
    count: int
    oldest: datetime | None
    late: int = 0


def staff_queues(*, at: datetime) -> list[Queue]:
    """List the queues of the staff console, in the order of a registration's way."""
    return [
        *_registrations(),
        _queue(
            "Licences of users to confirm",
            "/staff/licences",
            Permission.LICENCE_CONFIRM,
            LicenceFinding.select().where(LicenceFinding.settled_at.is_null()),
            LicenceFinding.found_at,
        ),
        Queue(
            "Email addresses that mail came back from",
            "/staff/mail-problems",
            Permission.DELIVERY_WATCH,
            mail_problems.count(),
            mail_problems.oldest(),
        ),
        *_deliveries(),
        _tickets(at=at),
        _queue(
            "Callers to tell how it ended",
            "/staff/tickets/calls",
            Permission.TICKET_WORK,
            outside_answers.tickets_to_call_about(),
            Ticket.resolved_at,
        ),
        _queue(
            "Who is one person, to decide",
            "/staff/matches",
            Permission.MATCH_DECIDE,
            open_reviews.waiting(),
            MatchReview.opened_at,
        ),
        _late_pharmacies(),
        _unknown_products(),
        *_cases(),
        _queue(
            "Unusual look-ups",
            "/staff/look-ups",
            Permission.LOOK_UP_REVIEW,
            UnusualLookUp.select().where(UnusualLookUp.status.in_(UNUSUAL_TO_SEE)),
            UnusualLookUp.found_at,
        ),
    ]


def _registrations() -> list[Queue]:
    """List what a registration waits for: its fax, a decision, its letter."""
    return [
        _queue(
            "Faxes to look at",
            "/staff/faxes",
            Permission.FAX_DESK,
            InboundFax.select().where(InboundFax.status.in_(FAXES_TO_HANDLE)),
            InboundFax.received_at,
        ),
        _queue(
            "Registrations to decide",
            "/staff/registrations",
            Permission.REGISTRATION_DECIDE,
            Application.select().where(
                Application.status == ApplicationStatus.CONFIRMATION_RECEIVED
            ),
            Application.confirmation_received_at,
        ),
        _queue(
            "Letters to print or mail",
            "/staff/letters",
            Permission.LETTER_PRINT,
            letters.to_mail(),
            Delivery.created_at,
        ),
    ]


def _deliveries() -> list[Queue]:
    """List the messages that did not arrive, and all that need a person."""
    return [
        _queue(
            "Deliveries that failed",
            "/staff/deliveries?attention=y&state=not_arrived",
            Permission.DELIVERY_WATCH,
            delivery_figures.failed_queue(),
            Delivery.created_at,
        ),
        _queue(
            "Deliveries that need a person",
            "/staff/deliveries?attention=y",
            Permission.DELIVERY_WATCH,
            delivery_figures.asked_queue(),
            Delivery.created_at,
        ),
        _queue(
            "Fax numbers where another machine answered",
            "/staff/fax-numbers",
            Permission.DELIVERY_WATCH,
            stations.unjudged(),
            StationChange.noticed_at,
        ),
    ]


def _cases() -> list[Queue]:
    """List what threshold cases wait for: a look, a faxed answer, a call."""
    return [
        _queue(
            "Threshold cases held for review",
            "/staff/cases?status=held_for_review",
            Permission.CASE_WORK,
            ThresholdCase.select().where(ThresholdCase.status == CaseStatus.HELD),
            ThresholdCase.detected_at,
        ),
        _queue(
            "Faxed replies to tick",
            "/staff/replies",
            Permission.CASE_WORK,
            FaxedReply.select().where(FaxedReply.status == FaxedReplyStatus.WAITING),
            FaxedReply.received_at,
        ),
        _queue(
            "Recipients who ask for a call",
            "/staff/cases?answers=call",
            Permission.CASE_WORK,
            case_lists.asking_for_a_call(),
            RecipientReply.given_at,
        ),
    ]


def received_through() -> date | None:
    """Give the day, in the programme's zone, of the last submission dealt with."""
    last = _last_received.one()
    return clock.day_of(last[0]) if last else None


@prepared
def _last_received() -> Any:
    done = [
        SubmissionStatus.PROCESSED,
        SubmissionStatus.PROCESSED_WITH_ERRORS,
        SubmissionStatus.RESOLVED,
    ]
    return (
        Submission.select(Submission.received_at)
        .where(
            Submission.status.in_(done)
            & (Submission.dry_run == False)  # noqa: E712 - a column
            & (Submission.test == False)  # noqa: E712
        )
        .order_by(Submission.received_at.desc())
        .limit(1)
        .tuples()
    )


def worker_seen() -> datetime | None:
    """Give when a worker last began a periodic job; None if none ever did."""
    last: ScheduledRun | None = (
        ScheduledRun.select().order_by(ScheduledRun.started_at.desc()).first()
    )
    return last.started_at if last else None


def worker_is_silent(*, at: datetime) -> bool:
    """Tell whether no worker has swept for so long that it is surely not running."""
    seen = worker_seen()
    patience = timedelta(seconds=SILENT_SWEEPS * settings.current().sweep_seconds)
    return seen is None or at - seen > patience


def gauges(*, at: datetime) -> dict[str, int]:
    """Give what a monitor watches, by name; `…_seconds` are ages."""
    due = Delivery.select().where(
        (Delivery.state == DeliveryState.QUEUED) & (Delivery.due_at <= at)
    )
    reading = [SubmissionStatus.RECEIVED, SubmissionStatus.READING]
    check = full_checks.last()
    live = Session.ended_at.is_null() & (Session.seen_at > at - sessions.idle())
    return {
        "pmp_deliveries_due": due.count(),
        "pmp_deliveries_due_oldest_seconds": _age(_first(due, Delivery.due_at), at),
        "pmp_deliveries_need_staff": Delivery.select()
        .where(Delivery.needs_staff)
        .count(),
        "pmp_submissions_waiting": Submission.select()
        .where(Submission.status.in_(reading))
        .count(),
        "pmp_match_reviews_open": open_reviews.waiting().count(),
        "pmp_threshold_check_age_seconds": _age(check.at if check else None, at),
        "pmp_threshold_cases_put_right": check.put_right if check else 0,
        "pmp_worker_silent": int(worker_is_silent(at=at)),
        "pmp_sessions": Session.select().where(live).count(),
    }


def _tickets(*, at: datetime) -> Queue:
    is_open = Ticket.resolved_at.is_null()
    return _queue(
        "Inaccuracy tickets open",
        "/staff/tickets",
        Permission.TICKET_WORK,
        Ticket.select().where(is_open),
        Ticket.opened_at,
        late=Ticket.select().where(clocks.overdue(at)).count(),
    )


def _late_pharmacies() -> Queue:
    """Count the pharmacies that were told that they are late, and still are."""
    told = ReportingNotice.select(ReportingNotice).where(
        (ReportingNotice.kind == NoticeKind.LATE)
        & ReportingNotice.answered_at.is_null()
    )
    most = settings.current().late_notices
    many = (
        told.select(ReportingNotice.pharmacy)
        .group_by(ReportingNotice.pharmacy)
        .having(fn.COUNT(ReportingNotice.id) >= most)
    )
    return Queue(
        "Pharmacies that are late",
        "/staff/reporting",
        Permission.REPORTING_WATCH,
        told.select(ReportingNotice.pharmacy).distinct().count(),
        _first(told, ReportingNotice.made_at),
        many.count(),
    )


def _unknown_products() -> Queue:
    """Count the NDCs whose fills have no facts; as their index says it."""
    rows = Dispensation.select(Dispensation.product_code).where(
        SQL("ingredient = '' AND product_qualifier = '01'"),
        Dispensation.status == DispensationStatus.CURRENT,
    )
    oldest = rows.select(fn.MIN(Dispensation.stored_at)).scalar()
    return Queue(
        "Drugs we do not know",
        "/staff/drugs",
        Permission.PRODUCT_READ,
        rows.distinct().count(),
        Dispensation.stored_at.python_value(oldest),
    )


def _queue(
    words: str,
    address: str,
    permission: Permission,
    waiting: "ModelSelect[Any]",
    since: UtcField,
    late: int = 0,
) -> Queue:
    return Queue(
        words, address, permission, waiting.count(), _first(waiting, since), late
    )


def _first(rows: "ModelSelect[Any]", since: UtcField) -> datetime | None:
    oldest = rows.order_by(since).first()
    moment: datetime | None = getattr(oldest, since.name) if oldest else None
    return moment


def _age(since: datetime | None, at: datetime) -> int:
    return int((at - since).total_seconds()) if since else 0
