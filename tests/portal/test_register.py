"""Registering: nothing typed is lost, nothing is shown to whom it is not for."""

import re
from collections.abc import Callable
from dataclasses import asdict, replace

import pytest

from gateway import fax_check, pages, tasks
from models import Application, ApplicationDraft, ApplicationStatus, Profession, User
from pmp import settings
from pmp.registration import approval
from pmp.registration.approval import ReturnReason
from pmp.registration.drafts import Step
from tests.browser import Browser
from tests.factories import make_answers, make_application, make_licence, make_user

PRACTITIONER, PHARMACY = Profession.PRACTITIONER, Profession.PHARMACY


def typed(profession: Profession = PRACTITIONER, **changes: str) -> dict[str, str]:
    answers = asdict(replace(make_answers(profession), **changes))
    return {name: value for name, value in answers.items() if value}


def answer(browser: Browser, profession: Profession = PRACTITIONER) -> None:
    """Go from the first step to the review, as a person does."""
    browser.get(f"/register/{profession}")
    for _ in Step:
        browser.submit(typed(profession))
        browser.follow()


CONFIRMED = {"attested": "y", "purpose": "y", "disclosure": "y"}


def register(browser: Browser, profession: Profession = PRACTITIONER) -> Application:
    answer(browser, profession)
    browser.submit(CONFIRMED)
    row: Application = Application.select().order_by(Application.id.desc()).get()
    return row


def markup(browser: Browser) -> str:
    assert browser.page is not None
    return browser.page.get_data(as_text=True)


def test_from_the_home_page_to_the_confirmation_page(browser: Browser) -> None:
    home = browser.get("/").get_data(as_text=True)
    assert 'href="/register"' in home
    browser.get("/register")
    browser.submit({"profession": "practitioner"})
    browser.follow()
    for _ in Step:
        browser.submit(typed())
        browser.follow()
    assert "(860) 555-0123" in browser.text()
    browser.submit(CONFIRMED)
    browser.follow()
    application = Application.get()
    for words in (application.code, "(860) 713-7242", "Print, review, sign and fax"):
        assert words in browser.text()
    assert application.status == ApplicationStatus.SUBMITTED
    assert ApplicationDraft.select().count() == 0


def test_choosing_nothing_is_told(browser: Browser) -> None:
    browser.get("/register")
    browser.submit(status=422)
    assert "Choose whether you are" in browser.text()


def test_wrong_answers_are_told_at_their_fields_and_nothing_is_lost(
    browser: Browser,
) -> None:
    browser.get("/register/practitioner")
    browser.submit(typed(last_name="O'Brien & <Sons>"))
    browser.follow()
    browser.submit(typed(dea="BR1234564", licence_number="none"), status=422)
    page = markup(browser)
    for words in ('href="#dea"', 'href="#licence_number"', 'value="BR1234564"'):
        assert words in page
    assert "digit wrong" in browser.text()
    assert "“NONE” is not a licence number" in browser.text()
    browser.submit(typed())
    browser.follow()
    browser.submit(typed(phone="555"), status=422)
    assert 'href="#phone"' in markup(browser)
    browser.submit({"phone": "8605550123"})
    browser.follow()
    assert "O&#39;Brien &amp; &lt;Sons&gt;" in markup(browser)


def test_change_goes_to_the_answer_with_everything_typed_and_back(
    browser: Browser,
) -> None:
    answer(browser)
    code = ApplicationDraft.get().code
    assert f'href="/register/{code}/reach#street"' in markup(browser)
    browser.get(f"/register/{code}/reach")
    for name in ("street", "phone", "fax", "email"):
        assert f'value="{typed()[name]}"' in markup(browser)
    browser.submit({"street": "13 Elm Street"})
    browser.follow()
    assert "13 Elm Street" in browser.text()
    browser.get(f"/register/{code}/numbers")
    browser.submit()  # nothing is lacking: straight back to the review
    browser.follow()
    assert "Before you submit" in browser.text()
    assert Application.select().count() == 0


@pytest.mark.parametrize("name", CONFIRMED)
def test_each_statement_must_be_confirmed(browser: Browser, name: str) -> None:
    answer(browser)
    browser.submit(CONFIRMED | {name: None}, status=422)
    assert f'href="#{name}"' in markup(browser)
    assert Application.select().count() == 0
    browser.submit(CONFIRMED)
    assert Application.select().count() == 1


def test_a_pharmacy_is_asked_for_its_own_and_keeps_no_other_answers(
    browser: Browser,
) -> None:
    page = browser.get("/register/pharmacy").get_data(as_text=True)
    assert 'name="pharmacist_in_charge"' in page
    assert 'name="last_name"' not in page
    smuggled = {"last_name": "Smuggled", "specialty": "X", "degree": "MD"}
    for _ in Step:
        browser.submit(typed(PHARMACY) | smuggled)
        browser.follow()
    browser.submit(CONFIRMED | smuggled)
    row = Application.get()
    assert (row.profession, row.last_name, row.specialty) == (PHARMACY, "", "")
    assert row.ncpdp == "0712340"


def test_what_is_unfinished_is_gone_on_with_elsewhere_by_code_and_name(
    browser: Browser, new_browser: Callable[..., Browser]
) -> None:
    browser.get("/register/practitioner")
    browser.submit(typed())
    browser.follow()
    code = ApplicationDraft.get().code
    assert code in browser.text()
    browser.submit(typed(dea="half") | {"step": "later"})
    browser.follow()
    assert "It is your turn: it is not submitted yet" in browser.text()

    elsewhere = new_browser()
    for step in ("numbers", "review"):
        elsewhere.get(f"/register/{code}/{step}", status=303)
        elsewhere.follow()
        assert "Rodkin" not in elsewhere.text()
    elsewhere.submit({"code": code, "name": "Nobody"}, status=422)
    elsewhere.submit({"code": code, "name": "RODKIN"})
    elsewhere.follow()
    assert f'href="/register/{code}/numbers"' in markup(elsewhere)
    elsewhere.get(f"/register/{code}/numbers")
    assert 'value="half"' in markup(elsewhere)
    elsewhere.submit(typed())
    elsewhere.follow()
    elsewhere.submit(typed())
    elsewhere.follow()
    elsewhere.submit(CONFIRMED)
    assert Application.get().code == code


def test_a_review_of_what_is_lacking_leads_to_it(browser: Browser) -> None:
    browser.get("/register/practitioner")
    browser.submit(typed())
    code = ApplicationDraft.get().code
    browser.post(
        f"/register/{code}/review", CONFIRMED | {"csrf_token": browser.token()}
    )
    browser.follow()
    assert "Give the DEA number." in browser.text()
    assert Application.select().count() == 0


def test_a_social_security_number_is_kept_nowhere(browser: Browser) -> None:
    browser.get("/register/practitioner")
    browser.submit(typed())
    browser.follow()
    browser.submit(typed(licence_number="123-45-6789"), status=422)
    assert "social security number" in browser.text()
    assert "123-45-6789" not in str(ApplicationDraft.get().answers)


def test_a_fax_number_that_is_a_mobile_is_asked_about_once(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "is_mobile", "860 555 0124".__eq__)
    browser.get("/register/practitioner")
    for _ in range(2):
        browser.submit(typed())
        browser.follow()
    browser.submit(typed(), status=422)
    assert "(860) 555-0124 is listed as a mobile" in browser.text()
    browser.submit({"anyway": "y"})
    browser.follow()
    assert "Before you submit" in browser.text()


def test_sent_twice_it_is_one_registration(browser: Browser) -> None:
    answer(browser)
    page = browser.page
    browser.submit(CONFIRMED)
    browser.page = page
    browser.submit(CONFIRMED)
    browser.follow()
    assert "It is your turn: sign the page and fax it" in browser.text()
    assert Application.select().count() == 1


def test_a_known_and_an_unknown_licence_read_the_same(
    browser: Browser, new_browser: Callable[..., Browser]
) -> None:
    seen = []
    for window in (browser, new_browser()):
        application = register(window)
        window.get(f"/registration/{application.code}")
        seen.append(re.sub(r"CTR-\S+|\d+:\d+", "", window.text()))
        make_licence(Profession.PRACTITIONER, code="CSP.0012345", name="S RODKIN")
    assert seen[0] == seen[1]


def test_registering_never_asks_the_roster_so_it_takes_as_long_for_all(
    browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    make_licence(Profession.PRACTITIONER, code="CSP.0012345", name="S RODKIN")
    caplog.set_level("DEBUG", logger="peewee")
    application = register(browser)
    browser.get(f"/registration/{application.code}")
    asked = [record.getMessage() for record in caplog.records]
    assert any('"application"' in each for each in asked)
    assert [each for each in asked if 'FROM "licence"' in each] == []


def test_what_is_submitted_cannot_be_edited(browser: Browser) -> None:
    application = register(browser)
    browser.get("/register")
    token = browser.token()
    for step in ("who", "numbers", "reach", "review"):
        path = f"/register/{application.code}/{step}"
        browser.get(path, status=303)
        browser.post(path, typed(last_name="Edited") | {"csrf_token": token})
        browser.follow()
        assert "It is your turn: sign the page and fax it" in browser.text()
    assert Application.get().last_name == "Rodkin"


# --- The confirmation page and the status


def test_the_pdf_survives_a_fax(browser: Browser) -> None:
    application = register(browser)
    paper = browser.get(f"/registration/{application.code}/confirmation.pdf")
    assert paper.mimetype == "application/pdf"
    assert fax_check.legible(paper.data, application.code)
    text = " ".join(box.text for box in pages.text_boxes(paper.data))
    assert "BR1234563" in text
    picture = browser.get(f"/registration/{application.code}/confirmation.png")
    assert picture.data.startswith(b"\x89PNG")


@pytest.mark.parametrize("what", ["confirmation", "confirmation.pdf"])
def test_another_browser_is_asked_for_the_name(
    browser: Browser, new_browser: Callable[..., Browser], what: str
) -> None:
    application = register(browser)
    stranger = new_browser()
    stranger.get(f"/registration/{application.code}/{what}", status=303)
    stranger.follow()
    assert "Rodkin" not in stranger.text()
    stranger.get(f"/registration/{application.code}/confirmation.png", status=404)
    stranger.get(f"/registration/{application.code}")
    stranger.submit({"name": "Wrong"}, status=422)
    stranger.submit({"code": application.code.lower(), "name": " rodkin "})
    stranger.follow()
    assert "It is your turn: sign the page and fax it" in stranger.text()
    stranger.get(f"/registration/{application.code}/{what}")


def test_unknown_codes_look_like_known_ones(browser: Browser, db: object) -> None:
    application = make_application()
    known = browser.get(f"/registration/{application.code}").get_data(as_text=True)
    other = browser.get("/registration/CTR-00000-00000").get_data(as_text=True)
    hide = r'CTR-\w{5}-\w{5}|name="csrf_token"[^>]*value="[^"]+"'
    assert re.sub(hide, "", known) == re.sub(hide, "", other)


def test_the_status_says_whose_turn_it_is(browser: Browser) -> None:
    application = register(browser)
    address = f"/registration/{application.code}"
    turns = {
        ApplicationStatus.SUBMITTED: "It is your turn: sign the page and fax it",
        ApplicationStatus.CONFIRMATION_RECEIVED: "It is our turn",
        ApplicationStatus.APPROVED: "your letter is being mailed",
        ApplicationStatus.CREDENTIALS_MAILED: "watch your mail",
        ApplicationStatus.ACTIVE: "the account is in use",
        ApplicationStatus.REJECTED: "was not accepted",
        ApplicationStatus.EXPIRED: "has expired",
    }
    for status, words in turns.items():
        Application.update(status=status).execute()
        browser.get(address)
        assert words in browser.text()


def test_a_returned_page_says_why(browser: Browser) -> None:
    application = register(browser)
    staff: User = make_user()
    approval.return_(
        application,
        reason=ReturnReason.UNDATED,
        note="Bottom right.",
        by=staff,
        at=application.submitted_at,
    )
    browser.get(f"/registration/{application.code}")
    for words in ("It is your turn", "The signature has no date", "Bottom right."):
        assert words in browser.text()
    assert staff.username not in browser.text()


def test_addresses_hold_no_personal_data(browser: Browser) -> None:
    answer(browser)
    sent = browser.submit(CONFIRMED)
    assert re.fullmatch(
        r"/registration/CTR-\w{5}-\w{5}/confirmation", sent.headers["Location"]
    )


def test_another_state_has_its_own_words(browser: Browser) -> None:
    with settings.changed(registration_prefix="OHI", fax_number="+16145550100"):
        application = register(browser)
        assert application.code.startswith("OHI-")
        browser.follow()
        assert "(614) 555-0100" in browser.text()
