"""Ticking a faxed reply in a real browser: by keys, on a phone, without scripts."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from gateway import documents
from models import CareNote, CaseRecipient, FaxedReply, RecipientReply, Role, User
from pmp import faxes, settings
from pmp.thresholds import care_notes, case_recipients, threshold_copies
from tests.chromium import axe, fits, targets_are_large
from tests.conftest import NOW
from tests.factories import make_crossing, make_patient, make_user

pytestmark = pytest.mark.browser
Windows = Callable[..., BrowserContext]
OPEN_ALL = "document.querySelectorAll('main details').forEach(d => d.open = true)"


@pytest.fixture
def staff(live: str) -> User:
    return make_user(Role.STAFF)


@pytest.fixture
def recipients(live: str) -> list[CaseRecipient]:
    """Give a case's recipients; the first two have sent their reply pages."""
    with settings.changed(hold_cases_for_review=True):
        for _ in range(2):
            make_crossing(make_patient())
    found = case_recipients.of_case(make_crossing(make_patient()))
    for recipient in found[:2]:
        body = threshold_copies.copy(recipient, draw=documents.threshold_report, at=NOW)
        fax = faxes.receive(
            body=body,
            media_type="application/pdf",
            from_number="8605550143",
            source="test",
            source_reference=recipient.reply_code,
            at=NOW,
        )
        code, pages = recipient.reply_code, documents.page_count(body)
        faxes.file_by_codes(
            fax, codes=[code], pages=pages, found_on={code: pages}, at=NOW
        )
    return found


def test_a_reply_is_ticked_by_keys_and_the_next_one_opens(
    open_context: Windows, staff: User, recipients: list[CaseRecipient]
) -> None:
    page = open_context(user=staff).new_page()
    page.goto("/staff/replies")
    page.get_by_role("link", name="Tick them, one after another").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(
        recipients[0].reply_code
    )
    expect(page.get_by_label("Keys: 1 and 2")).to_be_checked()
    for key in ("1", "3", "6", "s"):
        page.keyboard.press(key)

    expect(page.get_by_role("heading", level=1)).to_contain_text(
        recipients[1].reply_code
    )
    kept = RecipientReply.get(RecipientReply.recipient == recipients[0])
    assert kept.answer == "my_patient"
    assert (kept.discussed_with_patient, kept.please_call) == (True, True)
    assert (kept.discussed_with_others, kept.referral_offered) == (False, False)


def test_keys_are_switched_off_and_stay_off(
    open_context: Windows, staff: User, recipients: list[CaseRecipient]
) -> None:
    page = open_context(user=staff).new_page()
    page.goto(f"/staff/replies/{FaxedReply.select().first().id}")
    page.get_by_label("Keys: 1 and 2").uncheck()
    page.reload()
    page.keyboard.press("1")
    page.keyboard.press("s")

    expect(page.get_by_label("Keys: 1 and 2")).not_to_be_checked()
    expect(page.get_by_label("My patient or customer", exact=True)).not_to_be_checked()
    assert FaxedReply.select().where(FaxedReply.status == "waiting").count() == 2


def test_a_key_typed_into_a_note_is_a_letter(
    open_context: Windows, staff: User, recipients: list[CaseRecipient]
) -> None:
    page = open_context(user=staff).new_page()
    page.goto(f"/staff/replies/{FaxedReply.select().first().id}")
    page.get_by_label("Note").press_sequentially("1 n s")

    expect(page.get_by_label("Note")).to_have_value("1 n s")
    expect(page.get_by_label("My patient or customer", exact=True)).not_to_be_checked()


def test_the_pages_have_no_axe_violation_and_fit(
    open_context: Windows, staff: User, recipients: list[CaseRecipient]
) -> None:
    doctor = make_user(Role.PRACTITIONER, prescriber=recipients[2].prescriber)
    other = make_user(Role.PRACTITIONER, prescriber=recipients[0].prescriber)
    care_notes.send(
        recipients[0].id, recipients[2].id, text="I taper.", by=other, at=NOW
    )
    case = recipients[0].case
    report = f"/threshold-reports/{recipients[2].id}"
    for user, path in (
        (staff, f"/staff/replies/{FaxedReply.select().first().id}"),
        (staff, "/staff/cases"),
        (staff, f"/staff/cases/{case.id}"),
        (doctor, report),
        (doctor, f"{report}/notes/to/{recipients[0].id}"),
    ):
        for width in (1280, 375):
            page = open_context(width, user=user).new_page()
            page.goto(path)
            page.evaluate(OPEN_ALL)
            axe(page)
            fits(page)
            targets_are_large(page)
    assert CareNote.get().opened_at is not None


def test_an_answer_and_a_release_need_no_scripts(
    open_context: Windows, staff: User, recipients: list[CaseRecipient]
) -> None:
    page = open_context(scripts=False, user=staff).new_page()
    page.goto(f"/staff/replies/{FaxedReply.select().first().id}")
    page.get_by_label("Not my patient or customer").check()
    page.get_by_role("button", name="Keep the answer").click()
    expect(page.locator("h1")).to_contain_text(recipients[1].reply_code)

    page.goto("/staff/cases?status=held_for_review")
    page.get_by_label("All on this page").check()
    page.get_by_role("button", name="Release the chosen").click()
    expect(page.locator("h1")).to_have_text("Release 2 cases?")
    page.get_by_role("button", name="Release: send the reports").click()
    expect(page.get_by_text("2 cases are released")).to_be_visible()
