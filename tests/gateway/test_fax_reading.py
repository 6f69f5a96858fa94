"""A call brings several forms, blank pages, the same again: each is filed right."""

import io

import pypdfium2
import pytest
from PIL import Image

from gateway import fax_sheets as reader
from gateway import pages, reading_apart
from gateway.pages import UnreadableFax
from models import (
    Application,
    AuditEvent,
    FaxedReply,
    FaxSheet,
    FaxStatus,
    InboundFax,
    Ticket,
    TicketAttachment,
)
from pmp import audit, documents, faxes
from pmp.documents import DocumentLostError
from pmp.faxes import fax_sheets, filing
from pmp.thresholds import case_recipients
from pmp.tickets import faxed_papers
from tests.conftest import NOW
from tests.factories import (
    make_application,
    make_crossing,
    make_patient,
    make_ticket,
)
from tests.faxes import now, page, receive, tiff

pytestmark = pytest.mark.usefixtures("db")


def status_of(application: Application) -> str:
    return str(Application.get_by_id(application.id).status)


# --- Divided


def test_each_form_of_a_fax_becomes_a_fax_of_its_own() -> None:
    one, two, noise = (make_application() for _ in range(3))
    reply = case_recipients.of_case(make_crossing(make_patient()))[0].reply_code

    whole = receive(tiff([page(), page(one.code), page(), page(two.code), page(reply)]))

    parts = fax_sheets.parts_of(whole)
    assert (whole.status, whole.pages, whole.note) == ("filed", 5, "It holds 3 forms.")
    assert [fax_sheets.shown(part) for part in parts] == [[1, 2, 3], [4], [5]]
    assert [part.application for part in parts] == [one, two, None]
    assert [part.status for part in parts] == [FaxStatus.MATCHED] * 3
    assert {part.document for part in parts} == {whole.document}
    assert status_of(one) == status_of(two) == "confirmation_received"
    assert status_of(noise) == "submitted"
    [answer] = FaxedReply.select()
    assert (answer.fax, answer.page) == (parts[2], 5)
    assert faxes.tray() == []


def test_a_form_with_pages_of_something_else_keeps_them() -> None:
    application = make_application()

    fax = receive(tiff([page(application.code), page(), page()]))

    assert (fax.status, fax.application) == (FaxStatus.MATCHED, application)
    assert fax_sheets.shown(fax) == [1, 2, 3]
    assert fax_sheets.parts_of(fax) == []


def test_two_forms_on_one_page_are_left_to_staff() -> None:
    one, two = make_application(), make_application()

    fax = receive(tiff([page(one.code, two.code)]))

    assert fax.status == FaxStatus.UNMATCHED
    assert "more than one registration" in fax.note
    assert status_of(one) == status_of(two) == "submitted"


def test_an_unknown_form_among_known_ones_waits_alone() -> None:
    known, closed = make_application(), make_application(status="rejected")

    whole = receive(tiff([page(closed.code), page(known.code)]))

    first, second = fax_sheets.parts_of(whole)
    assert (first.status, second.status) == ("unmatched", "matched")
    assert faxes.tray() == [first]


def test_a_worker_that_died_between_two_parts_leaves_the_second_to_the_next() -> None:
    one, two = make_application(), make_application()
    body = tiff([page(one.code), page(two.code)])
    fax = faxes.receive(
        body=body,
        media_type="image/tiff",
        from_number="",
        source="test",
        source_reference="killed",
        at=NOW,
    )
    found = reading_apart.sheets(body, "image/tiff")
    first, second = filing.file_by_sheets(fax, found, at=NOW)
    filing.file_part(first, paper=None, at=NOW)

    again = filing.file_by_sheets(now(fax), found, at=NOW)
    filing.file_part(now(second), paper=None, at=NOW)
    filing.file_part(now(first), paper=None, at=NOW)

    assert again == []
    assert InboundFax.select().count() == 3
    assert status_of(one) == status_of(two) == "confirmation_received"
    events = AuditEvent.select().where(
        AuditEvent.event == audit.Event.REGISTRATION_CONFIRMATION_RECEIVED
    )
    assert events.count() == 2


# --- Blank


def test_blank_pages_are_left_out_of_view_and_kept() -> None:
    application = make_application()
    body = tiff([page(application.code), page(blank=True), page()])

    fax = receive(body)

    assert fax_sheets.shown(fax) == [1, 3]
    assert fax_sheets.blank(fax) == [2]
    assert fax.document is not None
    assert (documents.read(fax.document), fax.pages) == (body, 3)


def test_a_fax_of_nothing_is_shown_all_the_same() -> None:
    fax = receive(tiff([page(blank=True)]))

    assert (fax.status, fax_sheets.shown(fax)) == (FaxStatus.UNMATCHED, [1])


def test_a_word_written_by_hand_is_not_blank() -> None:
    sheet = page(blank=True)
    sheet.paste(0, (700, 1000, 780, 1010))
    sheet.paste(0, (720, 980, 728, 1060))

    assert not reader.is_blank(sheet)
    assert reader.is_blank(page(blank=True))


# --- The same again


def test_the_same_scan_in_another_file_is_recognised_and_left_to_staff() -> None:
    application = make_application()
    first = receive(tiff([page(application.code)]))
    Application.update(status="submitted").where(
        Application.id == application.id
    ).execute()

    again = receive(tiff([page(application.code)], compression="group3"))

    assert first.document is not None
    assert again.document is not None
    assert first.document.sha256 != again.document.sha256
    assert (again.status, again.same_as) == (FaxStatus.UNMATCHED, first)
    assert again.note == (
        f"It looks like fax {first.id}, which came before. If anything on it is new,"
        f" attach it by its code, {application.code}; if not, put it aside."
    )
    assert faxes.tray() == [again]
    assert status_of(application) == "submitted"


def test_an_answer_that_was_ticked_meanwhile_is_seen_by_a_person() -> None:
    """A tick is as faint as a speck, and may say "not my patient"."""
    reply = case_recipients.of_case(make_crossing(make_patient()))[0].reply_code
    first, ticked = receive(tiff([page(reply)])), page(reply)
    ticked.paste(0, (300, 1520, 312, 1532))

    again = receive(tiff([ticked]))

    assert (again.status, again.same_as) == (FaxStatus.UNMATCHED, first)
    assert again in faxes.tray()
    assert [each.fax for each in FaxedReply.select()] == [first]


def test_the_form_with_a_signature_is_not_the_same_as_without() -> None:
    application = make_application()
    receive(tiff([page(application.code)]))
    Application.update(status="returned").where(
        Application.id == application.id
    ).execute()

    signed = receive(tiff([page(application.code, signed=True)]))

    assert (signed.status, signed.same_as) == (FaxStatus.MATCHED, None)
    assert status_of(application) == "confirmation_received"


def test_a_form_that_comes_again_among_others_is_recognised() -> None:
    one, two = make_application(), make_application()
    first = receive(tiff([page(one.code)]))

    whole = receive(tiff([page(two.code), page(one.code)]))

    fresh, again = fax_sheets.parts_of(whole)
    assert (fresh.status, again.status) == ("matched", "unmatched")
    assert again.same_as == first


def test_several_forms_in_the_same_file_again_are_not_divided_again() -> None:
    one, two = make_application(), make_application()
    body = tiff([page(one.code), page(two.code)])
    first = receive(body)

    again = receive(body)

    assert (again.status, again.same_as) == (FaxStatus.DISMISSED, first)
    assert InboundFax.select().count() == 4


# --- Tickets


def test_a_paper_with_a_tickets_code_goes_into_the_ticket() -> None:
    ticket, noise = make_ticket(), make_ticket()
    application = make_application()
    code = faxed_papers.code_of(ticket)

    whole = receive(tiff([page(application.code), page(code), page()]))

    _, part = fax_sheets.parts_of(whole)
    assert (part.status, part.codes) == (FaxStatus.FILED, [code])
    [paper] = TicketAttachment.select()
    assert (paper.ticket, paper.fax, paper.audience) == (ticket, part, "staff")
    body = documents.read(paper.document)
    assert pages.pages(body, "image/tiff") == 2
    assert [sheet.codes for sheet in reader.read(body, "image/tiff")] == [(code,), ()]
    assert faxed_papers.of_fax(part) == [ticket]
    assert faxed_papers.of_fax(whole) == []
    assert noise.id != ticket.id


@pytest.mark.parametrize("fault", [UnreadableFax("x"), DocumentLostError("x")])
def test_a_ticket_never_gets_the_pages_of_others(
    monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def fail(*_: object) -> bytes:
        raise fault

    ticket, application = make_ticket(), make_application()
    code = faxed_papers.code_of(ticket)
    monkeypatch.setattr(reading_apart, "cut", fail)

    whole = receive(tiff([page(application.code), page(code)]))

    _, part = fax_sheets.parts_of(whole)
    assert part.status == FaxStatus.UNMATCHED
    assert part.note == (
        "Its pages could not be taken out of the file that came, so they are not in"
        f" the ticket of {code}."
    )
    assert TicketAttachment.select().count() == 0
    assert status_of(application) == "confirmation_received"


def test_a_closed_ticket_takes_no_paper() -> None:
    ticket = make_ticket()
    Ticket.update(resolved_at=NOW).where(Ticket.id == ticket.id).execute()

    fax = receive(tiff([page(faxed_papers.code_of(ticket))]))

    assert fax.status == FaxStatus.UNMATCHED
    assert fax.note == f"Ticket {ticket.number} is closed."
    assert TicketAttachment.select().count() == 0


def test_a_ticket_code_that_somebody_made_up_finds_none() -> None:
    ticket = make_ticket()
    real = faxed_papers.code_of(ticket)
    made_up = f"{real[:-2]}{'7' if real[-2] != '7' else '8'}{real[-1]}"

    assert faxed_papers.by_code(real) == ticket
    assert faxed_papers.by_code(real.lower().replace("-", " ")) == ticket
    assert faxed_papers.by_code(made_up) is None
    assert receive(tiff([page(made_up)])).codes == []


def test_pages_of_a_pdf_are_cut_out_of_it() -> None:
    ticket, application = make_ticket(), make_application()
    code = faxed_papers.code_of(ticket)
    written = io.BytesIO()
    first, *rest = [page(application.code), page(code)]
    first.save(written, "PDF", resolution=204, save_all=True, append_images=rest)

    receive(written.getvalue())

    paper = TicketAttachment.get()
    body = documents.read(paper.document)
    assert paper.document.media_type == "application/pdf"
    assert len(pypdfium2.PdfDocument(body)) == 1
    assert [sheet.codes for sheet in reader.read(body, "application/pdf")] == [(code,)]


# --- Codes of others


@pytest.mark.parametrize("prefix", ["USP-", ""])
def test_a_code_of_somebody_else_attaches_nothing(prefix: str) -> None:
    """Ten signs whose check sign is right by chance, as one in 32 has."""
    application = make_application()
    bare = application.code.partition("-")[2]

    fax = receive(tiff([page(f"{prefix}{bare}")]))

    assert (fax.status, fax.codes) == (FaxStatus.UNMATCHED, [])
    assert status_of(application) == "submitted"
    assert FaxSheet.select().count() == 1


def test_a_picture_that_is_no_scan_is_read_as_well() -> None:
    application = make_application()
    written = io.BytesIO()
    page(application.code).convert("RGB").save(written, "TIFF", dpi=(204, 204))

    fax = receive(written.getvalue())

    assert fax.application == application
    assert Image.open(io.BytesIO(written.getvalue())).mode == "RGB"
