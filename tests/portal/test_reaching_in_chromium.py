"""How the program reaches somebody, in a real browser: with and without scripts."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from models import ChannelName, ContactCheck, DeliveryKind, Role, User
from pmp import clock, settings
from pmp.deliveries import outbox, sealed_searches
from pmp.reaching import checks, fax_numbers, own_ways, stations
from tests.chromium import axe, fits, targets_are_large
from tests.conftest import NOW
from tests.factories import make_licence, make_pharmacy, make_user, prove_fax

pytestmark = pytest.mark.browser

NUMBER = "+18605550120"


@pytest.fixture
def pharmacist(live: str) -> User:
    licence = make_licence(name="ELM STREET DRUG", fax="860 555 0122")
    return make_user(
        Role.PHARMACY,
        name="ELM STREET DRUG",
        fax=NUMBER,
        mobile="+18605550150",
        pharmacy=make_pharmacy(licence=licence),
    )


def fill_the_pages(user: User) -> None:
    """Have a code out by each channel, a wrong number and another machine."""
    at = clock.now()
    prove_fax(user, NUMBER)
    own_ways.prove_fax(user, number="860-555-0121", by=user, at=at)
    own_ways.prove_email(user, email="a.new.address@example.org", by=user, at=at)
    own_ways.prove_mobile(user, number="860-555-0151", agreed=True, by=user, at=at)
    own_ways.prefer(user, ChannelName.EMAIL, by=user, at=at)
    delivery = outbox.request(
        kind=DeliveryKind.TICKET_NOTICE,
        subject_id=1,
        routes=[outbox.Route(ChannelName.FAX, NUMBER)],
        dedupe_key="x",
        at=NOW,
    )
    for name in ("ELM STREET DRUG", "BOBS GARAGE AND TYRES", "+1 860 555 0120"):
        stations.seen(delivery, name, at=at)
    fax_numbers.block("860-555-0199", why="A bakery has it", by="staff.lee", at=at)


def page_of(number: str) -> str:
    return f"/staff/fax-numbers/{sealed_searches.seal(number)}"


@pytest.mark.parametrize("width", [1280, 375, 320])
def test_the_pages_fit_and_pass_axe(
    open_context: Callable[..., BrowserContext], pharmacist: User, width: int
) -> None:
    with settings.changed(sms_url="folder:", sms_from="+18605550190"):
        fill_the_pages(pharmacist)
        seal = checks.seal_of(ContactCheck.get(ContactCheck.channel == "email"))
        number = ContactCheck.get(ContactCheck.channel == "email").id
        for user, paths in (
            (
                pharmacist,
                ("/account/reaching", f"/account/reaching/email/{number}/{seal}"),
            ),
            (
                make_user(Role.STAFF),
                (
                    "/staff/fax-numbers",
                    page_of("+18605550120"),
                    page_of("+18605550199"),
                    f"/staff/users/{pharmacist.id}/reaching",
                ),
            ),
        ):
            page = open_context(user=user, width=width).new_page()
            for path in paths:
                page.goto(path)
                axe(page)
                fits(page)
                targets_are_large(page)


def test_a_number_is_changed_without_scripts_and_the_old_one_stays_until_then(
    open_context: Callable[..., BrowserContext], pharmacist: User
) -> None:
    page = open_context(user=pharmacist, scripts=False).new_page()
    page.goto("/account")
    page.get_by_role("link", name="How the program reaches you").click()
    page.get_by_label("Fax number").fill("12")
    page.get_by_role("button", name="Send a test page").click()
    expect(page.get_by_role("alert")).to_contain_text("not a number with area code")
    expect(page.get_by_label("Fax number")).to_have_value("12")

    page.get_by_label("Fax number").fill("860 555 0121")
    page.get_by_role("button", name="Send a test page").click()
    page.get_by_label("Code").fill(ContactCheck.get().code.lower().replace("-", " "))
    page.get_by_role("button", name="Confirm").click()

    expect(page.get_by_role("status")).to_contain_text("(860) 555-0121 is confirmed")
    assert User.get_by_id(pharmacist.id).fax == "+18605550121"
