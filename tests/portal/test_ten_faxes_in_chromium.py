"""A morning at the fax desk: ten mixed faxes, worked off until nothing waits.

Good, unsigned, unreadable, without a code, twice the same file, replayed by the
carrier, an advertisement, two forms in one call, upside down, for a rejected applicant.
"""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from models import (
    Application,
    ApplicationStatus,
    Delivery,
    DeliveryKind,
    DeskHold,
    FaxStatus,
    InboundFax,
    Profession,
    Role,
    User,
)
from tests.chromium import axe, fits
from tests.factories import make_application, make_dea, make_licence, make_user
from tests.faxes import now, page, receive, tiff

pytestmark = pytest.mark.browser
Windows = Callable[..., BrowserContext]
NAMES = ("Good", "Unsigned", "Codeless", "Firstof", "Secondof", "Upside")
NUMBER = "8605550161"


@pytest.fixture
def staff(live: str) -> User:
    return make_user(Role.STAFF)


@pytest.fixture
def applicants(live: str) -> dict[str, Application]:
    """Give six who are on the roster, each with a registration that waits."""
    found = {}
    for number, name in enumerate(NAMES, 1):
        dea, code = make_dea(200000 + number, "BQ"), f"CSP.00777{number:02d}"
        make_licence(
            Profession.PRACTITIONER, code=code, dea=dea, name=f"AVA {name.upper()}"
        )
        found[name] = make_application(
            first_name="Ava",
            last_name=name,
            licence_number=code,
            dea=dea,
            npi="",
            fax=f"860555016{number - 3}" if number >= 3 else "8605550199",
        )
    return found


@pytest.fixture
def ten(applicants: dict[str, Application]) -> dict[str, InboundFax]:
    code = {name: each.code for name, each in applicants.items()}
    rejected = make_application(status=ApplicationStatus.REJECTED, reason="No licence.")
    good = tiff([page(code["Good"], signed=True)])
    both = [page(code["Firstof"], signed=True), page(code["Secondof"], signed=True)]
    upside = page(code["Upside"], signed=True).rotate(180)
    return {
        "good": receive(good, name="carrier-1"),
        "unsigned": receive(tiff([page(code["Unsigned"])])),
        "unreadable": receive(b"%PDF-1.7\nnothing"),
        "no code": receive(tiff([page(signed=True)]), number="8605550160"),
        "duplicate": receive(good, name="carrier-2"),
        "replay": receive(good, name="carrier-1"),
        "foreign": receive(tiff([page(), page(signed=True)]), number="8605550198"),
        "two": receive(tiff(both)),
        "upside down": receive(tiff([upside])),
        "rejected": receive(tiff([page(rejected.code, signed=True)])),
    }


def test_ten_mixed_faxes_are_worked_off_to_an_empty_queue(
    open_context: Windows, staff: User, ten: dict[str, InboundFax]
) -> None:
    assert ten["replay"] == ten["good"]
    assert ten["duplicate"].status == FaxStatus.DISMISSED
    tab = open_context(user=staff).new_page()
    _empty_the_tray(tab, ten)
    _decide_all(tab)

    tab.goto("/staff")
    queues = tab.locator(".queues li")
    for words in ("Faxes to look at", "Registrations to decide"):
        tile = queues.filter(has_text=words)
        expect(tile).to_contain_text("nothing waits")
    assert {name: Application.get(last_name=name).status.value for name in NAMES} == {
        name: "returned" if name == "Unsigned" else "approved" for name in NAMES
    }
    letters = Delivery.select().where(Delivery.kind == DeliveryKind.CREDENTIAL_LETTER)
    assert letters.count() == 5
    assert DeskHold.select().count() == 0
    ends = {name: now(fax).status.value for name, fax in ten.items()}
    assert ends == {
        "good": "filed",
        "unsigned": "returned",
        "unreadable": "dismissed",
        "no code": "filed",
        "duplicate": "dismissed",
        "replay": "filed",
        "foreign": "dismissed",
        "two": "filed",
        "upside down": "filed",
        "rejected": "dismissed",
    }


def _empty_the_tray(tab: Page, ten: dict[str, InboundFax]) -> None:
    tab.goto("/staff/faxes")
    expect(tab.get_by_text("4 faxes, the oldest first")).to_be_visible()
    axe(tab)
    fits(tab)
    # The one without a code is a guess by its number: one press.
    tab.get_by_role("link", name=f"Fax {ten['no code'].id}").click()
    row = tab.get_by_role("row", name="Ava Codeless")
    row.get_by_role("button", name="Attach").click()
    expect(tab.get_by_text("The fax is attached to")).to_be_visible()
    # One was put aside too soon: it comes back.
    foreign = ten["foreign"].id
    _put_aside(tab, [foreign], "an advertisement")
    tab.get_by_role("link", name="Faxes that were put aside").click()
    tab.get_by_role("link", name=f"Fax {foreign}", exact=True).click()
    tab.get_by_role("button", name="Take it back into the tray").click()
    expect(tab.get_by_text("The fax waits in the tray again.")).to_be_visible()
    _put_aside(
        tab,
        [foreign, ten["unreadable"].id, ten["rejected"].id],
        "an advertisement, an empty file, and one whose applicant was told before",
    )
    expect(tab.get_by_text("Every fax has found its registration.")).to_be_visible()


def _put_aside(tab: Page, numbers: list[int], why: str) -> None:
    tab.goto("/staff/faxes")
    for number in numbers:
        tab.get_by_role("checkbox", name=f"Fax {number}", exact=True).check()
    tab.get_by_role("button", name="Put the ticked ones aside").click()
    expect(tab.get_by_role("heading", name="Put these faxes aside?")).to_be_visible()
    axe(tab)
    tab.get_by_label("Why they are put aside").fill(why)
    tab.get_by_role("button", name="Put aside").click()
    expect(tab.get_by_text(re.compile("(is|are) put aside"))).to_be_visible()


def _decide_all(tab: Page) -> None:
    """Work through the registrations by keys; the unsigned page goes back."""
    tab.goto("/staff/registrations")
    tab.get_by_role("button", name="Work on the longest waiting").click()
    for _ in NAMES:
        expect(tab.get_by_text("You have it")).to_be_visible()
        heading = tab.locator("h1").inner_text()
        axe(tab)
        if "Upside" in heading:
            tab.keyboard.press("t")
            tab.wait_for_url("**turn=90*")
            tab.keyboard.press("t")
            tab.wait_for_url("**turn=180*")
            picture = tab.get_by_role("img", name="turned 180 degrees")
            expect(picture).to_be_visible()
        if "Unsigned" in heading:
            tab.keyboard.press("r")
            tab.get_by_label("The page is not signed").check()
            tab.get_by_role("button", name="Return", exact=True).click()
        else:
            for key in "123a":
                tab.keyboard.press(key)
        done = re.compile("is returned|Approved")
        expect(tab.get_by_role("status")).to_contain_text(done)
    expect(tab.get_by_text("Nothing waits here.")).to_be_visible()


def test_keys_can_be_switched_off_and_stay_off(
    open_context: Windows, staff: User, ten: dict[str, InboundFax]
) -> None:
    tab = open_context(user=staff).new_page()
    application = Application.get(last_name="Good")
    tab.goto(f"/staff/registrations/{application.code}")
    tab.get_by_label(re.compile("^Keys:")).uncheck()
    tab.reload()
    tab.locator("h1").click()
    tab.keyboard.press("1")
    tab.keyboard.press("t")
    expect(tab.get_by_label("It is signed, by this person")).not_to_be_checked()
    assert "turn" not in tab.url
    tab.get_by_label(re.compile("^Keys:")).check()
    tab.keyboard.press("1")
    expect(tab.get_by_label("It is signed, by this person")).to_be_checked()


def test_the_desks_pages_fit_and_have_no_axe_violation(
    open_context: Windows, staff: User, ten: dict[str, InboundFax]
) -> None:
    number = ten["no code"].id
    tab = open_context(user=staff).new_page()
    tab.goto("/staff/faxes")
    tab.get_by_role("button", name="Work on the oldest").click()
    expect(tab.get_by_text("You have it")).to_be_visible()
    code = Application.get(last_name="Upside").code
    for path in (
        "/staff/faxes",
        "/staff/faxes/put-aside",
        f"/staff/faxes/{number}?turn=90",
        f"/staff/faxes/{number}/look/1?size=3&turn=270",
        "/staff/registrations",
        f"/staff/registrations/{code}?turn=180",
    ):
        for width in (1280, 375):
            window = open_context(width, user=staff).new_page()
            window.goto(path)
            axe(window)
            fits(window)
