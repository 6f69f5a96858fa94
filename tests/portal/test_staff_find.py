"""The box in the staff frame, on every page of staff."""

from models import FaxStatus, InboundFax, Role
from pmp.deliveries.letter_codes import letter_code
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import make_application, make_submission, make_user


def test_a_code_leads_from_any_page_straight_to_the_thing(browser: Browser) -> None:
    application = make_application()
    browser.sign_in_as(make_user(Role.STAFF))
    browser.get("/staff/letters")

    browser.submit({"anything": application.code.lower()}, action="/staff/anything")

    assert browser.page is not None
    address = f"/staff/registrations/{application.code}"
    assert browser.page.headers["Location"] == address
    browser.follow()


def test_what_nothing_has_is_said_in_words_and_kept_in_the_box(
    browser: Browser,
) -> None:
    browser.sign_in_as(make_user(Role.STAFF))
    browser.get("/staff")
    code = letter_code(99)
    browser.submit({"anything": code}, action="/staff/anything", status=422)
    assert f"{code} would be a letter code. Nothing has it." in browser.text()
    assert f'value="{code}"' in browser.page.get_data(as_text=True)  # type: ignore[union-attr]
    browser.submit({"anything": "who knows"}, action="/staff/anything", status=422)
    assert "“who knows” is no code, number or user name" in browser.text()
    browser.submit({"anything": " "}, action="/staff/anything", status=422)
    assert "Type what is printed on the paper" in browser.text()


def test_a_number_that_several_things_have_offers_each(browser: Browser) -> None:
    browser.sign_in_as(make_user(Role.STAFF))
    submission = make_submission()
    fax = InboundFax.create(
        id=submission.id,
        received_at=NOW,
        source="x",
        source_reference="x",
        status=FaxStatus.UNMATCHED,
    )
    browser.get("/staff/anything")
    browser.submit({"anything": str(fax.id)}, action="/staff/anything", status=200)
    assert f"Fax {fax.id}, received" in browser.text()
    assert f"Submission {fax.id} of" in browser.text()


def test_users_outside_the_program_have_no_box(browser: Browser) -> None:
    browser.sign_in_as(make_user(Role.PHARMACY))
    browser.get("/account")
    assert "Find anything" not in browser.text()
    browser.post(
        "/staff/anything", {"csrf_token": browser.token(), "anything": "1"}, status=404
    )
