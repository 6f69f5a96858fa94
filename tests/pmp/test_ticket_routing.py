import pytest

from models import AuditEvent, Role, TicketOutcome, TicketProblem, UserStatus
from pmp import audit, tickets
from pmp.errors import RuleError
from pmp.tickets import handling, routing
from tests.conftest import NOW
from tests.factories import make_ticket, make_user

pytestmark = pytest.mark.usefixtures("db")


def test_without_staff_a_ticket_is_nobodys() -> None:
    make_user(Role.AUDITOR)
    make_user(status=UserStatus.SUSPENDED)
    make_user(Role.ADMINISTRATOR)

    assert make_ticket().assigned_to is None


def test_a_ticket_goes_to_whoever_has_the_fewest_open_ones() -> None:
    lee, ortiz = make_user(), make_user()

    given = [make_ticket().assigned_to for _ in range(3)]

    assert given == [lee, ortiz, lee]


def test_a_resolved_ticket_is_no_load() -> None:
    lee, ortiz = make_user(), make_user()
    handling.take(make_ticket(), by=ortiz, at=NOW, revision=1)
    handling.take(make_ticket(), by=lee, at=NOW, revision=1)
    second = make_ticket()
    assert second.assigned_to == lee
    tickets.resolve(
        second, outcome=TicketOutcome.UPHELD, note="Right.", by=lee, at=NOW, revision=1
    )

    assert make_ticket().assigned_to == lee
    assert routing.open_tickets() == {lee.id: 2, ortiz.id: 1}


def test_a_kind_goes_to_those_who_take_it_while_they_are_active() -> None:
    lee, ortiz = make_user(), make_user()
    chief = make_user(Role.ADMINISTRATOR)
    forgery = TicketProblem.POSSIBLE_FORGERY
    routing.set_takers(
        {forgery: [chief.id], TicketProblem.OTHER: [ortiz.id]}, by=chief, at=NOW
    )

    assert make_ticket(problem=forgery).assigned_to == chief
    assert make_ticket(problem=TicketProblem.WRONG_DATE).assigned_to == lee
    chief.status = UserStatus.CLOSED
    chief.save()
    assert make_ticket(problem=forgery).assigned_to == ortiz


def test_who_takes_what_is_on_record_and_only_the_desk_can() -> None:
    lee, chief = make_user(), make_user(Role.ADMINISTRATOR)
    pharmacist = make_user(Role.PHARMACY)
    routing.set_takers({TicketProblem.OTHER: [lee.id]}, by=chief, at=NOW)

    with pytest.raises(RuleError):
        routing.set_takers({TicketProblem.OTHER: [pharmacist.id]}, by=chief, at=NOW)

    assert routing.takers()[TicketProblem.OTHER] == [lee.id]
    [event] = AuditEvent.select().where(
        AuditEvent.event == audit.Event.TICKET_ROUTING_CHANGED
    )
    assert event.detail == {"other": [lee.username]}
