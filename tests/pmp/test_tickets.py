from datetime import date, datetime, timedelta

import pytest

from models import (
    Audience,
    AuditEvent,
    CaseStatus,
    CorrectionNotice,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Dispensation,
    DispensationStatus,
    LookUp,
    LookUpOutcome,
    Purpose,
    ReportSeen,
    Role,
    ThresholdCase,
    Ticket,
    TicketOutcome,
    TicketProblem,
    TicketStatus,
    User,
)
from pmp import audit, settings, tickets
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.thresholds import case_recipients
from pmp.tickets import handling, whose
from tests.conftest import NOW
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_patient,
    make_pharmacy,
    make_prescriber,
    make_ticket,
    make_user,
)

pytestmark = pytest.mark.usefixtures("db")


def open_one(entry: Dispensation, by: User) -> Ticket:
    return tickets.open_ticket(
        tickets.find_shown(entry.row_code, by=by),
        problem=TicketProblem.WRONG_QUANTITY,
        note="It was thirty.",
        by=by,
        at=NOW,
    )


@pytest.fixture
def pharmacist() -> User:
    return make_user(Role.PHARMACY, pharmacy=make_pharmacy())


@pytest.fixture
def entry(pharmacist: User) -> Dispensation:
    return make_dispensation(pharmacy=pharmacist.pharmacy)


def test_an_entry_of_ones_own_dispensing_can_be_reported(
    pharmacist: User, entry: Dispensation
) -> None:
    ticket = open_one(entry, pharmacist)

    assert ticket.dispensation == entry
    assert ticket.due_at == NOW + timedelta(days=settings.current().ticket_days)
    assert tickets.is_under_review(entry)
    assert [line.text for line in tickets.thread(ticket)] == ["It was thirty."]
    assert whose.listed(pharmacist).rows == [ticket]


def test_an_entry_that_one_was_never_shown_cannot_be_found(entry: Dispensation) -> None:
    stranger = make_user(Role.PRACTITIONER, prescriber=make_prescriber())

    with pytest.raises(NotFoundError) as hidden:
        tickets.find_shown(entry.row_code, by=stranger)
    with pytest.raises(NotFoundError) as absent:
        tickets.find_shown("D-0000000", by=stranger)

    assert hidden.value.message == absent.value.message


def test_an_entry_of_a_report_that_one_looked_up_can_be_reported(
    entry: Dispensation,
) -> None:
    doctor = make_user(Role.PRACTITIONER, prescriber=make_prescriber())
    LookUp.create(
        user=doctor,
        at=NOW,
        first_name="A",
        last_name="B",
        purpose=Purpose.TREATING,
        since=date(2026, 1, 1),
        until=date(2026, 11, 23),
        outcome=LookUpOutcome.REPORT,
        patient=entry.patient,
    )
    earlier = make_dispensation(identity=entry.identity, filled_on=date(2025, 1, 1))

    assert tickets.find_shown(entry.row_code, by=doctor).dispensation == entry
    with pytest.raises(NotFoundError):
        tickets.find_shown(earlier.row_code, by=doctor)


def looked_up(entry: Dispensation, by: User, at: datetime) -> LookUp:
    found: LookUp = LookUp.create(
        user=by,
        at=at,
        first_name="A",
        last_name="B",
        purpose=Purpose.TREATING,
        since=date(2025, 1, 1),
        until=date(2026, 11, 23),
        outcome=LookUpOutcome.REPORT,
        patient=entry.patient,
    )
    return found


def test_a_look_up_of_long_ago_does_not_open_what_came_after_it(
    entry: Dispensation,
) -> None:
    doctor = make_user(Role.PRACTITIONER, prescriber=make_prescriber())
    hours = timedelta(hours=settings.current().report_hours)
    looked_up(entry, doctor, NOW - timedelta(days=300))
    looked_up(entry, doctor, NOW - hours - timedelta(minutes=1))

    with pytest.raises(NotFoundError):
        tickets.find_shown(entry.row_code, by=doctor)

    looked_up(entry, doctor, NOW - hours + timedelta(minutes=1))
    assert tickets.find_shown(entry.row_code, by=doctor).dispensation == entry


def test_what_a_report_showed_is_what_was_kept_of_it(entry: Dispensation) -> None:
    doctor = make_user(Role.PRACTITIONER, prescriber=make_prescriber())
    other = make_dispensation(identity=entry.identity)
    look_up = looked_up(entry, doctor, NOW)
    ReportSeen.create(look_up=look_up, seen_at=NOW, entries={entry.row_code: 1})

    assert tickets.find_shown(entry.row_code, by=doctor).dispensation == entry
    with pytest.raises(NotFoundError):
        tickets.find_shown(other.row_code, by=doctor)


def test_an_entry_of_a_case_that_one_was_sent_names_the_case() -> None:
    case = make_crossing(make_patient())
    recipient = case_recipients.of_case(case)[0]
    doctor = make_user(Role.PRACTITIONER, prescriber=recipient.prescriber)
    entries = Dispensation.select().where(Dispensation.patient == case.patient)

    shown = [tickets.find_shown(each.row_code, by=doctor) for each in entries]

    assert [each.case for each in shown] == [case, case, case]


def test_one_open_ticket_for_an_entry_and_reporter(
    pharmacist: User, entry: Dispensation
) -> None:
    open_one(entry, pharmacist)
    open_one(make_dispensation(pharmacy=pharmacist.pharmacy), pharmacist)
    doctor = make_user(Role.PRACTITIONER, prescriber=entry.prescriber)

    with pytest.raises(RuleError) as refused:
        open_one(entry, pharmacist)
    open_one(entry, doctor)

    assert refused.value.field == "problem"
    assert Ticket.select().count() == 3


def test_something_else_must_be_described(
    pharmacist: User, entry: Dispensation
) -> None:
    with pytest.raises(RuleError) as refused:
        tickets.open_ticket(
            tickets.find_shown(entry.row_code, by=pharmacist),
            problem=TicketProblem.OTHER,
            note="",
            by=pharmacist,
            at=NOW,
        )

    assert refused.value.field == "note"


def test_whom_it_is_assigned_to_is_told_and_the_address_that_is_set(
    pharmacist: User, entry: Dispensation
) -> None:
    make_user(email="lee@example.org")
    make_user(email="ortiz@example.org")
    make_user(email="gone@example.org", status="closed")

    open_one(entry, pharmacist)
    with settings.changed(staff_mail_to="desk@example.org"):
        open_one(make_dispensation(pharmacy=pharmacist.pharmacy), pharmacist)

    told = [
        each.address
        for each in Delivery.select()
        .where(Delivery.kind == DeliveryKind.TICKET_NOTICE)
        .order_by(Delivery.id)
    ]
    assert told == ["lee@example.org", "ortiz@example.org", "desk@example.org"]


def test_all_staff_are_told_where_no_mail_reaches_whom_it_is_assigned_to(
    pharmacist: User, entry: Dispensation
) -> None:
    make_user(email=None)
    make_user(email="ortiz@example.org")
    make_user(Role.AUDITOR, email="park@example.org")

    open_one(entry, pharmacist)

    told = Delivery.select().where(Delivery.kind == DeliveryKind.TICKET_NOTICE)
    assert [each.address for each in told] == ["ortiz@example.org"]


def test_of_two_staff_who_act_at_once_the_second_is_told(
    pharmacist: User, entry: Dispensation
) -> None:
    number = open_one(entry, pharmacist).number
    lee, ortiz = make_user(), make_user()
    one, other = tickets.get(number), tickets.get(number)

    handling.take(one, by=lee, at=NOW, revision=one.revision)
    with pytest.raises(ConflictError):
        tickets.resolve(
            other,
            outcome=TicketOutcome.VOIDED,
            note="Void.",
            by=ortiz,
            at=NOW,
            revision=other.revision,
        )

    assert Dispensation.get_by_id(entry.id).status == DispensationStatus.CURRENT
    found = tickets.get(number)
    assert (found.assigned_to, found.status) == (lee, TicketStatus.TRIAGED)


def test_a_correction_withdraws_the_case_and_tells_everyone_who_was_sent_it() -> None:
    case = make_crossing(make_patient())
    noise = make_crossing(make_patient())
    Delivery.update(state=DeliveryState.SENT).execute()
    reporter = make_user(
        Role.PRACTITIONER, prescriber=case_recipients.of_case(case)[0].prescriber
    )
    entry = Dispensation.get(Dispensation.prescriber == reporter.prescriber)
    ticket = open_one(entry, reporter)

    told = tickets.resolve(
        ticket,
        outcome=TicketOutcome.VOIDED,
        note="Never dispensed.",
        by=make_user(),
        at=NOW,
        revision=ticket.revision,
    )

    assert ThresholdCase.get_by_id(case.id).status == CaseStatus.WITHDRAWN
    assert ThresholdCase.get_by_id(noise.id).status != CaseStatus.WITHDRAWN
    assert len(told) == 6
    assert all(notice.case_withdrawn for notice in told)
    asked = Delivery.select().where(Delivery.kind == DeliveryKind.CORRECTION_NOTICE)
    assert asked.count() == 6
    fresh = tickets.get(ticket.number)
    assert (fresh.status, fresh.outcome) == (TicketStatus.TOLD, TicketOutcome.VOIDED)
    assert not tickets.is_under_review(entry)
    outcome = Delivery.get(Delivery.dedupe_key == f"ticket-outcome:{ticket.id}")
    assert outcome.address == reporter.email
    assert audit.verify() == []


def test_what_staff_correct_is_corrected_and_on_record(
    pharmacist: User, entry: Dispensation
) -> None:
    ticket = open_one(entry, pharmacist)
    staff = make_user()

    tickets.resolve(
        ticket,
        outcome=TicketOutcome.CORRECTED,
        note="As the pharmacy says.",
        changes={"days_supply": 7},
        by=staff,
        at=NOW,
        revision=ticket.revision,
    )

    assert Dispensation.get_by_id(entry.id).days_supply == 7
    events = {row.event for row in AuditEvent.select()}
    assert {audit.Event.TICKET_RESOLVED, audit.Event.DISPENSATION_CORRECTED} <= events


def test_a_correction_that_fails_leaves_the_ticket_open(
    pharmacist: User, entry: Dispensation
) -> None:
    ticket = open_one(entry, pharmacist)

    for changes in ({}, {"product_code": "99999999999"}):
        with pytest.raises(RuleError):
            tickets.resolve(
                tickets.get(ticket.number),
                outcome=TicketOutcome.CORRECTED,
                note="x",
                changes=changes,
                by=make_user(),
                at=NOW,
                revision=ticket.revision,
            )

    assert tickets.get(ticket.number).resolved_at is None


def test_upholding_changes_nothing_and_tells_the_reporter_alone() -> None:
    case = make_crossing(make_patient())
    Delivery.update(state=DeliveryState.SENT).execute()
    recipient = case_recipients.of_case(case)[0]
    reporter = make_user(Role.PRACTITIONER, prescriber=recipient.prescriber)
    entry = Dispensation.get(Dispensation.prescriber == reporter.prescriber)
    ticket = open_one(entry, reporter)

    told = tickets.resolve(
        ticket,
        outcome=TicketOutcome.UPHELD,
        note="The pharmacy has the paper.",
        by=make_user(),
        at=NOW,
        revision=ticket.revision,
    )

    assert told == []
    assert CorrectionNotice.select().count() == 0
    assert Dispensation.get_by_id(entry.id).version == 1
    assert ThresholdCase.get_by_id(case.id).status != CaseStatus.WITHDRAWN


def test_the_thread_goes_on_until_the_ticket_is_resolved(
    pharmacist: User, entry: Dispensation
) -> None:
    ticket = make_ticket(entry, by=pharmacist)
    staff = make_user()

    tickets.ask_dispenser(
        ticket, text="Called the pharmacy.", by=staff, at=NOW, revision=1
    )
    tickets.say(ticket, text="I have the label.", by=pharmacist, at=NOW)

    assert tickets.get(ticket.number).status == TicketStatus.WITH_DISPENSER
    own = [line.text for line in tickets.thread(ticket)]
    asked = tickets.thread(ticket, audience=Audience.DISPENSER)
    assert own == ["It was thirty.", "I have the label."]
    assert [line.text for line in asked] == ["Called the pharmacy."]
    assert len(tickets.thread(ticket, audience=Audience.STAFF)) == 3
    tickets.resolve(
        ticket,
        outcome=TicketOutcome.UPHELD,
        note="Right.",
        by=staff,
        at=NOW,
        revision=ticket.revision,
    )
    with pytest.raises(RuleError):
        tickets.say(ticket, text="But no.", by=pharmacist, at=NOW)


def test_another_persons_ticket_is_not_found(
    pharmacist: User, entry: Dispensation
) -> None:
    ticket = open_one(entry, pharmacist)

    with pytest.raises(NotFoundError):
        tickets.own(ticket.number, by=make_user(Role.PRACTITIONER))
    assert tickets.own(ticket.number, by=pharmacist) == ticket


def test_a_long_list_of_ones_own_tickets_has_pages(
    pharmacist: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whose, "PAGE_SIZE", 2)
    opened = [
        open_one(make_dispensation(pharmacy=pharmacist.pharmacy), pharmacist)
        for _ in range(3)
    ]
    make_ticket()  # noise

    first, last = (whose.listed(pharmacist, page=number) for number in (1, 9))

    assert first.rows == opened[:0:-1]
    assert last.rows == opened[:1]
    assert (last.number, last.pages, last.total) == (2, 2, 3)
