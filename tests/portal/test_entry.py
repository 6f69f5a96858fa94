from datetime import date, timedelta
from typing import Any

import pytest
from peewee import OperationalError

from models import (
    Dispensation,
    EntryDraft,
    Product,
    Role,
    Submission,
    SubmissionSource,
    User,
)
from pmp import clock, uploads
from pmp.entry import drafts
from tests.browser import Browser, FormFinder
from tests.conftest import NOW
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


def check(browser: Browser, *, status: int = 200, **changes: Any) -> str:
    browser.get("/submissions/entry")
    browser.submit({**record(**changes), "do": "check"}, status=status)
    return browser.text()


def store(browser: Browser, **changes: Any) -> None:
    check(browser, **changes)
    browser.submit({"do": "submit"})
    browser.follow()


def test_a_fault_is_told_at_its_box_and_nothing_typed_is_lost(
    browser: Browser, elm: User
) -> None:
    words = check(
        browser,
        status=422,
        PAT18="2/30/1980",
        DSP10="0",
        PRE02="AS3045123",
        DSP08="406051201",
    )

    assert "There is no day “2/30/1980”" in words
    assert "Days supply is “0”; a whole number from 1 to 999 is expected." in words
    assert "has a digit wrong" in words
    assert "This will be submitted" not in words
    assert browser.page
    markup = browser.page.get_data(as_text=True)
    for typed in ("2/30/1980", "AS3045123", "12 Maple St", "406051201"):
        assert f'value="{typed}"' in markup
    assert Submission.select().count() == 0


def test_warnings_are_shown_and_the_record_is_submitted_all_the_same(
    browser: Browser, elm: User
) -> None:
    words = check(browser, DSP16="", PAT16="10001")
    assert "Submit all the same" in words
    assert "Payment type is empty." in words
    assert "is not in the state “CT”" in words
    browser.submit({"do": "submit"})
    (submission,) = Submission.select()
    assert submission.stored_with_warning == 1


def test_what_was_changed_after_the_check_is_shown_once_more(
    browser: Browser, elm: User
) -> None:
    check(browser)
    browser.submit({"do": "submit", "DSP09": "90"}, status=200)
    assert "You changed something: look once more" in browser.text()
    assert Submission.select().count() == 0
    browser.submit({"do": "submit"})
    assert [int(row.quantity) for row in Dispensation.select()] == [90]


def test_nothing_is_submitted_that_was_not_looked_at(
    browser: Browser, elm: User
) -> None:
    browser.get("/submissions/entry")
    browser.submit({**record(), "do": "submit"}, status=200)
    assert "look once more" in browser.text()
    assert Submission.select().count() == 0


def test_a_drug_and_a_prescriber_are_found_step_by_step(
    browser: Browser, elm: User
) -> None:
    browser.get("/submissions/entry")
    browser.submit(
        {**record(DSP08="oxy 10", PRE02="smi"), "do": "find:DSP08"}, status=200
    )
    assert "Is it this one? OXYCODONE HCL 10 MG TAB · 00406-0512-01" in browser.text()
    assert "ALPRAZOLAM" not in browser.text()
    browser.submit({"do": "find:PRE02"}, status=200)
    assert "SMITH, SARA · DEA AS3045122" in browser.text()
    assert "ROE" not in browser.text()
    browser.submit({"do": "check"}, status=200)
    assert "This will be submitted" in browser.text()
    assert "60 for 30 days: 2 a day, 20 mg a day" in browser.text()


def test_a_choice_does_not_stand_once_its_box_was_typed_anew(
    browser: Browser, elm: User
) -> None:
    alprazolam = Product.get(Product.ingredient == "ALPRAZOLAM").ndc
    browser.get("/submissions/entry")
    browser.submit({**record(DSP08="oxy"), "do": "find:DSP08"}, status=200)
    browser.submit({"do": "check", "DSP08": alprazolam}, status=200)
    assert "ALPRAZOLAM 1 MG TAB" in browser.text()
    assert "OXYCODONE" not in browser.text()


def test_a_name_in_the_box_of_a_number_gives_what_to_choose_from(
    browser: Browser, elm: User
) -> None:
    words = check(browser, status=422, DSP08="alpra", PRE02="roe")
    assert "Choose the drug: press Find and pick it, or type its NDC." in words
    assert "Is it this one? ALPRAZOLAM 1 MG TAB" in words
    assert "Choose the prescriber" in words


def test_nothing_found_is_said(browser: Browser, elm: User) -> None:
    browser.get("/submissions/entry")
    browser.submit({"DSP08": "zzz", "do": "find:DSP08"}, status=422)
    assert "Nothing was found." in browser.text()


def test_another_name_than_the_known_one_for_a_number_is_asked_about(
    browser: Browser, elm: User
) -> None:
    words = check(browser, PRE05="Jones", PRE06="Tom")
    assert "known here as another name: SMITH, SARA" in words
    assert "Submit all the same" in words


def test_a_compound_lists_its_ingredients(browser: Browser, elm: User) -> None:
    compound = {"DSP07": "y", "DSP08": "", "DSP09": "120", "DSP11": "02"}
    words = check(browser, status=422, **compound)
    assert "List each controlled ingredient" in words
    store(browser, **compound, **{"CDI03.2": OXYCODONE, "CDI04.2": "12"})
    (stored,) = Dispensation.select()
    assert stored.product_qualifier == "06"
    assert stored.drug_name == "Compound: oxycodone hydrochloride"


def test_an_animal_is_reported_under_its_owner(browser: Browser, elm: User) -> None:
    words = check(browser, PAT20="y", PAT23="Rex")
    assert "Rex, owner EXAMPLE, ADA" in words
    browser.submit({"do": "submit"})
    assert Dispensation.get().identity.animal_name == "Rex"


def test_the_same_record_again_stores_nothing_and_says_so(
    browser: Browser, elm: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(browser)
    soon = clock.now() + timedelta(seconds=5)
    monkeypatch.setattr(clock, "now", lambda: soon)
    assert "This record was reported before." in check(browser)
    browser.submit({"do": "submit"})
    browser.follow()
    assert "Nothing was stored twice." in browser.text()
    assert Dispensation.select().count() == 1


def test_a_void_needs_no_patient_and_takes_the_record_back(
    browser: Browser, elm: User
) -> None:
    store(browser)
    blank = dict.fromkeys(("PAT07", "PAT08", "PAT18", "PRE02"), "")
    store(browser, DSP01="02", **blank)
    (voided,) = Dispensation.select()
    assert voided.status == "voided"
    assert f"Voided: {voided.row_code}." in browser.text()


def test_a_draft_survives_sign_out_and_goes_once_it_is_submitted(
    browser: Browser, elm: User
) -> None:
    browser.get("/submissions/entry")
    browser.submit({**record(DSP10="", PAT18="4/28/71"), "do": "draft"})
    browser.follow()
    (draft,) = EntryDraft.select()
    browser.submit(action="/sign-out")
    browser.sign_in_as(elm)
    browser.get("/submissions/entry")
    assert "Example, Ada, Rx 600100" in browser.text()
    browser.get(f"/submissions/entry/drafts/{draft.id}")
    assert browser.page
    assert 'value="4/28/71"' in browser.page.get_data(as_text=True)
    browser.submit({"DSP10": "30", "do": "check"}, status=200)
    browser.submit({"do": "submit"})

    assert EntryDraft.select().count() == 0
    assert Dispensation.get().identity.birth_date == date(1971, 4, 28)


def test_a_draft_is_its_user_s_alone_and_can_be_deleted(
    browser: Browser, elm: User
) -> None:
    other = EntryDraft.create(
        user=make_user(Role.PHARMACY), elements={"PAT07": "Noise"}, updated_at=NOW
    )
    browser.get("/submissions/entry")
    browser.submit({**record(), "do": "draft"})
    mine = EntryDraft.get(EntryDraft.user == elm)
    browser.get(f"/submissions/entry/drafts/{other.id}", status=404)
    browser.get("/submissions/entry")
    assert "Noise" not in browser.text()
    browser.submit(action=f"/submissions/entry/drafts/{mine.id}/delete")
    assert [draft.id for draft in EntryDraft.select()] == [other.id]


def test_drafts_that_nobody_touches_are_deleted(browser: Browser, elm: User) -> None:
    for age in (13, 15):
        EntryDraft.create(user=elm, elements={}, updated_at=NOW - timedelta(days=age))
    assert drafts.expire(at=NOW) == 1
    assert EntryDraft.select().count() == 1


def test_the_next_fill_is_the_last_record_with_new_number_and_dates(
    browser: Browser, elm: User
) -> None:
    store(browser, DSP04="2", DSP06="1")
    last = Submission.get()
    browser.get(f"/submissions/entry/copies/{last.id}")
    assert browser.page
    found = FormFinder()
    found.feed(browser.page.get_data(as_text=True))
    fields = next(form["fields"] for form in found.forms if "PAT07" in form["fields"])

    assert (fields["PAT07"], fields["PAT18"]) == ("Example", "02/16/1980")
    assert (fields["DSP08"], fields["PRE02"]) == (OXYCODONE, "AS3045122")
    assert (fields["DSP02"], fields["DSP03"], fields["DSP06"]) == ("", "", "2")
    assert fields["DSP05"] == f"{clock.today():%m/%d/%Y}"


def test_a_record_of_another_user_cannot_be_copied(browser: Browser, elm: User) -> None:
    store(browser)
    theirs = Submission.get()
    browser.sign_in_as(make_user(Role.PHARMACY, pharmacy=make_pharmacy()))
    browser.get(f"/submissions/entry/copies/{theirs.id}", status=404)


def test_staff_key_a_paper_form_for_a_pharmacy_that_they_find(
    browser: Browser, elm: User
) -> None:
    browser.sign_in_as(make_user(Role.STAFF))
    make_pharmacy(name="NOISE PHARMACY")
    browser.get("/staff/submissions")
    assert "Key a paper form" in browser.text()
    browser.get("/submissions/entry")
    browser.submit({**record(PHA="elm city"), "do": "find:PHA"}, status=200)
    assert "ELM CITY DRUG" in browser.text()
    assert "NOISE" not in browser.text()
    browser.submit({"do": "check"}, status=200)
    browser.submit({"do": "submit"})
    browser.follow()

    assert Dispensation.get().pharmacy == elm.pharmacy
    assert "/staff/submissions/" in str(browser.page and browser.page.data)


def test_a_pharmacy_reports_for_no_other(browser: Browser, elm: User) -> None:
    other = make_pharmacy()
    words = check(browser, status=422, PHA=other.dea)
    assert "Choose the pharmacy" in words


def test_look_ups_while_typing_are_for_who_may_type_and_hold_ten_at_most(
    browser: Browser, elm: User
) -> None:
    for number in range(12):
        make_product(name=f"Oxymorphone {number} mg")
    address = "/submissions/entry/choices?box=DSP08&text=oxy"
    found = browser.get(address).get_json()["choices"]
    assert len(found) == 10
    assert browser.get(address[:-2]).get_json()["choices"] == []
    other = "/submissions/entry/choices?box=PAT07&text=exa"
    assert browser.get(other).get_json()["choices"] == []
    pharmacies = "/submissions/entry/choices?box=PHA&text=elm"
    assert browser.get(pharmacies).get_json()["choices"] == []
    browser.sign_in_as(make_user(Role.PRACTITIONER))
    browser.get(address, status=404)


def test_a_busy_database_leaves_the_record_to_the_worker(
    browser: Browser, elm: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_args: object, **_options: object) -> None:
        raise OperationalError("database is locked")

    check(browser)
    with monkeypatch.context() as patched:
        patched.setattr(uploads, "process", busy)
        browser.submit({"do": "submit"})
    browser.follow()

    assert "It is taken in within a minute." in browser.text()
    assert uploads.waiting() == [Submission.get().id]
