import pytest

from models import (
    Dispensation,
    Role,
    Submission,
    SubmissionSource,
    User,
)
from tests.browser import Browser
from tests.factories import (
    make_pharmacy,
    make_prescriber,
    make_product,
    make_user,
)
from tests.submission_files import ELM, OXYCODONE

FILLED = "11/03/2026"


@pytest.fixture
def elm(browser: Browser) -> User:
    """Sign in a pharmacy's user; the drug table and a prescriber are there."""
    make_product(ndc=OXYCODONE, name="OXYCODONE HCL 10 MG TAB")
    make_product(name="ALPRAZOLAM 1 MG TAB", ingredient="ALPRAZOLAM", schedule="CIV")
    make_prescriber(dea="AS3045122", last_name="SMITH", first_name="SARA")
    make_prescriber(last_name="ROE")
    user = make_user(
        Role.PHARMACY,
        pharmacy=make_pharmacy(dea=ELM[2], name=ELM[3], ncpdp=None, phone="2035550100"),
    )
    browser.sign_in_as(user)
    return user


def record(**changes: str | None) -> dict[str, str | None]:
    """Give what is typed for a good record."""
    typed: dict[str, str | None] = {
        "PAT07": "Example",
        "PAT08": "Ada",
        "PAT18": "2/16/1980",
        "PAT19": "F",
        "PAT12": "12 Maple St",
        "PAT14": "Hamden",
        "PAT15": "Connecticut",
        "PAT16": "06514",
        "PAT17": "(203) 555-0111",
        "DSP02": "600100",
        "DSP03": "11/02/2026",
        "DSP05": FILLED,
        "DSP04": "0",
        "DSP06": "0",
        "DSP08": OXYCODONE,
        "DSP09": "60",
        "DSP11": "01",
        "DSP10": "30",
        "DSP12": "05",
        "DSP16": "04",
        "PRE02": "as 3045122",
    }
    return typed | changes


def test_a_record_is_checked_shown_in_words_and_stored_at_once(
    browser: Browser, elm: User
) -> None:
    browser.get("/submissions/entry")
    browser.submit({**record(), "do": "check"}, status=200)
    words = browser.text()
    assert "OXYCODONE HCL 10 MG TAB · 00406-0512-01 · CII" in words
    assert "60 for 30 days: 2 a day, 20 mg a day" in words
    assert "SMITH, SARA, DEA AS3045122" in words
    assert Submission.select().count() == 0

    browser.submit({"do": "submit"})
    browser.follow()

    (stored,) = Dispensation.select()
    (submission,) = Submission.select()
    assert f"Stored as {stored.row_code}." in browser.text()
    assert submission.source == SubmissionSource.ENTRY
    assert (submission.status, submission.stored) == ("processed", 1)
    assert stored.identity.phone == "2035550111"
    assert stored.identity.state == "CT"
    assert "Typed today: 1" in browser.text()
