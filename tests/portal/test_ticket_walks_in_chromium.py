"""One ticket of each kind in a real browser: by its reporter's own way, to its end."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from models import (
    Delivery,
    DeliveryState,
    Dispensation,
    Role,
    Ticket,
    TicketOutcome,
    User,
)
from pmp import clock
from pmp.thresholds import case_recipients
from tests.chromium import axe, fits
from tests.factories import (
    make_crossing,
    make_patient,
    make_prescriber,
    make_product,
    make_user,
)

pytestmark = pytest.mark.browser
Windows = Callable[..., BrowserContext]
CODEINE = "00406048401"
YESTERDAY = "yesterday"
VOIDED, CORRECTED = TicketOutcome.VOIDED, TicketOutcome.CORRECTED
UPHELD, REFERRED = TicketOutcome.UPHELD, TicketOutcome.REFERRED
ACTIONS = {VOIDED: "void", CORRECTED: "correct", UPHELD: "uphold", REFERRED: "refer"}


@dataclass(frozen=True)
class World:
    """An entry that a case counts, and everyone who may say that it is wrong."""

    entry: Dispensation
    prescriber: User
    reader: User
    pharmacist: User
    staff: User

    @property
    def report(self) -> str:
        """Give the address of the prescriber's threshold report."""
        [recipient] = case_recipients.of_user(self.prescriber)
        return f"/threshold-reports/{recipient.id}"


@pytest.fixture
def world(live: str) -> World:
    make_product(ndc="00406051201")
    make_product(ndc=CODEINE, name="Codeine 30 mg tablet")
    patient = make_patient(first_name="MARIA", last_name="DELGADO")
    make_crossing(patient, day=clock.today())
    Delivery.update(state=DeliveryState.SENT, needs_staff=False).execute()
    entry = Dispensation.select().order_by(Dispensation.id.desc()).get()
    return World(
        entry,
        make_user(Role.PRACTITIONER, prescriber=entry.prescriber),
        make_user(Role.PRACTITIONER, prescriber=make_prescriber()),
        make_user(Role.PHARMACY, pharmacy=entry.pharmacy),
        make_user(username="staff.lee"),
    )


def yesterday() -> str:
    return f"{clock.today() - timedelta(days=1):%m/%d/%Y}"


def look(page: Page) -> None:
    """Hold a page that is met to WCAG at a desk, and to the width of a phone."""
    axe(page)
    page.set_viewport_size({"width": 375, "height": 900})
    fits(page)
    page.set_viewport_size({"width": 1280, "height": 900})


def send(page: Page, problem: str | None, note: str, button: str) -> None:
    if problem:
        page.locator(f"input[name=problem][value={problem}]").check()
    look(page)
    page.locator("textarea[name=note]").fill(note)
    page.get_by_role("button", name=button).click()
    expect(page.locator(".flash, [role=status]").first).to_be_visible()


def looked_up(page: Page) -> None:
    page.goto("/look-up")
    page.locator("[name=first_name]").fill("Maria")
    page.locator("[name=last_name]").fill("Delgado")
    page.locator("[name=birth_date]").fill("04/28/1971")
    page.locator("[name=birth_date]").press("Enter")
    page.wait_for_url("**/reports/*")


def follow(page: Page, part: str) -> None:
    """Go where a link of this page leads that a reader would press."""
    address = page.locator(f"main a[href*='{part}']").first.get_attribute("href")
    assert address
    page.goto(address)


# --- The ways: each opens one ticket


def by_row_of_a_look_up(page: Page, world: World, problem: str) -> None:
    looked_up(page)
    follow(page, f"{world.entry.row_code}/report-a-problem")
    send(page, problem, "See the label.", "Send the report")


def by_the_whole_look_up(page: Page, world: World, problem: str) -> None:
    looked_up(page)
    page.get_by_role("link", name="Something is missing or wrong").click()
    send(page, problem, "He shows me another bottle.", "Send the report")


def by_row_of_a_threshold_report(page: Page, world: World, problem: str) -> None:
    page.goto(world.report)
    follow(page, f"{world.entry.row_code}/report-a-problem")
    send(page, problem, "Ten days, I wrote.", "Send the report")


def by_reply(page: Page, world: World, problem: str) -> None:
    page.goto(world.report)
    page.get_by_label("Not my patient or customer").check()
    look(page)
    page.get_by_role("button", name="Send the answer").click()


def by_a_wrong_row_of_the_reply(page: Page, world: World, problem: str) -> None:
    page.goto(world.report)
    page.get_by_label("My patient or customer", exact=True).check()
    page.get_by_text("A row is wrong", exact=True).click()
    page.locator(f"[name=row_{world.entry.row_code}]").select_option(problem)
    page.get_by_role("button", name="Send the answer").click()


def by_my_prescribing(page: Page, world: World, problem: str) -> None:
    page.goto("/prescribing")
    look(page)
    follow(page, f"{world.entry.row_code}/report-a-problem")
    send(page, problem, "The pad was stolen.", "Send the report")


def by_our_dispensing(page: Page, world: World, problem: str) -> None:
    page.goto(f"/dispensing/{world.entry.row_code}")
    page.get_by_role("link", name="Report an error to program staff").click()
    send(page, problem, "We gave thirty.", "Send the report")


def by_telephone(page: Page, world: World, problem: str) -> None:
    page.goto("/staff/tickets/new")
    page.get_by_label("Row code").fill(world.entry.row_code.lower())
    page.locator("[name=name]").fill("Ada Field")
    page.locator("[name=phone]").fill("(860) 555-0123")
    send(page, problem, "She was away that day.", "Open the ticket")


def by_written_request(page: Page, world: World, problem: str) -> None:
    page.goto(f"/staff/patients/{world.entry.patient.id}/request")
    page.locator("[name=received_on]").fill(yesterday())
    page.locator(f"[name=entries][value='{world.entry.id}']").check()
    page.locator("[name=name]").fill("Maria Delgado")
    page.locator("[name=phone]").fill("(860) 555-0188")
    send(page, problem, "I never was at that pharmacy.", "Open the tickets")


Way = Callable[[Page, World, str], None]
WALKS: dict[str, tuple[str, Way, TicketOutcome, dict[str, str]]] = {
    "not_my_patient": ("prescriber", by_reply, VOIDED, {}),
    "did_not_write": ("prescriber", by_my_prescribing, VOIDED, {}),
    "wrong_drug": (
        "reader",
        by_row_of_a_look_up,
        CORRECTED,
        {"product_code": CODEINE},
    ),
    "wrong_quantity": ("pharmacist", by_our_dispensing, CORRECTED, {"quantity": "30"}),
    "wrong_days": (
        "prescriber",
        by_row_of_a_threshold_report,
        CORRECTED,
        {"days_supply": "10"},
    ),
    "wrong_date": ("staff", by_telephone, CORRECTED, {"filled_on": YESTERDAY}),
    "returned_to_stock": ("prescriber", by_a_wrong_row_of_the_reply, VOIDED, {}),
    "duplicate": ("reader", by_row_of_a_look_up, VOIDED, {}),
    "missing": ("reader", by_the_whole_look_up, UPHELD, {}),
    "wrong_person": ("reader", by_the_whole_look_up, UPHELD, {}),
    "possible_forgery": ("prescriber", by_my_prescribing, REFERRED, {}),
    "other": ("staff", by_written_request, UPHELD, {}),
}


def resolve(page: Page, number: str, outcome: TicketOutcome, **changes: str) -> None:
    """Have staff find a ticket on the board and end it, having seen what will be."""
    page.goto("/staff/tickets")
    page.get_by_role("link", name=number).click()
    page.get_by_role("button", name="Take it").click()
    page.locator(f"main a[href$='/{ACTIONS[outcome]}']").first.click()
    for name, value in changes.items():
        page.locator(f"[name={name}]").fill(
            yesterday() if value == YESTERDAY else value
        )
    page.get_by_label("Reason").fill("As the pharmacy says.")
    page.get_by_role("button", name="Review").click()
    look(page)
    page.locator("main form button[type=submit]").first.click()
    expect(page.locator("main")).to_contain_text("Resolved.")


@pytest.mark.parametrize("problem", WALKS)
def test_a_ticket_of_each_kind_goes_from_its_reporter_to_its_end(
    open_context: Windows, world: World, problem: str
) -> None:
    who, way, outcome, changes = WALKS[problem]
    user = getattr(world, who)
    reporter = open_context(user=user).new_page()
    way(reporter, world, problem)
    ticket = Ticket.get()
    assert (ticket.problem, ticket.opened_by) == (problem, user)

    staff = open_context(user=world.staff).new_page()
    resolve(staff, ticket.number, outcome, **changes)

    assert Ticket.get().outcome is outcome
    if who == "staff":
        staff.goto("/staff/tickets/calls")
        expect(staff.locator("main")).to_contain_text("As the pharmacy says.")
    else:
        reporter.goto(f"/tickets/{ticket.number}")
        expect(reporter.locator("main")).to_contain_text("As the pharmacy says.")
    look(staff if who == "staff" else reporter)


def test_paper_has_what_was_said_and_no_field_to_fill_in(
    open_context: Windows, world: World
) -> None:
    page = open_context(user=world.prescriber).new_page()
    page.emulate_media(media="print")
    page.goto(world.report)
    expect(page.get_by_role("heading", name="Your answer")).to_be_hidden()
    page.emulate_media(media="screen")
    by_a_wrong_row_of_the_reply(page, world, "wrong_date")
    page.goto(world.report)
    staff = open_context(user=world.staff).new_page()
    staff.goto(f"/staff/tickets/{Ticket.get().number}")

    for each, said in ((page, "My patient or customer"), (staff, "Wrong date")):
        each.emulate_media(media="print")
        expect(each.get_by_text(said).first).to_be_visible()
        for field in each.locator("main textarea, main input, main select").all():
            expect(field).to_be_hidden()
