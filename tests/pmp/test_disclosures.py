from datetime import timedelta

import pytest

from models import AuditEvent, Disclosure, Patient
from pmp import audit, disclosures
from tests.conftest import NOW
from tests.factories import make_patient

pytestmark = pytest.mark.usefixtures("db")


def disclose(patient: Patient, **fields: object) -> Disclosure:
    given = {
        "recipient": "OAKES, RAE",
        "address": "+18605550120",
        "what": "Patient Threshold Report RPL-1",
        "purpose": "Treatment",
        "at": NOW,
    }
    return disclosures.record_once(patient=patient, **(given | fields))  # type: ignore[arg-type]


def test_the_accounting_of_a_patient_is_newest_first_and_nobody_elses() -> None:
    patient, other = make_patient(), make_patient()
    first = disclose(patient)
    second = disclose(patient, address="+18605550121", at=NOW + timedelta(hours=1))
    disclose(other)

    assert disclosures.accounting(patient.id) == [second, first]


def test_a_sending_that_is_tried_again_is_one_disclosure() -> None:
    patient = make_patient()

    disclose(patient)
    disclose(patient, at=NOW + timedelta(minutes=5))
    disclose(patient, what="Patient Threshold Report RPL-2")

    assert Disclosure.select().count() == 2


def test_a_disclosure_is_on_the_audit_record_without_the_patients_name() -> None:
    patient = make_patient(last_name="CANARYQUIST")

    disclosure = disclose(patient)

    [row] = AuditEvent.select().where(AuditEvent.event == audit.Event.DISCLOSED)
    assert row.subject == f"patient:{patient.id}"
    assert row.detail["disclosure"] == disclosure.id
    assert "CANARYQUIST" not in str(row.detail)
