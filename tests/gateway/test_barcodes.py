"""Codes survive what a fax does to a page."""

import io
import random

import pypdfium2
import pytest
from PIL import Image, ImageFilter

from gateway import barcodes, documents, pages
from gateway.pages import UnreadableFax

CODE = "CTR-7K3Q9-XW4MT"
WORDS = "<p>Dispensed as written, and some more words on the page.</p>" * 12


def page_with_codes() -> bytes:
    return documents.drawn(
        "test",
        f"""<style>@page {{ size: letter; margin: 15mm }}</style>
        <img src="{documents.png_uri(barcodes.qr_png(CODE))}"
             style="width: 36mm; height: 36mm"/>{WORDS}
        <img src="{documents.png_uri(barcodes.code128_png(CODE))}"
             style="width: 112mm; height: 16mm"/>""",
    )


def faxed(pdf: bytes, *, seed: int, skew: float, noise: int) -> bytes:
    """Send a page through what a fax machine does to it: 204x98, one bit, Group 3."""
    chance = random.Random(seed)  # noqa: S311 - noise on paper
    [sheet] = pypdfium2.PdfDocument(pdf)
    page = sheet.render(scale=300 / 72, grayscale=True).to_pil()
    page = page.filter(ImageFilter.GaussianBlur(1.2))
    page = page.rotate(skew, fillcolor=255).resize((1728, 1078))
    dots = page.load()
    for _ in range(noise):
        spot = chance.randrange(1728), chance.randrange(1078)
        dots[spot] = 255 - dots[spot]
    threshold = 110 + chance.randrange(30)
    one_bit = page.point(lambda shade: 255 if shade > threshold else 0).convert("1")
    written = io.BytesIO()
    one_bit.save(written, "TIFF", compression="group3", dpi=(204, 98))
    return written.getvalue()


def test_codes_are_read_from_a_pdf() -> None:
    assert barcodes.read_codes(page_with_codes(), "application/pdf") == [
        barcodes.PageCodes(1, (CODE,))
    ]


@pytest.mark.parametrize("skew", [-3, 0, 2.5, 180])
def test_codes_are_read_from_a_standard_resolution_fax(skew: float) -> None:
    pdf = page_with_codes()
    for seed in range(3):
        tiff = faxed(pdf, seed=seed, skew=skew, noise=4000)

        [page] = barcodes.read_codes(tiff, "image/tiff")

        assert page.codes == (CODE,)


def test_a_fax_at_standard_resolution_is_shown_with_square_pixels() -> None:
    tiff = faxed(page_with_codes(), seed=1, skew=0, noise=0)

    [picture] = pages.images(tiff, "image/tiff")

    assert picture.size == (1728, 2156)


def test_each_page_of_a_fax_has_its_codes() -> None:
    blank = Image.new("1", (1728, 1078), 1)
    codes = Image.open(io.BytesIO(faxed(page_with_codes(), seed=1, skew=0, noise=0)))
    written = io.BytesIO()
    blank.save(
        written,
        "TIFF",
        save_all=True,
        append_images=[codes],
        compression="group3",
        dpi=(204, 98),
    )

    found = barcodes.read_codes(written.getvalue(), "image/tiff")

    assert found == [barcodes.PageCodes(1, ()), barcodes.PageCodes(2, (CODE,))]


def test_other_kinds_of_code_are_not_read() -> None:
    import zxingcpp  # noqa: PLC0415

    aztec = zxingcpp.create_barcode(CODE, zxingcpp.BarcodeFormat.Aztec)
    written = io.BytesIO()
    Image.fromarray(aztec.to_image(scale=8)).save(written, "PNG")

    assert barcodes.read_codes(written.getvalue(), "image/png") == [
        barcodes.PageCodes(1, ())
    ]


def bomb() -> bytes:
    written = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(written, "TIFF", compression="group4")
    return written.getvalue()


def many_pages() -> bytes:
    dot = Image.new("1", (8, 8))
    written = io.BytesIO()
    dot.save(written, "TIFF", save_all=True, append_images=[dot] * 200)
    return written.getvalue()


# Pillow warns of what it skips in a damaged file, and goes on.
skips = pytest.mark.filterwarnings("ignore::UserWarning")


@skips
@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"", "application/pdf"),
        (b"%PDF-1.4 nothing", "application/pdf"),
        (b"II*\x00\x08\x00\x00\x00", "image/tiff"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"<html>", "image/tiff"),
        (bomb(), "image/tiff"),
        (many_pages(), "image/tiff"),
    ],
)
def test_hostile_and_damaged_files_are_unreadable_not_fatal(
    body: bytes, media_type: str
) -> None:
    with pytest.raises(UnreadableFax):
        barcodes.read_codes(body, media_type)


@skips
def test_a_cut_off_fax_is_unreadable_not_fatal() -> None:
    whole = faxed(page_with_codes(), seed=1, skew=0, noise=0)
    for length in range(8, len(whole), len(whole) // 40):
        try:
            barcodes.read_codes(whole[:length], "image/tiff")
        except UnreadableFax:
            continue


def test_the_first_bytes_tell_what_a_file_is() -> None:
    assert pages.media_type_of(page_with_codes()) == "application/pdf"
    with pytest.raises(UnreadableFax):
        pages.media_type_of(b"GIF89a")


def test_a_page_is_shown_as_a_png() -> None:
    png = pages.page_png(page_with_codes(), "application/pdf", 1)

    assert Image.open(io.BytesIO(png)).size == (1224, 1584)
    with pytest.raises(UnreadableFax):
        pages.page_png(page_with_codes(), "application/pdf", 2)
