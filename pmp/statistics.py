"""Counts for people who steer: what waits for staff and for how long, what came in."""

from datetime import datetime, timedelta

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
    Misdelivery,
    NoticeKind,
    OfficialRequest,
    OfficialState,
    PatientRequest,
    PatientRequestState,
    RecipientReply,
    ReportingNotice,
    Session,
    StationChange,
    Submission,
    SubmissionStatus,
    ThresholdCase,
    Ticket,
    UnusualLookUp,
    UnusualStatus,
)
from pmp import clock, periods, settings
from pmp.accounts import sessions
from pmp.deliveries import delivery_figures, letters, mail_problems
from pmp.matching import open_reviews
from pmp.permissions import Permission
from pmp.reaching import stations
from pmp.thresholds import case_lists, full_checks
from pmp.tickets import clocks, outside_answers
from pmp.work_queues import (
    Queue,
    accounts,
    delegates_to_decide,
    files_with_held_records,
    first,
    letters_of_requests,
    queue,
    reviews_of_denials,
)

FAXES_TO_HANDLE = [FaxStatus.RECEIVED, FaxStatus.UNMATCHED, FaxStatus.UNREADABLE]
UNUSUAL_TO_SEE = [UnusualStatus.OPEN, UnusualStatus.ANSWERED]
SILENT_SWEEPS = 5


def staff_queues(*, at: datetime) -> list[Queue]:
    """List the queues of the staff console, in the order of a registration's way."""
    return [
        *_registrations(at=at),
        *delegates_to_decide(at=at),
        _licences(at=at),
        Queue(
            "Email addresses that mail came back from",
            "/staff/mail-problems",
            Permission.DELIVERY_WATCH,
            mail_problems.count(),
            mail_problems.oldest(),
        ),
        *_deliveries(at=at),
        _tickets(at=at),
        queue(
            "Callers to tell how it ended",
            "/staff/tickets/calls",
            Permission.TICKET_WORK,
            outside_answers.tickets_to_call_about(),
            Ticket.resolved_at,
            at=at,
        ),
        queue(
            "Who is one person, to decide",
            "/staff/matches",
            Permission.MATCH_DECIDE,
            open_reviews.waiting(),
            MatchReview.opened_at,
            late=0,  # a backlog of these is nobody's failing
        ),
        _late_pharmacies(),
        files_with_held_records(at=at),
        _unknown_products(),
        *_cases(at=at),
        queue(
            "Unusual look-ups",
            "/staff/look-ups",
            Permission.LOOK_UP_REVIEW,
            UnusualLookUp.select().where(UnusualLookUp.status.in_(UNUSUAL_TO_SEE)),
            UnusualLookUp.found_at,
            at=at,
        ),
        *accounts(at=at),
        *_disclosures(at=at),
    ]


def _licences(*, at: datetime) -> Queue:
    return queue(
        "Licences of users to confirm",
        "/staff/licences",
        Permission.LICENCE_CONFIRM,
        LicenceFinding.select().where(LicenceFinding.settled_at.is_null()),
        LicenceFinding.found_at,
        at=at,
    )


def _registrations(*, at: datetime) -> list[Queue]:
    """List what a registration waits for: its fax, a decision, its letter."""
    return [
        queue(
            "Faxes to look at",
            "/staff/faxes",
            Permission.FAX_DESK,
            InboundFax.select().where(InboundFax.status.in_(FAXES_TO_HANDLE)),
            InboundFax.received_at,
            at=at,
        ),
        queue(
            "Registrations to decide",
            "/staff/registrations",
            Permission.REGISTRATION_DECIDE,
            Application.select().where(
                Application.status == ApplicationStatus.CONFIRMATION_RECEIVED
            ),
            Application.confirmation_received_at,
            at=at,
        ),
        queue(
            "Letters to print or mail",
            "/staff/letters",
            Permission.LETTER_PRINT,
            letters.to_mail(),
            Delivery.created_at,
            at=at,
        ),
    ]


def _deliveries(*, at: datetime) -> list[Queue]:
    """List the messages that did not arrive, and all that need a person."""
    return [
        queue(
            "Deliveries that failed",
            "/staff/deliveries?attention=y&state=not_arrived",
            Permission.DELIVERY_WATCH,
            delivery_figures.failed_queue(),
            Delivery.created_at,
            at=at,
        ),
        queue(
            "Deliveries that need a person",
            "/staff/deliveries?attention=y",
            Permission.DELIVERY_WATCH,
            delivery_figures.asked_queue(),
            Delivery.created_at,
            at=at,
        ),
        queue(
            "Fax numbers where another machine answered",
            "/staff/fax-numbers",
            Permission.DELIVERY_WATCH,
            stations.unjudged(),
            StationChange.noticed_at,
            at=at,
        ),
        queue(
            "Messages that reached the wrong person, to assess",
            "/staff/misdeliveries?show=open",
            Permission.DELIVERY_WATCH,
            Misdelivery.select().where(Misdelivery.assessed_at.is_null()),
            Misdelivery.recorded_at,
            at=at,
        ),
    ]


def _cases(*, at: datetime) -> list[Queue]:
    """List what threshold cases wait for: a look, a faxed answer, a call."""
    return [
        queue(
            "Threshold cases held for review",
            "/staff/cases?status=held_for_review",
            Permission.CASE_WORK,
            ThresholdCase.select().where(ThresholdCase.status == CaseStatus.HELD),
            ThresholdCase.detected_at,
            at=at,
        ),
        queue(
            "Faxed replies to tick",
            "/staff/replies",
            Permission.CASE_WORK,
            FaxedReply.select().where(FaxedReply.status == FaxedReplyStatus.WAITING),
            FaxedReply.received_at,
            at=at,
        ),
        queue(
            "Recipients who ask for a call",
            "/staff/cases?answers=call",
            Permission.CASE_WORK,
            case_lists.asking_for_a_call(),
            RecipientReply.given_at,
            at=at,
        ),
    ]


def _disclosures(*, at: datetime) -> list[Queue]:
    """List what patients and offices wait for."""
    asked = PatientRequest.state == PatientRequestState.OPEN
    late = asked & (PatientRequest.due_on < clock.day_of(at))
    return [
        queue(
            "Patients' own requests",
            "/staff/disclosures",
            Permission.DISCLOSURE_WORK,
            PatientRequest.select().where(asked),
            PatientRequest.taken_at,
            late=PatientRequest.select().where(late).count(),
        ),
        letters_of_requests(at=at),
        reviews_of_denials(at=at),
        queue(
            "Official requests to release",
            "/staff/disclosures/official",
            Permission.DISCLOSURE_RELEASE,
            OfficialRequest.select().where(
                OfficialRequest.state == OfficialState.WAITING
            ),
            OfficialRequest.prepared_at,
            at=at,
        ),
    ]


def worker_seen() -> datetime | None:
    """Give when a worker last began a periodic job; None if none ever did."""
    return periods.last_begun()


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
        "pmp_deliveries_due_oldest_seconds": _age(first(due, Delivery.due_at), at),
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
    return queue(
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
        first(told, ReportingNotice.made_at),
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


def _age(since: datetime | None, at: datetime) -> int:
    return int((at - since).total_seconds()) if since else 0
