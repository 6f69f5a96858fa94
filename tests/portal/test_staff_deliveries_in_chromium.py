"""Deliveries in a real browser: an hour in which the carrier fails, and the pages."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from gateway import documents, messages, schedule
from gateway.message import Message
from models import (
    ChannelName,
    Delivery,
    DeliveryState,
    ErrorClass,
    User,
    WhatBecame,
)
from pmp import clock, misdeliveries
from pmp.misdeliveries import Told
from tests.chromium import axe, fits, printed, targets_are_large
from tests.factories import make_user
from tests.gateway.conftest import Clock, make_delivery, sends_to, work
from tests.servers.carrier import Carrier

pytestmark = pytest.mark.browser

FAXES = 6


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Clock:
    still = Clock()
    monkeypatch.setattr(clock, "now", still)
    return still


@pytest.fixture
def staff(live: str, now: Clock) -> User:
    return make_user(username="staff.lee")


@pytest.fixture
def carrier(live: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Carrier]:
    """Give a carrier that is down, and faxes of one page."""
    page = documents.drawn("test", "<p>Page</p>")
    monkeypatch.setattr(
        messages, "compose", lambda row, _: Message(row.address, pdf=page)
    )
    with (
        Carrier(usual="503", reports=False, fetches=True) as running,
        sends_to(running, public_url=live),
    ):
        yield running


def run_worker(now: Clock, *, minutes: int) -> None:
    """Let the worker do each minute what is due."""
    for _ in range(minutes):
        now.go_on(minutes=1)
        schedule.sweep_leases()
        schedule.sweep_deliveries()
        work()


def until_delivered(now: Clock) -> None:
    """Let the worker send and ask, while the carrier fetches in its own time."""
    for _ in range(100):
        run_worker(now, minutes=1)
        if {row.state for row in Delivery.select()} == {DeliveryState.DELIVERED}:
            return
        time.sleep(0.05)
    raise AssertionError("not all were delivered")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_carrier_fails_for_an_hour_and_then_all_go_out_once(  # noqa: PLR0915 - one walk
    open_context: Callable[..., BrowserContext],
    staff: User,
    carrier: Carrier,
    now: Clock,
    *,
    scripts: bool,
) -> None:
    rows = [make_delivery(address=f"+1860555010{each}") for each in range(FAXES)]
    run_worker(now, minutes=30)

    page = open_context(scripts=scripts, user=staff).new_page()
    page.goto("/staff/deliveries")
    main = page.locator("main")
    expect(main).to_contain_text("Fax by laml: not called: it does not work")
    expect(main).to_contain_text("6 messages wait; none is lost.")
    if scripts:  # axe is one
        axe(page)
    page.get_by_role("link", name=str(rows[0].id), exact=True).click()
    expect(page.locator("main")).to_contain_text("laml does not work now")
    assert carrier.taken == []

    page.goto("/staff/deliveries")
    page.get_by_text("Pause a carrier").click()
    page.get_by_label("Why fax by laml is paused").fill("they repair it until noon")
    page.get_by_role("button", name="Pause fax").click()
    expect(page.get_by_role("status").first).to_contain_text("laml is paused")
    calls = len(carrier.calls)
    carrier.usual = "ok"
    run_worker(now, minutes=30)
    assert len(carrier.calls) == calls  # nobody calls a carrier that is paused

    page = open_context(scripts=scripts, user=staff).new_page()  # an hour has gone by
    page.goto("/staff/deliveries")
    expect(page.locator("main")).to_contain_text("they repair it until noon")
    page.get_by_role("button", name="Resume fax: call laml now").click()
    expect(page.get_by_role("status").first).to_contain_text("laml is called again")
    until_delivered(now)

    page.goto("/staff/deliveries")
    expect(page.locator("main")).to_contain_text("none needs a person")
    expect(page.get_by_role("link", name="6 delivered today")).to_be_visible()
    expect(page.get_by_role("img", name="Fax: messages")).to_be_visible()
    assert sorted(fax.to for fax in carrier.taken) == [row.address for row in rows]
    assert {row.state for row in Delivery.select()} == {DeliveryState.DELIVERED}
    assert not Delivery.select().where(Delivery.possible_duplicate)


def _some_deliveries(now: Clock) -> None:
    """Give one of each sort: waiting, held, in doubt, failed, delivered."""
    states: list[dict[str, Any]] = [
        {"state": DeliveryState.QUEUED, "error_class": ErrorClass.BUSY},
        {"state": DeliveryState.HELD, "needs_staff": True},
        {
            "state": DeliveryState.HELD,
            "error_class": ErrorClass.IN_DOUBT,
            "attempts": 1,
            "needs_staff": True,
            "possible_duplicate": True,
        },
        {"state": DeliveryState.FAILED, "needs_staff": True, "final_at": now()},
        {"state": DeliveryState.DELIVERED, "final_at": now(), "submitted_at": now()},
    ]
    for fields in states:
        row = make_delivery()
        Delivery.update(**fields).where(Delivery.id == row.id).execute()
    make_delivery(ChannelName.EMAIL, address=f"{'long' * 15}@example.org")
    make_delivery(ChannelName.LETTER)


def _check(page: Page, width: int) -> None:
    axe(page)
    fits(page)
    if width < 1280:
        targets_are_large(page, 24)


@pytest.mark.parametrize("width", [1280, 375, 320])
def test_the_pages_fit_and_pass_axe(
    open_context: Callable[..., BrowserContext], staff: User, now: Clock, width: int
) -> None:
    _some_deliveries(now)
    ids = [row.id for row in Delivery.select().order_by(Delivery.id)]
    told = Told("A bakery", WhatBecame.KEPT, bar_address=False)
    misdeliveries.record(ids[4], told, by=staff, at=now())
    page = open_context(width, user=staff).new_page()
    paths = [f"/staff/deliveries/{each}" for each in ids]
    paths += ["/staff/deliveries", "/staff/deliveries?attention=y&sort=-attempts"]
    paths += [f"/staff/deliveries/{ids[0]}/other-way", "/staff/misdeliveries/find"]
    paths += ["/staff/misdeliveries/1", f"/staff/misdeliveries/log/{now().year}"]
    for path in paths:
        page.goto(path)
        for summary in page.locator("main summary").all():
            summary.click()
        _check(page, width)
    page.goto("/staff/deliveries")
    for each in ids[:2]:
        page.get_by_label(f"Choose delivery {each}", exact=True).check()
    page.get_by_label("With those that are ticked").select_option("hold")
    page.get_by_role("button", name="See what will happen").click()
    expect(page.get_by_role("button", name="Hold: 1")).to_be_visible()
    _check(page, width)
    page.goto("/staff/misdeliveries/find")
    page.get_by_label("What the caller can read out").fill("860 555 0123")
    page.get_by_role("button", name="Find the message").click()
    _check(page, width)


def test_the_list_prints_without_what_is_pressed(
    open_context: Callable[..., BrowserContext],
    staff: User,
    now: Clock,
    tmp_path: Path,
) -> None:
    _some_deliveries(now)
    page = open_context(user=staff).new_page()
    page.goto("/staff/deliveries")

    sheets = printed(page, tmp_path / "deliveries.pdf")

    with pypdfium2.PdfDocument(tmp_path / "deliveries.pdf") as document:
        text = "".join(sheet.get_textpage().get_text_range() for sheet in document)
    assert 1 <= len(sheets) <= 2
    assert re.search(r"\(860\)\s555-0123", text)
    assert "Waiting to be sent" in text
    for pressed in ("See what will happen", "Download as CSV", "Pause a carrier"):
        assert pressed not in text
