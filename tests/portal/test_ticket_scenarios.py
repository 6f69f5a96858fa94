"""Scenarios 35 and 36, through the pages: a wrong row is reported, corrected, told."""

import pytest

from models import (
    CorrectionNotice,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Dispensation,
    DispensationVersion,
    LookUpCorrection,
    Role,
    ThresholdCase,
    Ticket,
    TicketQuestion,
    User,
)
from pmp import clock
from pmp.thresholds import case_recipients
from tests.browser import Browser
from tests.factories import (
    make_crossing,
    make_patient,
    make_prescriber,
    make_product,
    make_user,
)

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def entry() -> Dispensation:
    """Give an entry of a sent case: without it the case does not stand."""
    make_product(ndc="00406051201")
    patient = make_patient(first_name="MARIA", last_name="DELGADO")
    case = make_crossing(patient, day=clock.today())
    Delivery.update(state=DeliveryState.SENT).execute()
    assert len(case_recipients.of_case(case)) == 6
    found: Dispensation = Dispensation.select().order_by(Dispensation.id).get()
    return found


def pharmacist_of(entry: Dispensation) -> User:
    return make_user(Role.PHARMACY, pharmacy=entry.pharmacy)


def look_up(browser: Browser, reader: User) -> None:
    browser.sign_in_as(reader)
    browser.get("/look-up")
    born = {"birth_date": "04/28/1971"}
    browser.submit({"first_name": "Maria", "last_name": "Delgado"} | born)
    browser.follow()


def ask(browser: Browser, number: str) -> None:
    browser.sign_in_as(User.get(User.username == "staff.lee"))
    browser.get(f"/staff/tickets/{number}")
    browser.submit(
        {"text": "What does the label say?", "to": "dispenser"},
        action=f"/staff/tickets/{number}/message",
    )


def test_35_a_wrong_row_is_reported_on_the_page_and_its_dispenser_asked(
    browser: Browser, entry: Dispensation
) -> None:
    make_user(username="staff.lee")
    browser.sign_in_as(make_user(Role.PRACTITIONER, prescriber=entry.prescriber))
    recipient = next(
        each
        for each in case_recipients.of_case(ThresholdCase.get())
        if each.prescriber == entry.prescriber
    )
    page = browser.get(f"/threshold-reports/{recipient.id}").get_data(as_text=True)
    assert f"/entries/{entry.row_code}/report-a-problem" in page
    browser.get(f"/entries/{entry.row_code}/report-a-problem")
    browser.submit({"problem": "wrong_quantity", "note": "It was thirty."})
    ticket = Ticket.get()
    assert ticket.triage_due_at > clock.now()
    told = Delivery.select().where(Delivery.kind == DeliveryKind.TICKET_NOTICE)
    assert told.count() == 1
    ask(browser, ticket.number)

    assert TicketQuestion.get().pharmacy == entry.pharmacy
    assert Ticket.get().dispenser_due_at > clock.now()
    asked = Delivery.get(Delivery.kind == DeliveryKind.TICKET_QUESTION)
    assert asked.subject_id == TicketQuestion.get().id
    browser.sign_in_as(pharmacist_of(entry))
    browser.get("/questions")
    assert entry.row_code in browser.text()


def test_35_a_caller_reads_the_row_code_and_staff_type_it(
    browser: Browser, entry: Dispensation
) -> None:
    browser.sign_in_as(make_user(username="staff.lee"))
    browser.get("/staff/tickets/new")
    browser.submit(
        {
            "row_code": entry.row_code.lower(),
            "problem": "wrong_quantity",
            "name": "Ada Field",
            "phone": "8605550123",
        }
    )
    ask(browser, Ticket.get().number)

    assert TicketQuestion.get().pharmacy == entry.pharmacy


def test_36_its_dispenser_corrects_it_and_everyone_who_was_sent_it_is_told(
    browser: Browser, entry: Dispensation
) -> None:
    make_user(username="staff.lee")
    reader = make_user(Role.PRACTITIONER, prescriber=make_prescriber())
    look_up(browser, reader)
    browser.get(f"/entries/{entry.row_code}/report-a-problem")
    browser.submit({"problem": "returned_to_stock"})
    number = Ticket.get().number
    ask(browser, number)
    browser.sign_in_as(pharmacist_of(entry))
    browser.get(f"/dispensing/{entry.row_code}/remove")
    browser.submit({"why": "Returned to stock: it was not picked up"})
    browser.follow()
    assert "7 people: 6 recipients of threshold reports, 1 who looked it up" in (
        browser.text()
    )

    assert DispensationVersion.get().dispensation == entry
    assert ThresholdCase.get().status == "withdrawn"
    assert CorrectionNotice.select().where(CorrectionNotice.case_withdrawn).count() == 6
    assert LookUpCorrection.get().user == reader
    assert TicketQuestion.get().answer == "removed"
    browser.sign_in_as(User.get(User.username == "staff.lee"))
    browser.get(f"/staff/tickets/{number}")
    assert "It was removed since" in browser.text()
    browser.get(f"/staff/tickets/{number}/accept")
    browser.submit({"note": "The pharmacy removed it."}, status=200)
    browser.submit()
    browser.sign_in_as(reader)
    browser.get(f"/tickets/{number}")
    assert "The entry was removed. The pharmacy removed it." in browser.text()
    browser.get("/look-ups/changed")
    assert entry.row_code in browser.text()
