"""The letter with a user name and a single-use password, to the address of record.

The password is made while the letter is drawn and is kept nowhere but in it: composed
again, the same letter is given, never a second password.
"""

from datetime import datetime

from gateway import documents
from gateway.message import Message
from models import Credential, Delivery, DeliveryAttempt, Role, User
from pmp import settings
from pmp.accounts import credentials


def compose(delivery: Delivery, attempt: DeliveryAttempt) -> Message:
    """Give the letter; RuleError if its user no longer waits for one."""

    def draw(user: User, secret: str, credential: Credential) -> bytes:
        return _drawn(delivery, user, secret, credential, at=attempt.started_at)

    body = credentials.letter(delivery, draw=draw, at=attempt.started_at)
    return Message(
        address=delivery.address, subject="Your account", pdf=body, certified=True
    )


def _drawn(
    delivery: Delivery,
    user: User,
    secret: str,
    credential: Credential,
    *,
    at: datetime,
) -> bytes:
    return documents.pdf(
        "credential_letter",
        address=delivery.address,
        username=user.username,
        is_first=user.password_hash is None,
        is_delegate=user.role is Role.DELEGATE,
        secret=secret,
        issued_at=at,
        expires_at=credential.expires_at,
        address_of_portal=f"{settings.current().public_url}/activate",
    )
