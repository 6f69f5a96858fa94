"""What of a case a recipient is shown: no more than was sent, nothing withheld."""

from datetime import date

import pytest

from models import (
    CaseRecipient,
    Delivery,
    DeliveryState,
    Dispensation,
    Patient,
    Prescriber,
    RecipientAnswer,
    Role,
    Species,
    ThresholdCase,
    TicketProblem,
    User,
)
from pmp import thresholds
from pmp.errors import NotFoundError, RuleError
from pmp.thresholds import (
    answers,
    case_recipients,
    shown_rows,
    threshold_copies,
    threshold_reports,
)
from pmp.thresholds.answers import Reply
from pmp.thresholds.threshold_copies import Drawing
from pmp.thresholds.threshold_reports import ThresholdReport
from tests.conftest import NOW
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_identity,
    make_patient,
    make_prescriber,
    make_user,
)

pytestmark = pytest.mark.usefixtures("db")
NOT_MINE = Reply(RecipientAnswer.NOT_MY_PATIENT)


@pytest.fixture
def patient() -> Patient:
    return make_patient()


@pytest.fixture
def recipient(patient: Patient) -> CaseRecipient:
    make_crossing(make_patient(last_name="NOISE"))
    case: ThresholdCase = make_crossing(patient)
    Delivery.update(state=DeliveryState.SENT).execute()
    return case_recipients.of_case(case)[0]


@pytest.fixture
def doctor(recipient: CaseRecipient) -> User:
    return make_user(Role.PRACTITIONER, prescriber=recipient.prescriber)


def drawn(recipient: CaseRecipient) -> set[str]:
    """Have the report drawn as it is now; the codes of its rows."""

    def draw(report: ThresholdReport) -> Drawing:
        return Drawing(f"%PDF {report.code}".encode(), 1)

    threshold_copies.copy(recipient, draw=draw, at=NOW)
    copy = shown_rows.standing(recipient)
    assert copy is not None
    return set(copy.entries)


def fill_again(patient: Patient) -> Prescriber:
    """Have the patient get more, from somebody new; the case counts it."""
    someone: Prescriber = make_prescriber(last_name="CANARYLATER")
    make_dispensation(patient=patient, prescriber=someone, filled_on=date(2026, 11, 5))
    thresholds.evaluate([patient.id], at=NOW)
    return someone


def take_off(recipient: CaseRecipient) -> None:
    Dispensation.update(prescriber=make_prescriber()).where(
        Dispensation.prescriber == recipient.prescriber
    ).execute()


def fresh(recipient: CaseRecipient) -> CaseRecipient:
    row: CaseRecipient = CaseRecipient.get_by_id(recipient.id)
    return row


def report_to(recipient: CaseRecipient) -> ThresholdReport:
    return threshold_reports.report(fresh(recipient), at=NOW)


def test_who_has_a_part_in_it_sees_what_comes_later(
    recipient: CaseRecipient, patient: Patient
) -> None:
    sent = drawn(recipient)
    fill_again(patient)

    report = report_to(recipient)

    assert {each.row_code for each in report.entries} > sent
    assert report.as_sent == ""
    assert "CANARYLATER" in repr(report.call_sheet)


@pytest.mark.parametrize("way", ["not mine", "no row left"])
def test_who_has_no_part_in_it_any_more_sees_no_more_than_was_sent(
    recipient: CaseRecipient, patient: Patient, doctor: User, way: str
) -> None:
    sent, before = drawn(recipient), report_to(recipient)
    if way == "not mine":
        answers.answer(recipient.id, NOT_MINE, by=doctor, at=NOW)
        reason = shown_rows.NOT_THEIRS
    else:
        take_off(recipient)
        reason = shown_rows.NO_ROW_LEFT
    fill_again(patient)

    report = report_to(recipient)

    assert {each.row_code for each in report.entries} == sent
    assert report.as_sent == reason
    assert "CANARYLATER" not in repr(report)
    assert report.until == before.until == date(2026, 11, 1)
    assert report.reached == "3 prescribers and 3 pharmacies"
    assert len(report.charts) == len(before.charts)
    rows = answers.rows_of(fresh(recipient))
    assert {row.row_code for row in rows} == sent


def test_of_what_was_never_drawn_they_see_their_own(
    recipient: CaseRecipient, doctor: User
) -> None:
    answers.answer(recipient.id, NOT_MINE, by=doctor, at=NOW)

    assert [each.is_mine for each in report_to(recipient).entries] == [True]

    take_off(recipient)
    with pytest.raises(NotFoundError):
        report_to(recipient)


def test_who_takes_it_back_sees_the_report_as_it_stands(
    recipient: CaseRecipient, patient: Patient, doctor: User
) -> None:
    drawn(recipient)
    answers.answer(recipient.id, NOT_MINE, by=doctor, at=NOW)
    fill_again(patient)

    mine = Reply(RecipientAnswer.MY_PATIENT)
    answers.answer(recipient.id, mine, by=doctor, at=NOW)

    assert "CANARYLATER" in repr(report_to(recipient))


def test_what_the_table_hides_is_not_asked_about_either(
    recipient: CaseRecipient, doctor: User
) -> None:
    withheld, animals = (
        Dispensation.select()
        .where(Dispensation.patient == recipient.case.patient)
        .where(Dispensation.prescriber != recipient.prescriber)
        .order_by(Dispensation.id)
    )
    withheld.withheld = "Withheld."
    withheld.save()
    animals.identity = make_identity(animals.patient, species=Species.ANIMAL)
    animals.save()

    rows = answers.rows_of(recipient)

    table = [entry.row_code for entry in report_to(recipient).entries]
    assert [row.row_code for row in rows] == table
    assert not {withheld.row_code, animals.row_code} & set(table)
    assert len(table) == 1
    rows_wrong = {withheld.row_code: TicketProblem.WRONG_DATE}
    problem = Reply(RecipientAnswer.MY_PATIENT, rows_wrong)
    with pytest.raises(RuleError):
        answers.answer(recipient.id, problem, by=doctor, at=NOW)
