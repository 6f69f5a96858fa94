"""A ticket about a withheld entry is for those of the desk who may see it."""

from datetime import date

import pytest

from models import (
    Audience,
    Delivery,
    OutsideKind,
    Role,
    Ticket,
    TicketOutcome,
    TicketProblem,
    User,
)
from pmp import tickets
from pmp.errors import NotFoundError, RuleError
from pmp.tickets import (
    attachments,
    board,
    handling,
    outside,
    outside_answers,
    routing,
)
from pmp.tickets.shown import Shown
from tests.conftest import NOW
from tests.factories import make_dispensation, make_ticket, make_user

pytestmark = pytest.mark.usefixtures("db")
PDF = b"%PDF-1.7"


@pytest.fixture
def lee() -> User:
    return make_user(username="staff.lee", email="lee@example.org")


@pytest.fixture
def chief() -> User:
    return make_user(Role.ADMINISTRATOR, email="chief@example.org")


def of_withheld() -> Ticket:
    return make_ticket(make_dispensation(withheld="administrators"))


def numbers(by: User) -> set[str]:
    listed = board.listing(board.Wanted(), by=by, at=NOW).rows
    return {ticket.number for ticket in listed}


def test_it_goes_to_an_administrator_and_to_no_other_staff(
    lee: User, chief: User
) -> None:
    ticket, noise = of_withheld(), make_ticket()

    assert ticket.assigned_to == chief
    assert noise.assigned_to == lee
    about = Delivery.select().where(Delivery.subject_id == ticket.id)
    assert {each.address for each in about} == {"chief@example.org"}
    with pytest.raises(RuleError):
        handling.assign(ticket, to=lee.id, reason="x", by=chief, at=NOW, revision=1)


def test_takers_of_the_kind_do_not_get_it_either(lee: User, chief: User) -> None:
    routing.set_takers({TicketProblem.WRONG_QUANTITY: [lee.id]}, by=chief, at=NOW)

    assert of_withheld().assigned_to == chief
    assert make_ticket().assigned_to == lee


def test_without_an_administrator_nobody_has_it_and_staff_are_not_told(
    lee: User,
) -> None:
    ticket = of_withheld()

    assert ticket.assigned_to is None
    assert not Delivery.select().where(Delivery.address == lee.email).exists()


def test_staff_do_not_find_it(lee: User, chief: User) -> None:
    ticket, noise = of_withheld(), make_ticket()
    paper = attachments.add(
        ticket, body=PDF, what="Log", audience=Audience.STAFF, by=chief, at=NOW
    )

    with pytest.raises(NotFoundError):
        tickets.of_desk(ticket.number, by=lee)
    with pytest.raises(NotFoundError):
        attachments.open_one(paper.id, by=lee, at=NOW)
    assert numbers(lee) == {noise.number}
    assert board.counts(by=lee, at=NOW)["open"] == 1
    rows = list(board.rows_of(board.Wanted(), by=lee, at=NOW))
    assert [row[0] for row in rows] == [noise.number]

    assert tickets.of_desk(ticket.number, by=chief) == ticket
    assert attachments.open_one(paper.id, by=chief, at=NOW)[1] == PDF
    assert numbers(chief) == {ticket.number, noise.number}
    assert board.counts(by=chief, at=NOW)["open"] == 2


def test_who_reported_it_on_the_telephone_is_called_by_who_may_see_it(
    lee: User, chief: User
) -> None:
    caller = outside.Person(
        kind=OutsideKind.CALLER,
        name="Ada Field",
        phone="8605550123",
        received_on=date(2026, 11, 23),
    )
    ticket = outside.open_for_call(
        caller,
        Shown(make_dispensation(withheld="administrators")),
        problem=TicketProblem.WRONG_DATE,
        note="",
        by=chief,
        at=NOW,
    )
    tickets.resolve(
        ticket, outcome=TicketOutcome.UPHELD, note="x", by=chief, at=NOW, revision=1
    )

    assert outside_answers.calls_due(by=lee) == []
    assert [each.name for each in outside_answers.calls_due(by=chief)] == ["Ada Field"]
