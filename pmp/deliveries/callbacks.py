"""What a carrier says about a message: only from the carrier, and only forwards.

A call-back is believed when it is signed (`signatures`) or carries an attempt's own
secret. What it says, or what asking the carrier gave, moves a delivery on and never
back: repeated, late and disordered reports leave one line each in the history and
change nothing.
"""

import hmac
import io
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from peewee import IntegrityError
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from models import (
    ChannelName,
    Delivery,
    DeliveryAttempt,
    DeliveryEvent,
    DeliveryState,
    Document,
    ErrorClass,
    ScheduledRun,
)
from pmp import audit, database, documents, periods
from pmp.deliveries import calling, letters, outbox
from pmp.deliveries.lines import is_withdrawn_by_hand
from pmp.reaching import stations

LONGEST_REFERENCE = 200
REFUSED = "callback:"
MINUTE = timedelta(minutes=1)


class Progress(StrEnum):
    UNDERWAY = "underway"
    MAILED = "mailed"
    DELIVERED = "delivered"
    FAILED = "failed"
    RETURNED = "returned"  # by the post, to the sender


@dataclass(frozen=True)
class CarrierReport:
    """What a carrier says of one message.

    `status` is its own word; `error_class` says what follows from a failure;
    `station` is how the answering machine called itself; `fetches`: the carrier can
    only have what it fetched from our media address.
    """

    reference: str
    status: str
    progress: Progress
    error_class: ErrorClass | None = None
    text: str = ""
    pages: int | None = None
    station: str = ""
    fetches: bool = False

    def __post_init__(self) -> None:
        """Keep what no database stores out of the words of a stranger."""
        for name in ("reference", "status", "text", "station"):
            said = getattr(self, name)
            shown = "".join(sign if sign.isprintable() else " " for sign in said)
            object.__setattr__(self, name, shown.strip())


def has_secret(secret_sha256: str, *, carrier: str, key: str) -> bool:
    """Tell whether a hash is that of the token of the attempt `key` at a carrier."""
    if not key.isascii() or not key.isprintable():
        return False
    attempt: DeliveryAttempt | None = DeliveryAttempt.get_or_none(
        carrier=carrier, idempotency_key=key
    )
    known = attempt.media_sha256 if attempt else None
    return known is not None and hmac.compare_digest(known, secret_sha256)


def refuse(*, what: str, address: str, at: datetime) -> None:
    """Keep in the audit record that an unsigned or forged call-back was refused.

    The first of a kind in a minute in full. The others are counted, whence they came
    is not kept, and `tell_of_refused` writes them down: no stranger fills the record.
    """
    job, minute = f"{REFUSED}{what}", periods.every(MINUTE.seconds, at=at)
    with database.atomic():
        if periods.claim_or_count(job, period=minute, at=at):
            tell_of_refused(at=at)
            audit.record(
                audit.Event.CALLBACK_REFUSED,
                actor="system",
                subject=job,
                at=at,
                address=address,
            )


def tell_of_refused(*, at: datetime) -> int:
    """Put on the audit record what was counted in minutes that are over; in how many.

    For the worker's sweep; where none runs, the next forged call-back does it.
    """
    minutes = periods.counts(REFUSED, before=at - MINUTE)
    return sum(_tell_of(minute, at=at) for minute in minutes)


def _tell_of(minute: ScheduledRun, *, at: datetime) -> bool:
    with database.atomic():
        if not periods.take_count(minute):
            return False  # another process tells it, or it has grown: the next time
        audit.record(
            audit.Event.CALLBACK_REFUSED,
            actor="system",
            subject=minute.job.removeprefix(periods.COUNTED),
            at=at,
            detail={"others": minute.more, "since": minute.started_at.isoformat()},
        )
    return True


def apply(
    report: CarrierReport,
    *,
    carrier: str,
    source: str,
    at: datetime,
    attempt_key: str = "",
    only_key: bool = False,
) -> Delivery | None:
    """Move the delivery that a report is about; None if there is none.

    The attempt is found by the carrier's reference or, where the report outran the
    answer to our own call, by the key in the address that we gave. With `only_key` it
    must be that key's: whoever told it knows no more than that attempt's secret.
    """
    if not report.reference or len(report.reference) > LONGEST_REFERENCE:
        return None
    known = _attempt(report.reference, carrier=carrier, key=attempt_key)
    if known is None or (only_key and known.idempotency_key != attempt_key):
        return None
    # Before the transaction: a long report takes its time to be opened.
    report = _counted(report, known.delivery)
    with database.atomic():
        attempt = _attempt(report.reference, carrier=carrier, key=attempt_key)
        if attempt is None:
            return None
        delivery = outbox.taken(attempt.delivery.id)
        news = _is_news(delivery, attempt, report, source=source, at=at)
        # A doubt that came after the carrier had said so is settled by the same word.
        if news or delivery.state == DeliveryState.IN_DOUBT:
            _adopt(attempt, report)
            another = stations.seen(delivery, report.station, at=at)
            _move(delivery, attempt, report, source=source, at=at)
            if another is not None:
                stations.flag(delivery, another, at=at)
    if news and report.error_class is not None:
        kind, text = report.error_class, report.text
        calling.failed(delivery, attempt, kind, text=text, at=at)
    return delivery


def _attempt(reference: str, *, carrier: str, key: str) -> DeliveryAttempt | None:
    known: DeliveryAttempt | None = DeliveryAttempt.get_or_none(
        carrier=carrier, carrier_reference=reference
    )
    if known is not None or not key:
        return known
    early: DeliveryAttempt | None = DeliveryAttempt.get_or_none(
        carrier=carrier, idempotency_key=key
    )
    if early is not None and early.carrier_reference in {None, reference}:
        return early
    return None


def _counted(report: CarrierReport, delivery: Delivery) -> CarrierReport:
    """Take a fax of which fewer pages arrived than were sent for a line that was cut.

    A carrier that gives no count, or none, is believed.
    """
    if report.progress != Progress.DELIVERED or not report.pages:
        return report
    sent = _pages(delivery.document) if delivery.document else None
    if sent is None or report.pages >= sent:
        return report
    return replace(
        report,
        progress=Progress.FAILED,
        error_class=ErrorClass.LINE_DROPPED,
        text=f"{report.text} {report.pages} of {sent} pages".strip(),
    )


def _pages(document: Document) -> int | None:
    try:
        return len(PdfReader(io.BytesIO(documents.read(document))).pages)
    except (documents.DocumentLostError, PyPdfError, ValueError):
        return None


def _is_news(
    delivery: Delivery,
    attempt: DeliveryAttempt,
    report: CarrierReport,
    *,
    source: str,
    at: datetime,
) -> bool:
    """Write the report down; False if the same one is there already."""
    try:
        with database.atomic():
            DeliveryEvent.create(
                delivery=delivery,
                attempt=attempt,
                source=source,
                event_key=f"{attempt.carrier}:{report.reference}:{report.status}"[:255],
                from_state=delivery.state.value,
                to_state=delivery.state.value,
                note=f"carrier says {report.status} {report.text}"[:200].strip(),
                at=at,
            )
    except IntegrityError:
        return False
    return True


def _adopt(attempt: DeliveryAttempt, report: CarrierReport) -> None:
    attempt.carrier_reference = report.reference
    attempt.pages_sent = (
        report.pages if report.pages is not None else attempt.pages_sent
    )
    attempt.station = report.station or attempt.station
    attempt.save(
        only=[
            DeliveryAttempt.carrier_reference,
            DeliveryAttempt.pages_sent,
            DeliveryAttempt.station,
        ]
    )


def _move(
    delivery: Delivery,
    attempt: DeliveryAttempt,
    report: CarrierReport,
    *,
    source: str,
    at: datetime,
) -> None:
    if delivery.state in outbox.FINAL and not _goes_on(delivery, report):
        return
    if report.progress == Progress.RETURNED:
        text = f"{letters.CAME_BACK}, says the carrier"
        letters.take_back(delivery, source=source, text=text, at=at, attempt=attempt)
        return
    current = attempt.number == delivery.attempts
    if report.progress == Progress.DELIVERED:
        # Even where a later attempt is being made: this one did arrive.
        delivery.possible_duplicate = delivery.possible_duplicate or not current
        delivery.needs_staff = _is_odd(delivery, attempt, report, source=source, at=at)
        to = DeliveryState.DELIVERED
        _goes_out(delivery, attempt, to, source=source, at=at)
    elif not current or delivery.state == DeliveryState.QUEUED:
        return
    elif report.progress == Progress.MAILED:
        _goes_out(delivery, attempt, DeliveryState.MAILED, source=source, at=at)
    elif report.progress == Progress.FAILED:
        _failed(delivery, attempt, report, source=source, at=at)
    elif delivery.state == DeliveryState.IN_DOUBT:
        delivery.submitted_at = at
        delivery.due_at = at + outbox.soon() * 2
        outbox.change(
            delivery, DeliveryState.SUBMITTED, source=source, at=at, attempt=attempt
        )


def _goes_out(
    delivery: Delivery,
    attempt: DeliveryAttempt,
    to: DeliveryState,
    *,
    source: str,
    at: datetime,
) -> None:
    """Have a message be out; where it was cancelled, staff are to know."""
    text = ""
    if delivery.state == DeliveryState.CANCELLED or is_withdrawn_by_hand(delivery):
        delivery.needs_staff = True
        text = f"it was cancelled, and {to.value} all the same"
    outbox.change(delivery, to, source=source, text=text, at=at, attempt=attempt)


def _goes_on(delivery: Delivery, report: CarrierReport) -> bool:
    """Tell whether an end is none: what was cancelled may go out all the same.

    What was mailed may arrive, or come back.
    """
    if delivery.state == DeliveryState.CANCELLED:
        return report.progress in {Progress.MAILED, Progress.DELIVERED}
    if delivery.channel != ChannelName.LETTER:
        return False
    if delivery.state == DeliveryState.MAILED:
        return report.progress in {Progress.DELIVERED, Progress.RETURNED}
    returned = report.progress == Progress.RETURNED
    return bool(returned and delivery.state == DeliveryState.DELIVERED)


def _is_known_end(delivery: Delivery, attempt: DeliveryAttempt) -> bool:
    """Tell whether a failure was to be: staff hold it, or we had the letter deleted."""
    is_letter = delivery.channel == ChannelName.LETTER
    if is_letter and attempt.forgotten_at is not None:
        return True
    held: bool = delivery.state == DeliveryState.HELD
    return held and delivery.error_class != ErrorClass.IN_DOUBT


def _is_odd(
    delivery: Delivery,
    attempt: DeliveryAttempt,
    report: CarrierReport,
    *,
    source: str,
    at: datetime,
) -> bool:
    """Note a carrier that says delivered and has never fetched what to deliver."""
    odd = report.fetches and attempt.media_fetched_at is None
    if odd:
        text = "it never fetched the pages: ask the recipient"
        outbox.note(delivery, attempt, source=source, at=at, text=text)
    return odd


def _failed(
    delivery: Delivery,
    attempt: DeliveryAttempt,
    report: CarrierReport,
    *,
    source: str,
    at: datetime,
) -> None:
    if _is_known_end(delivery, attempt):
        return
    error_class = report.error_class or ErrorClass.UNKNOWN
    outbox.end_attempt(attempt, error_class, at=at)
    text = f"{report.status} {report.text}".strip()
    outbox.fail(delivery, attempt, error_class, text=text, at=at, source=source)
