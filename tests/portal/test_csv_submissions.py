import io

import pytest

from models import Dispensation, Role, Submission, User
from pmp import clock, uploads
from tests.browser import Browser
from tests.factories import make_pharmacy, make_prescriber, make_product, make_user
from tests.submission_files import ELM, OXYCODONE

HEADINGS = (
    "Patient,DOB,Gender,Address,City,St,Zip,Rx #,Written,Filled,Refills,Fill No,"
    "NDC,Qty,Days Supply,Doctor DEA"
)
GOOD = (
    '"EXAMPLE, ADA",2/16/1980,F,12 Maple St,Hamden,CT,6514,600100,11/2/2026,11/3/2026,'
    "0,0,406051201,60,30,AS3045122"
)


@pytest.fixture
def elm(browser: Browser) -> User:
    """Sign in a pharmacy's user; the drug table and a prescriber are there."""
    make_product(ndc=OXYCODONE, name="OXYCODONE HCL 10 MG TAB")
    make_product()
    make_prescriber(dea="AS3045122", last_name="SMITH", first_name="SARA")
    user = make_user(
        Role.PHARMACY,
        pharmacy=make_pharmacy(dea=ELM[2], name=ELM[3], ncpdp=None, phone="2035550100"),
    )
    browser.sign_in_as(user)
    return user


def send(browser: Browser, *rows: str, headings: str = HEADINGS) -> None:
    body = "\r\n".join((headings, *rows)).encode("utf-8-sig")
    browser.get("/submissions/csv")
    browser.submit({"file": (io.BytesIO(body), "november.csv")})
    browser.follow()


def test_a_spreadsheet_is_mapped_by_guess_looked_at_and_submitted(
    browser: Browser, elm: User
) -> None:
    send(browser, GOOD)
    words = browser.text()
    assert "What are the columns of november.csv?" in words
    assert "Not given yet" not in words
    browser.submit({"fixed-DSP11": "01", "fixed-DSP12": "01", "fixed-DSP16": "01"})
    browser.follow()
    assert "EXAMPLE, ADA" in browser.text()
    assert "00406-0512-01" in browser.text()
    assert "to look at" not in browser.text()
    browser.submit(action="/submit")
    (submission,) = Submission.select()
    uploads.process(submission.id, at=clock.now())
    browser.follow()

    assert "Record 1 is row 2 of your spreadsheet" in browser.text()
    (stored,) = Dispensation.select()
    assert stored.identity.zip == "06514"
    assert stored.prescriber.last_name == "SMITH"
