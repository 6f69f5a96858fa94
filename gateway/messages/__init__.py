"""Outbox row to message: one module a kind, and the words from templates/mail/.

A kind's module has `compose(delivery, attempt) -> Message`. It runs in the worker, each
time that a delivery is tried. An email says that something waits and where; what is
not under seal never holds patient data, and a subject never a name.
"""

from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway import fax_pages
from gateway.message import Message
from models import ChannelName, Delivery, DeliveryAttempt, DeliveryKind
from pmp import announcements, clock, settings, wording
from pmp.deliveries.protections import Protection
from pmp.errors import RuleError
from pmp.reaching import texts

TEMPLATES = Path(__file__).parent.parent.parent / "templates" / "mail"
LONGEST_SUBJECT = 200

# Kind → module of gateway.messages.
COMPOSERS = {
    DeliveryKind.CREDENTIAL_LETTER: "credential_letter",
    DeliveryKind.REGISTRATION_NOTICE: "registration_notice",
    DeliveryKind.THRESHOLD_REPORT: "threshold_report",
    DeliveryKind.CORRECTION_NOTICE: "correction_notice",
    DeliveryKind.TICKET_NOTICE: "ticket_notice",
    DeliveryKind.REPORTING_NOTICE: "reporting_notice",
    DeliveryKind.SUBMISSION_RECEIPT: "submission_receipt",
    DeliveryKind.CARE_NOTE: "care_note",
    DeliveryKind.TICKET_QUESTION: "ticket_question",
    DeliveryKind.OUTSIDE_ANSWER: "outside_answer",
    DeliveryKind.LOOK_UP_CORRECTION: "look_up_correction",
    DeliveryKind.STAFF_ALERT: "staff_alert",
    DeliveryKind.FAX_TEST_PAGE: "fax_test_page",
    DeliveryKind.EMAIL_CHECK: "email_check",
    DeliveryKind.MOBILE_CODE: "mobile_code",
    DeliveryKind.CONTACT_CHANGE: "contact_change",
    DeliveryKind.DESTROY_NOTICE: "destroy_notice",
    DeliveryKind.FORGOTTEN_PASSWORD: "forgotten_password",
    DeliveryKind.ACCOUNT_NOTICE: "account_notice",
}


def compose(delivery: Delivery, attempt: DeliveryAttempt) -> Message:
    """Make the message of a delivery for one attempt.

    A fax begins with a cover sheet, and each of its pages says which fax it is of.
    Raises documents.DocumentError where a document cannot be drawn, and whatever the
    rules it asks refuse with.
    """
    module = import_module(f"gateway.messages.{COMPOSERS[delivery.kind]}")
    message: Message = module.compose(delivery, attempt)
    if delivery.channel == ChannelName.FAX and message.pdf is not None:
        return replace(message, pdf=_faxed(delivery, message, at=attempt.started_at))
    return message


def mail(delivery: Delivery, name: str, /, **context: Any) -> Message:
    """Make an email from templates/mail/<name>/subject.txt and body.txt.

    `program` (the settings) is always in the context. A line break in the subject
    becomes a blank: nobody writes a header of ours.
    """
    subject = _filled(f"{name}/subject.txt", context)
    return Message(
        address=delivery.address,
        subject=" ".join(subject.split())[:LONGEST_SUBJECT],
        text=_filled(f"{name}/body.txt", context).strip() + "\n",
    )


def sealed(
    delivery: Delivery, name: str, *, pdf: bytes, protection: Protection
) -> Message:
    """Make an email that carries a document under seal, from templates/mail/<name>/."""
    return replace(
        mail(delivery, name, is_locked=bool(protection.pass_phrase)),
        pdf=pdf,
        certificate=protection.certificate,
        pass_phrase=protection.pass_phrase,
    )


def sms(delivery: Delivery, name: str, /, **context: Any) -> Message:
    """Make a text message from templates/mail/<name>/sms.txt: one line, no names.

    RuleError if the number's owner has stopped them meanwhile.
    """
    if texts.is_stopped(delivery.address):
        raise RuleError("STOP was sent from this mobile.")
    text = " ".join(_filled(f"{name}/sms.txt", context).split())
    return Message(address=delivery.address, text=text)


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Give the Jinja environment of plain text: nothing to escape in it."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=False,  # noqa: S701 - text/plain
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(wording.FILTERS)
    return made


def _faxed(delivery: Delivery, message: Message, *, at: datetime) -> bytes:
    body = message.pdf or b""
    if not message.has_cover:
        body = fax_pages.covered(
            body,
            to_name=message.to_name,
            to_fax=delivery.address,
            subject=message.subject,
            at=at,
            announced=announcements.fax_lines(today=clock.day_of(at)),
        )
    return fax_pages.stamped(body, delivery_id=delivery.id)


def _filled(path: str, context: dict[str, Any]) -> str:
    template = environment().get_template(path)
    return template.render(program=settings.current(), **context)
