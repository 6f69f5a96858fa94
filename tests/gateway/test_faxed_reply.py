"""A report goes out, its reply page comes back by fax, and is read by its code."""

import io

import pypdf
import pytest

from gateway import documents, fax_check, tasks
from models import (
    CaseRecipient,
    FaxStatus,
    InboundFax,
    RecipientAnswer,
    ThresholdCase,
    Ticket,
    TicketProblem,
)
from pmp import faxes
from pmp.faxes import fax_sheets
from pmp.thresholds import (
    answers,
    case_recipients,
    faxed_replies,
    threshold_cases,
    threshold_copies,
)
from pmp.thresholds.answers import Reply
from tests.conftest import NOW
from tests.factories import make_application, make_crossing, make_patient, make_user

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def case() -> ThresholdCase:
    made: ThresholdCase = make_crossing(make_patient())
    make_crossing(make_patient(last_name="NOISE"))
    return made


def reply_page(recipient: CaseRecipient) -> bytes:
    """Give the last page of the very PDF that the recipient is sent."""
    body = threshold_copies.copy(recipient, draw=documents.threshold_report, at=NOW)
    whole, page = pypdf.PdfReader(io.BytesIO(body)), pypdf.PdfWriter()
    page.add_page(whole.pages[-1])
    return written(page)


def written(pages: pypdf.PdfWriter) -> bytes:
    body = io.BytesIO()
    pages.write(body)
    return body.getvalue()


def together(*bodies: bytes) -> bytes:
    whole = pypdf.PdfWriter()
    for body in bodies:
        whole.append(io.BytesIO(body))
    return written(whole)


def faxed(body: bytes, reference: str = "one") -> InboundFax:
    """Send pages as a standard-resolution fax machine does; the worker reads them."""
    fax = faxes.receive(
        body=fax_check.as_fax(body),
        media_type="image/tiff",
        from_number="8605550143",
        source="test",
        source_reference=reference,
        at=NOW,
    )
    tasks.read_fax.call_local(fax.id)
    row: InboundFax = InboundFax.get_by_id(fax.id)
    return row


def test_not_mine_by_fax_is_on_the_case_and_opens_a_ticket(case: ThresholdCase) -> None:
    recipient = case_recipients.of_case(case)[0]
    fax = faxed(reply_page(recipient))

    [page] = faxed_replies.waiting()
    assert (page.fax, page.recipient, page.page) == (fax, recipient, 1)
    assert fax.status == FaxStatus.MATCHED
    faxed_replies.keep(
        page.id, Reply(RecipientAnswer.NOT_MY_PATIENT), by=make_user(), at=NOW
    )

    kept = answers.newest(recipient)
    assert kept is not None
    assert (kept.channel, kept.answer) == ("fax", "not_my_patient")
    assert ThresholdCase.get_by_id(case.id).status == "answered"
    [ticket] = Ticket.select()
    assert ticket.dispensation is not None
    assert ticket.dispensation.prescriber == recipient.prescriber
    assert ticket.problem == TicketProblem.NOT_MY_PATIENT
    assert recipient.reply_code in ticket.note
    assert InboundFax.get_by_id(fax.id).status == FaxStatus.FILED


def test_a_wrong_row_by_fax_opens_its_ticket(case: ThresholdCase) -> None:
    recipient = case_recipients.of_case(case)[-1]  # a pharmacy
    row = threshold_cases.entries(case)[0].row_code
    faxed(reply_page(recipient))
    [page] = faxed_replies.waiting()
    reply = Reply(RecipientAnswer.MY_PATIENT, {row: TicketProblem.WRONG_QUANTITY})

    faxed_replies.keep(page.id, reply, by=make_user(), at=NOW)

    [ticket] = Ticket.select()
    assert ticket.dispensation is not None
    assert (ticket.dispensation.row_code, ticket.problem) == (row, "wrong_quantity")


def test_a_whole_report_sent_back_shows_its_reply_page(case: ThresholdCase) -> None:
    recipient = case_recipients.of_case(case)[0]
    body = threshold_copies.copy(recipient, draw=documents.threshold_report, at=NOW)
    faxed(body)

    [page] = faxed_replies.waiting()
    assert page.page == documents.page_count(body)


def test_two_reply_pages_and_a_registration_in_one_fax(case: ThresholdCase) -> None:
    first, second, *_ = case_recipients.of_case(case)
    application = make_application()
    form = documents.drawn(
        "test",
        documents.environment()
        .from_string('<p><img src="{{ qr(code) }}" style="width: 36mm"/></p>')
        .render(code=application.code),
    )
    fax = faxed(together(reply_page(first), reply_page(second), form))

    *_, last = fax_sheets.parts_of(fax)
    assert last.application == application
    found = {each.recipient: each.page for each in faxed_replies.waiting()}
    assert found == {first: 1, second: 2}
    assert [faxed_replies.page_of(each) for each in faxed_replies.waiting()] == [1, 2]


def test_the_same_fax_twice_is_one_reply(case: ThresholdCase) -> None:
    body = reply_page(case_recipients.of_case(case)[0])

    faxed(body)
    again = faxed(body, "two")

    assert again.status == FaxStatus.DISMISSED
    assert len(faxed_replies.waiting()) == 1


def test_the_worker_that_reads_a_fax_twice_finds_one_reply(case: ThresholdCase) -> None:
    fax = faxed(reply_page(case_recipients.of_case(case)[0]))

    tasks.read_fax.call_local(fax.id)

    assert len(faxed_replies.waiting()) == 1
