"""A coordinated-care note, from one recipient of a threshold report to another.

By email that it waits and where, nothing of the note; by fax and letter the note behind
a cover sheet.
"""

from dataclasses import replace

from gateway import documents, messages
from gateway.message import Message
from models import ChannelName, Delivery, DeliveryAttempt
from pmp import settings
from pmp.errors import RuleError
from pmp.thresholds import care_notes
from pmp.thresholds.care_notes import Sheet

SUBJECT = "Note about a Patient Threshold Report"


def compose(delivery: Delivery, attempt: DeliveryAttempt) -> Message:
    """Give the notice or the note; RuleError if it must not go there any more."""
    note = care_notes.get(delivery.subject_id)
    if not care_notes.may_go(note):
        raise RuleError("The case has ended, or the patient is none of theirs.")
    if delivery.channel == ChannelName.EMAIL:
        address = settings.current().public_url
        link = f"{address}/threshold-reports/{note.addressee.id}"
        return messages.mail(delivery, "care_note", link=link)
    sheet = care_notes.sheet(note)
    if delivery.channel == ChannelName.LETTER:
        sheet = replace(sheet, to_lines=delivery.address.splitlines())
    body = draw(sheet)
    care_notes.sending(note, address=delivery.address, at=attempt.started_at)
    return Message(address=delivery.address, subject=SUBJECT, pdf=body, has_cover=True)


def draw(sheet: Sheet) -> bytes:
    """Draw the note as a PDF behind a cover sheet."""
    return documents.pdf("care_note", sheet=sheet)
