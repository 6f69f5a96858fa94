from datetime import date, timedelta
from typing import Any

import pytest

from models import (
    AuditEvent,
    CaseEntry,
    CaseRecipient,
    CaseStatus,
    ChannelName,
    ContactCheck,
    CorrectionNotice,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Dispensation,
    DispensationStatus,
    HowConfirmed,
    Patient,
    Role,
    RuleStatus,
    Species,
    ThresholdCase,
    TicketOutcome,
)
from pmp import audit, dispensations, settings, thresholds
from pmp.deliveries import contacts, outbox
from pmp.errors import ConflictError, RuleError
from pmp.reaching import fax_numbers
from pmp.thresholds import case_recipients, threshold_cases, threshold_rules
from tests.conftest import NOW
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_patient,
    make_prescriber,
    make_rule,
    make_user,
    prove_fax,
)

DAY = date(2026, 11, 1)

pytestmark = pytest.mark.usefixtures("db")


def entries_of(case: ThresholdCase) -> list[Dispensation]:
    rows = CaseEntry.select().where(CaseEntry.case == case).order_by(CaseEntry.id)
    return [row.dispensation for row in rows]


def sent(recipient: CaseRecipient) -> None:
    """Let the report to a recipient have left by fax."""
    Delivery.update(state=DeliveryState.SENT).where(
        Delivery.kind == DeliveryKind.THRESHOLD_REPORT,
        Delivery.subject_id == recipient.id,
    ).execute()


def test_the_third_prescriber_and_pharmacy_make_exactly_one_case() -> None:
    patient = make_patient()
    make_crossing(make_patient(), fills=2)  # noise: two and two
    make_crossing(patient, fills=2)
    everybody = [each.id for each in Patient.select()]

    assert thresholds.evaluate(everybody, at=NOW) == []
    last = make_dispensation(patient=patient, filled_on=DAY)
    [case] = thresholds.evaluate([patient.id], at=NOW)

    assert thresholds.evaluate([patient.id], at=NOW) == []
    assert thresholds.run(NOW) == []
    assert (case.patient, case.crossed_on) == (patient, last.filled_on)
    assert (case.prescribers, case.pharmacies) == (3, 3)
    assert case.status == CaseStatus.QUEUED


def test_every_prescriber_and_pharmacy_is_sent_to_user_or_not() -> None:
    user = make_user(Role.PRACTITIONER, fax="8605550111")
    prove_fax(user, "+18605550111")
    one = make_prescriber(licence=None)
    user.prescriber = one
    user.save()
    patient = make_patient()
    make_dispensation(patient=patient, prescriber=one)

    case = make_crossing(patient, fills=2)

    recipients = case_recipients.of_case(case)
    assert len([each for each in recipients if each.prescriber]) == 3
    assert len([each for each in recipients if each.pharmacy]) == 3
    assert len({each.reply_code for each in recipients}) == 6
    mine = next(each for each in recipients if each.prescriber == one)
    assert mine.user == user
    [delivery] = case_recipients.deliveries_of(mine)
    assert (delivery.channel, delivery.address) == (ChannelName.FAX, "+18605550111")
    assert delivery.dedupe_key == f"threshold:{case.id}:{mine.id}"


def test_a_first_fax_to_a_number_that_is_not_proven_waits_for_its_test_page() -> None:
    user = make_user(Role.PRACTITIONER, fax="8605550111", email=None)
    one = make_prescriber(licence=None)
    user.prescriber = one
    user.save()
    patients = make_patient(), make_patient()
    for patient in patients:
        make_dispensation(patient=patient, prescriber=one)

    cases = [make_crossing(patient, fills=2) for patient in patients]

    waiting = [
        delivery
        for case in cases
        for recipient in case_recipients.of_case(case)
        if recipient.prescriber == one
        for delivery in case_recipients.deliveries_of(recipient)
    ]
    assert [each.state for each in waiting] == [DeliveryState.HELD] * 2
    assert all(each.needs_staff for each in waiting)
    assert {each.error_text for each in waiting} == {contacts.AWAITS_TEST_PAGE}
    [check] = ContactCheck.select()  # one page, however many reports wait
    fax_numbers.confirm_by_code(check.code, how=HowConfirmed.TYPED, by="x", at=NOW)
    states = [Delivery.get_by_id(each.id).state for each in waiting]
    assert states == [DeliveryState.QUEUED] * 2


def test_who_cannot_be_reached_is_a_task_for_staff_and_not_forgotten() -> None:
    case = make_crossing(make_patient())

    waiting = Delivery.select().where(Delivery.kind == DeliveryKind.THRESHOLD_REPORT)

    assert len(case_recipients.of_case(case)) == 6
    assert {each.state for each in waiting} == {DeliveryState.HELD}
    assert all(each.needs_staff for each in waiting)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"species": Species.ANIMAL}, "an animal"),
        ({"schedule": "CV"}, "a schedule that the rule does not count"),
        ({"status": DispensationStatus.VOIDED}, "a voided entry"),
    ],
)
def test_what_does_not_count(changes: dict[str, Any], reason: str) -> None:
    facts = dict(changes)
    patient = make_patient(species=facts.pop("species", Species.HUMAN))

    for _ in range(3):
        make_dispensation(patient=patient, **facts)

    assert thresholds.evaluate([patient.id], at=NOW) == [], reason


def test_a_back_dated_record_moves_the_case_and_makes_no_second_one() -> None:
    patient = make_patient()
    case = make_crossing(patient)
    late = make_dispensation(patient=patient, filled_on=DAY - timedelta(days=2))

    [moved] = thresholds.evaluate([patient.id], at=NOW)

    assert moved.id == case.id
    assert ThresholdCase.select().count() == 1
    assert moved.crossed_on == DAY - timedelta(days=1)
    assert moved.prescribers == 4
    assert late.id in {entry.id for entry in entries_of(moved)}
    assert len(case_recipients.of_case(moved)) == 8


def test_a_void_withdraws_the_case_stops_what_waits_and_tells_who_was_sent() -> None:
    case = make_crossing(make_patient())
    entries = entries_of(case)
    told, waiting = case_recipients.of_case(case)[:2]
    sent(told)

    dispensations.void(entries[0], reason="Not dispensed.", by=make_user(), at=NOW)

    case = ThresholdCase.get_by_id(case.id)
    assert case.status == CaseStatus.WITHDRAWN
    assert case.withdrawn_reason == thresholds.NO_LONGER
    [delivery] = case_recipients.deliveries_of(waiting)
    assert delivery.state == DeliveryState.CANCELLED
    [notice] = CorrectionNotice.select()
    assert (notice.recipient, notice.dispensation) == (told, entries[0])
    assert (notice.outcome, notice.case_withdrawn) == (TicketOutcome.VOIDED, True)
    asked = Delivery.get(kind=DeliveryKind.CORRECTION_NOTICE)
    assert asked.subject_id == notice.id


def test_a_correction_that_leaves_the_case_standing_tells_who_was_sent_it() -> None:
    case = make_crossing(make_patient())
    [entry, *_] = entries_of(case)
    told = case_recipients.of_case(case)[3]
    sent(told)

    dispensations.correct(
        entry,
        changes={"days_supply": 7},
        reason="Keyed wrongly.",
        by=make_user(),
        at=NOW,
    )
    thresholds.evaluate([case.patient.id], at=NOW)

    [notice] = CorrectionNotice.select()
    assert (notice.recipient, notice.dispensation) == (told, entry)
    assert (notice.outcome, notice.version) == (TicketOutcome.CORRECTED, 2)
    assert not notice.case_withdrawn
    assert ThresholdCase.get_by_id(case.id).status == CaseStatus.QUEUED


def test_a_crossing_that_comes_back_after_a_withdrawal_is_a_new_case() -> None:
    patient = make_patient()
    case = make_crossing(patient)
    entry = entries_of(case)[-1]
    dispensations.void(entry, reason="Returned.", by=make_user(), at=NOW)
    make_dispensation(patient=patient, filled_on=entry.filled_on)

    [again] = thresholds.evaluate([patient.id], at=NOW)

    assert again.id != case.id
    assert again.crossed_on == case.crossed_on
    assert len(case_recipients.of_case(again)) == 6


def test_a_silent_rule_makes_cases_and_sends_nothing() -> None:
    make_rule(status=RuleStatus.SILENT)
    patient = make_patient()

    case = make_crossing(patient)

    assert case.status == CaseStatus.DETECTED
    assert Delivery.select().count() == 0


def test_a_case_held_for_review_is_sent_when_staff_release_it() -> None:
    with settings.changed(hold_cases_for_review=True):
        case = make_crossing(make_patient())
        assert case.status == CaseStatus.HELD
        assert Delivery.select().count() == 0

    staff = make_user()
    threshold_cases.release(case, by=staff, at=NOW)

    assert Delivery.select().count() == 6
    with pytest.raises(ConflictError):
        threshold_cases.release(case, by=staff, at=NOW)


def test_what_happened_long_ago_is_a_case_but_nobody_is_written_to() -> None:
    case = make_crossing(make_patient(), day=date(2024, 5, 1))

    assert case.status == CaseStatus.CLOSED
    assert Delivery.select().count() == 0


def test_a_new_version_of_a_rule_does_not_report_the_same_episode_again() -> None:
    rule = make_rule(name="Ours")
    case = make_crossing(make_patient())
    make_rule(name="Ours", prescribers=2, pharmacies=2)

    [again] = thresholds.evaluate([case.patient.id], at=NOW)

    assert again.rule.version == rule.version + 1
    assert again.status == CaseStatus.CLOSED
    assert Delivery.select().count() == 6
    assert ThresholdCase.get_by_id(case.id).status == CaseStatus.QUEUED


def test_the_default_rule_is_active_and_the_presets_wait() -> None:
    threshold_rules.seed(at=NOW)

    [rule] = threshold_rules.in_force()

    assert threshold_rules.sentence(rule) == (
        "3 or more prescribers and 3 or more pharmacies in 90 days, CII\N{EN DASH}CIV"
    )
    assert {each.name for each in threshold_rules.newest()} > {"Oklahoma", "PQA"}
    assert threshold_rules.seed(at=NOW) == []


def test_a_rule_is_changed_by_a_new_version_with_reason_and_author() -> None:
    rule = make_rule(name="Ours")
    author = make_user(Role.ADMINISTRATOR)
    terms = threshold_rules.terms_of(rule)

    with pytest.raises(RuleError) as refused:
        threshold_rules.write(terms=terms, reason=" ", by=author, at=NOW)
    new = threshold_rules.write(terms=terms, reason="As agreed.", by=author, at=NOW)

    assert refused.value.field == "reason"
    assert (new.version, new.written_by) == (2, author.username)
    assert threshold_rules.in_force() == [new]
    assert [each.version for each in threshold_rules.versions(rule)] == [2, 1]


def test_the_audit_record_says_what_became_of_a_case_without_a_name() -> None:
    case = make_crossing(make_patient(last_name="CANARYQUIST"))

    events = [
        row
        for row in AuditEvent.select().order_by(AuditEvent.id)
        if row.subject == f"case:{case.id}"
    ]

    assert [row.event for row in events] == [
        audit.Event.CASE_DETECTED,
        audit.Event.CASE_QUEUED,
    ]
    assert "CANARYQUIST" not in str([row.detail for row in events])
    assert audit.verify() == []


def test_a_report_that_left_moves_its_case_to_sent() -> None:
    case = make_crossing(make_patient())
    delivery = Delivery.select().order_by(Delivery.id).get()

    outbox.change(delivery, DeliveryState.SENT, source="worker", at=NOW)

    assert ThresholdCase.get_by_id(case.id).status == CaseStatus.SENT
