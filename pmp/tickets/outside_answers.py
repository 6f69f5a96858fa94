"""Answering who reported an inaccuracy and is no user: by letter, by fax, by a call."""

from datetime import datetime
from typing import Any

from peewee import JOIN

from models import (
    ChannelName,
    DeliveryKind,
    Dispensation,
    OutsideReporter,
    Patient,
    Ticket,
    User,
)
from pmp import audit, database, deliveries, withheld
from pmp.deliveries import Route
from pmp.errors import NotFoundError, RuleError
from pmp.tickets import whole_records, writing


def of(ticket: Ticket) -> OutsideReporter | None:
    """Give who reported a ticket, if they are no user."""
    found: OutsideReporter | None = OutsideReporter.get_or_none(ticket=ticket)
    return found


def get(reporter_id: int) -> OutsideReporter:
    """Give a reporter by number; NotFoundError."""
    found: OutsideReporter | None = OutsideReporter.get_or_none(id=reporter_id)
    if found is None:
        raise NotFoundError("There is no such reporter.")
    return found


def about(reporter_id: int) -> tuple[Patient, str]:
    """Give whose record an answer is about, and what it is called."""
    ticket = get(reporter_id).ticket
    patient = Patient.get_by_id(whole_records.patient_of(ticket))
    return patient, f"the answer to ticket {ticket.number}"


def tell(ticket: Ticket, *, at: datetime) -> bool:
    """Answer an outside reporter about the outcome; False if there is none.

    In the transaction of the outcome. Who wants a call stands among `calls_due`.
    """
    reporter = of(ticket)
    if reporter is None:
        return False
    OutsideReporter.update(answered_at=None, answered_by="").where(
        OutsideReporter.id == reporter.id
    ).execute()
    if ways := routes(reporter):
        deliveries.request(
            kind=DeliveryKind.OUTSIDE_ANSWER,
            subject_id=reporter.id,
            routes=ways,
            dedupe_key=f"outside-answer:{ticket.id}:{ticket.revision}",
            at=at,
        )
    return True


def take_back(ticket: Ticket, *, by: User, at: datetime) -> None:
    """Keep an answer that does not hold any more from going out."""
    if reporter := of(ticket):
        deliveries.withdraw_for(
            kind=DeliveryKind.OUTSIDE_ANSWER,
            subject_id=reporter.id,
            reason="The ticket is open again.",
            by=by,
            at=at,
        )


def calls_due(*, by: User) -> list[OutsideReporter]:
    """Give staff who is to be called back about an outcome, the oldest outcome first.

    Not about an entry that is withheld from them.
    """
    return list(to_call(by=by).order_by(Ticket.resolved_at, OutsideReporter.id))


def to_call(*, by: User) -> Any:
    """Select whom `calls_due` gives, in no order."""
    return (
        OutsideReporter.select(OutsideReporter, Ticket)
        .join(Ticket)
        .join(Dispensation, JOIN.LEFT_OUTER)
        .where(withheld.shown_to(by))
        .where(_waits_for_a_call())
    )


def tickets_to_call_about() -> Any:
    """Select the tickets of whom `calls_due` gives."""
    return Ticket.select().join(OutsideReporter).where(_waits_for_a_call())


def called(reporter: OutsideReporter, *, by: User, at: datetime) -> None:
    """Note that somebody was called back; RuleError if they were already."""
    with database.atomic():
        changed = (
            OutsideReporter.update(answered_at=at, answered_by=by.username)
            .where(OutsideReporter.id == reporter.id)
            .where(OutsideReporter.answered_at.is_null())
            .execute()
        )
        if not changed:
            raise RuleError("A colleague has called them already.")
        event = audit.Event.TICKET_REPORTER_TOLD
        writing.record(event, reporter.ticket, by=by, at=at, detail={"by": "phone"})


def routes(reporter: OutsideReporter) -> list[Route]:
    """Give the ways that they chose, and a letter after a fax that fails."""
    letter = f"{reporter.name}\n{reporter.address}" if reporter.address else ""
    known = {ChannelName.FAX: reporter.fax, ChannelName.LETTER: letter}
    if reporter.answer_by is None:
        return []
    order = [reporter.answer_by, ChannelName.LETTER]
    return [Route(way, known[way]) for way in dict.fromkeys(order) if known.get(way)]


def _waits_for_a_call() -> Any:
    return (
        OutsideReporter.answer_by.is_null()
        & OutsideReporter.answered_at.is_null()
        & ~Ticket.resolved_at.is_null()
        & ~Ticket.outcome.is_null()
    )
