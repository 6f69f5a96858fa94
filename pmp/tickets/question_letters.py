"""A question to a dispenser as it goes out by fax or letter: the least that helps."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from models import Patient, TicketQuestion
from pmp import disclosures
from pmp.deliveries import contacts
from pmp.tickets import faxed_papers, whole_records
from pmp.tickets.dispenser_questions import PURPOSE


@dataclass(frozen=True)
class Letter:
    """What is asked, of whom, by when; without an entry they call, or sign in."""

    question: TicketQuestion
    number: str
    paper_code: str
    text: str
    due_at: datetime
    row_code: str
    prescription_number: str
    filled_on: date | None
    to_lines: Sequence[str]
    to_fax: str


def letter(question_id: int) -> Letter:
    """Give what goes out of a question."""
    question = TicketQuestion.get_by_id(question_id)
    ticket, entry = question.ticket, question.ticket.dispensation
    licence = contacts.licence_of(question.pharmacy)
    lines = contacts.address_lines(licence) if licence else []
    return Letter(
        question=question,
        number=ticket.number,
        paper_code=faxed_papers.code_of(ticket),
        text=question.text,
        due_at=question.due_at,
        row_code=entry.row_code if entry else "",
        prescription_number=entry.prescription_number if entry else "",
        filled_on=entry.filled_on if entry else None,
        to_lines=lines or [contacts.name_of(question.pharmacy)],
        to_fax=contacts.fax_of(question.pharmacy),
    )


def about(question_id: int) -> tuple[Patient, str]:
    """Give whom a question is about, and what it is called."""
    question = TicketQuestion.get_by_id(question_id)
    patient = Patient.get_by_id(whole_records.patient_of(question.ticket))
    return patient, f"question {question.id} about ticket {question.ticket.number}"


def sending(letter: Letter, *, address: str, at: datetime) -> None:
    """Write down that a question goes to a fax number or a postal address."""
    patient, what = about(letter.question.id)
    disclosures.record_once(
        patient=patient,
        recipient=contacts.name_of(letter.question.pharmacy),
        address=address.replace("\n", ", "),
        what=what,
        purpose=PURPOSE,
        at=at,
    )
