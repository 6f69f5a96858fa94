"""Messages that reached somebody else: written down, made good, assessed.

A stranger rings and says that a fax came to them. The incident is kept for the privacy
officer, the accounting of disclosures says that it happened, nothing more goes to that
address, and the message goes on to its addressee by the next way.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import IntegrityError

from models import (
    ChannelName,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Misdelivery,
    Patient,
    User,
    WhatBecame,
)
from pmp import audit, database, disclosures
from pmp.deliveries import letters, outbox, receipts, stopping
from pmp.deliveries.in_house import NOT_MAILED
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.thresholds import care_notes, correction_notices, threshold_reports
from pmp.tickets import outside_answers, question_letters
from pmp.wording import words

PAGE_SIZE = 50
PURPOSE = "None: it was sent to the wrong person by mistake"
THERE = frozenset(
    {
        DeliveryState.SUBMITTED,
        DeliveryState.IN_DOUBT,
        DeliveryState.SENT,
        DeliveryState.DELIVERED,
        DeliveryState.MAILED,
    }
)
# We believe that it did not arrive; once it was tried, the carrier may be wrong.
DOUBTFUL = frozenset(
    {
        DeliveryState.QUEUED,
        DeliveryState.HELD,
        DeliveryState.FAILED,
        DeliveryState.EXPIRED,
        DeliveryState.CANCELLED,
    }
)
UNENDED = frozenset({DeliveryState.QUEUED, DeliveryState.HELD, DeliveryState.IN_DOUBT})
WAITING = (DeliveryState.QUEUED, DeliveryState.HELD)
ITS_ADDRESS = "its address is somebody else's"


# Kind → whom and what its messages are about, by the id of their subject.
SUBJECTS: dict[DeliveryKind, Callable[[int], tuple[Patient, str]]] = {
    DeliveryKind.THRESHOLD_REPORT: threshold_reports.about,
    DeliveryKind.CORRECTION_NOTICE: correction_notices.whom_and_what,
    DeliveryKind.CARE_NOTE: care_notes.about,
    DeliveryKind.TICKET_QUESTION: question_letters.about,
    DeliveryKind.OUTSIDE_ANSWER: outside_answers.about,
}
NO_PATIENT = frozenset(
    {
        DeliveryKind.CREDENTIAL_LETTER,
        DeliveryKind.REGISTRATION_NOTICE,
        DeliveryKind.TICKET_NOTICE,
        DeliveryKind.REPORTING_NOTICE,
        DeliveryKind.SUBMISSION_RECEIPT,
        DeliveryKind.LOOK_UP_CORRECTION,
        DeliveryKind.STAFF_ALERT,
        DeliveryKind.DESTROY_NOTICE,
        DeliveryKind.FAX_TEST_PAGE,
        DeliveryKind.EMAIL_CHECK,
        DeliveryKind.MOBILE_CODE,
        DeliveryKind.CONTACT_CHANGE,
        DeliveryKind.FORGOTTEN_PASSWORD,
        DeliveryKind.ACCOUNT_NOTICE,
    }
)


@dataclass(frozen=True)
class Told:
    """What a stranger says: who they are, and what became of the pages."""

    by: str
    became: WhatBecame
    note: str = ""
    bar_address: bool = True


def may_record(delivery: Delivery) -> bool:
    """Tell whether a message may have reached somebody, right or wrong."""
    return _may_be_there(delivery) and of_delivery(delivery) is None


def stopped_by_it(delivery: Delivery) -> list[Delivery]:
    """Give what still waits to go to the address of a delivery, the oldest first.

    It is stopped once it is written down that the address is somebody else's.
    """
    others = _waiting_there(delivery).where(Delivery.id != delivery.id)
    return [each for each in others if _can_be_stopped(each)]


def others_there(delivery: Delivery) -> list[Delivery]:
    """Give what else may have reached the address of a delivery, the newest first."""
    query = (
        Delivery.select()
        .where(Delivery.channel == delivery.channel)
        .where(Delivery.address == delivery.address)
        .where(Delivery.id != delivery.id)
        .where(Delivery.kind != DeliveryKind.DESTROY_NOTICE)
        .order_by(Delivery.id.desc())
        .limit(PAGE_SIZE)
    )
    return [each for each in query if _may_be_there(each)]


def then_words(delivery: Delivery) -> str:
    """Say how a message goes on once it is written down that it went astray."""
    if delivery.state == DeliveryState.CANCELLED:
        return "It was cancelled: it goes no further"
    if _went_on(delivery):
        return "It went on by another way already"
    if ways := outbox.ways_left(delivery):
        return f"It goes on by {words(ways[0].channel).lower()}"
    return "You must find a way to reach its addressee"


def record(
    delivery_id: int, told: Told, *, by: User, at: datetime, address: str = ""
) -> Misdelivery:
    """Write down that a message reached somebody else, and send it the next way.

    RuleError if it never left; ConflictError if it is written down already.
    """
    if not told.by.strip():
        raise RuleError("Say who has it, and how to reach them", "told_by")
    try:
        with database.atomic():
            delivery, others = _taken(delivery_id)
            if not _may_be_there(delivery):
                raise RuleError("This message never reached anybody.")
            incident: Misdelivery = Misdelivery.create(
                delivery=delivery,
                told_by=told.by.strip(),
                became=told.became,
                note=told.note.strip(),
                address_barred=told.bar_address,
                recorded_by=by.username,
                recorded_at=at,
            )
            # Before the audit record is taken: it locks the patient.
            _disclose(delivery, told, by=by, at=at)
            if told.bar_address:
                _stop(others, delivery.address, by=by, at=at)
            _go_on(delivery, by=by, at=at)
            audit.record(
                audit.Event.DELIVERY_MISDELIVERED,
                actor=by.username,
                subject=f"delivery:{delivery.id}",
                at=at,
                address=address,
                detail={"incident": incident.id, "became": told.became.value},
            )
    except IntegrityError as known:
        raise ConflictError("This is written down already.") from known
    return incident


def assess(
    incident_id: int,
    *,
    assessment: str,
    bar_address: bool,
    by: User,
    at: datetime,
    is_breach: bool | None = None,
) -> Misdelivery:
    """Close an incident with what was decided: whether the patient is told, and why.

    `is_breach` goes into the log of the year. RuleError without words; ConflictError
    if it is closed.
    """
    if not assessment.strip():
        raise RuleError("Write down what was decided", "assessment")
    with database.atomic():
        closed = (
            Misdelivery.update(
                assessment=assessment.strip(),
                is_breach=is_breach,
                address_barred=bar_address,
                assessed_by=by.username,
                assessed_at=at,
            )
            .where(Misdelivery.id == incident_id)
            .where(Misdelivery.assessed_at.is_null())
            .execute()
        )
        incident = get(incident_id)
        if not closed:
            raise ConflictError("Somebody has closed this incident already.")
        audit.record(
            audit.Event.MISDELIVERY_ASSESSED,
            actor=by.username,
            subject=f"delivery:{incident.delivery.id}",
            at=at,
            detail={
                "incident": incident.id,
                "address_barred": bar_address,
                "is_breach": is_breach,
            },
        )
    return incident


def bar(incident_id: int, *, barred: bool, by: User, at: datetime) -> Misdelivery:
    """Close or open the address of an incident after all, on record.

    RuleError while the incident is not closed: closing it decides that.
    """
    with database.atomic():
        changed = (
            Misdelivery.update(address_barred=barred)
            .where(Misdelivery.id == incident_id)
            .where(Misdelivery.assessed_at.is_null(is_null=False))
            .where(Misdelivery.address_barred != barred)
            .execute()
        )
        incident = get(incident_id)
        if incident.assessed_at is None:
            raise RuleError("Close the incident: there you say whether it is used.")
        if changed:
            audit.record(
                audit.Event.MISDELIVERY_ADDRESS,
                actor=by.username,
                subject=f"delivery:{incident.delivery.id}",
                at=at,
                detail={"incident": incident.id, "address_barred": barred},
            )
    return incident


def get(incident_id: int) -> Misdelivery:
    """Give an incident; NotFoundError."""
    incident: Misdelivery | None = Misdelivery.get_or_none(id=incident_id)
    if incident is None:
        raise NotFoundError("There is no such incident.")
    return incident


def of_delivery(delivery: Delivery) -> Misdelivery | None:
    """Give the incident of a message; None if it has none."""
    incident: Misdelivery | None = Misdelivery.get_or_none(delivery=delivery)
    return incident


def _may_be_there(delivery: Delivery) -> bool:
    if _is_in_house(delivery):
        return False
    tried = delivery.state in DOUBTFUL and delivery.attempts > 0
    return delivery.state in THERE or tried


def _can_be_stopped(delivery: Delivery) -> bool:
    return delivery.state in WAITING or _is_in_house(delivery)


def _is_in_house(delivery: Delivery) -> bool:
    is_letter = delivery.channel == ChannelName.LETTER
    here = is_letter and delivery.state in NOT_MAILED
    return bool(here and not letters.is_with_carrier(delivery))


def _went_on(delivery: Delivery) -> bool:
    return bool(Delivery.select().where(Delivery.parent == delivery).exists())


def _go_on(delivery: Delivery, *, by: User, at: datetime) -> None:
    """Send the message by its next way; without one, staff must find one.

    One that was cancelled goes nowhere; one that is on its way by another, no more.
    """
    text = "reached somebody else"
    is_over = _went_on(delivery) or delivery.state == DeliveryState.CANCELLED
    delivery.needs_staff = not (is_over or outbox.ways_left(delivery))
    if delivery.state in UNENDED:  # or it would be sent there again
        to = DeliveryState.FAILED
        outbox.change(delivery, to, source=by.username, text=text, at=at)
    else:
        outbox.note(delivery, None, source=by.username, at=at, text=text)
        delivery.revision += 1
        delivery.save()
    if not is_over:
        outbox.fall_back(delivery, at=at)


def _taken(delivery_id: int) -> tuple[Delivery, list[Delivery]]:
    """Take a delivery and what else waits for its address, in order: no deadlock."""
    known: Delivery | None = Delivery.get_or_none(id=delivery_id)
    if known is None:
        raise NotFoundError("There is no such delivery.")
    waiting = _waiting_there(known)
    ids = sorted({known.id, *(each.id for each in waiting)})
    taken = {number: outbox.taken(number) for number in ids}
    delivery = taken.pop(known.id)
    others = [each for each in taken.values() if _can_be_stopped(each)]
    return delivery, others


def _waiting_there(delivery: Delivery) -> Any:
    is_letter = Delivery.channel == ChannelName.LETTER
    in_house = is_letter & Delivery.state.in_(NOT_MAILED)
    return (
        Delivery.select()
        .where(Delivery.channel == delivery.channel)
        .where(Delivery.address == delivery.address)
        .where(Delivery.kind != DeliveryKind.DESTROY_NOTICE)
        .where(Delivery.state.in_(WAITING) | in_house)
        .order_by(Delivery.id)
    )


def _stop(others: Iterable[Delivery], address: str, *, by: User, at: datetime) -> None:
    """Keep messages from being sent to an address that is somebody else's.

    They go on by their next way; without one they are held: staff must find one. A fax
    that its carrier has is stopped there if it can be.
    """
    for each in others:
        stopping.stop(each, why=ITS_ADDRESS, by=by.username, at=at)
    receipts.ask_soon(address, at=at)


def _disclose(delivery: Delivery, told: Told, *, by: User, at: datetime) -> None:
    if delivery.kind in NO_PATIENT:
        return
    patient, what = SUBJECTS[delivery.kind](delivery.subject_id)
    disclosures.record(
        patient=patient,
        recipient=told.by.strip(),
        address=delivery.address.replace("\n", ", "),
        what=f"{what}, which reached somebody else than its addressee",
        purpose=PURPOSE,
        at=at,
        actor=by.username,
    )
