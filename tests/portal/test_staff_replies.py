"""Staff tick faxed reply pages, one after another, and call who asks for it."""

import pytest

from gateway import documents
from models import (
    AuditEvent,
    CaseRecipient,
    FaxedReply,
    InboundFax,
    RecipientAnswer,
    RecipientReply,
    ReplyChannel,
    Role,
    ThresholdCase,
    Ticket,
)
from pmp import audit, clock, downloads, faxes
from pmp.thresholds import answers, case_recipients, threshold_cases
from pmp.thresholds.answers import Reply
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import make_crossing, make_patient, make_user
from tests.portal.lists import lines, shown, sorted_by

CALL = frozenset({"please_call"})


@pytest.fixture
def case(browser: Browser) -> ThresholdCase:
    made: ThresholdCase = make_crossing(make_patient(last_name="CANARYQUIST"))
    browser.sign_in_as(make_user(Role.STAFF))
    return made


def faxed(*codes: str) -> InboundFax:
    number = InboundFax.select().count()
    fax = faxes.receive(
        body=documents.drawn("test", f"<p>{number}</p>"),
        media_type="application/pdf",
        from_number="8605550143",
        source="test",
        source_reference=f"fax {number}",
        at=NOW,
    )
    faxes.file_by_codes(fax, codes=codes, pages=1, at=NOW)
    return fax


def test_reply_pages_are_sorted_and_come_as_a_file(
    browser: Browser, case: ThresholdCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = [each.reply_code for each in case_recipients.of_case(case)[:2]]
    for code in sorted(codes, reverse=True):
        faxed(code)
    path, link = "/staff/replies", "/staff/replies/"

    assert shown(browser, path, link) == ["1", "2"]
    assert sorted_by(browser) == {"Came": "ascending"}
    assert shown(browser, f"{path}?sort=reply", link) == ["2", "1"]
    assert shown(browser, f"{path}?sort=note", link) == ["1", "2"]
    table = lines(browser, f"{path}.csv?sort=reply")
    assert [row["Reply"] for row in table] == sorted(codes)
    assert "CANARY" not in str(table)
    event = AuditEvent.get(AuditEvent.event == "list:downloaded")
    assert (event.subject, event.detail) == ("faxed_replies", {"rows": 2})
    monkeypatch.setattr(downloads, "MOST_ROWS", 1)
    browser.get(f"{path}.csv", status=422)
    assert "That is 2 reply pages; a file holds 1." in browser.text()


def test_reply_pages_are_ticked_one_after_another(
    browser: Browser, case: ThresholdCase
) -> None:
    first, second, *_ = case_recipients.of_case(case)
    for recipient in (first, second):
        faxed(recipient.reply_code)
    browser.get("/staff")
    assert "2 Faxed replies to tick" in browser.text()
    browser.get("/staff/replies")
    assert "2 reply pages" in browser.text()
    one = FaxedReply.select().order_by(FaxedReply.id).get()
    row = threshold_cases.entries(case)[0].row_code
    browser.get(f"/staff/replies/{one.id}")
    assert "(860) 555-0143" in browser.text()
    assert "CANARYQUIST" not in browser.text()
    browser.submit({f"row_{row}": "wrong_date", "done": ["please_call"]})

    browser.follow()
    assert second.reply_code in browser.text()
    assert [each.problem for each in Ticket.select()] == ["wrong_date"]
    browser.submit({"answer": "my_patient"})
    browser.follow()
    assert "Every reply page is read." in browser.text()
    assert {each.channel for each in RecipientReply.select()} == {ReplyChannel.FAX}
    opened = AuditEvent.select().where(AuditEvent.event == audit.Event.CASE_OPENED)
    assert opened.count() >= 2


def test_nothing_ticked_is_an_error_in_words(
    browser: Browser, case: ThresholdCase
) -> None:
    faxed(case_recipients.of_case(case)[0].reply_code)
    browser.get(f"/staff/replies/{FaxedReply.get().id}")

    browser.submit({}, status=422)

    assert "Mark at least one thing" in browser.text()
    assert FaxedReply.get().status == "waiting"


def test_an_unsigned_page_is_put_aside_and_the_recipient_reads_why(
    browser: Browser, case: ThresholdCase
) -> None:
    recipient = case_recipients.of_case(case)[0]
    faxed(recipient.reply_code)
    page = FaxedReply.get()
    browser.get(f"/staff/replies/{page.id}")
    action = f"/staff/replies/{page.id}/aside"
    browser.submit({}, action=action, status=422)
    assert "Say why it is put aside" in browser.text()
    browser.submit({"aside-reason": "other"}, action=action, status=422)
    browser.submit({"aside-reason": "unsigned"}, action=action)
    browser.get(f"/staff/cases/{case.id}")
    assert "put aside: it is not signed" in browser.text()

    browser.sign_in_as(make_user(Role.PRACTITIONER, prescriber=recipient.prescriber))
    browser.get(f"/threshold-reports/{recipient.id}")
    assert "and was put aside: it is not signed" in browser.text()
    assert "Send the answer" in browser.text()


def test_a_page_that_was_answered_before_says_so(
    browser: Browser, case: ThresholdCase
) -> None:
    recipient = case_recipients.of_case(case)[0]
    answers.write_down(
        recipient,
        Reply(RecipientAnswer.MY_PATIENT),
        channel=ReplyChannel.PHONE,
        by=make_user(),
        at=NOW,
    )
    faxed(recipient.reply_code)

    browser.get(f"/staff/replies/{FaxedReply.get().id}")

    assert "They answered already by telephone" in browser.text()


def test_the_case_shows_what_was_answered_before(
    browser: Browser, case: ThresholdCase
) -> None:
    recipient = case_recipients.of_case(case)[0]
    not_mine = RecipientAnswer.NOT_MY_PATIENT
    for reply in (Reply(not_mine, note="Never seen."), Reply(None, done=CALL)):
        answers.write_down(
            recipient, reply, channel=ReplyChannel.PHONE, by=make_user(), at=NOW
        )

    browser.get(f"/staff/cases/{case.id}")

    first, _, earlier = browser.text().partition("Earlier answers")
    assert "Please call me" in first
    assert "Not my patient or customer" in first
    assert "Never seen." not in first
    assert "Never seen." in earlier


def test_the_case_shows_answer_fax_and_call(
    browser: Browser, case: ThresholdCase
) -> None:
    recipient = case_recipients.of_case(case)[0]
    faxed(recipient.reply_code)
    browser.get(f"/staff/cases/{case.id}")
    assert "Fax of 11/23/2026 To be ticked" in browser.text()
    page = FaxedReply.get()
    browser.get(f"/staff/replies/{page.id}")
    browser.submit({"answer": "my_patient", "done": ["please_call"]})
    browser.get("/staff/cases?answers=call")
    assert f"Case {case.id}" in browser.text()
    assert "1 of 6" in browser.text()
    browser.get(f"/staff/cases/{case.id}")
    assert "My patient or customer; Please call me" in browser.text()
    assert f"By fax, {clock.today():%m/}" in browser.text()
    reply = RecipientReply.get()
    browser.submit({}, action=f"/staff/cases/calls/{reply.id}")
    browser.follow()

    assert "I have called them" not in browser.text()
    browser.get("/staff/cases?answers=call")
    assert "No case is here." in browser.text()


def test_a_fax_without_a_readable_code_is_attached_by_hand(
    browser: Browser, case: ThresholdCase
) -> None:
    recipient = case_recipients.of_case(case)[0]
    fax = faxed()
    browser.get(f"/staff/faxes/{fax.id}")
    action = f"/staff/faxes/{fax.id}/attach-to-report"
    browser.submit({"reply-code": "RPL-1"}, action=action)
    browser.follow()
    assert "No report has this reply code." in browser.text()
    browser.submit({"reply-code": recipient.reply_code}, action=action)
    browser.follow()

    assert recipient.reply_code in browser.text()
    browser.get(f"/staff/faxes/{fax.id}")
    assert f"{recipient.reply_code} : to be ticked" in browser.text()


def test_only_who_works_on_cases_reads_replies(
    browser: Browser, case: ThresholdCase
) -> None:
    faxed(case_recipients.of_case(case)[0].reply_code)
    browser.sign_in_as(make_user(Role.ANALYST))

    browser.get("/staff/replies", status=404)
    browser.get("/staff/replies.csv", status=404)
    browser.get(f"/staff/replies/{FaxedReply.get().id}", status=404)
    assert CaseRecipient.select().where(~CaseRecipient.answer.is_null()).count() == 0
