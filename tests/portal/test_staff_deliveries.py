"""Deliveries on staff's screens: what stands there, what may be done, letters."""

import pytest

from gateway import documents
from models import (
    AuditEvent,
    ChannelName,
    Delivery,
    DeliveryKind,
    DeliveryState,
    ErrorClass,
    Role,
)
from pmp import deliveries
from pmp.deliveries import Route
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import make_user

ADDRESS = "Dr. Ana Ruiz\n1 Main Street\nHartford, CT 06106"


def delivery(
    channel: ChannelName = ChannelName.FAX, address: str = "+18605550123"
) -> Delivery:
    return deliveries.request(
        kind=DeliveryKind.TICKET_NOTICE,
        subject_id=1,
        routes=[Route(channel, address)] if address else [],
        dedupe_key=f"test:{Delivery.select().count()}",
        at=NOW,
    )


def failed() -> Delivery:
    made = delivery()
    claimed = deliveries.claim(made.id, carrier="laml", at=NOW)
    assert claimed is not None
    deliveries.mark_failed(
        claimed, error_class=ErrorClass.NOT_A_FAX, text="voice", at=NOW
    )
    return fresh(made)


def letter(pages: int = 1) -> Delivery:
    made = delivery(ChannelName.LETTER, ADDRESS)
    claimed = deliveries.claim(made.id, carrier="print", at=NOW)
    assert claimed is not None
    pdf = documents.drawn("test", "<pdf:nextpage/>".join(["<p>Page</p>"] * pages))
    assert deliveries.begin(claimed, pdf=pdf, at=NOW)
    deliveries.mark_submitted(claimed, reference=f"{made.id}-1", at=NOW)
    return fresh(made)


def fresh(row: Delivery) -> Delivery:
    return Delivery.get_by_id(row.id)


def state(row: Delivery) -> DeliveryState:
    return fresh(row).state


@pytest.fixture
def staff(browser: Browser) -> Browser:
    browser.sign_in_as(make_user(Role.STAFF, username="sandra"))
    return browser


def test_the_list_says_where_each_delivery_stands(staff: Browser) -> None:
    failed()
    delivery(ChannelName.EMAIL, "doctor@example.org")

    staff.get("/staff/deliveries")

    assert "2 deliveries" in staff.text()
    assert "There is a problem" not in staff.text()
    assert "(860) 555-0123" in staff.text()
    assert "No fax machine answered" in staff.text()
    staff.get("/staff/deliveries?channel=email&state=queued")
    assert "1 delivery" in staff.text()
    assert "555-0123" not in staff.text()


def test_a_filter_that_is_none_shows_all(staff: Browser) -> None:
    failed()

    staff.get("/staff/deliveries?state=nonsense")

    assert "1 delivery" in staff.text()
    assert "There is a problem" not in staff.text()


def test_a_failed_delivery_is_sent_again(staff: Browser) -> None:
    row = failed()
    Delivery.update(state=DeliveryState.FAILED, needs_staff=True).execute()

    staff.get(f"/staff/deliveries/{row.id}")
    staff.submit(action="/retry")
    staff.follow()

    assert "It is sent as soon as possible" in staff.text()
    assert state(row) == DeliveryState.QUEUED
    assert not fresh(row).needs_staff
    [done] = AuditEvent.select().where(AuditEvent.event == "delivery:staff_action")
    assert (done.actor, done.subject) == ("sandra", f"delivery:{row.id}")


def test_a_delivery_is_held_released_and_cancelled_with_a_reason(
    staff: Browser,
) -> None:
    row = delivery()
    page = f"/staff/deliveries/{row.id}"

    staff.get(page)
    staff.submit(action="/hold")
    assert state(row) == DeliveryState.HELD
    assert deliveries.due(at=NOW) == []
    staff.get(page)
    staff.submit(action="/release")
    assert state(row) == DeliveryState.QUEUED
    staff.get(page)
    staff.submit(action="/cancel", status=422)
    assert "Say why it is cancelled" in staff.text()
    staff.submit({"reason": "wrong doctor"}, action="/cancel")

    assert state(row) == DeliveryState.CANCELLED
    staff.follow()
    assert "wrong doctor" in staff.text()


def with_a_carrier() -> Delivery:
    row = delivery()
    claimed = deliveries.claim(row.id, carrier="laml", at=NOW)
    assert claimed is not None
    deliveries.mark_submitted(claimed, reference="FX1", at=NOW)
    return row


def test_a_fax_that_its_carrier_has_is_cancelled_there(staff: Browser) -> None:
    row = with_a_carrier()
    page = f"/staff/deliveries/{row.id}"

    staff.get(page)
    assert "may be faxing it now" in staff.text()
    staff.submit({"reason": "wrong doctor"}, action="/cancel")
    staff.follow()

    assert "Its carrier has it, and is asked to stop it." in staff.text()
    assert "wrong doctor" in staff.text()
    assert "Cancel this delivery" not in staff.text()
    assert state(row) == DeliveryState.SUBMITTED  # until the carrier says how it ended


def test_what_has_arrived_cannot_be_cancelled_or_sent_again(staff: Browser) -> None:
    row = with_a_carrier()
    Delivery.update(state=DeliveryState.DELIVERED).execute()

    staff.get(f"/staff/deliveries/{row.id}")
    token = staff.token()
    staff.post(f"/staff/deliveries/{row.id}/retry", {"csrf_token": token})
    staff.post(
        f"/staff/deliveries/{row.id}/cancel",
        {"csrf_token": token, "reason": "too late"},
        status=422,
    )

    assert state(row) == DeliveryState.DELIVERED


def test_a_delivery_without_an_address_waits_for_staff(staff: Browser) -> None:
    row = delivery(address="")

    staff.get(f"/staff/deliveries/{row.id}")

    assert "No address" in staff.text()
    assert "Release and send" not in staff.text()


def test_a_mailed_letter_comes_back(staff: Browser) -> None:
    row = letter()
    Delivery.update(state=DeliveryState.MAILED, final_at=NOW).execute()

    staff.get(f"/staff/deliveries/{row.id}")
    staff.submit(action="/returned")

    assert state(row) == DeliveryState.RETURNED
    assert fresh(row).needs_staff
    staff.get(f"/staff/deliveries/{row.id}")
    staff.submit(action="/settle")
    assert not fresh(row).needs_staff


@pytest.mark.parametrize("path", ["/staff/deliveries", "/staff/letters"])
def test_deliveries_are_staffs_alone(browser: Browser, path: str) -> None:
    browser.get(path, status=303)
    browser.sign_in_as(make_user(Role.PHARMACY))
    browser.get(path, status=404)
