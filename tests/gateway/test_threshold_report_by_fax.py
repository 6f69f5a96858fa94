"""The threshold report after a standard fax: 204 dots across, 98 lines down, in black.

A real carrier over HTTP takes it where the sending itself is the point.
"""

import io
import random
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from PIL import Image

from gateway import barcodes, documents, fax_check, fax_pages, pages, tasks
from models import (
    CaseRecipient,
    ChannelName,
    Delivery,
    DeliveryKind,
    Document,
    DocumentKind,
    Role,
    ThresholdCase,
)
from pmp import deliveries, verification
from pmp import documents as kept_documents
from pmp.deliveries import Route, media
from pmp.lookup import report_codes
from pmp.thresholds import case_recipients, threshold_copies, threshold_reports
from pmp.thresholds.threshold_copies import Drawing
from tests.conftest import NOW
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_patient,
    make_prescriber,
    make_user,
)
from tests.gateway.conftest import Clock
from tests.servers.carrier import Carrier

pytestmark = pytest.mark.usefixtures("db")

MILLIMETRES_AN_INCH = 25.4
PAPER, INK = 255, 0


@pytest.fixture
def recipient() -> CaseRecipient:
    patient = make_patient(last_name="CANARYQUIST", first_name="ZEPHYRINE")
    doctor = make_prescriber(last_name="OAKES", first_name="RAE")
    for days in (3, 9):
        make_dispensation(
            patient=patient,
            prescriber=doctor,
            filled_on=date(2026, 10, 30) - timedelta(days=days),
        )
    case: ThresholdCase = make_crossing(patient)
    found: CaseRecipient = CaseRecipient.get(
        CaseRecipient.case == case, CaseRecipient.prescriber == doctor
    )
    return found


@pytest.fixture
def drawing(recipient: CaseRecipient) -> Drawing:
    report = threshold_reports.report(recipient, at=NOW, code=report_codes.new_code())
    return documents.threshold_report(report)


def sheets(fax: bytes) -> Iterator[Image.Image]:
    picture = Image.open(io.BytesIO(fax))
    for number in range(picture.n_frames):  # type: ignore[attr-defined]
        picture.seek(number)
        yield picture.convert("L")


def worn(sheet: Image.Image, *, degrees: float, seed: int) -> bytes:
    """Give a page as it comes back: askew on the glass, specked, in fax lines."""
    chance = random.Random(seed)  # noqa: S311 - dirt, not a secret
    whole = sheet.resize((sheet.width, sheet.height * 2)).rotate(
        degrees, fillcolor=PAPER, resample=Image.Resampling.BILINEAR
    )
    for _ in range(1500):
        at = chance.randrange(whole.width), chance.randrange(whole.height)
        whole.putpixel(at, chance.choice((PAPER, INK)))
    lines = whole.resize((whole.width, whole.height // 2))
    written = io.BytesIO()
    lines.point(lambda dot: PAPER * (dot >= fax_check.BLACK), "1").save(
        written, "TIFF", compression="group4", dpi=(204, 98)
    )
    return written.getvalue()


def test_the_reply_pages_code_is_read_and_no_other_page_has_one(
    recipient: CaseRecipient, drawing: Drawing
) -> None:
    read = barcodes.read_codes(fax_check.as_fax(drawing.body), "image/tiff")

    assert len(read) == drawing.pages
    assert read[-1].codes == (recipient.reply_code,)
    assert all(page.codes == () for page in read[:-1])


@pytest.mark.parametrize("degrees", [-3.0, -1.0, 2.0, 3.0, 180.0])
def test_the_code_is_read_from_a_page_that_came_back_askew(
    recipient: CaseRecipient, drawing: Drawing, degrees: float
) -> None:
    *_, reply = sheets(fax_check.as_fax(drawing.body))

    [page] = barcodes.read_codes(
        worn(reply, degrees=degrees, seed=int(degrees)), "image/tiff"
    )

    assert page.codes == (recipient.reply_code,)


def test_a_box_is_closed_and_empty_after_the_fax(drawing: Drawing) -> None:
    """Six boxes for a pen: each a frame of ink around paper alone."""
    *_, reply = sheets(fax_check.as_fax(drawing.body))
    words = ("Yes", "No", "Row D-", "Discussed", "Offered", "Please call")
    boxes = pages.text_boxes(drawing.body, drawing.pages)
    across, down = (
        per_inch / MILLIMETRES_AN_INCH
        for per_inch in (pages.DOTS_PER_INCH, fax_check.LINES_PER_INCH)
    )

    for word in words:
        label = next(box for box in boxes if box.text.strip().startswith(word))
        middle = round((label.top + label.bottom) / 2 * down)
        left = round((label.left - 12) * across)
        line = reply.crop((left, middle, round(label.left * across) - 4, middle + 1))
        runs = _runs(line.tobytes())
        assert [ink for ink, _ in runs] == [PAPER, INK, PAPER, INK, PAPER], word
        assert runs[2][1] > 35, word  # dots between the two sides: over 4 mm


def _runs(dots: bytes) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for dot in dots:
        if runs and runs[-1][0] == dot:
            runs[-1] = (dot, runs[-1][1] + 1)
        else:
            runs.append((dot, 1))
    return runs


def test_nothing_is_printed_so_small_that_a_fax_loses_it(drawing: Drawing) -> None:
    """Words are at least eight fax lines high, the tails of letters included."""
    for number in range(1, drawing.pages + 1):
        for box in pages.text_boxes(drawing.body, number):
            if any(sign.isupper() and sign.isalpha() for sign in box.text):
                height = (box.bottom - box.top) / MILLIMETRES_AN_INCH
                assert height * fax_check.LINES_PER_INCH > 7, box.text


def test_the_pages_that_the_carrier_fetched_are_the_chart_copy(
    recipient: CaseRecipient, carrier: Carrier, now: Clock
) -> None:
    delivery = deliveries.request(
        kind=DeliveryKind.THRESHOLD_REPORT,
        subject_id=recipient.id,
        routes=[Route(ChannelName.FAX, "+18605550143")],
        dedupe_key="test",
        at=NOW,
    )
    tasks.send_delivery.call_local(delivery.id)
    [fax] = carrier.taken
    faxed = media.fetched(fax.media_url.rpartition("/")[2], at=NOW, address="")

    doctor = make_user(Role.PRACTITIONER, prescriber=recipient.prescriber)
    _, chart = threshold_copies.download(
        recipient.id, draw=documents.threshold_report, by=doctor, at=NOW
    )

    assert faxed == fax_pages.stamped(chart, delivery_id=delivery.id)
    kept = Document.select().where(Document.kind == DocumentKind.THRESHOLD_REPORT)
    assert kept.count() == 2
    sent = Delivery.get_by_id(delivery.id).document
    assert sent is not None
    assert kept_documents.read(sent) == faxed
    code = threshold_copies.code_of(recipient)
    told = verification.verify(code, by=None, address="203.0.113.9", at=NOW)
    assert told.is_genuine
    assert told.pages == documents.page_count(faxed)
    assert case_recipients.of_user(doctor) == [recipient]
