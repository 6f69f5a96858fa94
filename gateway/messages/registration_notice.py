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
from pmp.registration import expiry
from pmp.wording import person_name, phone, us_date


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
    until = us_date(expiry.expires_on(application))
    keep = "Keep your confirmation page: you need its code when you first sign in."
    said = {
        ApplicationStatus.SUBMITTED: (
            "Your signed page has not come yet",
            [f"We still await your signed page: fax it by {until}. {_fax_again()}"],
        ),
        ApplicationStatus.CONFIRMATION_RECEIVED: (
            "Your signed page has come",
            ["Staff are checking it. There is nothing for you to do."],
        ),
        ApplicationStatus.RETURNED: (
            "Your page came back to you",
            [
                application.reason.partition("\n")[0],
                f"{_fax_again()} We await your page until {until}.",
            ],
        ),
        ApplicationStatus.EXPIRED: (
            "Your registration has expired",
            ["Your signed page did not come in time. You may register again."],
        ),
        ApplicationStatus.REJECTED: (
            "Your registration was not accepted",
            ["The page below says why, and what you can do."],
        ),
        ApplicationStatus.APPROVED: (
            "Your registration is approved",
            [_letter("goes"), keep],
        ),
        ApplicationStatus.CREDENTIALS_MAILED: (
            "Your letter is in the mail",
            [_letter("was mailed"), keep],
        ),
    }
    otherwise = ["The page below says where it stands."]
    return said.get(status, ("Your registration has moved on", otherwise))


def _letter(verb: str) -> str:
    return (
        f"A letter with your user name and a single-use password {verb} to the address"
        f" of record that the {settings.current().department} has on file."
    )


def _fax_again() -> str:
    return f"The fax number is {phone(settings.current().fax_number)}."
