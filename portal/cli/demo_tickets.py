"""The demo's tickets: one in each state, of several kinds, by whoever may report.

Each is opened by the person and by the rule that would do it on the page. Some were
opened days ago, so that clocks have run out.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from models import (
    Dispensation,
    DrugClass,
    LookUpOutcome,
    OutsideKind,
    Purpose,
    ReportedIdentity,
    Ticket,
    TicketOutcome,
    TicketProblem,
)
from pmp import clock, dispensations, lookup, tickets
from pmp.accounts import users
from pmp.lookup import Criteria
from pmp.tickets import (
    dispenser_questions,
    handling,
    outside,
    routing,
    whole_records,
)
from pmp.tickets.outside import Person
from pmp.tickets.shown import Shown

LONG_AGO = timedelta(days=12)


def open_them() -> None:
    """Leave tickets new, asked about, answered, overdue, escalated and resolved."""
    _new()
    _asked()
    _answered()
    _overdue()
    _escalated()
    _of_a_record()
    _in_writing()
    _by_telephone()
    _corrected()
    _corrected_by_itself()


def _new() -> None:
    """Have a pharmacist dispute an entry of their own."""
    _open(
        _entry("HOLLIS", drug=DrugClass.BENZODIAZEPINE),
        TicketProblem.WRONG_QUANTITY,
        "We dispensed 30 tablets, not 60.",
        by="main.pharmacy",
    )


def _asked() -> None:
    ticket = _open(
        _entry("QUILL"),
        TicketProblem.WRONG_DAYS,
        "I wrote it for 60 days, two a day.",
        by="dr.adams",
    )
    _ask(ticket, "For how many days does the prescription say?", at=clock.now())


def _answered() -> None:
    day = clock.now() - timedelta(days=2)
    ticket = _open(
        _entry("ASHDOWN", drug=DrugClass.OPIOID),
        TicketProblem.WRONG_DATE,
        "She was away that week.",
        by="dr.brown",
        at=day,
    )
    _ask(ticket, "On which day was it picked up?", at=day)
    pharmacist = users.named("elm.pharmacy")
    [question] = dispenser_questions.waiting(pharmacist)
    dispenser_questions.explain(
        question,
        text="Filled that day; her sister signed for it two days later.",
        by=pharmacist,
        at=clock.now(),
    )


def _overdue() -> None:
    _open(
        _entry("QUILL", nth=2),
        TicketProblem.DUPLICATE,
        "The same prescription was reported twice.",
        by="dr.adams",
        at=clock.now() - LONG_AGO,
    )


def _escalated() -> None:
    ticket = _open(
        _entry("ENGELHART", drug=DrugClass.STIMULANT),
        TicketProblem.POSSIBLE_FORGERY,
        "I have never seen her, and the pad it was written on was stolen.",
        by="dr.brown",
        at=clock.now() - timedelta(days=1),
    )
    handling.escalate(
        ticket,
        to=routing.administrators()[0].id,
        reason="Refer it to Drug Control, or wait for the pharmacy?",
        by=users.named("staff.ortiz"),
        at=clock.now(),
        revision=ticket.revision,
    )


def _of_a_record() -> None:
    """Have a fill missed in a report that was looked up."""
    doctor, now = users.named("dr.adams"), clock.now()
    token = _look_up("STEFAN", "KOWALCZYK", date(1972, 1, 17), by="dr.adams")
    tickets.open_ticket(
        whole_records.of_look_up(token=token, by=doctor, at=now),
        problem=TicketProblem.MISSING,
        note="He shows me a bottle of last month from another pharmacy.",
        by=doctor,
        at=now,
    )


def _in_writing() -> None:
    entry = _entry("QUILL", nth=4)
    person = Person(
        OutsideKind.PATIENT,
        "Marcus Quill",
        received_on=clock.today() - timedelta(days=5),
        relation="The patient",
        phone="8605550113",
    )
    outside.request(
        entry.patient.id,
        person,
        entries=[entry.id],
        problem=TicketProblem.WRONG_QUANTITY,
        note="He was given 60 tablets, he writes, and has the label.",
        by=users.named("staff.ortiz"),
        at=clock.now(),
    )


def _by_telephone() -> None:
    """End a caller's ticket: staff owe a call."""
    staff, day = users.named("staff.ortiz"), clock.now() - timedelta(days=3)
    caller = Person(
        OutsideKind.CALLER,
        "Dana Ferris, Eastman Practice",
        received_on=clock.day_of(day),
        phone="8605550144",
    )
    ticket = outside.open_for_call(
        caller,
        Shown(_entry("DOVER", nth=2)),
        problem=TicketProblem.RETURNED_TO_STOCK,
        note="He says that he never picked it up.",
        by=staff,
        at=day,
    )
    _resolve(ticket, TicketOutcome.UPHELD, "The pharmacy has his signature.")


def _corrected() -> None:
    """Correct a row that was sent and looked up: all who read it are told."""
    _look_up("RAYMOND", "DOVER", date(1979, 3, 9), by="dr.adams")
    entry = _entry("DOVER", nth=1)
    ticket = _open(
        entry,
        TicketProblem.WRONG_QUANTITY,
        "The label says 40.",
        by="dr.adams",
    )
    _resolve(
        ticket,
        TicketOutcome.CORRECTED,
        f"{entry.pharmacy.name} has checked the label: 40 tablets.",
        changes={"quantity": 40, "days_supply": 10},
    )


def _corrected_by_itself() -> None:
    """Have a pharmacy correct a row that a prescriber, not asked for it, has read."""
    pharmacist = users.named("elm.pharmacy")
    dispensations.correct(
        _entry("KOWALCZIK"),
        changes={"quantity": 30, "days_supply": 15},
        reason="Half was owed and never picked up.",
        by=pharmacist,
        at=clock.now(),
    )


# --- What they are made with


def _entry(
    last_name: str, *, drug: DrugClass | None = None, nth: int = 0
) -> Dispensation:
    """Give an entry of a planted patient, the newest first."""
    entries = (
        Dispensation.select()
        .join(ReportedIdentity)
        .where(ReportedIdentity.last_key == last_name)
        .where((Dispensation.drug_class == drug) if drug else True)
        .order_by(Dispensation.filled_on.desc(), Dispensation.id)
    )
    found: Dispensation = entries[nth]
    return found


def _open(
    entry: Dispensation,
    problem: TicketProblem,
    note: str,
    *,
    by: str,
    at: datetime | None = None,
) -> Ticket:
    user = users.named(by)
    return tickets.open_ticket(
        tickets.find_shown(entry.row_code, by=user),
        problem=problem,
        note=note,
        by=user,
        at=at or clock.now(),
    )


def _ask(ticket: Ticket, text: str, *, at: datetime) -> None:
    tickets.ask_dispenser(
        ticket,
        text=text,
        by=users.named("staff.lee"),
        at=at,
        revision=ticket.revision,
    )


def _resolve(
    ticket: Ticket,
    outcome: TicketOutcome,
    note: str,
    *,
    changes: Mapping[str, object] | None = None,
) -> None:
    tickets.resolve(
        ticket,
        outcome=outcome,
        note=note,
        by=users.named("staff.ortiz"),
        at=clock.now(),
        revision=ticket.revision,
        changes=changes,
    )


def _look_up(first: str, last: str, born: date, *, by: str) -> str:
    """Look a planted patient up as a prescriber does; give the report's token."""
    today = clock.today()
    criteria = Criteria(
        first,
        last,
        born,
        Purpose.TREATING,
        since=today - timedelta(days=365),
        until=today,
    )
    answer = lookup.search(criteria=criteria, by=users.named(by), at=clock.now())
    if answer.outcome is not LookUpOutcome.REPORT:
        raise RuntimeError(f"no report of {last} was found")
    return answer.token
