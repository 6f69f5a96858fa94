"""The page of a patient's request: a part is denied, a review, a mailed letter."""

import pytest

from models import Patient, PatientRequest, Role, User
from pmp import clock
from tests.browser import Browser
from tests.factories import make_dispensation, make_user
from tests.portal.lists import lines
from tests.portal.test_staff_disclosures import day, edith, staff, taken, words_of

__all__ = ["edith", "staff"]
pytestmark = pytest.mark.usefixtures("db")
ADDRESS = "1 Oak Street\nHartford CT 06106"


@pytest.fixture
def asked(browser: Browser, staff: User, edith: Patient) -> PatientRequest:
    make_dispensation(patient=edith, filled_on=clock.today(), drug_name="Other drug")
    return taken(browser, edith, address=ADDRESS)


def deny(browser: Browser, asked: PatientRequest, **typed: str) -> None:
    browser.get(f"/staff/disclosures/requests/{asked.id}/part")
    code = browser.page_text().split('name="entries"')[1].split('value="')[1][:9]
    given = {"entries": code, "ground": "danger", "reason": "Dr. Oakes advises so."}
    browser.submit(given | typed, status=422 if "" in typed.values() else 303)


def test_a_part_is_denied_and_the_rest_is_given(
    browser: Browser, asked: PatientRequest
) -> None:
    here = f"/staff/disclosures/requests/{asked.id}"
    deny(browser, asked, ground="")
    assert "Say on what ground it is denied" in browser.text()
    assert "checked" in browser.page_text()
    assert "Dr. Oakes advises so." in browser.page_text()

    deny(browser, asked)
    browser.follow()

    text = browser.text()
    assert "Denied in part" in text
    assert "1 entry, D-" in text
    assert "Letter not printed yet: denial of a part" in text
    browser.submit(action=f"{here}/paper")
    browser.get(here)
    browser.submit(action=f"{here}/letters/part")
    paper = words_of(browser.get(f"{here}/paper.pdf").data)
    assert "1 prescription is left out." in paper
    assert "Oxycodone Hydrochloride 10 mg tablet" in paper
    assert "Other drug" not in paper
    letter = words_of(browser.get(f"{here}/letters/part.pdf").data)
    assert "We cannot give you a part of what you asked for" in letter
    assert "1 prescription is left out of the record." in letter
    assert "You have the right to a review." in letter
    assert "Other drug" not in letter


def test_what_became_of_a_denial_stands_on_the_page_and_in_the_list(
    browser: Browser, asked: PatientRequest
) -> None:
    here = f"/staff/disclosures/requests/{asked.id}"
    deny(browser, asked)
    browser.get(here)
    browser.submit(action=f"{here}/letters/part")
    browser.get(here)
    browser.submit({"mailed_on": "01/02/2020"}, action=f"{here}/mailed", status=422)
    assert "01/02/2020 is not a day from when it was printed" in browser.text()
    browser.submit({"mailed_on": day(0)}, action=f"{here}/mailed")
    browser.get(here)
    assert f"mailed {day(0)}, says staff.lee" in browser.text()
    browser.get("/staff/disclosures/requests")
    assert "Denied in part" in browser.text()
    (row,) = lines(browser, "/staff/disclosures/requests.csv")
    assert row["Part denied"] == day(0)
    browser.get(here)
    browser.submit(action=f"{here}/all")
    browser.follow()
    assert "Nothing is denied any more." in browser.text()


@pytest.mark.parametrize(
    ("outcome", "says", "stands"),
    [
        ("upheld", "The denial stays.", "The denial stays, by Dr. Noor Haddad"),
        ("overturned", "You get what we had denied.", "Decided for the patient, by"),
    ],
)
def test_a_review_is_asked_for_ends_and_is_told(
    browser: Browser, asked: PatientRequest, outcome: str, says: str, stands: str
) -> None:
    here = f"/staff/disclosures/requests/{asked.id}"
    browser.get(here)
    typed = {"state": "denied", "ground": "danger", "note": "Dr. Oakes advises so."}
    browser.submit(typed, action=f"{here}/end")
    browser.follow()
    browser.submit({"asked_on": "01/01/2020"}, action=f"{here}/review", status=422)
    assert "01/01/2020 is not a day from the denial" in browser.text()
    browser.submit({"asked_on": day(0)}, action=f"{here}/review")
    browser.follow()
    assert "Review asked for" in browser.text()
    browser.get("/staff/disclosures")
    assert f"Request {asked.id} : asked for on {day(0)}" in browser.text()
    browser.get(here)
    given = {"reviewer": "Sandra Lee", "outcome": outcome, "review_reason": "Looked."}
    browser.submit(given, action=f"{here}/reviewed", status=422)
    assert "staff.lee denied it: somebody who had no part" in browser.text()
    assert "Looked." in browser.page_text()

    browser.submit({"reviewer": "Dr. Noor Haddad"}, action=f"{here}/reviewed")
    browser.follow()

    assert stands in browser.text()
    assert "Letter not printed yet: review" in browser.text()
    (row,) = lines(browser, "/staff/disclosures/requests.csv")
    assert row["Review"] == f"denial {outcome}"
    browser.get(here)
    browser.submit(action=f"{here}/letters/review")
    letter = words_of(browser.get(f"{here}/letters/review.pdf").data)
    assert says in letter
    assert "Dr. Noor Haddad, a health care professional who had no part" in letter
    assert "Looked." in letter


@pytest.mark.parametrize("page", ["part", "all", "review", "reviewed", "mailed"])
def test_denials_are_staffs_alone(
    browser: Browser, asked: PatientRequest, page: str
) -> None:
    browser.sign_in_as(make_user(Role.AUDITOR))
    browser.get("/account")
    here = f"/staff/disclosures/requests/{asked.id}/{page}"
    browser.post(here, {"csrf_token": browser.token()}, status=404)
