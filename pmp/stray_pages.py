"""Which delivery a stranger holds, by what they can read out over the telephone.

The number, email or postal address that it was sent to, or a number on its pages: of
the delivery, a letter's code, a report's verification or reply code, a fax test page's,
a ticket. No patient need be named to find it.
"""

from collections.abc import Collection
from typing import Any

from peewee import Value, fn

from models import (
    CareNote,
    CaseRecipient,
    ChannelName,
    ContactCheck,
    CorrectionNotice,
    Delivery,
    DeliveryKind,
    OutsideReporter,
    ReportingNotice,
    ThresholdReportCopy,
    Ticket,
    TicketQuestion,
)
from pmp import identifiers
from pmp.deliveries import letter_codes
from pmp.lookup import report_codes
from pmp.reaching import page_codes
from pmp.thresholds import reply_codes

MOST = 50
DIGITS_OF_A_DELIVERY = 9
SHORTEST_LINE = 4

Subjects = dict[DeliveryKind, Collection[int]]


def found_by(text: str) -> list[Delivery]:
    """Give the deliveries that a number or a code means, the newest first; at most 50.

    Whatever stands on no page of ours gives none.
    """
    letter = letter_codes.read_code(text)
    if letter is not None:
        is_letter = Delivery.channel == ChannelName.LETTER
        return _newest(is_letter & (Delivery.id == letter))
    number = identifiers.e164(text)
    if number is not None:
        dialled = Delivery.channel.not_in([ChannelName.EMAIL, ChannelName.LETTER])
        return _newest(dialled & (Delivery.address == number))
    plain = text.strip().lstrip("#").partition("-")[0].strip()
    if plain.isdecimal() and len(plain) <= DIGITS_OF_A_DELIVERY:
        return _newest(Delivery.id == int(plain))
    found: list[Delivery] = []
    for kind, ids in _by_code(text).items():
        found += _newest((Delivery.kind == kind) & Delivery.subject_id.in_(list(ids)))
    found = found or _sent_to(text.strip())
    return sorted(found, key=lambda each: each.id, reverse=True)[:MOST]


def _sent_to(address: str) -> list[Delivery]:
    """Give what went to an email address, or to a postal one with such a line."""
    if "@" in address:
        by_mail = Delivery.channel == ChannelName.EMAIL
        return _newest(by_mail & (fn.LOWER(Delivery.address) == address.lower()))
    line = " ".join(address.split())
    if len(line) < SHORTEST_LINE:
        return []
    lines = Value("\n").concat(Delivery.address).concat("\n")
    is_letter = Delivery.channel == ChannelName.LETTER
    return _newest(is_letter & lines.contains(f"\n{line}\n"))


def _by_code(text: str) -> Subjects:
    """Give the subjects, by kind, of what carries a code on its pages."""
    recipients = _recipients(text)
    if recipients:
        return _of_recipients(recipients)
    if pages := page_codes.codes_in([text.strip()]):
        checks = _ids(ContactCheck, ContactCheck.code.in_(pages))
        return {DeliveryKind.FAX_TEST_PAGE: checks}
    code = text.strip().upper()
    if notices := _ids(ReportingNotice, ReportingNotice.reply_code == code):
        return {DeliveryKind.REPORTING_NOTICE: notices}
    tickets = _ids(Ticket, Ticket.number == code)
    return _of_tickets(tickets) if tickets else {}


def _recipients(text: str) -> list[int]:
    code = reply_codes.read_code(text)
    if code is not None:
        return _ids(CaseRecipient, CaseRecipient.reply_code == code)
    try:
        code = report_codes.read(text)
    except ValueError:
        return []
    copies = ThresholdReportCopy.select().where(ThresholdReportCopy.code == code)
    return [each.recipient.id for each in copies]


def _of_recipients(ids: Collection[int]) -> Subjects:
    corrections = CorrectionNotice.recipient.in_(ids)
    return {
        DeliveryKind.THRESHOLD_REPORT: ids,
        DeliveryKind.CORRECTION_NOTICE: _ids(CorrectionNotice, corrections),
        DeliveryKind.CARE_NOTE: _ids(CareNote, CareNote.addressee.in_(ids)),
    }


def _of_tickets(ids: Collection[int]) -> Subjects:
    return {
        DeliveryKind.TICKET_NOTICE: ids,
        DeliveryKind.TICKET_QUESTION: _ids(
            TicketQuestion, TicketQuestion.ticket.in_(ids)
        ),
        DeliveryKind.OUTSIDE_ANSWER: _ids(
            OutsideReporter, OutsideReporter.ticket.in_(ids)
        ),
    }


def _ids(table: Any, condition: Any) -> list[int]:
    return [row.id for row in table.select(table.id).where(condition)]


def _newest(condition: Any) -> list[Delivery]:
    query = Delivery.select().where(condition).order_by(Delivery.id.desc()).limit(MOST)
    return list(query)
