"""Who reports an inaccuracy and is no user: a caller, or the patient in writing.

Staff write it down. A patient's written request is an amendment under 45 CFR 164.526,
with a clock of its own. They are answered by letter or fax, else staff call them back.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from models import (
    ChannelName,
    Dispensation,
    OutsideKind,
    OutsideReporter,
    Patient,
    Ticket,
    TicketProblem,
    User,
)
from pmp import clock, database, identifiers, settings, tickets, withheld
from pmp.errors import NotFoundError, RuleError
from pmp.tickets.shown import Shown

MOST_LINES = 5  # of the window of an envelope


@dataclass(frozen=True)
class Person:
    """Who they are, as they say, and how they want to be answered.

    `address` are the lines of an envelope, the name first; without `answer_by` staff
    call back.
    """

    kind: OutsideKind
    name: str
    received_on: date
    relation: str = ""
    phone: str = ""
    fax: str = ""
    address: str = ""
    answer_by: ChannelName | None = None


def open_for(
    person: Person,
    shown: Shown,
    *,
    problem: TicketProblem,
    note: str,
    by: User,
    at: datetime,
) -> Ticket:
    """Open a ticket for somebody who is no user; one open for each of them.

    RuleError, with the field, where the way of answering has no number or address.
    """
    person = _checked(person, at=at)
    with database.atomic():
        ticket = tickets.open_ticket(
            shown,
            problem=problem,
            note=note,
            by=by,
            at=at,
            reporter=_key(person, shown),
        )
        OutsideReporter.create(
            ticket=ticket,
            kind=person.kind,
            name=person.name,
            relation=person.relation,
            phone=person.phone,
            fax=person.fax,
            address=person.address,
            answer_by=person.answer_by,
            received_on=person.received_on,
        )
        if person.kind is OutsideKind.PATIENT:
            ticket.due_at = _due(person.received_on)
            ticket.save(only=[Ticket.due_at])
    return ticket


def open_for_call(
    person: Person,
    shown: Shown,
    *,
    problem: TicketProblem,
    note: str,
    by: User,
    at: datetime,
) -> Ticket:
    """Open a ticket for a caller; who says nothing of themselves is not called."""
    said = (person.name, person.relation, person.phone, person.fax, person.address)
    if any(each.strip() for each in said) or person.answer_by is not None:
        return open_for(person, shown, problem=problem, note=note, by=by, at=at)
    return tickets.open_ticket(shown, problem=problem, note=note, by=by, at=at)


def request(  # noqa: PLR0913 - a written request, and who writes it down
    patient_id: int,
    person: Person,
    *,
    entries: Collection[int],
    problem: TicketProblem,
    note: str,
    by: User,
    at: datetime,
) -> list[Ticket]:
    """Open a ticket for each entry that a written request names; all or none.

    Without entries, one about the whole record: something is missing from it. RuleError
    for entries of somebody else, and without words.
    """
    patient: Patient | None = Patient.get_or_none(id=patient_id)
    if patient is None:
        raise NotFoundError("There is no such patient.")
    if not note.strip():
        raise RuleError("Write down what they ask for.", field="note")
    rows = listed(patient_id)
    named = [row for row in rows if row.id in entries]
    if len(named) != len(set(entries)):
        raise RuleError("Choose entries of this patient.", field="entries")
    if problem is TicketProblem.MISSING and named:
        raise RuleError("What is missing is no row: choose none.", field="entries")
    if not named and problem is not TicketProblem.MISSING:
        raise RuleError("Choose the rows that are wrong.", field="entries")
    about = [Shown(row) for row in named] or [Shown(None, patient=patient)]
    with database.atomic():
        return [
            open_for(person, each, problem=problem, note=note, by=by, at=at)
            for each in about
        ]


def listed(patient_id: int) -> list[Dispensation]:
    """Give a patient's entries for staff to choose from, newest first."""
    return list(
        Dispensation.select()
        .where(Dispensation.patient == patient_id)
        .where(withheld.shown())
        .order_by(Dispensation.filled_on.desc(), Dispensation.id.desc())
    )


# --- Only here


def _checked(person: Person, *, at: datetime) -> Person:
    """Give a person with numbers in one form; RuleError for what is missing."""
    phone, fax = _number(person.phone, "phone"), _number(person.fax, "fax")
    lines = [line.strip() for line in person.address.splitlines() if line.strip()]
    if not person.name.strip():
        raise RuleError("Write down who it is.", field="name")
    if person.received_on > clock.day_of(at):
        raise RuleError("This day is still to come.", field="received_on")
    wanted = {
        None: (phone, "phone", "Write down the number to call back."),
        ChannelName.FAX: (fax, "fax", "Write down the fax number."),
        ChannelName.LETTER: (lines, "address", "Write down the postal address."),
    }
    known, field, message = wanted.get(person.answer_by, (True, "", ""))
    if not known:
        raise RuleError(message, field=field)
    if person.answer_by is ChannelName.EMAIL:
        raise RuleError("They cannot be answered by email.", field="answer_by")
    if len(lines) >= MOST_LINES:
        raise RuleError("The window of an envelope has four lines.", field="address")
    return Person(
        kind=person.kind,
        name=person.name.strip(),
        received_on=person.received_on,
        relation=person.relation.strip(),
        phone=phone,
        fax=fax,
        address="\n".join(lines),
        answer_by=person.answer_by,
    )


def _number(typed: str, field: str) -> str:
    if not typed.strip():
        return ""
    number = identifiers.e164(typed)
    if not number:
        raise RuleError("Write the number with its area code.", field=field)
    return number


def _key(person: Person, shown: Shown) -> str:
    """Say in one word who it is: the same for the same, however often they report."""
    if person.kind is OutsideKind.PATIENT:
        patient = shown.patient or (shown.dispensation and shown.dispensation.patient)
        return f"patient:{patient.id}" if patient else "patient:"
    if person.phone:
        return f"phone:{person.phone}"
    return f"name:{' '.join(person.name.upper().split())}"[:255]


def _due(received_on: date) -> datetime:
    """Give the end of the day by which a written request must be answered."""
    days = settings.current().written_request_days
    return clock.start_of(received_on + timedelta(days=days + 1)) - timedelta(seconds=1)
