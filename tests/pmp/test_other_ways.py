"""A message goes another way: once, to its recipient, and not where it is barred."""

import pytest

from models import (
    AuditEvent,
    CaseRecipient,
    ChannelName,
    Delivery,
    DeliveryKind,
    DeliveryState,
    ErrorClass,
    Misdelivery,
    User,
    WhatBecame,
)
from pmp import audit, deliveries, other_ways
from pmp.deliveries import Route, as_seen, delivery_desk
from pmp.errors import ConflictError, RuleError
from pmp.thresholds import case_recipients
from tests.conftest import NOW
from tests.factories import (
    make_crossing,
    make_licence,
    make_patient,
    make_user,
)

pytestmark = pytest.mark.usefixtures("db")

FAX = Route(ChannelName.FAX, "+18605550143")
LETTER = Route(ChannelName.LETTER, "RAE OAKES\n2 Main Street\nHartford CT 06106")
MAIL = Route(ChannelName.EMAIL, "oakes@example.org")


@pytest.fixture
def staff() -> User:
    return make_user(username="staff.lee")


def made(
    *routes: Route, kind: DeliveryKind = DeliveryKind.TICKET_NOTICE, subject: int = 0
) -> Delivery:
    return deliveries.request(
        kind=kind,
        subject_id=subject,
        routes=routes or (FAX, LETTER),
        dedupe_key=f"test:{Delivery.select().count()}",
        at=NOW,
    )


def failed(row: Delivery) -> Delivery:
    claimed = deliveries.claim(row.id, carrier="laml", at=NOW)
    assert claimed is not None
    deliveries.mark_failed(claimed, error_class=ErrorClass.REJECTED, text="", at=NOW)
    return fresh(row)


def fresh(row: Delivery) -> Delivery:
    return Delivery.get_by_id(row.id)


def bar(row: Delivery) -> None:
    Misdelivery.create(
        delivery=row,
        told_by="A bakery",
        became=WhatBecame.KEPT,
        recorded_by="staff.lee",
        recorded_at=NOW,
    )


def test_a_waiting_message_is_cancelled_and_goes_by_the_chosen_way(
    staff: User,
) -> None:
    other = made()
    old = made(FAX, MAIL, LETTER)

    new = other_ways.send_by(old.id, LETTER, by=staff, at=NOW)

    assert (new.channel, new.address) == (LETTER.channel, LETTER.address)
    assert (new.parent, new.state) == (old, DeliveryState.QUEUED)
    assert new.further_routes == [["email", MAIL.address]]
    assert fresh(old).state == DeliveryState.CANCELLED
    assert not fresh(old).needs_staff
    assert fresh(other).state == DeliveryState.QUEUED
    act = AuditEvent.get(AuditEvent.event == audit.Event.DELIVERY_STAFF_ACTION)
    assert act.subject == f"delivery:{old.id}"


def test_a_failed_message_stays_failed_and_goes_on_once(staff: User) -> None:
    old = failed(made(FAX))
    assert other_ways.may_choose(old)

    new = other_ways.send_by(
        old.id,
        other_ways.typed_fax("860-555-0177", "(860) 555 0177"),
        typed=True,
        by=staff,
        at=NOW,
    )

    assert new.address == "+18605550177"
    assert (fresh(old).state, fresh(old).needs_staff) == ("failed", False)
    assert not other_ways.may_choose(fresh(old))
    with pytest.raises(RuleError, match="no other way now"):
        other_ways.send_by(
            old.id, new_route("+18605550178"), typed=True, by=staff, at=NOW
        )
    assert Delivery.select().where(Delivery.parent == old).count() == 1


def new_route(number: str) -> Route:
    return Route(ChannelName.FAX, number)


def test_the_ways_of_a_case_recipient_are_those_that_are_known_now(
    staff: User,
) -> None:
    make_crossing(make_patient())
    recipient = CaseRecipient.get(CaseRecipient.prescriber.is_null(is_null=False))
    licence = make_licence(
        name="IDA THORNBURY MD", fax="8605550188", street="9 Oak Street"
    )
    prescriber = case_recipients.who(recipient)
    prescriber.licence = licence
    prescriber.save()
    row = made(FAX, kind=DeliveryKind.THRESHOLD_REPORT, subject=recipient.id)

    ways = {each.route.channel: each for each in other_ways.ways(row)[1:]}

    assert other_ways.ways(row)[0].why_not == "it goes there already"
    assert ways[ChannelName.FAX].route.address == "+18605550188"
    assert "9 OAK STREET" in ways[ChannelName.LETTER].route.address.upper()
    other_ways.send_by(row.id, ways[ChannelName.FAX].route, by=staff, at=NOW)
    assert fresh(row).state == DeliveryState.CANCELLED


def test_it_goes_nowhere_that_is_not_the_recipients_or_is_barred(staff: User) -> None:
    stray = failed(made(new_route("+18605550199")))
    bar(stray)
    row = made(FAX, new_route("+18605550199"))

    with pytest.raises(RuleError, match="listed"):
        other_ways.send_by(row.id, new_route("+18605550111"), by=staff, at=NOW)
    for typed in (True, False):
        with pytest.raises(RuleError, match="reached somebody else") as refused:
            other_ways.send_by(
                row.id, new_route("+18605550199"), typed=typed, by=staff, at=NOW
            )
        assert refused.value.field == ("number" if typed else "way")
    with pytest.raises(RuleError, match="there already"):
        other_ways.send_by(row.id, FAX, by=staff, at=NOW)

    assert fresh(row).state == DeliveryState.QUEUED
    assert not Delivery.select().where(Delivery.parent == row)


def test_what_is_on_its_way_is_not_sent_twice(staff: User) -> None:
    for state in (
        "sending",
        "submitted",
        "in_doubt",
        "delivered",
        "batched",
        "printed",
        "mailed",
    ):
        row = made(FAX, LETTER)
        Delivery.update(state=state).where(Delivery.id == row.id).execute()

        assert not other_ways.may_choose(fresh(row))
        with pytest.raises(RuleError, match="no other way"):
            other_ways.send_by(row.id, LETTER, by=staff, at=NOW)
        assert fresh(row).state == state


def test_one_that_may_have_been_sent_makes_a_marked_copy(staff: User) -> None:
    row = made(FAX, LETTER)
    Delivery.update(state="held", possible_duplicate=True).execute()

    new = other_ways.send_by(row.id, LETTER, by=staff, at=NOW)

    assert fresh(new).possible_duplicate


def test_a_password_goes_to_the_address_of_record_alone(staff: User) -> None:
    row = made(LETTER, kind=DeliveryKind.CREDENTIAL_LETTER)

    assert not other_ways.may_choose(row)
    with pytest.raises(RuleError):
        other_ways.send_by(row.id, FAX, typed=True, by=staff, at=NOW)


@pytest.mark.parametrize(
    ("kind", "instead"),
    [
        (DeliveryKind.FAX_TEST_PAGE, "new code for that number"),
        (DeliveryKind.EMAIL_CHECK, "new code for that number"),
        (DeliveryKind.MOBILE_CODE, "new code for that number"),
        (DeliveryKind.CONTACT_CHANGE, "Ring them"),
        (DeliveryKind.STAFF_ALERT, "PMP_STAFF_MAIL_TO"),
        (DeliveryKind.DESTROY_NOTICE, "Print it"),
    ],
)
def test_a_code_or_a_warning_goes_where_it_was_sent_and_nowhere_else(
    staff: User, kind: DeliveryKind, instead: str
) -> None:
    row = made(FAX, LETTER, kind=kind)

    assert not other_ways.may_choose(row)
    assert not other_ways.may_type(row)
    assert instead in other_ways.one_way_words(row)
    typed = Route(ChannelName.FAX, "+18605550188")
    for route, is_typed in ((typed, True), (LETTER, False)):
        with pytest.raises(RuleError, match=instead):
            other_ways.send_by(row.id, route, typed=is_typed, by=staff, at=NOW)
    assert fresh(row).state == DeliveryState.QUEUED
    assert other_ways.may_choose(made(FAX))  # noise: another kind


def test_somebody_was_quicker(staff: User) -> None:
    row = made(FAX, LETTER)
    seen = as_seen.mark(row)
    delivery_desk.hold(row.id, by=staff, at=NOW)

    with pytest.raises(ConflictError, match="meanwhile"):
        other_ways.send_by(row.id, LETTER, by=staff, at=NOW, seen=seen)


@pytest.mark.parametrize(
    ("number", "again", "field"),
    [
        ("", "", "number"),
        ("555-0123", "555-0123", "number"),
        ("860 555 0123", "860 555 0124", "again"),
        ("860 555 0123", "", "again"),
    ],
)
def test_a_number_is_typed_twice(number: str, again: str, field: str) -> None:
    with pytest.raises(RuleError) as refused:
        other_ways.typed_fax(number, again)

    assert refused.value.field == field
