"""Reply pages by fax: found by code, ticked once, put aside with a reason."""

from typing import Any

import pytest

from models import (
    Application,
    CaseRecipient,
    FaxedReply,
    FaxedReplyStatus,
    FaxStatus,
    InboundFax,
    RecipientAnswer,
    RecipientReply,
    Role,
    SetAsideReason,
    ThresholdCase,
    Ticket,
    User,
)
from pmp import documents, faxes
from pmp.errors import ConflictError, RuleError
from pmp.faxes import inbound_media
from pmp.thresholds import answers, case_recipients, faxed_replies, reply_codes
from pmp.thresholds.answers import Reply
from tests.conftest import NOW
from tests.factories import make_application, make_crossing, make_patient, make_user

pytestmark = pytest.mark.usefixtures("db")

MINE = Reply(RecipientAnswer.MY_PATIENT)
UNKNOWN = "RPL-00000-00000"


@pytest.fixture
def recipients() -> list[CaseRecipient]:
    case = make_crossing(make_patient())
    make_crossing(make_patient(last_name="NOISE"))
    return case_recipients.of_case(case)


@pytest.fixture
def staff() -> User:
    return make_user()


def faxed(*codes: str, pages: int = 1, body: bytes = b"", **places: Any) -> InboundFax:
    name = repr((codes, body))
    fax = faxes.receive(
        body=b"II*\x00" + name.encode(),
        media_type="image/tiff",
        from_number="860-555-0124",
        source="test",
        source_reference=f"{name} {InboundFax.select().count()}",
        at=NOW,
    )
    faxes.file_by_codes(fax, codes=codes, pages=pages, at=NOW, **places)
    row: InboundFax = InboundFax.get_by_id(fax.id)
    return row


def test_a_reply_page_finds_its_recipient_and_waits_to_be_ticked(
    recipients: list[CaseRecipient],
) -> None:
    code = recipients[1].reply_code
    fax = faxed(code.lower(), "https://example.org", pages=3, found_on={code: 3})

    [page] = faxed_replies.waiting()
    assert (page.fax, page.recipient, page.page) == (fax, recipients[1], 3)
    assert (fax.status, fax.note, fax.codes) == (FaxStatus.MATCHED, "", [code])
    assert faxes.tray() == []
    assert RecipientReply.select().count() == 0


def test_two_codes_in_one_fax_are_two_reply_pages(
    recipients: list[CaseRecipient], staff: User
) -> None:
    fax = faxed(*(each.reply_code for each in recipients[:2]), pages=2)
    first, second = faxed_replies.waiting()

    faxed_replies.keep(first.id, MINE, by=staff, at=NOW)

    assert InboundFax.get_by_id(fax.id).status == FaxStatus.MATCHED
    assert faxed_replies.next_after(first) == second
    faxed_replies.set_aside(
        second.id, reason=SetAsideReason.UNSIGNED, note="", by=staff, at=NOW
    )
    assert InboundFax.get_by_id(fax.id).status == FaxStatus.FILED
    assert faxed_replies.waiting() == []


def test_the_same_fax_again_is_no_second_reply(recipients: list[CaseRecipient]) -> None:
    code = recipients[0].reply_code
    faxed(code)
    again = faxed(code)

    assert again.status == FaxStatus.DISMISSED
    assert FaxedReply.select().count() == 1


def test_a_carrier_that_sends_the_same_pages_again_makes_no_second_reply(
    recipients: list[CaseRecipient],
) -> None:
    code = recipients[0].reply_code
    first = faxed(code)
    assert first.document is not None
    again = inbound_media.announce(
        source="laml", source_reference="two", from_number="", station="", at=NOW
    )
    body = documents.read(first.document)
    inbound_media.keep(again, body=body, media_type="image/tiff", at=NOW)
    again = InboundFax.get_by_id(again.id)
    faxes.file_by_codes(again, codes=[code], pages=1, at=NOW)

    assert InboundFax.get_by_id(again.id).status == FaxStatus.DISMISSED
    assert FaxedReply.select().count() == 1


def test_the_same_page_scanned_anew_changes_nothing_when_it_is_ticked_again(
    recipients: list[CaseRecipient], staff: User
) -> None:
    for body in (b"one", b"two"):
        faxed(recipients[0].reply_code, body=body)
    reply = Reply(RecipientAnswer.NOT_MY_PATIENT)
    for page in faxed_replies.waiting():
        faxed_replies.keep(page.id, reply, by=staff, at=NOW)

    assert RecipientReply.select().count() == 1
    assert Ticket.select().count() == 1


def test_a_reply_page_with_a_registration_goes_both_ways(
    recipients: list[CaseRecipient], staff: User
) -> None:
    application = make_application()
    fax = faxed(application.code, recipients[0].reply_code, pages=2)

    assert (fax.status, fax.application) == (FaxStatus.MATCHED, application)
    status = Application.get_by_id(application.id).status
    assert status == "confirmation_received"
    [page] = faxed_replies.waiting()
    faxed_replies.keep(page.id, MINE, by=staff, at=NOW)
    # Its registration is decided by somebody else; the fax is not filed for that.
    assert InboundFax.get_by_id(fax.id).status == FaxStatus.MATCHED


def test_a_code_that_no_report_has_leaves_the_fax_to_staff(
    recipients: list[CaseRecipient],
) -> None:
    fax = faxed(UNKNOWN, recipients[0].reply_code)

    assert fax.status == FaxStatus.UNMATCHED
    assert fax.note == f"No report has the reply code {UNKNOWN}."
    assert [each.recipient for each in faxed_replies.waiting()] == [recipients[0]]


def test_staff_attach_an_unread_fax_by_its_reply_code(
    recipients: list[CaseRecipient], staff: User
) -> None:
    fax = faxed()
    with pytest.raises(RuleError):
        faxes.attach_to_report(fax, code=UNKNOWN, by=staff, at=NOW)

    page = faxes.attach_to_report(
        fax, code=recipients[0].reply_code.lower(), by=staff, at=NOW
    )

    assert page.recipient == recipients[0]
    assert InboundFax.get_by_id(fax.id).status == FaxStatus.MATCHED
    assert faxed_replies.page_of(page) == 1


def test_a_reply_page_is_ticked_once(
    recipients: list[CaseRecipient], staff: User
) -> None:
    faxed(recipients[0].reply_code)
    [page] = faxed_replies.waiting()
    faxed_replies.keep(page.id, MINE, by=staff, at=NOW)

    with pytest.raises(ConflictError):
        faxed_replies.keep(
            page.id, Reply(RecipientAnswer.NOT_MY_PATIENT), by=make_user(), at=NOW
        )

    kept = faxed_replies.get(page.id)
    assert (kept.status, kept.handled_by) == (FaxedReplyStatus.KEPT, staff.username)
    assert Ticket.select().count() == 0
    assert CaseRecipient.get_by_id(recipients[0].id).answer == "my_patient"


def test_nothing_ticked_leaves_the_page_in_the_queue(
    recipients: list[CaseRecipient], staff: User
) -> None:
    faxed(recipients[0].reply_code)
    [page] = faxed_replies.waiting()

    with pytest.raises(RuleError):
        faxed_replies.keep(page.id, Reply(None), by=staff, at=NOW)

    assert faxed_replies.waiting() == [page]


def test_put_aside_counts_as_no_answer(
    recipients: list[CaseRecipient], staff: User
) -> None:
    faxed(recipients[0].reply_code)
    [page] = faxed_replies.waiting()
    with pytest.raises(RuleError) as refused:
        faxed_replies.set_aside(
            page.id, reason=SetAsideReason.OTHER, note=" ", by=staff, at=NOW
        )
    assert refused.value.field == "note"

    faxed_replies.set_aside(
        page.id, reason=SetAsideReason.UNREADABLE, note="Black.", by=staff, at=NOW
    )

    assert RecipientReply.select().count() == 0
    assert CaseRecipient.get_by_id(recipients[0].id).answer is None
    case = ThresholdCase.get_by_id(recipients[0].case.id)
    assert case.status == "queued"


def test_a_paper_adds_to_what_was_said_on_the_page(
    recipients: list[CaseRecipient], staff: User
) -> None:
    recipient = recipients[0]
    doctor = make_user(Role.PRACTITIONER, prescriber=recipient.prescriber)
    done = frozenset({"discussed_with_patient"})
    said = Reply(RecipientAnswer.MY_PATIENT, done=done, note="Seen.")
    answers.answer(recipient.id, said, by=doctor, at=NOW)
    faxed(recipient.reply_code)
    [page] = faxed_replies.waiting()

    paper = Reply(None, done=frozenset({"referral_offered"}))
    faxed_replies.keep(page.id, paper, by=staff, at=NOW)

    kept = answers.newest(recipient)
    assert kept is not None
    assert kept.answer == RecipientAnswer.MY_PATIENT
    assert (kept.discussed_with_patient, kept.referral_offered) == (True, True)
    assert kept.note == "Seen."


def test_a_code_with_a_wrong_sign_is_none(recipients: list[CaseRecipient]) -> None:
    code = recipients[0].reply_code
    wrong = code[:-1] + ("0" if code[-1] != "0" else "1")

    assert reply_codes.read_code(code.replace("-", " ").lower()) == code
    assert reply_codes.read_code(wrong) is None
    assert reply_codes.read_code("DUE-00000-00000") is None
