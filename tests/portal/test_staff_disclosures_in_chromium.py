"""Disclosures, statistics and the audit record in a real browser."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from models import OfficialRequest, OfficialState, Patient, Role, User
from pmp import clock, disclosures
from pmp.disclosures import official_requests
from pmp.figures.subjects import SUBJECTS
from tests.chromium import axe, fits, targets_are_large
from tests.factories import make_dispensation, make_identity, make_user
from tests.pmp.test_official_requests import asked

pytestmark = pytest.mark.browser


@pytest.fixture
def staff(live: str) -> User:
    return make_user(username="staff.lee")


@pytest.fixture
def edith(live: str) -> Patient:
    row = make_identity(last_name="BRANDT", first_name="EDITH")
    make_dispensation(row, filled_on=clock.today() - timedelta(days=5))
    disclosures.record(
        patient=row.patient,
        recipient="OAKES, RAE",
        address="1 Long Street Name Avenue\nHARTFORD CT 06106",
        what="Patient Threshold Report RPL-1",
        purpose="Treatment",
        at=clock.now(),
    )
    return row.patient


def is_sound(page: Page) -> None:
    axe(page)
    fits(page)
    targets_are_large(page)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_patient_asks_at_the_counter_and_gets_a_paper(
    open_context: Callable[..., BrowserContext],
    staff: User,
    edith: Patient,
    *,
    scripts: bool,
) -> None:
    page = open_context(scripts=scripts, user=staff).new_page()
    page.goto("/staff/disclosures")
    page.get_by_label("First name").fill("Edith")
    page.get_by_label("Last name").fill("Brandt")
    page.get_by_role("textbox", name="Date of birth").fill("04/28/1971")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name=f"Accounting of patient {edith.id}").click()
    expect(page.get_by_text("OAKES, RAE")).to_be_visible()
    page.get_by_role("link", name="The patient asks for it").click()
    page.get_by_label("Name of who asks").fill("Edith Brandt")
    page.get_by_label("Which paper").select_option("Passport")
    page.get_by_role("button", name="Write the request down").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Request")

    page.get_by_role("button", name="Make the paper").click()
    expect(page.get_by_text("The paper is made")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Open the paper").click()
    assert download.value.suggested_filename.startswith("patient-request-")
    page.get_by_label("The paper was handed over").check()
    page.get_by_role("button", name="End the request").click()

    expect(page.get_by_text("The request has ended.")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 375])
def test_a_denial_is_told_in_a_letter_that_is_printed_without_scripts(
    open_context: Callable[..., BrowserContext],
    staff: User,
    edith: Patient,
    width: int,
) -> None:
    page = open_context(width, scripts=False, user=staff).new_page()
    page.goto(f"/staff/disclosures/patients/{edith.id}/request")
    page.get_by_label("Name of who asks").fill("Edith Brandt")
    page.get_by_label("Which paper").select_option("Passport")
    page.get_by_role("button", name="Write the request down").click()
    page.get_by_label("Why more time is needed").fill("The archive is away.")
    page.get_by_role("button", name="Extend it").click()
    expect(page.get_by_text("Letter not printed yet: more time")).to_be_visible()
    fits(page)
    page.get_by_label("Denied", exact=True).check()
    page.get_by_label("If it is denied").select_option("not_held")
    page.get_by_label("Note").fill("Ask your hospital.")
    page.get_by_role("button", name="End the request").click()

    page.get_by_role("button", name="Print the letter: denial").click()

    expect(page.get_by_text("The letter is ready.")).to_be_visible()
    fits(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Open the letter: denial").click()
    assert download.value.suggested_filename == "patient-request-1-denial.pdf"


def test_two_persons_release_records(
    open_context: Callable[..., BrowserContext], staff: User, edith: Patient
) -> None:
    chief = make_user(Role.ADMINISTRATOR, username="admin.chief")
    page = open_context(user=staff).new_page()
    page.goto("/staff/disclosures/official/new")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("There is a problem")).to_be_visible()
    is_sound(page)
    page.get_by_label("Case number").fill("26-1187")
    page.locator("#agency").fill("State Police")
    page.locator("#officer").fill("Det. R. Moss")
    page.get_by_label("What the law bases it on").select_option(index=3)
    page.get_by_label("Fills from").fill("01/01/2020")
    page.get_by_label("Fills to").fill(f"{clock.today():%m/%d/%Y}")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Add whom it is about")).to_be_visible()
    page.locator("#number").fill(str(edith.id))
    page.get_by_role("button", name="Add").first.click()
    expect(page.get_by_text(f"Patient {edith.id} is on the request")).to_be_visible()
    page.get_by_role("button", name="Hand to a second person").click()
    expect(page.get_by_text("It waits for a second person")).to_be_visible()
    address = page.url

    second = open_context(user=chief).new_page()
    second.goto(address)
    second.get_by_role("link", name="Read and release").click()
    expect(second.get_by_text("BRANDT, EDITH")).to_be_visible()
    is_sound(second)
    second.get_by_role("button", name="Release").click()

    expect(second.get_by_text("Released: O-")).to_be_visible()
    assert OfficialRequest.get().state == OfficialState.RELEASED


@pytest.mark.parametrize("width", [1280, 375])
def test_each_page_reads_well(
    open_context: Callable[..., BrowserContext],
    staff: User,
    edith: Patient,
    width: int,
) -> None:
    chief = make_user(Role.ADMINISTRATOR, username="admin.chief")
    request = official_requests.take(asked(), by=staff, at=clock.now())
    page = open_context(width, user=chief).new_page()
    for path in (
        "disclosures",
        f"disclosures/patients/{edith.id}",
        f"disclosures/patients/{edith.id}/request",
        "disclosures/official",
        f"disclosures/official/{request.id}",
        f"audit?patient={edith.id}",
        "audit/patient",
        *(f"statistics?subject={key}" for key in SUBJECTS),
    ):
        page.goto(f"/staff/{path}")
        is_sound(page)


@pytest.mark.parametrize("width", [1280, 375])
def test_an_error_that_names_a_word_without_end_stays_on_the_page(
    open_context: Callable[..., BrowserContext],
    staff: User,
    edith: Patient,
    width: int,
) -> None:
    page = open_context(width, user=staff).new_page()
    page.goto(f"/staff/disclosures/patients/{edith.id}/request")
    page.get_by_label("Mail it to").fill(f"RAE OAKES\n{'X' * 240}\nAVON CT 06001")
    page.get_by_role("button", name="Write the request down").click()

    expect(page.get_by_text("There is a problem")).to_be_visible()
    expect(page.locator(".field .error", has_text="XXXX")).to_be_visible()
    fits(page)
