"""The demo's answers to a threshold report: one on the page, one by fax, a note."""

import io

import pypdf
from PIL import ImageDraw

from gateway import documents, pages, tasks
from models import CaseRecipient, RecipientAnswer, ThresholdCase
from pmp import clock, faxes
from pmp.accounts import users
from pmp.deliveries import contacts
from pmp.thresholds import answers, care_notes, case_recipients, threshold_copies
from pmp.thresholds.answers import Reply

PEN = 4  # dots
DOTS_PER_MILLIMETRE = pages.DOTS_PER_INCH / 25.4


def load() -> None:
    """Have three recipients of the first case answer, each in their own way."""
    case = ThresholdCase.select().order_by(ThresholdCase.id).first()
    if case is None:
        return
    at, recipients = clock.now(), case_recipients.of_case(case)
    pharmacist, doctor = users.named("main.pharmacy"), users.named("dr.adams")
    pharmacy = case_recipients.of_user(pharmacist, patient_id=case.patient.id)
    doctors = case_recipients.of_user(doctor, patient_id=case.patient.id)
    if pharmacy and doctors:
        done = frozenset({"discussed_with_patient"})
        reply = Reply(RecipientAnswer.MY_PATIENT, done=done)
        answers.answer(pharmacy[0].id, reply, by=pharmacist, at=at)
        care_notes.send(
            pharmacy[0].id,
            doctors[0].id,
            text="She says that two of you prescribe for the same pain. Call me?",
            by=pharmacist,
            at=at,
        )
    for recipient in recipients:
        someone = case_recipients.who(recipient)
        if recipient.prescriber and contacts.user_of(someone) is None:
            _send_back(recipient)
            return


def _send_back(recipient: CaseRecipient) -> None:
    """Fax the reply page of a report back, with a cross and a signature in pen."""
    at = clock.now()
    body = threshold_copies.copy(recipient, draw=documents.threshold_report, at=at)
    page = pypdf.PdfWriter()
    page.add_page(pypdf.PdfReader(io.BytesIO(body)).pages[-1])
    single = io.BytesIO()
    page.write(single)
    fax = faxes.receive(
        body=_marked(single.getvalue()),
        media_type="image/png",
        from_number=contacts.fax_of(case_recipients.who(recipient)),
        source="demo",
        source_reference="demo reply",
        at=at,
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
