"""Tickets for staff in a real browser: asked and resolved, with and without scripts."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from models import Role, Ticket, TicketOutcome, User
from pmp import clock, tickets
from tests.chromium import axe, fits, targets_are_large
from tests.factories import entry_of, make_ticket, make_user

pytestmark = pytest.mark.browser


@pytest.fixture
def staff(live: str) -> User:
    return make_user(username="staff.lee")


@pytest.fixture
def ticket(staff: User) -> Ticket:
    return make_ticket(at=clock.now())


@pytest.mark.parametrize("scripts", [True, False])
def test_the_pharmacy_is_asked_and_the_ticket_resolved_by_a_wording(
    open_context: Callable[..., BrowserContext],
    staff: User,
    ticket: Ticket,
    *,
    scripts: bool,
) -> None:
    page = open_context(scripts=scripts, user=staff).new_page()
    page.goto("/staff/tickets")
    page.get_by_role("link", name=ticket.number).click()
    page.get_by_role("button", name="Take it").click()
    page.get_by_label("Message or note").fill("Thirty or sixty?")
    page.get_by_label("The pharmacy, and staff").check()
    page.get_by_role("button", name="Add it").click()
    expect(page.locator("main")).to_contain_text("The pharmacy is asked.")
    page.get_by_role("link", name="The entry is right").click()
    page.get_by_role("button", name="Use this wording").click()
    page.get_by_role("button", name="Review").click()
    page.get_by_role("button", name="Change what you wrote").click()
    assert ticket.dispensation is not None
    expect(page.get_by_label("Reason")).to_have_value(
        f"{entry_of(ticket).pharmacy.name} has checked row"
        f" {entry_of(ticket).row_code} against the prescription. It stands as"
        " reported. If you have other evidence, call (860) 713-6073."
    )
    page.get_by_role("button", name="Review").click()
    page.get_by_role("button", name="The entry is right").click()

    expect(page.locator("main")).to_contain_text("Resolved. The reporter is told.")
    assert tickets.get(ticket.number).outcome is TicketOutcome.UPHELD


@pytest.mark.parametrize("width", [1280, 375])
def test_the_pages_fit_and_can_be_used_by_everybody(
    open_context: Callable[..., BrowserContext], ticket: Ticket, width: int
) -> None:
    chief = make_user(Role.ADMINISTRATOR)
    page = open_context(width, user=chief).new_page()
    own = f"/staff/tickets/{ticket.number}"
    for path in (
        "/staff/tickets",
        "/staff/tickets/outcomes",
        "/staff/tickets/routing",
        own,
        f"{own}/assign",
        f"{own}/attachments",
        f"{own}/evidence",
        f"{own}/refer",
    ):
        page.goto(path)
        axe(page)
        fits(page)
        targets_are_large(page)
