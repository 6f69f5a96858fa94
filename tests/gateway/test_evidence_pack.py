"""The evidence pack as a PDF: what stands on its pages, and strangers' papers in it."""

import io
from threading import BoundedSemaphore

import pypdf
import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from gateway import documents, reading_apart, scanned_papers
from models import Audience, Ticket
from pmp import tickets
from pmp.errors import RuleError
from pmp.tickets import attachments, evidence
from tests import submission_files
from tests.conftest import NOW
from tests.factories import (
    entry_of,
    make_dispensation,
    make_submission,
    make_ticket,
    make_user,
)
from tests.submission_files import ELM

pytestmark = pytest.mark.usefixtures("db")


def words_of(body: bytes) -> str:
    return " ".join(
        " ".join(sheet.extract_text().split())
        for sheet in pypdf.PdfReader(io.BytesIO(body)).pages
    )


def picture(kind: str, size: tuple[int, int] = (300, 400)) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, "white").save(written, kind)
    return written.getvalue()


def paper(text: str, pages: int = 1) -> bytes:
    written = io.BytesIO()
    canvas = Canvas(written)
    for _ in range(pages):
        canvas.drawString(72, 700, text)
        canvas.showPage()
    canvas.save()
    return written.getvalue()


def drawn(ticket: Ticket) -> bytes:
    gathered = evidence.gather(
        ticket, recipient="Drug Control", reason="<b>Forged?", by=make_user(), at=NOW
    )
    entry = entry_of(ticket)
    body = documents.long_pdf(
        "evidence_pack",
        evidence=gathered,
        ticket=ticket,
        entry=entry,
        person=entry.identity,
    )
    papers = [
        (each, found.document.media_type, f"attachment {number}")
        for number, (found, each) in enumerate(gathered.papers, start=1)
    ]
    return documents.with_papers(body, papers)


def test_the_pack_says_what_the_entry_was_and_is_and_who_did_what() -> None:
    body = submission_files.submission((ELM, [submission_files.fill()]))
    submission = make_submission(body=body)
    ticket = make_ticket(make_dispensation(submission=submission, record_number=1))
    lee = make_user()
    tickets.say(ticket, text="Odd.", by=lee, at=NOW, audience=Audience.STAFF)
    attachments.add(
        ticket,
        body=picture("PNG"),
        what="The label",
        audience=Audience.STAFF,
        by=lee,
        at=NOW,
    )

    words = words_of(drawn(tickets.get(ticket.number)))

    for expected in (
        ticket.number,
        entry_of(ticket).row_code,
        "CONFIDENTIAL",
        "<b>Forged?",
        "DSP09",
        "Odd.",
        "ticket:opened",
        "The label",
        "attachment 1, page 1",
        "Page 1 of",
    ):
        assert expected in words, expected


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_a_picture_becomes_a_page(kind: str) -> None:
    sheets = scanned_papers.sheets(
        picture(kind), f"image/{kind.lower()}", label="attachment 1"
    )

    assert words_of(sheets) == "attachment 1, page 1"


@pytest.mark.parametrize("turned", [False, True])
def test_a_photograph_keeps_its_shape_and_stands_upright(*, turned: bool) -> None:
    written = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6 if turned else 1  # how the camera was held
    Image.new("RGB", (2000, 1000), "white").save(written, "JPEG", exif=exif)

    sheets = scanned_papers.sheets(written.getvalue(), "image/jpeg", label="a")

    [sheet] = pypdf.PdfReader(io.BytesIO(sheets)).pages
    [shown] = sheet.images
    assert shown.image
    width, height = shown.image.size
    assert (width < height) is turned
    assert max(width, height) / min(width, height) == pytest.approx(2, abs=0.01)


def test_a_pdf_becomes_pictures_and_nothing_in_it_runs() -> None:
    written = pypdf.PdfWriter(clone_from=io.BytesIO(paper("CANARYQUIST", pages=2)))
    written.add_attachment("virus.exe", b"MZ")
    body = io.BytesIO()
    written.write(body)
    assert b"virus" in body.getvalue()

    sheets = scanned_papers.sheets(
        body.getvalue(), "application/pdf", label="attachment 1"
    )

    assert words_of(sheets) == "attachment 1, page 1 attachment 1, page 2"
    assert b"virus" not in sheets


def test_a_damaged_paper_leaves_a_page_that_says_so() -> None:
    sheets = scanned_papers.sheets(
        b"%PDF-broken", "application/pdf", label="attachment 1"
    )

    assert "cannot be shown" in words_of(sheets)


def test_all_papers_together_are_no_longer_than_somebody_can_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scanned_papers, "MOST_SHEETS", 3)
    three = [
        (paper("x", pages=2), "application/pdf", f"attachment {number}")
        for number in (1, 2, 3)
    ]

    words = words_of(documents.with_papers(paper("front"), three))

    assert "attachment 1, page 2" in words
    assert "attachment 2, page 1" in words
    assert "attachment 2, page 2" not in words
    assert "attachment 3, page 1" not in words
    assert words.count("pages of it are shown here") == 2


def test_a_long_paper_ends_with_a_word_about_the_rest() -> None:
    sheets = scanned_papers.sheets(
        paper("x", pages=3), "application/pdf", label="attachment 1", most=2
    )

    words = words_of(sheets)
    assert "page 2" in words
    assert "page 3" not in words
    assert "No more than 2 pages of it" in words


@pytest.fixture
def unopened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have whatever opens a stranger's file in this process fail."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a stranger's file is opened here")

    for opener in ("pages.images", "barcodes.every_code", "scanned_papers.sheets"):
        monkeypatch.setattr(f"gateway.{opener}", never)


@pytest.mark.usefixtures("unopened")
def test_papers_of_strangers_are_opened_in_processes_of_their_own() -> None:
    papers = [
        (picture("PNG"), "image/png", "attachment 1"),
        (b"%PDF-1.7 no more than that", "application/pdf", "attachment 2"),
        (picture("TIFF"), "image/tiff", "attachment 3"),
    ]

    words = words_of(documents.with_papers(paper("front"), papers))

    assert "attachment 1, page 1" in words
    assert "attachment 3, page 1" in words
    assert scanned_papers.NOT_SHOWN in words


@pytest.mark.usefixtures("unopened")
def test_a_scan_of_envelopes_is_opened_in_a_process_of_its_own() -> None:
    body = io.BytesIO()
    Image.new("L", (1700, 2200), 255).save(body, "PNG")

    assert documents.codes_on(body.getvalue()) == []
    with pytest.raises(documents.UnreadableScan):
        documents.codes_on(b"no picture at all")


def test_while_all_processes_are_busy_a_pack_is_not_made_without_its_papers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading_apart._reading, "_free", BoundedSemaphore(1))
    monkeypatch.setattr(reading_apart._reading, "_wait", 0.01)
    reading_apart._reading._free.acquire()
    papers = [(picture("PNG"), "image/png", "attachment 1")]

    with pytest.raises(RuleError, match="busy with other files"):
        documents.with_papers(paper("front"), papers)
    with pytest.raises(documents.UnreadableScan, match="busy with other files"):
        documents.codes_on(picture("PNG"))
