"""Tells an applicant that a registration has moved: by email, fax, letter or text.

It says what the registration is by the time it is sent. It holds the code and a link,
never a password and nothing that staff wrote in their own words.
"""

from gateway import documents, messages
from gateway.message import Message
from models import (
    Application,
    ApplicationStatus,
    ChannelName,
    Delivery,
    DeliveryAttempt,
)
from pmp import registration, settings
from pmp.wording import person_name, phone


def compose(delivery: Delivery, attempt: DeliveryAttempt) -> Message:
    """Give the notice about where a registration stands."""
    application = Application.get_by_id(delivery.subject_id)
    title, lines = _words(application)
    context = {
        "application": application,
        "title": title,
        "lines": lines,
        "link": f"{settings.current().public_url}/registration/{application.code}",
    }
    if delivery.channel == ChannelName.SMS:
        return messages.sms(delivery, "registration_notice", **context)
    if delivery.channel == ChannelName.EMAIL:
        return messages.mail(delivery, "registration_notice", **context)
    address = delivery.address if delivery.channel == ChannelName.LETTER else ""
    body = documents.pdf(
        "registration_notice",
        address=address,
        at=attempt.started_at,
        **context,
    )
    to_name = application.pharmacy_name or person_name(
        application.last_name, application.first_name
    )
    return Message(address=delivery.address, subject=title, pdf=body, to_name=to_name)


def _words(application: Application) -> tuple[str, list[str]]:
    """Give a title and sentences for where the registration stands."""
    status = registration.standing(application)
    if status == ApplicationStatus.RETURNED:
        first_line = application.reason.partition("\n")[0]
        return "Your page came back to you", [first_line, _fax_again()]
    if status == ApplicationStatus.REJECTED:
        return "Your registration was not accepted", [
            "The page below says why, and what you can do."
        ]
    if status in {
        ApplicationStatus.APPROVED,
        ApplicationStatus.CREDENTIALS_MAILED,
    }:
        letter = (
            "A letter with your user name and a single-use password goes to the address"
            f" of record that the {settings.current().department} has on file."
        )
        keep = "Keep your confirmation page: you need its code when you first sign in."
        return "Your registration is approved", [letter, keep]
    return "Your registration has moved on", ["The page below says where it stands."]


def _fax_again() -> str:
    return f"The fax number is {phone(settings.current().fax_number)}."
