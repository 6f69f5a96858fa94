"""Tickets about a record as a whole: something is missing in it, or it is another's.

They name no entry. The report that the reporter had before them is kept with them, and
the patient follows what staff decide about who is one person.
"""

from collections.abc import Collection
from datetime import datetime

from models import LookUpOutcome, Patient, Ticket, TicketOutcome, TicketProblem, User
from pmp import audit, lookup
from pmp.errors import NotFoundError, RuleError
from pmp.matching import whereabouts
from pmp.thresholds import case_recipients
from pmp.tickets.shown import Shown

PROBLEMS: Collection[TicketProblem] = (
    TicketProblem.MISSING,
    TicketProblem.NOT_MY_PATIENT,
    TicketProblem.WRONG_PERSON,
    TicketProblem.OTHER,
)
"""What may be wrong with a report that no row of it says."""


def of_look_up(*, token: str, by: User, at: datetime, address: str = "") -> Shown:
    """Give the record that a user's report shows; on the audit record first.

    NotFoundError for an unknown, foreign or expired token, and where whoever was looked
    up has been divided since.
    """
    look_up = lookup.of_token(token=token, by=by, at=at)
    if look_up.outcome is not LookUpOutcome.REPORT or look_up.patient is None:
        raise NotFoundError("This search has no report.")
    patient = Patient.get_by_id(whereabouts.now(look_up.patient.id, look_up.at))
    audit.record(
        audit.Event.REPORT_OPENED,
        actor=by.username,
        subject=f"patient:{patient.id}",
        at=at,
        address=address,
        detail={"look_up": look_up.id, "what": "report a problem"},
    )
    return Shown(None, patient=patient, look_up=look_up)


def of_case(recipient_id: int, *, by: User) -> Shown:
    """Give the record that a Patient Threshold Report shows; NotFoundError."""
    case = case_recipients.received(recipient_id, by=by).case
    return Shown(None, case=case, patient=case.patient)


def patient_of(ticket: Ticket) -> int:
    """Give the patient of a ticket as things stand today."""
    if ticket.dispensation is not None:
        return int(ticket.dispensation.patient.id)
    if ticket.patient is None:  # a CHECK: it is about one of the two
        raise NotFoundError("This ticket is about nothing.")
    try:
        return whereabouts.now(ticket.patient.id, ticket.opened_at)
    except NotFoundError:  # staff have divided them since
        return int(ticket.patient.id)


def subject(ticket: Ticket) -> str:
    """Say in a list what a ticket is about: the row's code, or the whole record."""
    entry = ticket.dispensation
    return str(entry.row_code) if entry is not None else "Whole record"


def require_possible(outcome: TicketOutcome) -> None:
    """Refuse an outcome that needs an entry; called for a ticket that has none."""
    if outcome == TicketOutcome.VOIDED:
        raise RuleError("This ticket names no entry that could be removed.")
