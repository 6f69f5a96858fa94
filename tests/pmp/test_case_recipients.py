"""Who may open a report, and the codes that stand on reply pages."""

import pytest

from models import (
    CaseRecipient,
    Delivery,
    DeliveryState,
    Dispensation,
    Prescriber,
    Role,
    ThresholdCase,
    User,
)
from pmp.errors import NotFoundError
from pmp.thresholds import case_recipients, reply_codes
from tests.conftest import NOW
from tests.factories import make_crossing, make_patient, make_prescriber, make_user

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def case() -> ThresholdCase:
    make_crossing(make_patient(last_name="NOISE"))
    made: ThresholdCase = make_crossing(make_patient())
    return made


def correct_to(someone: Prescriber, recipient: CaseRecipient) -> None:
    """Have the recipient's rows be somebody else's, before anything has left."""
    Dispensation.update(prescriber=someone).where(
        Dispensation.prescriber == recipient.prescriber
    ).execute()
    case_recipients.refresh_unsent(recipient.case, at=NOW)


def doctor(recipient: CaseRecipient) -> User:
    return make_user(Role.PRACTITIONER, prescriber=recipient.prescriber)


def test_whose_row_was_anothers_before_the_report_left_cannot_open_it(
    case: ThresholdCase,
) -> None:
    mistaken, colleague = case_recipients.of_case(case)[:2]
    reader, other = doctor(mistaken), doctor(colleague)
    assert case_recipients.received(mistaken.id, by=reader) == mistaken

    correct_to(make_prescriber(), mistaken)

    with pytest.raises(NotFoundError):
        case_recipients.received(mistaken.id, by=reader)
    assert case_recipients.listed(reader) == ([], 0)
    assert case_recipients.of_user(reader, patient_id=case.patient.id) == []
    assert case_recipients.received(colleague.id, by=other) == colleague


def test_what_had_left_by_then_stays_open(case: ThresholdCase) -> None:
    recipient = case_recipients.of_case(case)[0]
    Delivery.update(state=DeliveryState.SENT).execute()

    correct_to(make_prescriber(), recipient)

    reader = doctor(recipient)
    assert case_recipients.received(recipient.id, by=reader) == recipient


def test_a_reply_code_is_read_however_it_was_typed(case: ThresholdCase) -> None:
    code = next(each for each in iter(reply_codes.new_code, "") if "0" in each)
    recipient = case_recipients.of_case(case)[0]
    recipient.reply_code = code
    recipient.save()

    for typed in (
        code.lower(),
        code.replace("-", ""),
        f" {code.replace('-', ' ')} ",
        "RPL" + code[3:].replace("0", "O"),
    ):
        assert case_recipients.by_reply_code(typed) == recipient
    for wrong in ("", "RPL-00000-00001", "12"):
        with pytest.raises(NotFoundError):
            case_recipients.by_reply_code(wrong)
