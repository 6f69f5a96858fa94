"""The line on each faxed page, the cover sheet, and the page as dots."""

import io

import pypdf
import pytest
from PIL import Image

from gateway import documents, fax_pages, layout_check, pages
from gateway.documents import DocumentError
from pmp import leaflets, settings
from tests.conftest import NOW


@pytest.fixture
def paper() -> bytes:
    sheet = "<style>@page { size: letter; margin: 20mm }</style>"
    return documents.drawn("test", f"{sheet}<p>One<pdf:nextpage/>Two</p>")


def words_of(body: bytes) -> list[str]:
    sheets = pypdf.PdfReader(io.BytesIO(body)).pages
    return [" ".join(sheet.extract_text().split()) for sheet in sheets]


def test_each_page_says_which_fax_which_page_and_whom_to_call(paper: bytes) -> None:
    first, second = words_of(fax_pages.stamped(paper, delivery_id=4711))

    for number, page, text in ((1, first, "One"), (2, second, "Two")):
        assert text in page
        for part in (
            f"Fax 4711 | page {number} of 2",
            "CONFIDENTIAL",
            "CPMRS (860) 713-7242",
            "Call (860) 713-6073",
        ):
            assert part in page


def test_the_line_stands_where_a_machine_eats_nothing(paper: bytes) -> None:
    stamped = fax_pages.stamped(paper, delivery_id=1_000_000)

    for number in (1, 2):
        line, *others = pages.text_boxes(stamped, number)[::-1]
        assert fax_pages.LINE_TOP < line.top < line.bottom < fax_pages.LINE_BOTTOM
        assert line.left > 18
        assert line.right < 198
        assert all(other.top > fax_pages.LINE_BOTTOM for other in others)


def test_a_long_name_does_not_run_over_the_edge(paper: bytes) -> None:
    with settings.changed(short_name="Prescription Monitoring Program of a Long State"):
        stamped = fax_pages.stamped(paper, delivery_id=1_000_000)

    assert max(box.right for box in pages.text_boxes(stamped)) < 198


def test_the_same_fax_is_the_same_bytes_and_another_is_not(paper: bytes) -> None:
    one = fax_pages.stamped(paper, delivery_id=1)

    assert one == fax_pages.stamped(paper, delivery_id=1)
    assert one != fax_pages.stamped(paper, delivery_id=2)


def test_what_is_no_pdf_is_refused() -> None:
    with pytest.raises(DocumentError):
        fax_pages.stamped(b"%PDF-1.4 cut", delivery_id=1)


def test_a_cover_sheet_says_to_whom_and_how_many_pages(paper: bytes) -> None:
    cover, *rest = words_of(
        fax_pages.covered(
            paper, to_name="ELM DRUG", to_fax="+18605550111", subject="A notice", at=NOW
        )
    )

    for part in ("ELM DRUG", "Fax (860) 555-0111", "A notice", "3, with this one"):
        assert part in cover
    assert "Confidential health information" in cover
    assert rest == words_of(paper)


def test_a_cover_sheet_says_what_staff_announce_and_stays_one_page(
    paper: bytes,
) -> None:
    lines = ["The office is closed on Friday", "W" * 80]

    whole = fax_pages.covered(
        paper, to_name="ELM DRUG", to_fax="", subject="A", at=NOW, announced=lines
    )

    cover, *rest = words_of(whole)
    assert "Please note: The office is closed on Friday" in cover
    assert "WWWWW" in cover
    assert rest == words_of(paper)
    assert layout_check.problems(whole) == []


@pytest.mark.parametrize(
    ("quality", "lines"), [("standard", 98), ("fine", 196), ("superfine", 391)]
)
def test_a_page_is_drawn_as_a_fax_server_sends_it_unchanged(
    quality: str, lines: int
) -> None:
    body = documents.leaflet_pdf(leaflets.leaflet(leaflets.COUNSELING))

    fax = fax_pages.as_tiff(body, quality=quality)

    with Image.open(io.BytesIO(fax)) as sheet:
        assert sheet.size == (1728, 11 * lines)
        assert sheet.info["dpi"] == (204, lines)
        assert sheet.info["compression"] == "group4"
        tags = sheet.tag_v2  # type: ignore[attr-defined]
        assert tags[262] == 0  # white is 0
        assert tags[278] == 11 * lines  # one strip
        grey = sheet.convert("L")
    assert grey.getpixel((5, 5)) == 255
    assert grey.histogram()[0] > 1000
