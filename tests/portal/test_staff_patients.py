"""A patient for staff: found, opened, split; and a reporter's question resolved."""

from datetime import date, timedelta

import pytest

from models import (
    AuditEvent,
    Delivery,
    DeliveryKind,
    MatchDecision,
    Purpose,
    ReportedIdentity,
    Role,
    Ticket,
    TicketIdentity,
    User,
)
from pmp import clock, disclosures, lookup, tickets
from pmp.lookup import Criteria
from tests.browser import Browser
from tests.factories import make_dispensation, make_identity, make_user

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def staff(browser: Browser) -> User:
    user = make_user(username="staff.lee")
    browser.sign_in_as(user)
    return user


@pytest.fixture
def pair() -> list[ReportedIdentity]:
    """Give two reports that were joined, each with a fill of this month."""
    one = make_identity(last_name="BRANDT", first_name="EDITH", link_rule="first")
    two = make_identity(
        one.patient,
        last_name="BRANT",
        first_name="EDITH",
        street="9 New Street",
        link_rule="name agrees, same date of birth",
        link_score=57,
        link_evidence={"last name": "a slip apart (+7.0)"},
    )
    day = clock.today() - timedelta(days=5)
    for row in (one, two):
        make_dispensation(row, filled_on=day)
    return [one, two]


def test_a_patient_is_found_by_row_code(
    browser: Browser, staff: User, pair: list[ReportedIdentity]
) -> None:
    fill = make_dispensation(pair[0])
    browser.get("/staff/patients")

    browser.submit({"row_code": fill.row_code.lower()})

    browser.follow()
    assert f"Patient {pair[0].patient.id}" in browser.text()
    event = AuditEvent.get(AuditEvent.event == "patient:searched")
    assert event.detail == {"by": "row code", "found": [pair[0].patient.id]}


def test_a_row_code_that_names_nothing_is_told_at_its_field(
    browser: Browser, staff: User
) -> None:
    browser.get("/staff/patients")
    browser.submit({"row_code": "D-000000X"}, status=422)
    assert 'id="row_code-error"' in str(browser.page and browser.page.data)
    assert AuditEvent.select().where(AuditEvent.event == "patient:searched").exists()


def test_a_patient_is_found_by_name_and_the_name_is_in_no_address_nor_record(
    browser: Browser, staff: User, pair: list[ReportedIdentity]
) -> None:
    browser.get("/staff/patients")
    typed = {"first_name": "Edith", "last_name": "Brandt", "birth_date": "04/28/1971"}

    browser.submit({"by": "name", "row_code": None, **typed}, status=200)

    assert "1 patient, similar spellings too" in browser.text()
    assert browser._path() == "/staff/patients"
    event = AuditEvent.get(AuditEvent.event == "patient:searched")
    assert "brandt" not in str(event.detail).lower()
    browser.submit({"by": "name", **typed, "last_name": "Zzyzx"}, status=200)
    assert "Nobody was reported" in browser.text()


def test_the_file_says_why_each_report_is_here_and_what_left(
    browser: Browser, staff: User, pair: list[ReportedIdentity]
) -> None:
    patient = pair[0].patient
    disclosures.record(
        patient=patient,
        recipient="DR ADAMS",
        what="patient report (page)",
        purpose="Treating this patient",
        at=clock.now(),
    )

    browser.get(f"/staff/patients/{patient.id}")

    text = browser.text()
    assert "name agrees, same date of birth (57.0 bits), by matching" in text
    assert "last name: a slip apart (+7.0)" in text
    assert "DR ADAMS patient report (page)" in text
    assert AuditEvent.get(AuditEvent.event == "patient:viewed").subject == (
        f"patient:{patient.id}"
    )
    browser.get("/staff/patients/987654", status=404)


def test_a_split_is_reviewed_first_done_and_undone(
    browser: Browser, staff: User, pair: list[ReportedIdentity]
) -> None:
    patient = pair[0].patient.id
    browser.get(f"/staff/patients/{patient}/split")
    browser.submit({"identities": str(pair[1].id)}, status=422)
    assert "Say why" in browser.text()

    browser.submit(
        {"identities": str(pair[1].id), "reason": "Mother and daughter."}, status=200
    )
    text = browser.text()
    assert "Go to a new patient BRANT, EDITH" in text
    assert f"Stay with patient {patient} BRANDT, EDITH" in text
    assert MatchDecision.select().count() == 0
    browser.submit()
    browser.follow()

    assert "Split: they are two patients now." in browser.text()
    decision = MatchDecision.get()
    moved = ReportedIdentity.get_by_id(pair[1].id)
    assert moved.patient == decision.other
    browser.get(f"/staff/patients/{decision.other.id}")
    assert "Then split by staff.lee" in browser.text()
    browser.get(f"/staff/decisions/{decision.id}/undo")
    browser.submit(action="/undo")
    browser.get(f"/staff/patients/{decision.other.id}")
    assert f"It was joined with patient {patient}" in browser.text()
    assert ReportedIdentity.get_by_id(pair[1].id).patient.id == patient


def test_nothing_chosen_and_a_wrong_number_are_told_at_their_fields(
    browser: Browser, staff: User, pair: list[ReportedIdentity]
) -> None:
    browser.get(f"/staff/patients/{pair[0].patient.id}/split")
    browser.submit({"reason": "Two."}, status=422)
    assert "Choose who is another person." in browser.text()
    chosen = {"identities": str(pair[1].id), "reason": "Two.", "to": "987654"}
    browser.submit(chosen, status=422)
    assert "There is no other patient with this number." in browser.text()
    assert "Two." in str(browser.page and browser.page.get_data(as_text=True))


def test_staff_ask_themselves_whether_two_are_one(
    browser: Browser, staff: User, pair: list[ReportedIdentity]
) -> None:
    other = make_identity(last_name="BRANDT", first_name="EDIE")
    patient = pair[0].patient.id
    browser.get(f"/staff/patients/{patient}")
    browser.submit({"other": str(patient)}, action="/same-as", status=422)
    assert "There is no other patient with this number." in browser.text()
    browser.submit({"other": str(other.patient.id)}, action="/same-as")
    browser.follow()
    assert "asked by staff.lee" in browser.text()

    browser.submit({"decision": "apart"})
    browser.get(f"/staff/patients/{patient}")
    browser.submit({"other": str(other.patient.id)}, action="/same-as", status=422)
    assert "keeps them apart. Undo it first" in browser.text()
    browser.get(f"/staff/decisions/{MatchDecision.get().id}/undo")
    browser.submit(action="/undo")
    browser.get(f"/staff/patients/{patient}")
    browser.submit({"other": str(other.patient.id)}, action="/same-as")
    browser.follow()
    browser.submit({"decision": "join", "reason": "A short form."}, status=200)
    browser.submit()
    assert ReportedIdentity.get_by_id(other.id).patient.id == patient


# --- From a reader of the report


def looked_up(doctor: User) -> str:
    answer = lookup.search(
        criteria=Criteria(
            first_name="Edith",
            last_name="Brandt",
            birth_date=date(1971, 4, 28),
            purpose=Purpose.TREATING,
            since=clock.today() - timedelta(days=300),
            until=clock.today(),
        ),
        by=doctor,
        at=clock.now(),
    )
    return answer.token


def test_a_reader_asks_staff_split_and_the_reader_is_told(  # noqa: PLR0915 - a story
    browser: Browser, pair: list[ReportedIdentity]
) -> None:
    doctor = make_user(Role.PRACTITIONER)
    browser.sign_in_as(doctor)
    token = looked_up(doctor)
    browser.get(f"/reports/{token}")
    assert "Ask us to split them" in browser.text()

    browser.get(f"/reports/{token}/not-my-patient")
    assert "BRANT, EDITH, born 04/28/1971" in browser.text()
    browser.submit({"people": str(pair[1].id), "note": "She never lived there."})
    browser.follow()

    ticket = Ticket.get()
    assert ticket.problem == "wrong_person"
    assert ticket.dispensation
    assert ticket.dispensation.identity == pair[1]
    assert [row.identity for row in TicketIdentity.select()] == [pair[1]]

    browser.sign_in_as(make_user(username="staff.lee"))
    browser.get(f"/staff/tickets/{ticket.number}")
    assert "Not the reporter's patient, they say: BRANT, EDITH" in browser.text()
    patient = pair[0].patient.id
    browser.get(f"/staff/patients/{patient}/split?ticket={ticket.number}")
    page = str(browser.page and browser.page.get_data(as_text=True))
    assert page.count(" checked") == 1
    browser.submit({"reason": "Two people."}, status=200)
    assert f"Ticket {ticket.number} is resolved" in browser.text()
    browser.submit()

    ticket = tickets.get(ticket.number)
    assert (ticket.outcome, ticket.status) == ("identity_fixed", "told")
    assert ReportedIdentity.get_by_id(pair[1].id).patient.id != patient
    assert MatchDecision.get().reason == f"Ticket {ticket.number}: Two people."
    told = Delivery.select().where(Delivery.kind == DeliveryKind.TICKET_NOTICE)
    assert any(not tickets.is_for_staff(delivery) for delivery in told)
    browser.sign_in_as(doctor)
    browser.get(f"/tickets/{ticket.number}")
    assert "The entry now belongs to the right person. Two people." in browser.text()


def test_a_reader_leaves_at_least_one_and_says_how_they_know(
    browser: Browser, pair: list[ReportedIdentity]
) -> None:
    doctor = make_user(Role.PRACTITIONER)
    browser.sign_in_as(doctor)
    path = f"/reports/{looked_up(doctor)}/not-my-patient"
    browser.get(path)
    browser.submit({"note": "Hm."}, status=422)
    assert "Choose who is not your patient." in browser.text()
    browser.submit({"people": str(pair[0].id), "note": ""}, status=422)
    assert "Say how you know" in browser.text()
    both = {"people": [str(row.id) for row in pair], "note": "None."}
    browser.submit(both, status=422)
    assert "Leave at least one." in browser.text()
    assert Ticket.select().count() == 0


def test_nobody_asks_about_somebody_else_s_report(
    browser: Browser, pair: list[ReportedIdentity]
) -> None:
    token = looked_up(make_user(Role.PRACTITIONER))
    browser.sign_in_as(make_user(Role.PRACTITIONER))
    browser.get(f"/reports/{token}/not-my-patient", status=404)
