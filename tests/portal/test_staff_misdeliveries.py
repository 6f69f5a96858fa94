from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext

from models import (
    AuditEvent,
    Delivery,
    DeliveryState,
    Misdelivery,
    Role,
    User,
    WhatBecame,
)
from pmp import clock, downloads, misdeliveries
from pmp.misdeliveries import Told
from tests.browser import Browser
from tests.chromium import axe, fits, targets_are_large
from tests.factories import make_crossing, make_patient, make_user
from tests.portal.lists import lines, shown, sorted_by


@pytest.fixture
def sent(browser: Browser) -> Delivery:
    """Give a report that left, one of six; staff are signed in."""
    make_crossing(make_patient(last_name="CANARYQUIST"))
    browser.sign_in_as(make_user(Role.STAFF))
    Delivery.update(state=DeliveryState.DELIVERED, needs_staff=False).execute()
    delivery: Delivery = Delivery.select().first()
    return delivery


def test_staff_write_down_assess_and_close_an_incident(
    browser: Browser, sent: Delivery
) -> None:
    page = browser.get(f"/staff/deliveries/{sent.id}").get_data(as_text=True)
    assert f"/staff/deliveries/{sent.id}/wrong-person" in page
    browser.get(f"/staff/deliveries/{sent.id}/wrong-person")
    browser.submit({"told_by": "", "became": None}, status=422)
    assert "Say who has it" in browser.text()
    browser.submit({"told_by": "A bakery, (860) 555-0199", "became": "destroyed"})
    browser.follow()
    assert "Incident 1" in browser.text()
    assert "nothing more is sent there" in browser.text()

    browser.get("/staff/misdeliveries?show=open")
    assert "1 incident" in browser.text()
    assert "A bakery" in browser.text()
    assert "CANARY" not in browser.text()
    browser.get("/staff/misdeliveries/1")
    assess = "/misdeliveries/1"
    browser.submit({"assessment": ""}, action=assess, status=422)
    browser.submit(
        {"assessment": "Low risk; the patient is told by letter.", "breach": "no"},
        action=assess,
    )
    browser.follow()
    assert "Low risk" in browser.text()
    browser.get("/staff/misdeliveries?show=open")
    assert "No message is known" in browser.text()
    browser.get(f"/staff/deliveries/{sent.id}")
    assert "It reached somebody else." in browser.text()
    assert Misdelivery.get().became == WhatBecame.DESTROYED


def test_incidents_are_sorted_and_the_file_tells_nobody_s_name(
    browser: Browser, sent: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    lee = User.get(role=Role.STAFF)
    told = Told("A bakery, (860) 555-0199", WhatBecame.KEPT, "It says CANARYQUIST.")
    first, second = (
        misdeliveries.record(each.id, told, by=lee, at=clock.now())
        for each in list(Delivery.select().order_by(Delivery.id).limit(2))
    )
    misdeliveries.assess(
        second.id, assessment="Closed.", bar_address=True, by=lee, at=clock.now()
    )
    path, link = "/staff/misdeliveries", "/staff/misdeliveries/"
    incidents = [str(first.id), str(second.id)]

    assert shown(browser, path, link) == incidents
    assert sorted_by(browser) == {"State": "descending"}
    assert shown(browser, f"{path}?sort=-incident", link) == incidents[::-1]
    assert shown(browser, f"{path}?sort=told_by&show=open", link) == incidents[:1]
    assert "/staff/misdeliveries?sort=what&amp;show=open" in browser.page_text()
    table = lines(browser, f"{path}.csv?sort=-incident")
    assert [row["Incident"] for row in table] == incidents[::-1]
    assert not any(word in str(table) for word in ("CANARY", "bakery", "0199"))
    event = AuditEvent.get(AuditEvent.event == "list:downloaded")
    assert (event.subject, event.detail) == ("misdeliveries", {"rows": 2})
    monkeypatch.setattr(downloads, "MOST_ROWS", 1)
    browser.get(f"{path}.csv", status=422)
    assert "That is 2 incidents; a file holds 1." in browser.text()


def test_users_do_not_see_incidents(browser: Browser, sent: Delivery) -> None:
    browser.sign_in_as(make_user(Role.PHARMACY))

    browser.get("/staff/misdeliveries", status=404)
    browser.get("/staff/misdeliveries.csv", status=404)
    browser.get(f"/staff/deliveries/{sent.id}/wrong-person", status=404)


def test_a_delivery_or_incident_that_is_not_there_is_not_found(
    browser: Browser, sent: Delivery
) -> None:
    browser.get("/staff/deliveries/999/wrong-person", status=404)
    browser.get("/staff/misdeliveries/999", status=404)


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 375])
def test_pages_of_incidents_fit_and_pass_axe(
    open_context: Callable[..., BrowserContext], live: str, width: int
) -> None:
    make_crossing(make_patient())
    Delivery.update(state=DeliveryState.DELIVERED, needs_staff=False).execute()
    staff = make_user(Role.STAFF)
    told = Told("A bakery", WhatBecame.KEPT)
    first, second = Delivery.select().limit(2)
    misdeliveries.record(first.id, told, by=staff, at=clock.now())
    page = open_context(width, user=staff).new_page()

    for path in (
        f"/staff/deliveries/{first.id}",
        f"/staff/deliveries/{second.id}/wrong-person",
        "/staff/misdeliveries",
        "/staff/misdeliveries/1",
    ):
        page.goto(path)
        axe(page)
        fits(page)
        targets_are_large(page)
