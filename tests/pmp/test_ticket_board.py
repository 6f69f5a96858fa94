from datetime import timedelta

import pytest

from models import (
    Audience,
    AuditEvent,
    Role,
    Ticket,
    TicketOutcome,
    TicketProblem,
    User,
    UserStatus,
)
from pmp import audit, clock, tickets
from pmp.tickets import board, handling, outcomes, withdrawing
from pmp.tickets.board import Wanted
from tests.conftest import NOW
from tests.factories import (
    entry_of,
    make_dispensation,
    make_pharmacy,
    make_ticket,
    make_user,
)

pytestmark = pytest.mark.usefixtures("db")

TODAY = clock.day_of


@pytest.fixture
def lee() -> User:
    return make_user(username="staff.lee")


def listed(by: User, **wanted: object) -> list[Ticket]:
    return board.listing(Wanted(**wanted), by=by, at=NOW).rows  # type: ignore[arg-type]


def end(ticket: Ticket, outcome: TicketOutcome, *, days: int = 0) -> None:
    tickets.resolve(
        ticket,
        outcome=outcome,
        note="Why.",
        by=make_user(Role.ADMINISTRATOR),
        at=NOW + timedelta(days=days),
        revision=ticket.revision,
    )


def test_each_list_holds_what_its_name_says(lee: User) -> None:
    chief = make_user(Role.ADMINISTRATOR)
    mine = make_ticket()
    asked, escalated, done, old = (make_ticket() for _ in range(4))
    late = make_ticket(at=NOW - timedelta(days=20))
    Ticket.update(assigned_to=None).where(Ticket.id != mine.id).execute()
    tickets.ask_dispenser(asked, text="Thirty?", by=lee, at=NOW, revision=1)
    handling.escalate(escalated, to=chief.id, reason="x", by=lee, at=NOW, revision=1)
    end(done, TicketOutcome.UPHELD)

    assert listed(lee) == [late, mine, asked, escalated, old]
    assert listed(lee, queue="mine") == [mine]
    assert listed(lee, queue="nobody") == [late, asked, old]
    assert listed(lee, queue="asked") == [asked]
    assert listed(lee, queue="escalated") == [escalated]
    assert listed(lee, queue="overdue") == [late]
    assert listed(lee, queue="resolved") == [done]
    assert listed(lee, queue="answered") == []
    counts = board.counts(by=lee, at=NOW)
    assert counts == {
        name: len(listed(lee, queue=name)) for name in board.QUEUES if name in counts
    }


def test_the_board_narrows_by_kind_owner_and_age(lee: User) -> None:
    twice = make_ticket(problem=TicketProblem.DUPLICATE)
    old = make_ticket(at=NOW - timedelta(days=8))
    ortiz = make_user(username="staff.ortiz")
    handling.take(old, by=ortiz, at=NOW, revision=1)

    assert listed(lee, problem=TicketProblem.DUPLICATE) == [twice]
    assert listed(lee, owner="staff.ortiz") == [old]
    assert listed(lee, owner=board.NOBODY) == []
    assert listed(lee, older=7) == [old]
    assert listed(lee, older=30) == []


def test_a_ticket_of_somebody_who_is_gone_is_nobodys(lee: User) -> None:
    gone = make_user()
    ticket, noise = make_ticket(), make_ticket()
    handling.take(ticket, by=gone, at=NOW, revision=1)
    handling.take(noise, by=lee, at=NOW, revision=1)
    gone.status = UserStatus.SUSPENDED
    gone.save()

    assert listed(lee, queue="nobody") == [ticket]
    assert listed(lee, owner=board.NOBODY) == [ticket]


def test_what_is_overdue_by_any_clock_comes_first(lee: User) -> None:
    waits = make_ticket(at=NOW - timedelta(days=6))
    handling.take(waits, by=lee, at=NOW, revision=1)
    untouched = make_ticket(at=NOW - timedelta(days=5))

    assert listed(lee) == [untouched, waits]


def test_a_list_comes_in_pages(lee: User) -> None:
    entries = [make_dispensation() for _ in range(51)]
    for entry in entries:
        make_ticket(entry)

    first = board.listing(Wanted(), by=lee, at=NOW)
    beyond = board.listing(Wanted(), by=lee, at=NOW, page=9)

    assert (first.total, first.pages, len(first.rows)) == (51, 2, 50)
    assert (beyond.number, len(beyond.rows)) == (2, 1)


def test_the_file_names_no_patient_and_is_on_record(lee: User) -> None:
    ticket = make_ticket()

    [row] = board.rows_of(Wanted(), by=lee, at=NOW)

    assert len(row) == len(board.HEADINGS)
    assert row[:3] == [ticket.number, "New", "Wrong quantity"]
    person = entry_of(ticket).identity
    assert person.last_name not in str(row)
    event = AuditEvent.get(AuditEvent.event == audit.Event.TICKETS_DOWNLOADED)
    assert event.detail == {"queue": "open", "rows": 1}


def test_outcomes_are_counted_with_how_long_they_took(lee: User) -> None:
    elm = make_pharmacy(name="Elm")
    for days in (1, 3, 11):
        ticket = make_ticket(
            make_dispensation(pharmacy=elm), by=lee, problem=TicketProblem.DUPLICATE
        )
        end(ticket, TicketOutcome.VOIDED, days=days)
    make_ticket()
    make_ticket(at=NOW - timedelta(days=60))  # noise: opened before
    later = NOW + timedelta(days=20)

    found = outcomes.between(TODAY(NOW), TODAY(later), at=later)

    total = found.total
    assert (total.tickets, total.open, total.overdue) == (4, 1, 2)
    assert (total.median_days, total.overdue_share) == (3.0, 50)
    kinds = {row.name: row for row in found.by["Kind"]}
    assert kinds["Duplicate"].outcomes == {TicketOutcome.VOIDED: 3}
    assert kinds["Duplicate"].overdue_share == 33
    assert kinds["Wrong quantity"].median_days is None
    assert [row.name for row in found.by["Month"]] == ["2026-11"]
    assert next(row for row in found.by["Pharmacy"] if row.name == "Elm").tickets == 3
    rows = outcomes.table(found)
    assert all(len(row) == len(outcomes.HEADINGS) for row in rows)
    assert rows[0][:4] == ["All", "All", 4, 1]


def test_a_withdrawn_ticket_took_no_time_and_was_not_late(lee: User) -> None:
    gone, ended = make_ticket(), make_ticket()
    withdrawing.withdraw(gone, by=gone.opened_by, at=NOW + timedelta(days=40))
    end(ended, TicketOutcome.UPHELD, days=2)

    found = outcomes.between(TODAY(NOW), TODAY(NOW), at=NOW + timedelta(days=41))

    total = found.total
    assert (total.tickets, total.open, total.withdrawn) == (2, 0, 1)
    assert (total.median_days, total.overdue) == (2.0, 0)
    assert all(len(row) == len(outcomes.HEADINGS) for row in outcomes.table(found))


def test_two_pharmacies_of_one_name_are_counted_apart(lee: User) -> None:
    for _ in range(2):
        make_ticket(make_dispensation(pharmacy=make_pharmacy(name="Elm")))

    found = outcomes.between(TODAY(NOW), TODAY(NOW), at=NOW)

    assert [(row.name, row.tickets) for row in found.by["Pharmacy"]] == [
        ("Elm", 1),
        ("Elm", 1),
    ]


def test_the_board_shows_where_the_reporter_wrote_last(lee: User) -> None:
    wrote, answered, fresh = (make_ticket() for _ in range(3))
    for each in (wrote, answered):
        tickets.say(each, text="Well?", by=each.opened_by, at=NOW)
    tickets.say(answered, text="Soon.", by=lee, at=NOW)
    tickets.say(wrote, text="Hm.", by=lee, at=NOW, audience=Audience.STAFF)

    assert board.reporter_wrote([wrote, answered, fresh]) == {wrote.id}
    assert board.reporter_wrote([]) == set()


def test_nothing_was_opened() -> None:
    found = outcomes.between(TODAY(NOW), TODAY(NOW), at=NOW)

    assert (found.total.tickets, found.total.overdue_share) == (0, 0)
    assert found.by == {"Kind": [], "Month": [], "Pharmacy": []}
