"""What staff ask a dispenser about a ticket, and what it answers on its own page.

It answers by correcting or removing the entry, or by explaining it. A pharmacy reads
the questions about its own records and no others; with the answer the ticket is the
staff's again, and they are told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models import (
    Audience,
    DeliveryKind,
    Dispensation,
    Pharmacy,
    QuestionAnswer,
    ReportedIdentity,
    Ticket,
    TicketQuestion,
    TicketStatus,
    User,
)
from pmp import audit, database, deliveries, disclosures, reporters, wording
from pmp.deliveries import contacts
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.permissions import Permission, can
from pmp.reaching import checks
from pmp.tickets import telling, whole_records, writing

PURPOSE = "Correction of what was reported"
LISTED_DAYS = 90
WORDS = {
    QuestionAnswer.CORRECTED: "Corrected the entry",
    QuestionAnswer.REMOVED: "Removed the entry",
    QuestionAnswer.REPORTED: "Reported what was missing",
    QuestionAnswer.EXPLAINED: "Explained",
}


@dataclass(frozen=True)
class Asked:
    """A question as its pharmacy sees it.

    `person` is told where there is no entry, as long as an answer helps.
    """

    question: TicketQuestion
    entry: Dispensation | None
    person: str

    @property
    def is_open(self) -> bool:
        """Whether an answer still helps."""
        ticket: Ticket = self.question.ticket
        return self.question.answered_at is None and ticket.resolved_at is None


def ask(
    ticket: Ticket,
    *,
    pharmacy: Pharmacy | None,
    text: str,
    by: User,
    at: datetime,
    due_at: datetime,
) -> TicketQuestion:
    """Ask a dispenser, in the transaction that has the ticket wait for it.

    The entry's own; of a ticket about a whole record, `pharmacy`, else RuleError. It is
    told by its own channel.
    """
    entry = ticket.dispensation
    asked = entry.pharmacy if entry is not None else pharmacy
    if asked is None:
        raise RuleError("Say which pharmacy to ask.", field="pharmacy")
    question: TicketQuestion = TicketQuestion.create(
        ticket=ticket,
        pharmacy=asked,
        text=text,
        asked_by=by.username,
        asked_at=at,
        due_at=due_at,
    )
    deliveries.request(
        kind=DeliveryKind.TICKET_QUESTION,
        subject_id=question.id,
        routes=contacts.routes_for(asked),
        dedupe_key=f"ticket-question:{question.id}",
        at=at,
    )
    checks.ask_if_untested(asked, at=at)
    return question


def pharmacy_of(number: str) -> Pharmacy | None:
    """Find the pharmacy with a DEA, NCPDP or NPI number; None without a number."""
    number = number.strip().upper()
    if not number:
        return None
    found: Pharmacy | None = (
        Pharmacy.select()
        .where(
            (Pharmacy.dea == number)
            | (Pharmacy.ncpdp == number)
            | (Pharmacy.npi == number)
        )
        .order_by(Pharmacy.id)
        .first()
    )
    if found is None:
        raise RuleError("No pharmacy has this number.", field="pharmacy")
    return found


# --- What the pharmacy sees


def waiting(user: User) -> list[TicketQuestion]:
    """Give the questions to a user's pharmacies that wait, the first due first."""
    return list(_waiting(user).order_by(TicketQuestion.due_at, TicketQuestion.id))


def count(user: User) -> int:
    """Count the questions to a user's pharmacies that wait."""
    number: int = _waiting(user).count()
    return number


def answered(user: User, *, at: datetime) -> list[TicketQuestion]:
    """Give what a user's pharmacies answered lately, newest first."""
    since = at - timedelta(days=LISTED_DAYS)
    rows = _own(user).where(TicketQuestion.answered_at >= since)
    return list(rows.order_by(TicketQuestion.answered_at.desc()))


def view(question_id: int, *, by: User, at: datetime) -> Asked:
    """Show a question to its own pharmacy; the patient data is on record first."""
    question = find(question_id, by=by)
    ticket: Ticket = question.ticket
    entry: Dispensation | None = ticket.dispensation
    if entry is not None:
        audit.record(
            audit.Event.DISPENSING_VIEWED,
            actor=by.username,
            subject=f"dispensation:{entry.id}",
            at=at,
            detail={"ticket": ticket.number},
        )
        return Asked(question, entry, "")
    asked = Asked(question, None, "")
    if not asked.is_open:
        return asked  # nothing is to be looked for any more
    person = _person(ticket)
    disclosures.record(
        patient=person.patient,
        recipient=contacts.name_of(question.pharmacy),
        what=f"question about ticket {ticket.number}",
        purpose=PURPOSE,
        at=at,
        actor=by.username,
    )
    name = wording.person_name(person.last_name, person.first_name, person.middle_name)
    return Asked(question, None, f"{name}, born {wording.us_date(person.birth_date)}")


def find(question_id: int, *, by: User) -> TicketQuestion:
    """Give a question to one of a user's pharmacies; else NotFoundError."""
    found: TicketQuestion | None = (
        _own(by).where(TicketQuestion.id == question_id).first()
    )
    if found is None:
        raise NotFoundError("Your pharmacy was not asked this.")
    return found


def asked_of(ticket: Ticket, user: User) -> list[Pharmacy]:
    """Give the pharmacies of a user that were asked about a ticket."""
    rows = _own(user).where(TicketQuestion.ticket == ticket)
    return list({each.pharmacy.id: each.pharmacy for each in rows}.values())


# --- What it answers


def explain(
    question: TicketQuestion,
    *,
    text: str,
    by: User,
    at: datetime,
    answer: QuestionAnswer = QuestionAnswer.EXPLAINED,
) -> None:
    """Answer in words: the pharmacy itself, or staff who were told by phone or fax."""
    if not text.strip():
        raise RuleError("Write the answer", field="text")
    if not can(by.role, Permission.TICKET_WORK):
        find(question.id, by=by)
    with database.atomic():
        ticket = _held([question])[0]
        _answer(question, ticket, answer, text, by=by, at=at)


def hold(entry: Dispensation) -> None:
    """Keep others from changing the tickets that ask about an entry.

    Before the entry changes: a ticket is taken before patients and the audit record.
    """
    _held(_open_about(entry))


def withdraw(ticket: Ticket, *, by: User, at: datetime) -> None:
    """Keep what was asked about a ticket that ends from going out.

    First in its transaction: deliveries are taken before tickets and the audit record.
    """
    for question in of_ticket(ticket):
        if question.answered_at is None:
            deliveries.withdraw_for(
                kind=DeliveryKind.TICKET_QUESTION,
                subject_id=question.id,
                reason="The ticket is closed.",
                by=by,
                at=at,
            )


def answer_by_change(
    entry: Dispensation, answer: QuestionAnswer, words: str, *, by: User, at: datetime
) -> None:
    """Answer what was asked about an entry by what its pharmacy has done with it."""
    for question in _open_about(entry):
        _answer(question, question.ticket, answer, words, by=by, at=at)


def of_ticket(ticket: Ticket) -> Sequence[TicketQuestion]:
    """Give what dispensers were asked about a ticket, newest first."""
    return list(
        TicketQuestion.select(TicketQuestion, Pharmacy)
        .join(Pharmacy)
        .where(TicketQuestion.ticket == ticket)
        .order_by(TicketQuestion.id.desc())
    )


def get(question_id: int, *, ticket: Ticket) -> TicketQuestion:
    """Give one of the questions of a ticket; NotFoundError."""
    found: TicketQuestion | None = TicketQuestion.get_or_none(
        id=question_id, ticket=ticket
    )
    if found is None:
        raise NotFoundError("There is no such question.")
    return found


# --- Only here


def _own(user: User) -> Any:
    pharmacies = [each.id for each in reporters.pharmacies_of(user)]
    return (
        TicketQuestion.select(TicketQuestion, Ticket)
        .join(Ticket)
        .where(TicketQuestion.pharmacy.in_(pharmacies))
    )


def _waiting(user: User) -> Any:
    return _own(user).where(
        TicketQuestion.answered_at.is_null(), Ticket.resolved_at.is_null()
    )


def _open_about(entry: Dispensation) -> list[TicketQuestion]:
    rows = (
        TicketQuestion.select(TicketQuestion, Ticket)
        .join(Ticket)
        .where(Ticket.dispensation == entry)
        .where(TicketQuestion.answered_at.is_null(), Ticket.resolved_at.is_null())
    )
    return list(rows.order_by(TicketQuestion.id))


def _held(questions: Sequence[TicketQuestion]) -> list[Ticket]:
    ids = sorted({each.__data__["ticket"] for each in questions})
    rows = Ticket.select().where(Ticket.id.in_(ids)).order_by(Ticket.id)
    if not database.is_sqlite():  # SQLite's transactions are IMMEDIATE
        rows = rows.for_update()
    return list(rows)


def _person(ticket: Ticket) -> ReportedIdentity:
    """Give how the patient of a ticket was reported last."""
    found: ReportedIdentity | None = (
        ReportedIdentity.select()
        .where(ReportedIdentity.patient == whole_records.patient_of(ticket))
        .order_by(ReportedIdentity.id.desc())
        .first()
    )
    if found is None:
        raise NotFoundError("Nobody is reported under this record any more.")
    return found


def _answer(
    question: TicketQuestion,
    ticket: Ticket,
    answer: QuestionAnswer,
    text: str,
    *,
    by: User,
    at: datetime,
) -> None:
    if ticket.resolved_at is not None:
        raise RuleError("Staff have closed this ticket: no answer is needed any more.")
    changed = (
        TicketQuestion.update(
            answer=answer, answer_text=text, answered_by=by.username, answered_at=at
        )
        .where(TicketQuestion.id == question.id, TicketQuestion.answered_at.is_null())
        .execute()
    )
    if not changed:
        raise ConflictError("This question was answered already. Look at it again.")
    rest = TicketQuestion.select().where(
        TicketQuestion.ticket == ticket, TicketQuestion.answered_at.is_null()
    )
    if ticket.status is TicketStatus.WITH_DISPENSER and not rest.exists():
        writing.change(ticket, ticket.revision, status=TicketStatus.ANSWERED)
    said = f"{WORDS[answer]}: {text}"
    writing.say(ticket, said, by=by.username, at=at, audience=Audience.DISPENSER)
    detail = {"question": question.id, "answer": answer.value}
    writing.record(audit.Event.TICKET_ANSWERED, ticket, by=by, at=at, detail=detail)
    telling.tell_answered(ticket, key=f"{question.id}:", at=at)
