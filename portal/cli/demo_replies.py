"""The demo's reply pages: as they are sent, and as one comes back by fax."""

import io

import pypdf
from PIL import ImageDraw

from gateway import documents, pages, tasks
from models import CaseRecipient
from pmp import clock, faxes
from pmp.deliveries import contacts
from pmp.thresholds import case_recipients, threshold_copies

PEN = 4  # dots
DOTS_PER_MILLIMETRE = pages.DOTS_PER_INCH / 25.4


def page_of(recipient: CaseRecipient) -> bytes:
    """Give the reply page of a report, the last one of what its recipient is sent."""
    body = threshold_copies.copy(
        recipient, draw=documents.threshold_report, at=clock.now()
    )
    page, written = pypdf.PdfWriter(), io.BytesIO()
    page.add_page(pypdf.PdfReader(io.BytesIO(body)).pages[-1])
    page.write(written)
    return written.getvalue()


def fax_back(recipient: CaseRecipient) -> None:
    """Fax the reply page of a report back, with a cross and a signature in pen."""
    fax = faxes.receive(
        body=_marked(page_of(recipient)),
        media_type="image/png",
        from_number=contacts.fax_of(case_recipients.who(recipient)),
        source="folder",
        source_reference=f"demo:{recipient.reply_code}",
        at=clock.now(),
    )
    tasks.read_fax.call_local(fax.id)


def _marked(body: bytes) -> bytes:
    """Draw the first question's cross and a signature on a reply page, as a PNG."""
    [picture] = pages.images(body, "application/pdf")
    pen, boxes = ImageDraw.Draw(picture), pages.text_boxes(body)
    if box := next((each for each in boxes if each.text == "Yes"), None):
        _stroke(pen, box, [(-11, -2), (-6, 4)])
        _stroke(pen, box, [(-6, -2), (-11, 4)])
    if box := next((each for each in boxes if "ignature:" in each.text), None):
        _stroke(pen, box, [(40, 3), (44, -3), (47, 4), (52, 0), (55, 3), (70, -1)])
    written = io.BytesIO()
    picture.save(written, "PNG")
    return written.getvalue()


def _stroke(
    pen: ImageDraw.ImageDraw, box: pages.TextBox, points: list[tuple[int, int]]
) -> None:
    """Draw a line by millimetres from the top left of a piece of text."""
    dots = [
        ((box.left + x) * DOTS_PER_MILLIMETRE, (box.top + y) * DOTS_PER_MILLIMETRE)
        for x, y in points
    ]
    pen.line(dots, fill=0, width=PEN, joint="curve")
