"""The demo's six planted stories, as a physician reads them in the report.

The demo's people and their fills come in by the real path: roster, ASAP files, intake,
matching, thresholds; and each patient is looked up as a practitioner does it.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

import models
from gateway import barcodes
from models import (
    CareNote,
    CaseRecipient,
    CorrectionNotice,
    RecipientReply,
    ThresholdCase,
    Ticket,
    TicketOutcome,
    TicketProblem,
    User,
)
from pmp import clock, database, lookup, readers, settings, tickets
from pmp.accounts import users
from pmp.lookup import Criteria, reports
from pmp.lookup.reports import OpenReport
from pmp.thresholds import faxed_replies, simulation, threshold_rules
from pmp.tickets import board, dispenser_questions, outside_answers
from portal.cli import demo, demo_state
from tests.browser import Browser
from tests.portals import portal_for

pytestmark = pytest.mark.story


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Load the demo's state, a small one, once."""
    folder = tmp_path_factory.mktemp("demo")
    settings.use(demo.demo_settings(folder, 5999))
    database.begin_use()
    database.upgrade()
    with database.connected():
        demo_state.load(scale=0.04, data_dir=folder, say=lambda _: None)
    models.database.obj.close()
    return folder


@pytest.fixture
def doctor(loaded: Path, program: settings.Settings) -> Iterator[User]:
    settings.use(demo.demo_settings(loaded, 5999))
    database.begin_use()
    with database.connected():
        yield users.named("dr.adams")
    models.database.obj.close()


def told(doctor: User, first: str, last: str, born: date) -> OpenReport:
    """Look a patient up a year back, and open the one report."""
    today = clock.today()
    criteria = Criteria(
        first,
        last,
        born,
        models.Purpose.TREATING,
        since=today - timedelta(days=365),
        until=today,
    )
    answer = lookup.search(criteria=criteria, by=doctor, at=clock.now())
    assert answer.outcome is models.LookUpOutcome.REPORT
    return reports.open_report(
        token=answer.token, what="page", by=doctor, at=clock.now()
    )


def sentences(opened: OpenReport) -> str:
    warned = [f"{each.title}. {each.sentence}" for each in opened.report.warnings]
    return " ".join([*opened.remarks, *warned])


def us(days_ago: int) -> str:
    return f"{clock.today() - timedelta(days=days_ago):%m/%d/%Y}"


def test_many_prescribers_and_pharmacies(doctor: User) -> None:
    opened = told(doctor, "Raymond", "Dover", date(1979, 3, 9))

    text = sentences(opened)
    assert "5 fills from 5 prescribers at 5 pharmacies within 90 days" in text
    assert f"{us(70)} to {us(13)}" in text
    assert "pharmacies within 90 days were reached on" in text
    assert "a Patient Threshold Report goes to each of them" in text
    assert len(opened.report.prescribers) == len(opened.report.pharmacies) == 5


def test_an_opioid_with_a_benzodiazepine(doctor: User) -> None:
    opened = told(doctor, "June", "Hollis", date(1966, 6, 21))

    text = sentences(opened)
    assert "opioid with benzodiazepine, 30 days or more" in text
    assert f"90 days between {us(75)} and" in text
    assert "Together they can stop breathing" in text
    assert "1 entry is under review for accuracy" in text


def test_a_dose_that_rises(doctor: User) -> None:
    opened = told(doctor, "Marcus", "Quill", date(1958, 11, 2))

    text = sentences(opened)
    assert (
        f"The opioid dose rose from 40.0 MME a day on {us(215)} to 120.0 today" in text
    )
    assert "3.0 times as much" in text
    assert "Opioids reached 120.0 MME a day" in text
    assert opened.report.mme.days_at_high > 0


def test_a_twin_is_kept_apart_and_told_of_without_a_name(doctor: User) -> None:
    opened = told(doctor, "Clara", "Ashdown", date(1991, 8, 30))

    text = sentences(opened)
    assert {entry.drug_class for entry in opened.report.entries} == {"stimulant"}
    assert "Somebody else with the same last name, date of birth and home" in text
    assert "such as a twin" in text
    assert "CORA" not in text


def test_a_misspelt_name_is_one_patient_and_says_why(doctor: User) -> None:
    opened = told(doctor, "Stefan", "Kowalczyk", date(1972, 1, 17))

    assert len(opened.report.entries) == 4
    assert (
        "Reported under 2 names, which were judged to be one person: KOWALCZIK, STEFAN;"
        " KOWALCZYK, STEFAN."
    ) in sentences(opened)
    assert any(
        "last name one typing slip apart" in each.why
        for each in opened.report.identities
    )


def test_somebody_else_s_entry_is_disputed_removed_and_told(doctor: User) -> None:
    opened = told(doctor, "Noel", "Pelletier", date(1984, 12, 25))
    assert "3 prescribers and 3 pharmacies within 90 days" in sentences(opened)
    wrong = opened.report.entries[0].row_code
    ticket = tickets.open_ticket(
        tickets.find_shown(wrong, by=doctor),
        problem=TicketProblem.WRONG_PERSON,
        note="He has never been there.",
        by=doctor,
        at=clock.now(),
    )

    opened = told(doctor, "Noel", "Pelletier", date(1984, 12, 25))
    assert "1 entry is under review for accuracy" in sentences(opened)
    assert opened.report.entries[0].marks == [
        f"accuracy under review since {us(0)}",
    ]
    tickets.resolve(
        ticket,
        outcome=TicketOutcome.VOIDED,
        note="It was another Noel Pelletier's.",
        by=users.named("staff.lee"),
        at=clock.now(),
        revision=ticket.revision,
    )

    opened = told(doctor, "Noel", "Pelletier", date(1984, 12, 25))
    assert opened.last_look is not None
    assert "1 removed" in opened.last_look.sentence
    assert [gone.row_code for gone in opened.last_look.removed] == [wrong]
    assert "prescribers and 3 pharmacies" not in sentences(opened)
    assert opened.report.counts.fills == 2


def test_a_last_quarter_is_there_to_try_rules_out_on(doctor: User) -> None:
    since, until = simulation.last_quarter(clock.today())
    active = simulation.simulate(threshold_rules.DEFAULT, since=since, until=until)
    silent = {rule.name for rule in threshold_rules.newest() if rule.status == "silent"}

    assert active.patients > 0
    assert active.reports >= 6
    assert silent == {"PQA", "PQA opioid with benzodiazepine"}
    held = ThresholdCase.select().where(ThresholdCase.status == "detected")
    assert {case.rule.kind for case in held} == {"providers", "opioid_benzodiazepine"}


def test_a_report_was_answered_by_page_and_a_faxed_page_waits(doctor: User) -> None:
    replies = {reply.given_by: reply for reply in RecipientReply.select()}
    assert replies["dr.adams"].discussed_with_patient
    assert replies["main.pharmacy"].please_call
    [page] = faxed_replies.waiting()
    assert page.recipient.user == users.named("dr.brown")
    assert CareNote.get().addressee == page.recipient
    assert CorrectionNotice.select().count() == 3
    assert readers.waiting(doctor) >= 1


def test_tickets_stand_in_every_state(doctor: User) -> None:
    now, staff = clock.now(), users.named("staff.lee")
    states = {ticket.status.value for ticket in Ticket.select()}
    assert states >= {"new", "triaged", "with_dispenser", "answered", "told"}
    assert board.counts(by=staff, at=now)["overdue"] == 1
    assert dispenser_questions.count(users.named("main.pharmacy")) == 1
    assert len(outside_answers.calls_due(by=staff)) == 1


def test_the_reply_page_to_drop_in_is_read_by_its_code(
    doctor: User, loaded: Path
) -> None:
    page = (loaded / "reply-to-drop.pdf").read_bytes()
    [read] = barcodes.read_codes(page, "application/pdf")

    [code] = faxed_replies.codes_in(read.codes)
    recipient = CaseRecipient.get(CaseRecipient.reply_code == code)
    assert recipient.user == users.named("elm.pharmacy")


def test_the_page_says_what_the_report_says(doctor: User) -> None:
    browser = Browser(portal_for(settings.current()))
    browser.sign_in_as(doctor)
    browser.get("/look-up")
    browser.submit(
        {"first_name": "Marcus", "last_name": "Quill", "birth_date": "11/02/1958"}
    )
    browser.follow()

    text = " ".join(browser.text().split())
    assert "The opioid dose rose from 40.0 MME a day" in text
    assert "Possible overdose risk: 90 MME a day or more" in text
