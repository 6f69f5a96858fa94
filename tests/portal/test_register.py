"""Registering: nothing typed is lost, nothing is shown to whom it is not for."""

import re
from collections.abc import Callable
from dataclasses import asdict, replace

import pytest

from gateway import fax_check, pages
from models import Application, ApplicationStatus, Profession, User
from pmp import settings
from pmp.registration import approval
from pmp.registration.approval import ReturnReason
from tests.browser import Browser
from tests.factories import make_answers, make_application, make_licence, make_user

PRACTITIONER, PHARMACY = Profession.PRACTITIONER, Profession.PHARMACY


def typed(profession: Profession = PRACTITIONER, **changes: str) -> dict[str, str]:
    answers = asdict(replace(make_answers(profession), **changes))
    return {name: value for name, value in answers.items() if value}


def review(
    browser: Browser, profession: Profession = PRACTITIONER, **changes: str
) -> None:
    browser.get(f"/register/{profession}")
    browser.submit(typed(profession, **changes), status=200)


def register(browser: Browser, profession: Profession = PRACTITIONER) -> Application:
    review(browser, profession)
    browser.submit({"step": "submit", "attested": "y"})
    row: Application = Application.select().order_by(Application.id.desc()).get()
    return row


def test_from_the_home_page_to_the_confirmation_page(browser: Browser) -> None:
    home = browser.get("/").get_data(as_text=True)
    assert 'href="/register"' in home
    browser.get("/register")
    browser.submit({"profession": "practitioner"})
    browser.follow()
    browser.submit(typed(), status=200)
    assert "(860) 555-0123" in browser.text()
    browser.submit({"step": "submit", "attested": "y"})
    browser.follow()
    application = Application.get()
    for words in (application.code, "(860) 713-7242", "Print, review, sign and fax"):
        assert words in browser.text()
    assert application.status == ApplicationStatus.SUBMITTED


def test_choosing_nothing_is_told(browser: Browser) -> None:
    browser.get("/register")
    browser.submit(status=422)
    assert "Choose whether you are" in browser.text()


def test_wrong_answers_are_told_at_their_fields_and_nothing_is_lost(
    browser: Browser,
) -> None:
    browser.get("/register/practitioner")
    wrong = typed(dea="BR1234564", phone="555", last_name="O'Brien & <Sons>")
    browser.submit(wrong, status=422)
    page = browser.page
    assert page is not None
    markup = page.get_data(as_text=True)
    assert 'href="#dea"' in markup
    assert 'href="#phone"' in markup
    assert "digit wrong" in browser.text()
    assert 'value="BR1234564"' in markup
    assert "O&#39;Brien &amp; &lt;Sons&gt;" in markup
    browser.submit({"dea": "BR1234563", "phone": "8605550123"}, status=200)
    assert "O'Brien & <Sons>" in browser.text().replace("&#39;", "'").replace(
        "&amp;", "&"
    ).replace("&lt;", "<").replace("&gt;", ">")


def test_change_goes_back_with_everything_typed(browser: Browser) -> None:
    review(browser)
    browser.submit({"step": "change"}, status=200)
    assert browser.page is not None
    markup = browser.page.get_data(as_text=True)
    for value in typed().values():
        assert f'value="{value}"' in markup
    assert Application.select().count() == 0


def test_without_the_attestation_the_review_stays(browser: Browser) -> None:
    review(browser)
    browser.submit({"step": "submit"}, status=422)
    assert "access may not be delegated" in browser.text()
    browser.submit({"step": "submit", "attested": "y"})
    assert Application.select().count() == 1


def test_a_pharmacy_is_asked_for_its_own_and_keeps_no_other_answers(
    browser: Browser,
) -> None:
    page = browser.get("/register/pharmacy").get_data(as_text=True)
    assert 'name="pharmacist_in_charge"' in page
    assert 'name="ncpdp"' in page
    assert 'name="last_name"' not in page
    smuggled = {"last_name": "Smuggled", "specialty": "X", "degree": "MD"}
    browser.submit(typed(PHARMACY) | smuggled, status=200)
    browser.submit({"step": "submit", "attested": "y", **smuggled})
    row = Application.get()
    assert (row.profession, row.last_name, row.specialty) == (PHARMACY, "", "")


def test_a_review_that_was_not_shown_cannot_be_submitted(browser: Browser) -> None:
    browser.get("/register/practitioner")
    browser.submit(typed() | {"step": "submit", "attested": "y"}, status=200)
    assert Application.select().count() == 0
    assert "Review your answers" in browser.text()


def test_sent_twice_it_is_one_registration(browser: Browser) -> None:
    review(browser)
    cookie = browser.client.get_cookie("session")
    assert cookie is not None
    page = browser.page
    for _ in range(2):
        browser.client.set_cookie("session", str(cookie.value))
        browser.page = page
        browser.submit({"step": "submit", "attested": "y"})
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


# --- The confirmation page and the status


def test_the_pdf_survives_a_fax(browser: Browser) -> None:
    application = register(browser)
    answer = browser.get(f"/registration/{application.code}/confirmation.pdf")
    assert answer.mimetype == "application/pdf"
    assert fax_check.legible(answer.data, application.code)
    text = " ".join(box.text for box in pages.text_boxes(answer.data))
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
    review(browser)
    answer = browser.submit({"step": "submit", "attested": "y"})
    assert re.fullmatch(
        r"/registration/CTR-\w{5}-\w{5}/confirmation", answer.headers["Location"]
    )


def test_another_state_has_its_own_words(browser: Browser) -> None:
    with settings.changed(registration_prefix="OHI", fax_number="+16145550100"):
        application = register(browser)
        assert application.code.startswith("OHI-")
        browser.follow()
        assert "(614) 555-0100" in browser.text()
