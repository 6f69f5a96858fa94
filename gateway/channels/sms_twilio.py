"""Text messages by Twilio: short notices, to who agreed to them.

Twilio is asked to keep neither text nor number, and to destroy its copy when all is
over. It has no idempotency key; a notice that may have gone goes again, marked as a
possible duplicate, since nobody is harmed by reading it twice.
"""

from typing import Any

from gateway import twilio_calls
from gateway.message import DeliveryError, Message
from gateway.twilio_calls import Account
from models import ErrorClass
from pmp import settings
from pmp.deliveries.callbacks import CarrierReport, Progress

CARRIER = "twilio"
REPEATABLE = False
STATUS_PATH = "/hooks/sms/twilio/status"
HOURS_TO_LIVE = 4
LONGEST = 320
# Not every account may ask for it; then the message goes without.
_KEEP_NOTHING = {"ContentRetention": "discard", "AddressRetention": "obfuscate"}
_MAY_NOT_ASK = ("30029", "30030")

_PROGRESS = {
    "delivered": Progress.DELIVERED,
    "read": Progress.DELIVERED,
    "undelivered": Progress.FAILED,
    "failed": Progress.FAILED,
    "canceled": Progress.FAILED,
}


def send(message: Message) -> str:
    """Have Twilio send a text; give its SID."""
    if message.pdf is not None or not message.text.strip():
        raise DeliveryError(ErrorClass.DOCUMENT, "a text message is words alone")
    if len(message.text) > LONGEST:
        raise DeliveryError(ErrorClass.DOCUMENT, "too long for a text message")
    account = _account()
    try:
        answer = _create(account, message, _KEEP_NOTHING)
    except DeliveryError as error:
        if not str(error).endswith(_MAY_NOT_ASK):
            raise
        answer = _create(account, message, {})
    reference = answer.get("sid")
    if not isinstance(reference, str) or not reference:
        raise DeliveryError(ErrorClass.IN_DOUBT, "Twilio's answer has no number")
    return reference


def look(reference: str) -> CarrierReport:
    """Ask what became of a text."""
    account = _account()
    url = f"{account.messages}/{reference}.json"
    return report(twilio_calls.call(account, "GET", url))


def find(address: str, media_sha256: str) -> CarrierReport | None:  # noqa: ARG001 - every channel's form
    """Say that it cannot be told: the list does not tell one notice from another."""
    raise DeliveryError(ErrorClass.IN_DOUBT, "Twilio cannot be asked about it")


def forget(reference: str) -> None:
    """Have Twilio destroy its copy of a text; no error if it has none."""
    account = _account()
    try:
        twilio_calls.call(account, "DELETE", f"{account.messages}/{reference}.json")
    except DeliveryError as error:
        if "answers 404" not in str(error):
            raise


def report(fields: dict[str, Any]) -> CarrierReport:
    """Read a text's state from a call-back's fields or from Twilio's JSON."""
    plain = {name.replace("_", "").lower(): value for name, value in fields.items()}
    status = str(plain.get("messagestatus") or plain.get("status") or "").lower()
    progress = _PROGRESS.get(status, Progress.UNDERWAY)
    code = str(plain.get("errorcode") or "")
    problem = None
    if progress is Progress.FAILED and code.isdecimal() and len(code) < 7:
        problem = twilio_calls.problem(int(code))
    return CarrierReport(
        reference=str(plain.get("messagesid") or plain.get("sid") or "")[:64],
        status=status[:40],
        progress=progress,
        error_class=problem.error_class if problem else None,
        text=str(problem) if problem else "",
    )


def _create(
    account: Account, message: Message, wishes: dict[str, str]
) -> dict[str, Any]:
    chosen = settings.current()
    sender = "MessagingServiceSid" if chosen.sms_from.startswith("MG") else "From"
    return twilio_calls.call(
        account,
        "POST",
        f"{account.messages}.json",
        data={
            "To": message.address,
            sender: chosen.sms_from,
            "Body": message.text.strip(),
            "StatusCallback": (
                f"{chosen.public_url}{STATUS_PATH}?attempt={message.key}"
            ),
            "ValidityPeriod": str(HOURS_TO_LIVE * 3600),
            **wishes,
        },
    )


def _account() -> Account:
    account = twilio_calls.account()
    if account is None:
        raise DeliveryError(ErrorClass.CONFIGURATION, "PMP_SMS_URL names no account")
    return account
