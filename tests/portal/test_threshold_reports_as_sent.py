"""The page of a report whose recipient has no part in the patient any more."""

from datetime import date

import pytest

from models import CaseRecipient, Delivery, DeliveryState, Patient, Role
from pmp import thresholds
from pmp.thresholds import case_recipients
from tests.browser import Browser
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_patient,
    make_prescriber,
    make_user,
)


@pytest.fixture
def patient(browser: Browser) -> Patient:
    return make_patient(last_name="CANARYQUIST")


@pytest.fixture
def mine(browser: Browser, patient: Patient) -> CaseRecipient:
    case = make_crossing(patient)
    Delivery.update(state=DeliveryState.SENT).execute()
    recipient = case_recipients.of_case(case)[0]
    browser.sign_in_as(make_user(Role.PRACTITIONER, prescriber=recipient.prescriber))
    return recipient


def test_who_says_not_my_patient_sees_what_was_sent_and_is_told_so(
    browser: Browser, mine: CaseRecipient, patient: Patient
) -> None:
    page = f"/threshold-reports/{mine.id}"
    browser.get(f"{page}.pdf")
    browser.get(page)
    assert "shown as it was sent" not in browser.text()
    browser.submit({"answer": "not_my_patient"})
    make_dispensation(
        patient=patient,
        prescriber=make_prescriber(last_name="CANARYLATER"),
        filled_on=date(2026, 11, 5),
    )
    thresholds.evaluate([patient.id], at=Delivery.get().created_at)

    html = browser.get(page).get_data(as_text=True)

    text = " ".join(browser.text().split())
    assert "This report is shown as it was sent to you, because you said" in text
    assert "1 of the 3 counted entries is yours" in text
    assert "CANARYLATER" not in html
    assert "11/05/2026" not in html
    assert f"{page}.pdf" in html


def test_where_nothing_was_drawn_there_is_no_chart_copy_of_less(
    browser: Browser, mine: CaseRecipient
) -> None:
    page = f"/threshold-reports/{mine.id}"
    browser.get(page)
    browser.submit({"answer": "not_my_patient"})

    html = browser.get(page).get_data(as_text=True)

    assert "1 of the 1 counted entry is yours" in " ".join(browser.text().split())
    assert f"{page}.pdf" not in html
    browser.get(f"{page}.pdf", status=404)
    assert "No chart copy was made" in browser.text()
