"""Who changes fills, cases or links at one moment waits, and never for each other."""

from collections.abc import Callable
from datetime import date, timedelta
from threading import Thread
from time import monotonic, sleep

import pytest

import models
from models import (
    CaseStatus,
    Delivery,
    Dispensation,
    DispensationStatus,
    Patient,
    Role,
    ThresholdCase,
    User,
)
from pmp import audit, database, disclosures, dispensations, thresholds
from pmp.deliveries import outbox
from pmp.dispensations import unknown_products
from pmp.lookup import keeping, schedules
from pmp.matching import moves, undoing
from pmp.matching.turns import change_links
from pmp.thresholds import case_recipients, threshold_cases
from tests.conftest import NOW
from tests.factories import (
    make_dispensation,
    make_patient,
    make_pharmacy,
    make_prescriber,
    make_rule,
    make_user,
)
from tests.pmp.test_match_decisions import asked, join
from tests.pmp.test_unknown_products import make_unknown, write

pytestmark = pytest.mark.usefixtures("db")


def _undo() -> None:
    unknown_products.undo(write().id, by="staff.lee", at=NOW)


def _fill_in() -> None:
    change = write()
    make_unknown()  # stored while the product was added
    change.delete_instance()
    unknown_products.fill_in(by="staff.lee", at=NOW)


@pytest.mark.parametrize("act", [write, _undo, _fill_in])
def test_a_change_of_the_drug_table_waits_while_staff_join(
    act: Callable[[], object],
) -> None:
    staff: User = make_user(Role.STAFF)
    review = asked()
    moved = make_unknown(patient=review.identity.patient)
    changing = _thread(act)

    with database.atomic():
        change_links()
        changing.start()
        _wait_until_it_waits(changing)  # and holds no fill that the join moves
        join(review, staff)
    changing.join(timeout=20)

    assert not changing.is_alive()
    assert Dispensation.get_by_id(moved.id).patient == review.candidate
    assert audit.verify() == []


def _reported_case(patient: Patient) -> tuple[ThresholdCase, Delivery]:
    """Give a patient's case, and a report of it that waits to be sent."""
    make_rule(prescribers=3, pharmacies=3)
    for number in range(3):
        make_dispensation(
            patient=patient,
            prescriber=make_prescriber(),
            pharmacy=make_pharmacy(),
            filled_on=date(2026, 11, 1 + number),
        )
    [case] = thresholds.evaluate([patient.id], at=NOW)
    recipient = case_recipients.of_case(case)[0]
    return case, case_recipients.deliveries_of(recipient)[0]


@pytest.mark.parametrize("decide", ["close", "join", "undo"])
def test_staff_wait_while_a_report_is_sent(decide: str) -> None:
    staff = make_user(Role.STAFF)
    review = asked()
    case, report = _reported_case(review.identity.patient)
    if decide == "undo":
        decision = join(review, staff)
    act = {
        "close": lambda: threshold_cases.close(case, reason="No.", by=staff, at=NOW),
        "join": lambda: join(review, staff),
        "undo": lambda: undoing.undo(decision, by=staff, at=NOW),
    }[decide]
    deciding = _thread(act)

    with database.atomic():
        outbox.taken(report.id)  # as the worker does, which then writes down the rest
        deciding.start()
        _wait_until_it_waits(deciding)
        audit.record(
            audit.Event.DELIVERY_CHANGED, actor="system", subject="delivery:1", at=NOW
        )
        ThresholdCase.update(detected_at=NOW).where(
            ThresholdCase.id == case.id
        ).execute()
        disclosures.record(
            patient=case.patient, recipient="R", what="report", purpose="sent", at=NOW
        )
    deciding.join(timeout=20)

    assert not deciding.is_alive()
    found = ThresholdCase.get_by_id(case.id)
    closed = found.status is CaseStatus.CLOSED
    joined = found.patient == review.candidate
    assert (closed, joined) == (decide == "close", decide == "join")


def test_a_void_waits_while_a_report_is_sent() -> None:
    staff = make_user(Role.STAFF)
    case, report = _reported_case(make_patient())
    entry = threshold_cases.entries(case)[0]

    _send_while(
        report,
        lambda: dispensations.void(entry, reason="No.", by=staff, at=NOW),
    )

    assert ThresholdCase.get_by_id(case.id).status is CaseStatus.WITHDRAWN


def test_an_evaluation_of_many_waits_before_it_writes_anything_down() -> None:
    """It would have the audit record by the first case when it waits for the second."""
    cases, reports = zip(
        *(_reported_case(make_patient()) for _ in range(2)), strict=True
    )
    Dispensation.update(status=DispensationStatus.VOIDED).execute()
    patients = [case.patient.id for case in cases]

    _send_while(reports[1], lambda: thresholds.evaluate(patients, at=NOW))

    now = [ThresholdCase.get_by_id(case.id).status for case in cases]
    assert now == [CaseStatus.WITHDRAWN] * 2


def test_two_changes_of_a_patient_at_once_make_the_case_that_both_give() -> None:
    staff = make_user(Role.STAFF)
    make_rule(prescribers=3, pharmacies=3)
    patient, same = make_patient(), make_prescriber()
    three = [make_dispensation(patient=patient, prescriber=same) for _ in range(3)]
    first, second, _ = three

    def bring(entry: Dispensation) -> None:
        changes = {"prescriber": make_prescriber()}
        dispensations.correct(entry, changes=changes, reason="No.", by=staff, at=NOW)

    other = _thread(lambda: bring(second))
    with database.atomic():
        bring(first)
        other.start()
        _wait_until_it_waits(other)
    other.join(timeout=20)

    [case] = ThresholdCase.select()
    assert (case.patient, case.prescribers) == (patient, 3)


def _send_while(report: Delivery, act: Callable[[], object]) -> None:
    """Let somebody act while the worker sends a report and then writes it down."""
    acting = _thread(act)
    with database.atomic():
        outbox.taken(report.id)
        acting.start()
        _wait_until_it_waits(acting)
        audit.record(
            audit.Event.DELIVERY_CHANGED, actor="system", subject="delivery:1", at=NOW
        )
    acting.join(timeout=20)
    assert not acting.is_alive()


def test_who_closes_a_case_waits_while_staff_move_its_patient() -> None:
    staff = make_user(Role.STAFF)
    patient = make_patient()
    case, _ = _reported_case(patient)
    closing = _thread(
        lambda: threshold_cases.close(case, reason="No use.", by=staff, at=NOW)
    )

    with database.atomic():
        moves.take_turn((patient.id,))
        event = audit.Event.IDENTITY_SPLIT
        audit.record(event, actor="staff", subject="patient:1", at=NOW)
        closing.start()
        _wait_until_it_waits(closing)
        later = NOW + timedelta(minutes=1)
        ThresholdCase.update(detected_at=later).where(
            ThresholdCase.id == case.id
        ).execute()
    closing.join(timeout=20)

    found = ThresholdCase.get_by_id(case.id)
    assert (found.status, found.detected_at) == (CaseStatus.CLOSED, later)


def _look_up(user: User) -> None:
    keeping._take_turn(user)


def _send_a_list(user: User) -> None:
    schedules._within_the_day(1, by=user, at=NOW)


@pytest.mark.parametrize("hold", [_look_up, _send_a_list])
def test_a_case_is_made_while_one_of_its_recipients_looks_somebody_up(
    hold: Callable[[User], None],
) -> None:
    make_rule()
    doctor = make_prescriber()
    user = make_user(Role.PRACTITIONER, prescriber=doctor)
    patient = make_patient()
    for each in (doctor, make_prescriber(), make_prescriber()):
        make_dispensation(patient=patient, prescriber=each)

    _meanwhile(lambda: hold(user), lambda: thresholds.evaluate([patient.id], at=NOW))

    assert ThresholdCase.select().count() == 1


def test_a_fill_is_stored_while_staff_have_their_turn_with_its_patient() -> None:
    patient = make_patient()

    _meanwhile(
        lambda: moves.take_turn((patient.id,)),
        lambda: make_dispensation(patient=patient),
    )

    assert Dispensation.select().count() == 1


def _meanwhile(hold: Callable[[], object], act: Callable[[], object]) -> None:
    """Let somebody act while another holds rows: without waiting, where both can."""
    acting = _thread(act)
    with database.atomic():
        hold()
        acting.start()
        if not database.is_sqlite():
            acting.join(timeout=10)
            assert not acting.is_alive()
    acting.join(timeout=20)
    assert not acting.is_alive()


def _thread(act: Callable[[], object]) -> Thread:
    def run() -> None:
        with models.database.connection_context():
            act()

    return Thread(target=run, daemon=True)


def _wait_until_it_waits(thread: Thread) -> None:
    """Let the other get as far as it can: on Postgres, until it waits for a lock."""
    if database.is_sqlite():
        return
    deadline = monotonic() + 20
    waits = "SELECT 1 FROM pg_locks WHERE NOT granted"
    while not models.database.execute_sql(waits).fetchall():
        assert thread.is_alive()
        assert monotonic() < deadline
        sleep(0.02)
