"""What waits for a number: until it is proven, or until somebody says it is wrong."""

from collections.abc import Callable

import pytest

from models import (
    ChannelName,
    ContactCheck,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Dispensation,
    Pharmacy,
    Role,
    TicketOutcome,
    TicketQuestion,
    User,
    WhatBecame,
)
from pmp import deliveries, misdeliveries, settings
from pmp.deliveries import Route, contacts, delivery_desk
from pmp.misdeliveries import Told
from pmp.reaching import checks, fax_numbers, own_ways
from pmp.thresholds import care_notes, case_recipients, correction_notices
from pmp.tickets import dispenser_questions
from tests.conftest import NOW
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_patient,
    make_pharmacy,
    make_prescriber,
    make_ticket,
    make_user,
)

pytestmark = pytest.mark.usefixtures("db")

FAX, EMAIL = ChannelName.FAX, ChannelName.EMAIL
NUMBER, OTHER = "+18605550120", "+18605550121"
HELD, QUEUED = DeliveryState.HELD, DeliveryState.QUEUED


def pharmacist(number: str = NUMBER) -> User:
    pharmacy = make_pharmacy(fax=None, licence=None)
    return make_user(Role.PHARMACY, fax=number, email=None, pharmacy=pharmacy)


def question(pharmacy: Pharmacy, *further: Route) -> Delivery:
    asked = TicketQuestion.create(
        ticket=make_ticket(),
        pharmacy=pharmacy,
        text="Was it thirty?",
        asked_by="staff.lee",
        asked_at=NOW,
        due_at=NOW,
    )
    [way] = contacts.routes_for(pharmacy)
    return deliveries.request(
        kind=DeliveryKind.TICKET_QUESTION,
        subject_id=asked.id,
        routes=[way, *further],
        dedupe_key=f"question:{asked.id}",
        at=NOW,
    )


def again(delivery: Delivery) -> Delivery:
    found: Delivery = Delivery.get_by_id(delivery.id)
    return found


def proven(user: User, number: str = NUMBER) -> ContactCheck:
    check = own_ways.prove_fax(user, number=number, by=user, at=NOW)
    return checks.typed(user, channel=FAX, code=check.code, by=user, at=NOW)


def test_what_was_held_for_the_test_page_leaves_when_its_code_comes_back() -> None:
    user, elsewhere = pharmacist(), pharmacist("+18605550199")
    assert user.pharmacy
    assert elsewhere.pharmacy
    held, by_hand = question(user.pharmacy), question(user.pharmacy)
    noise = question(elsewhere.pharmacy)
    assert (held.state, held.needs_staff) == (HELD, True)
    by_hand.error_text = "staff hold it"
    by_hand.save()

    proven(user)

    states = [again(each).state for each in (held, by_hand, noise)]
    assert states == [QUEUED, HELD, HELD]
    assert not again(held).needs_staff


def test_one_persons_test_page_releases_nothing_of_another_with_the_same_number() -> (
    None
):
    user, other = pharmacist(), pharmacist()
    assert user.pharmacy
    assert other.pharmacy
    mine, theirs = question(user.pharmacy), question(other.pharmacy)

    proven(user)

    assert again(mine).state == QUEUED
    assert (again(theirs).state, again(theirs).needs_staff) == (HELD, True)

    proven(other)

    assert again(theirs).state == QUEUED


def test_a_number_that_is_no_longer_theirs_gets_nothing_of_theirs() -> None:
    user = pharmacist()
    assert user.pharmacy
    held = question(user.pharmacy)
    check = own_ways.prove_fax(user, number=NUMBER, by=user, at=NOW)
    User.update(fax=OTHER).where(User.id == user.id).execute()
    check.adopt = False
    check.save()

    checks.typed(user, channel=FAX, code=check.code, by=user, at=NOW)

    assert again(held).state == HELD


def test_what_staff_hold_themselves_no_test_page_releases() -> None:
    user = pharmacist()
    assert user.pharmacy
    held = question(user.pharmacy)
    delivery_desk.release(held.id, by=None, at=NOW)
    delivery_desk.hold(held.id, by=None, at=NOW)

    proven(user)

    assert again(held).state == HELD


def fax(key: str, *further: Route, kind: DeliveryKind) -> Delivery:
    return deliveries.request(
        kind=kind,
        subject_id=1,
        routes=[Route(FAX, NUMBER), *further],
        dedupe_key=key,
        at=NOW,
    )


def block(_gone: Delivery) -> None:
    fax_numbers.block(NUMBER, why="a shop has it", by="staff.lee", at=NOW)


def astray(gone: Delivery) -> None:
    told = Told(by="Corner shop", became=WhatBecame.KEPT)
    misdeliveries.record(gone.id, told, by=make_user(), at=NOW)


@pytest.mark.parametrize("close", [block, astray])
def test_what_staff_held_stays_held_where_its_number_is_closed(
    close: Callable[[Delivery], None],
) -> None:
    next_way, notice = Route(EMAIL, "next@example.org"), DeliveryKind.TICKET_NOTICE
    gone = fax("gone", kind=notice)
    gone.state = DeliveryState.SENT
    gone.save()
    by_hand, doubtful, waiting = (
        fax(key, next_way, kind=notice) for key in ("by hand", "doubtful", "waiting")
    )
    delivery_desk.hold(by_hand.id, by=None, at=NOW)
    for each, state in ((doubtful, HELD), (waiting, QUEUED)):
        each.state, each.possible_duplicate = state, True
        each.save()
    user = pharmacist()
    assert user.pharmacy
    awaits = question(user.pharmacy, next_way)
    destroy = fax("destroy", kind=DeliveryKind.DESTROY_NOTICE)

    close(gone)

    children = {
        each.parent.id: each
        for each in Delivery.select()
        if each.parent is not None and each.address == next_way.address
    }
    found = {
        row.id: (children[row.id].state, children[row.id].possible_duplicate)
        for row in (by_hand, doubtful, waiting, awaits)
    }
    assert found == {
        by_hand.id: (HELD, False),
        doubtful.id: (HELD, True),
        waiting.id: (QUEUED, True),
        awaits.id: (QUEUED, False),
    }
    assert children[by_hand.id].needs_staff
    assert not children[awaits.id].needs_staff
    assert again(destroy).state == QUEUED


def test_a_test_page_goes_with_each_kind_of_message_that_waits_for_one() -> None:
    """The code of the first report may be too old by the time of what follows it."""
    doctor = make_prescriber(fax="860-555-0120")
    patient = make_patient()
    make_dispensation(patient=patient, prescriber=doctor)
    case = make_crossing(patient, fills=3)
    found = case_recipients.of_case(case)
    reader = next(each for each in found if each.prescriber == doctor)
    other = next(each for each in found if each.prescriber not in {None, doctor})
    writer = make_user(Role.PRACTITIONER, prescriber=other.prescriber)
    asked = make_pharmacy(fax="860-555-0121")
    ticket = make_ticket(make_dispensation(pharmacy=asked))
    entry = Dispensation.get(Dispensation.prescriber == doctor)
    assert not ContactCheck.select()
    Delivery.update(state=DeliveryState.SENT).execute()
    with settings.changed(fax_verified_only="all"):
        care_notes.send(other.id, reader.id, text="Call me.", by=writer, at=NOW)
        assert [each.address for each in ContactCheck.select()] == [NUMBER]

        ContactCheck.update(expires_at=NOW).execute()
        outcome = TicketOutcome.CORRECTED
        correction_notices.tell(case, {entry.id: outcome}, withdrawn=False, at=NOW)
        assert [each.address for each in ContactCheck.select()] == [NUMBER, NUMBER]

        due = {"at": NOW, "due_at": NOW}
        dispenser_questions.ask(
            ticket, pharmacy=None, text="Thirty?", by=make_user(), **due
        )
    addresses = [each.address for each in ContactCheck.select()]
    assert addresses == [NUMBER, NUMBER, OTHER]
