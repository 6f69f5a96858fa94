"""Tickets about a record as a whole; withdrawing; how much one user may report."""

from datetime import date, timedelta
from typing import Any

import pytest

from models import (
    AuditEvent,
    Delivery,
    DeliveryKind,
    Dispensation,
    LookUp,
    LookUpOutcome,
    Patient,
    Purpose,
    Role,
    Ticket,
    TicketOutcome,
    TicketProblem,
    TicketStatus,
    User,
)
from pmp import audit, history, settings, thresholds, tickets
from pmp.audit import audit_search
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.history import remarks, report_table
from pmp.lookup.keeping import hashed
from pmp.matching import decisions
from pmp.thresholds import case_recipients, threshold_reports
from pmp.tickets import (
    clocks,
    identity_tickets,
    whole_records,
    whose,
    withdrawing,
)
from pmp.tickets.shown import Shown
from tests.conftest import NOW
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_identity,
    make_patient,
    make_prescriber,
    make_ticket,
    make_user,
)

pytestmark = pytest.mark.usefixtures("db")
TOKEN = "a-token-of-a-report"


@pytest.fixture
def doctor() -> User:
    return make_user(Role.PRACTITIONER, prescriber=make_prescriber())


@pytest.fixture
def staff() -> User:
    return make_user(username="staff.lee")


@pytest.fixture
def patient() -> Patient:
    return make_patient()


def look_up(patient: Patient, user: User, token: str = TOKEN) -> LookUp:
    made: LookUp = LookUp.create(
        user=user,
        at=NOW,
        first_name="ANNA",
        last_name="SAMPLE",
        purpose=Purpose.TREATING,
        since=date(2025, 11, 23),
        until=date(2026, 11, 23),
        outcome=LookUpOutcome.REPORT,
        patient=patient,
        token_sha256=hashed(token),
        token_until=NOW + timedelta(hours=8),
    )
    return made


def missing(patient: Patient, by: User, note: str = "The fill of 11/02.") -> Ticket:
    return tickets.open_ticket(
        Shown(None, patient=patient),
        problem=TicketProblem.MISSING,
        note=note,
        by=by,
        at=NOW,
    )


def resolve(ticket: Ticket, outcome: TicketOutcome, staff: User) -> None:
    tickets.resolve(
        ticket,
        outcome=outcome,
        note="Looked at.",
        by=staff,
        at=NOW,
        revision=ticket.revision,
    )


# --- Opened from a report


def test_a_report_that_one_looked_up_is_reported_with_its_look_up(
    doctor: User, patient: Patient
) -> None:
    mine = look_up(patient, doctor)

    shown = whole_records.of_look_up(token=TOKEN, by=doctor, at=NOW)
    ticket = tickets.open_ticket(
        shown, problem=TicketProblem.MISSING, note="One.", by=doctor, at=NOW
    )

    assert (ticket.patient, ticket.look_up, ticket.dispensation) == (
        patient,
        mine,
        None,
    )
    event = AuditEvent.get(AuditEvent.event == audit.Event.REPORT_OPENED)
    assert event.subject == f"patient:{patient.id}"
    assert whose.listed(doctor).rows == [ticket]


def test_a_record_that_one_never_saw_cannot_be_reported(
    doctor: User, patient: Patient
) -> None:
    look_up(patient, make_user(Role.PRACTITIONER))  # somebody else's
    case = make_crossing(make_patient())
    recipient = case_recipients.of_case(case)[0]

    for token in (TOKEN, "made up"):
        with pytest.raises(NotFoundError):
            whole_records.of_look_up(token=token, by=doctor, at=NOW)
    with pytest.raises(NotFoundError):
        whole_records.of_case(recipient.id, by=doctor)


def test_a_threshold_report_is_reported_with_its_case() -> None:
    case = make_crossing(make_patient())
    recipient = case_recipients.of_case(case)[0]
    sent = make_user(Role.PRACTITIONER, prescriber=recipient.prescriber)

    shown = whole_records.of_case(recipient.id, by=sent)

    assert (shown.case, shown.patient) == (case, case.patient)


def test_one_open_ticket_for_a_record_reporter_and_problem(
    doctor: User, patient: Patient, staff: User
) -> None:
    first = missing(patient, doctor)
    missing(patient, make_user(Role.PRACTITIONER))
    missing(make_patient(), doctor)
    with pytest.raises(RuleError) as twice:
        missing(patient, doctor)
    assert "reported this problem already" in twice.value.message

    resolve(first, TicketOutcome.UPHELD, staff)
    missing(patient, doctor)


# --- What staff do with it


def test_it_ends_as_reported_or_as_right_and_never_as_removed(
    doctor: User, patient: Patient, staff: User
) -> None:
    ticket = missing(patient, doctor)
    with pytest.raises(RuleError):
        resolve(ticket, TicketOutcome.VOIDED, staff)
    ticket = tickets.get(ticket.number)
    assert ticket.resolved_at is None

    resolve(ticket, TicketOutcome.CORRECTED, staff)

    assert tickets.outcome_of(ticket) == "The record was corrected."


def test_a_split_ends_it_and_it_follows_who_is_one_person(
    doctor: User, patient: Patient, staff: User
) -> None:
    other = make_identity(patient, last_name="OTHER")
    ticket = tickets.open_ticket(
        Shown(None, patient=patient),
        problem=TicketProblem.WRONG_PERSON,
        note="Two people.",
        by=doctor,
        at=NOW,
    )
    assert identity_tickets.named(ticket) == []

    identity_tickets.resolve_by_split(
        ticket,
        [other.id],
        to=None,
        note="Parted.",
        seen=decisions.mark_of(patient.id),
        by=staff,
        at=NOW,
        revision=ticket.revision,
    )

    assert tickets.get(ticket.number).outcome == TicketOutcome.IDENTITY_FIXED
    assert whole_records.patient_of(tickets.get(ticket.number)) == patient.id


def test_the_record_says_that_somebody_disputes_it(
    doctor: User, patient: Patient
) -> None:
    make_dispensation(patient=patient)
    said = "Somebody reported that this record as a whole"

    def remarked(who: Patient) -> str:
        report = history.patient_report(
            who, since=date(2026, 1, 1), until=date(2026, 11, 23), at=NOW
        )
        return " ".join(remarks.of(report))

    missing(make_patient(), doctor)  # noise
    assert said not in remarked(patient)
    missing(patient, doctor)
    assert said in remarked(patient)


def test_auditors_find_it_by_the_patient(doctor: User, patient: Patient) -> None:
    ticket = missing(patient, doctor)

    assert f"ticket:{ticket.number}" in audit_search._subjects(patient.id)


# --- Nobody makes a row vanish


def test_a_disputed_row_stays_everywhere_marked_and_counted(staff: User) -> None:
    case = make_crossing(make_patient())
    entry = Dispensation.get(Dispensation.patient == case.patient)
    before = (case.prescribers, case.pharmacies)
    for _ in range(3):
        make_ticket(entry, by=make_user(Role.PRACTITIONER, prescriber=entry.prescriber))
    make_ticket(entry, by=staff)

    thresholds.evaluate([case.patient.id], at=NOW)

    report = history.patient_report(
        case.patient, since=date(2026, 1, 1), until=date(2026, 11, 23), at=NOW
    )
    [row] = [each for each in report.entries if each.is_under_review]
    assert row.row_code == entry.row_code
    assert len(report.entries) == 3
    assert entry.row_code in report_table.csv_of(report)
    assert "under review" in report_table.csv_of(report).lower()
    fresh = type(case).get_by_id(case.id)
    assert (fresh.prescribers, fresh.pharmacies) == before
    sent = threshold_reports.report(case_recipients.of_case(case)[0], at=NOW)
    assert [each.is_under_review for each in sent.entries].count(True) == 1


# --- Withdrawing


def test_a_report_can_be_withdrawn_and_that_be_taken_back(
    doctor: User, staff: User
) -> None:
    entry = make_dispensation(prescriber=doctor.prescriber)
    ticket = make_ticket(entry, by=doctor)
    make_ticket(make_dispensation())  # noise

    withdrawing.withdraw(ticket, by=doctor, at=NOW)
    assert withdrawing.is_withdrawn(tickets.get(ticket.number))
    assert not tickets.is_under_review(entry)
    assert tickets.get(ticket.number).status == TicketStatus.CLOSED

    told = Delivery.select().where(Delivery.subject_id == ticket.id).count()
    later = NOW + timedelta(days=20)
    withdrawing.undo(tickets.get(ticket.number), by=doctor, at=later)
    assert tickets.is_under_review(entry)
    again = tickets.get(ticket.number)
    assert again.status == TicketStatus.NEW
    assert [due.clock for due in clocks.running(again)] == ["triage", "outcome"]
    assert all(due.at > later for due in clocks.running(again))
    new = Delivery.select().where(Delivery.subject_id == ticket.id).count() - told
    assert new == 1
    assert [
        event.event
        for event in AuditEvent.select()
        .where(AuditEvent.subject == f"ticket:{ticket.number}")
        .order_by(AuditEvent.id)
    ][-2:] == [audit.Event.TICKET_WITHDRAWN, audit.Event.TICKET_REOPENED]


def test_only_ones_own_and_only_once(doctor: User, staff: User) -> None:
    ticket = make_ticket(make_dispensation(prescriber=doctor.prescriber), by=doctor)
    stranger = make_user(Role.PRACTITIONER)
    for act in (withdrawing.withdraw, withdrawing.undo):
        with pytest.raises(NotFoundError):
            act(ticket, by=stranger, at=NOW)
    with pytest.raises(RuleError):
        withdrawing.undo(ticket, by=doctor, at=NOW)

    resolve(ticket, TicketOutcome.UPHELD, staff)
    with pytest.raises(ConflictError):
        withdrawing.withdraw(tickets.get(ticket.number), by=doctor, at=NOW)
    with pytest.raises(RuleError):
        withdrawing.undo(tickets.get(ticket.number), by=doctor, at=NOW)


def test_it_is_not_taken_back_where_the_same_was_reported_anew(doctor: User) -> None:
    entry = make_dispensation(prescriber=doctor.prescriber)
    ticket = make_ticket(entry, by=doctor)
    withdrawing.withdraw(ticket, by=doctor, at=NOW)
    make_ticket(entry, by=doctor)

    with pytest.raises(RuleError):
        withdrawing.undo(tickets.get(ticket.number), by=doctor, at=NOW)


# --- A flood


def test_a_flood_of_reports_is_stopped_and_on_record(doctor: User, staff: User) -> None:
    rows = [make_dispensation(prescriber=doctor.prescriber) for _ in range(5)]
    with settings.changed(tickets_per_day=3):
        for row in rows[:3]:
            make_ticket(row, by=doctor)
        with pytest.raises(RuleError) as refused:
            make_ticket(rows[3], by=doctor)

        assert "(860) 713-6073" in refused.value.message
        assert Ticket.select().count() == 3
        event = AuditEvent.get(AuditEvent.event == audit.Event.TICKET_REFUSED)
        assert event.actor == doctor.username
        make_ticket(rows[3], by=staff)  # staff write down what they are told
        make_ticket(rows[3], by=make_user(Role.PHARMACY, pharmacy=rows[3].pharmacy))
        tomorrow = NOW + timedelta(days=1)
        make_ticket(rows[4], by=doctor, at=tomorrow)


def test_what_staff_write_down_for_a_recipient_is_theirs_to_follow(staff: User) -> None:
    case = make_crossing(make_patient())
    recipient, other = case_recipients.of_case(case)[:2]
    sent = make_user(Role.PRACTITIONER, prescriber=recipient.prescriber)
    entry = Dispensation.get(Dispensation.prescriber == recipient.prescriber)
    asked: Any = {"problem": TicketProblem.WRONG_DATE, "note": "By fax.", "by": staff}
    ticket, noise = (
        tickets.open_ticket(
            Shown(entry, case), reporter=f"recipient:{each.id}", at=NOW, **asked
        )
        for each in (recipient, other)
    )

    assert whose.listed(sent).rows == [ticket]
    with pytest.raises(NotFoundError):
        tickets.own(noise.number, by=sent)
    with pytest.raises(NotFoundError):  # it is not theirs to take back
        withdrawing.withdraw(ticket, by=sent, at=NOW)
    Delivery.delete().execute()
    resolve(ticket, TicketOutcome.UPHELD, staff)
    [notice] = Delivery.select().where(Delivery.kind == DeliveryKind.TICKET_NOTICE)
    assert (notice.address, notice.subject_id) == (sent.email, ticket.id)
