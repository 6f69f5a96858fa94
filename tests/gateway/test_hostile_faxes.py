"""Damaged and hostile files: unreadable, never fatal, and kept as they came."""

import io
import random
import struct
import zlib
from collections.abc import Iterator

import pytest
from PIL import Image

from gateway import documents as documents_of_ours
from gateway import reading_apart
from gateway.confined import Workshop
from gateway.pages import UnreadableFax
from models import FaxStatus
from pmp import documents, faxes
from pmp.errors import RuleError
from tests.faxes import page, receive, tiff

CODE = "CTR-7K3Q9-XW4MT"


def pdf(*objects: bytes) -> bytes:
    """Write a PDF of these objects; the first is the catalogue."""
    body, places = b"%PDF-1.7\n", []
    for number, each in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n" % number + each + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    tail = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    return body + head + table + tail % (len(objects) + 1, len(body))


CATALOGUE = b"<</Type/Catalog/Pages 2 0 R>>"
ONE_PAGE = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
LETTER = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R>>"


def busy(lines: int) -> bytes:
    """Give a PDF of few bytes that takes long to draw."""
    drawing = zlib.compress(b"0 0 m 612 792 l 0 792 m 612 0 l S " * lines, 9)
    stream = b"<</Length %d/Filter/FlateDecode>>stream\n" % len(drawing)
    return pdf(CATALOGUE, ONE_PAGE, LETTER, stream + drawing + b"\nendstream")


def directory(width: int, height: int, *, again: bool = False) -> bytes:
    """Write a TIFF by hand: of any claimed size; `again`: it has no last page."""
    entries = {256: width, 257: height, 258: 1, 259: 1, 262: 0, 273: 8, 278: height}
    entries[279] = 4
    written = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries.items()]
    head = b"II*\0" + struct.pack("<I", 12) + b"\xff\0\xff\0"
    following = struct.pack("<I", 12 if again else 0)
    return head + struct.pack("<H", len(written)) + b"".join(written) + following


def damaged() -> Iterator[bytes]:
    """Give a good fax with bytes changed, cut and added, the same each time."""
    chance = random.Random(6)  # noqa: S311 - damage, not a secret
    whole = tiff([page(CODE), page()])
    for _ in range(8):
        body = bytearray(whole)
        for _ in range(chance.randint(1, 30)):
            body[chance.randrange(4, len(body))] = chance.randrange(256)
        yield bytes(body[: chance.randrange(len(body) // 2, len(body))])


FILES = {
    "page tree that loops": pdf(CATALOGUE, b"<</Type/Pages/Kids[2 0 R]/Count 1>>"),
    "page count that lies": pdf(
        CATALOGUE, b"<</Type/Pages/Kids[3 0 R]/Count 99999999>>", LETTER
    ),
    "endless page": pdf(
        CATALOGUE, ONE_PAGE, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 1e9 1e9]>>"
    ),
    "cut PDF": busy(3)[:120],
    "pixels without end": directory(200_000, 200_000),
    "pages without end": directory(16, 2, again=True),
    "nothing after the head": b"II*\x00\xff\xff\xff\xff",
    **{f"damaged {n}": body for n, body in enumerate(damaged())},
}


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_is_in_the_tray_and_kept_as_it_came(name: str) -> None:
    fax = receive(FILES[name])

    assert fax.status in (FaxStatus.UNREADABLE, FaxStatus.UNMATCHED)
    assert fax in faxes.tray()
    assert fax.note
    assert fax.document is not None
    assert documents.read(fax.document) == FILES[name]


def reading(**limits: float) -> Workshop:
    asked = {"seconds": 30, "megabytes": 2048} | limits
    return Workshop("gateway.reading_apart:work", jobs=1, **asked)  # type: ignore[arg-type]


def test_a_file_that_takes_too_long_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading_apart, "_reading", reading(seconds=2))

    with pytest.raises(UnreadableFax, match="too long"):
        reading_apart.sheets(busy(400_000), "application/pdf")


def test_a_page_at_the_desk_is_drawn_apart_and_given_up_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = documents_of_ours.faxed_page_png(tiff([page(CODE)]), "image/tiff", 1)
    assert shown.startswith(b"\x89PNG")
    monkeypatch.setattr(reading_apart, "_showing", reading(seconds=2))

    with pytest.raises(RuleError, match="cannot be shown as a picture"):
        documents_of_ours.faxed_page_png(busy(400_000), "application/pdf", 1)


def test_a_file_that_takes_too_much_memory_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = io.BytesIO()
    Image.new("1", (6000, 6000), 1).save(written, "TIFF", compression="group4")
    monkeypatch.setattr(reading_apart, "_reading", reading(megabytes=160))

    with pytest.raises(UnreadableFax):
        reading_apart.sheets(written.getvalue(), "image/tiff")
