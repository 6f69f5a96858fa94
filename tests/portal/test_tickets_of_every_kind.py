"""Each kind of ticket is opened through the page; the thread, papers, withdrawing."""

import io

import pytest

from models import (
    Audience,
    LookUpCorrection,
    Role,
    Ticket,
    TicketAttachment,
    TicketProblem,
    User,
)
from pmp import clock, dispensations, tickets
from pmp.thresholds import case_recipients
from tests.browser import Browser
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_identity,
    make_patient,
    make_pharmacy,
    make_prescriber,
    make_user,
)

pytestmark = pytest.mark.usefixtures("db")
DELGADO = {"first_name": "Maria", "last_name": "Delgado", "birth_date": "04/28/1971"}
OF_A_ROW = sorted(set(TicketProblem) - {TicketProblem.MISSING})
OF_A_RECORD = ["missing", "not_my_patient", "wrong_person", "other"]


@pytest.fixture
def doctor(browser: Browser) -> User:
    user = make_user(Role.PRACTITIONER, prescriber=make_prescriber())
    browser.sign_in_as(user)
    return user


def look_up(browser: Browser) -> str:
    """Look Delgado up; give the address of the report."""
    browser.get("/look-up")
    browser.submit(DELGADO)
    browser.follow()
    assert browser.page is not None
    return str(browser.page.request.path)


@pytest.mark.parametrize("problem", OF_A_ROW)
def test_each_kind_is_reported_of_a_row(
    browser: Browser, doctor: User, problem: TicketProblem
) -> None:
    entry = make_dispensation(prescriber=doctor.prescriber)
    make_dispensation(prescriber=doctor.prescriber)  # noise
    browser.get(f"/entries/{entry.row_code}/report-a-problem")
    browser.submit({"problem": problem.value, "note": "See the label."})
    browser.follow()

    [ticket] = Ticket.select()
    assert (ticket.problem, ticket.dispensation) == (problem, entry)
    assert "Staff have your report and will take it up by" in browser.text()


@pytest.mark.parametrize("problem", OF_A_RECORD)
def test_each_kind_is_reported_of_a_report(
    browser: Browser, doctor: User, problem: str
) -> None:
    patient = make_patient(first_name="MARIA", last_name="DELGADO")
    make_dispensation(patient=patient, filled_on=clock.today())
    report = look_up(browser)
    browser.get(f"{report}/report-a-problem")
    browser.submit({"problem": None}, status=422)
    assert "Say what is wrong with this report" in browser.text()

    browser.submit({"problem": problem, "note": "A fill of 11/02 lacks."})
    browser.follow()

    [ticket] = Ticket.select()
    assert (ticket.problem, ticket.patient) == (problem, patient)
    assert "It is about the whole record of your look-up of" in browser.text()
    assert "DELGADO" not in browser.text()
    browser.get("/tickets")
    assert "Whole record" in browser.text()
    browser.get(report)
    assert "this record as a whole is wrong or lacks a fill" in browser.text()


def test_what_is_missing_needs_words(browser: Browser, doctor: User) -> None:
    make_dispensation(
        patient=make_patient(first_name="MARIA", last_name="DELGADO"),
        filled_on=clock.today(),
    )
    browser.get(f"{look_up(browser)}/report-a-problem")

    browser.submit({"problem": "missing", "note": " "}, status=422)

    assert "Describe what is missing or wrong" in browser.text()


def test_a_threshold_report_is_reported_as_a_whole(browser: Browser) -> None:
    case = make_crossing(make_patient())
    recipient = case_recipients.of_case(case)[0]
    browser.sign_in_as(make_user(Role.PRACTITIONER, prescriber=recipient.prescriber))
    browser.get(f"/threshold-reports/{recipient.id}/report-a-problem")
    browser.submit({"problem": "missing", "note": "One."})
    browser.follow()

    assert Ticket.get().case == case
    assert "in a threshold report that you were sent" in browser.text()
    other = case_recipients.of_case(case)[1]
    browser.get(f"/threshold-reports/{other.id}/report-a-problem", status=404)


def test_a_report_of_somebody_else_is_not_there_to_report(
    browser: Browser, doctor: User
) -> None:
    make_dispensation(
        patient=make_patient(first_name="MARIA", last_name="DELGADO"),
        filled_on=clock.today(),
    )
    report = look_up(browser)
    browser.sign_in_as(make_user(Role.PRACTITIONER))

    browser.get(f"{report}/report-a-problem", status=404)
    browser.get("/reports/made-up/report-a-problem", status=404)


def test_not_mine_in_my_prescribing_opens_it_chosen(
    browser: Browser, doctor: User
) -> None:
    entry = make_dispensation(prescriber=doctor.prescriber, filled_on=clock.today())
    page = browser.get("/prescribing").get_data(as_text=True)
    link = f"/entries/{entry.row_code}/report-a-problem?problem=did_not_write"
    assert link in page

    browser.get(link)
    browser.submit({})

    assert Ticket.get().problem == TicketProblem.DID_NOT_WRITE


def test_the_reporter_reads_only_what_is_for_them(
    browser: Browser, doctor: User
) -> None:
    entry = make_dispensation(prescriber=doctor.prescriber)
    browser.get(f"/entries/{entry.row_code}/report-a-problem")
    browser.submit({"problem": "wrong_date"})
    ticket, staff, now = Ticket.get(), make_user(), clock.now()
    tickets.ask_dispenser(
        ticket, text="Was it the third?", by=staff, at=now, revision=ticket.revision
    )
    audience = Audience.STAFF
    tickets.say(ticket, text="Odd.", by=staff, at=now, audience=audience)
    tickets.say(ticket, text="We have asked.", by=staff, at=now)

    browser.get(f"/tickets/{ticket.number}")

    assert "We have asked." in browser.text()
    assert "Odd." not in browser.text()
    assert "Was it the third?" not in browser.text()
    assert "Staff have asked the pharmacy, which has until" in browser.text()


def test_it_is_withdrawn_and_that_taken_back(browser: Browser, doctor: User) -> None:
    entry = make_dispensation(prescriber=doctor.prescriber)
    browser.get(f"/entries/{entry.row_code}/report-a-problem")
    browser.submit({"problem": "wrong_date"})
    browser.follow()
    number = Ticket.get().number

    browser.submit({}, action=f"/tickets/{number}/withdraw")
    browser.follow()
    assert "You have withdrawn this report." in browser.text()
    assert "Overdue" not in browser.text()
    browser.submit({}, action=f"/tickets/{number}/take-back")
    browser.follow()

    assert "Staff have your report and will take it up by" in browser.text()
    assert tickets.is_under_review(entry)


def test_papers_are_added_and_opened_by_whom_they_are_for(
    browser: Browser, doctor: User
) -> None:
    entry = make_dispensation(prescriber=doctor.prescriber)
    browser.get(f"/entries/{entry.row_code}/report-a-problem")
    browser.submit({"problem": "wrong_date"})
    ticket = Ticket.get()
    browser.get(f"/tickets/{ticket.number}/papers")
    browser.submit({"what": "The label"}, status=422)
    body = b"%PDF-1.4 label"
    browser.submit({"what": "The label", "file": (io.BytesIO(body), "DELGADO.pdf")})
    browser.follow()
    assert "The label" in browser.text()

    paper = TicketAttachment.get()
    assert browser.get(f"/tickets/papers/{paper.id}").get_data() == body
    browser.sign_in_as(make_user(Role.PHARMACY, pharmacy=entry.pharmacy))
    browser.get(f"/tickets/papers/{paper.id}", status=404)  # it was not asked


def test_a_pharmacy_adds_a_paper_to_its_answer(browser: Browser) -> None:
    pharmacist = make_user(Role.PHARMACY, pharmacy=make_pharmacy())
    entry = make_dispensation(pharmacy=pharmacist.pharmacy)
    doctor = make_user(Role.PRACTITIONER, prescriber=entry.prescriber)
    ticket = tickets.open_ticket(
        tickets.find_shown(entry.row_code, by=doctor),
        problem=TicketProblem.WRONG_DATE,
        note="",
        by=doctor,
        at=clock.now(),
    )
    tickets.ask_dispenser(
        ticket, text="When?", by=make_user(), at=clock.now(), revision=1
    )
    browser.sign_in_as(pharmacist)
    browser.get("/questions/1/papers")
    browser.submit({"what": "The log", "file": (io.BytesIO(b"%PDF-1.4 x"), "log.pdf")})
    browser.follow()

    assert "The log" in browser.text()
    assert TicketAttachment.get().audience == Audience.DISPENSER
    browser.get("/questions/2/papers", status=404)


def test_what_changed_since_a_look_up_is_counted_listed_and_looked_at(
    browser: Browser, doctor: User
) -> None:
    identity = make_identity(first_name="MARIA", last_name="DELGADO")
    entry = make_dispensation(identity=identity, filled_on=clock.today())
    browser.get("/look-ups/changed")
    assert "Nothing that your look-ups showed has changed." in browser.text()
    look_up(browser)
    dispensations.void(entry, reason="Wrong.", by=make_user(), at=clock.now())
    assert LookUpCorrection.get().user == doctor

    browser.get("/look-ups")
    assert "Changed since my look-ups (1)" in browser.text()
    browser.get("/look-ups/changed")

    assert "DELGADO, MARIA" in browser.text()
    assert entry.row_code in browser.text()
    assert "It was wrong and has been removed." in browser.text()
    browser.submit({}, action="/look-up/changes")
    browser.follow()
    assert "Removed: 1" in browser.text()
    browser.get("/look-ups")
    assert "Changed since my look-ups (1)" not in browser.text()
