"""What Twilio says of text messages: what became of ours, and what people answer.

Nothing is believed before its signature is checked, over the address that the settings
give, never one made from the request.
"""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qs, parse_qsl, urlsplit
from xml.sax.saxutils import escape

from twilio.request_validator import (
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)

from gateway import twilio_calls
from gateway.channels import sms_twilio
from pmp import settings
from pmp.deliveries import callbacks, signatures
from pmp.identifiers import e164
from pmp.reaching import texts
from pmp.wording import phone


def status(
    *, path: str, body: bytes, headers: Mapping[str, str], address: str, at: datetime
) -> bool:
    """Take Twilio's report about a text of ours; False: not signed, refused."""
    fields = _signed(path, body, headers)
    if fields is None:
        callbacks.refuse(what="sms_status", address=address, at=at)
        return False
    report = sms_twilio.report(fields)
    if report.reference:
        key = parse_qs(urlsplit(path).query).get("attempt", [""])[0]
        callbacks.apply(
            report,
            carrier=sms_twilio.CARRIER,
            source="call-back",
            at=at,
            attempt_key=key,
        )
    return True


def received(
    *, path: str, body: bytes, headers: Mapping[str, str], address: str, at: datetime
) -> str | None:
    """Take what somebody texted: STOP, START, HELP; None: not signed, refused.

    Gives the TwiML answer: words only to HELP, where Twilio has not given them itself.
    Nothing else that people write is kept: it may be about a patient.
    """
    fields = _signed(path, body, headers)
    if fields is None:
        callbacks.refuse(what="sms_received", address=address, at=at)
        return None
    number = e164(str(fields.get("From") or ""))
    answered = bool(fields.get("OptOutType"))
    said = str(fields.get("OptOutType") or fields.get("Body") or "")
    meant = texts.heard(number=number, words=said, at=at) if number else ""
    if meant == "help" and not answered:
        return f"<Response><Message>{escape(_help())}</Message></Response>"
    return "<Response/>"


def _help() -> str:
    chosen = settings.current()
    return (
        f"{chosen.short_name}: notices about your registration and codes for your"
        f" account. Questions: {phone(chosen.program_phone)}. Reply STOP to end."
    )


def _signed(
    path: str, body: bytes, headers: Mapping[str, str]
) -> dict[str, str] | None:
    """Give the fields of a call that Twilio signed with our token; None else."""
    account = twilio_calls.account()
    if account is None or not account.token or len(body) > signatures.LARGEST_BODY:
        return None
    given = {name.lower(): value for name, value in headers.items()}
    text = body.decode("utf-8", "replace")
    fields = dict(parse_qsl(text, keep_blank_values=True))
    right = RequestValidator(account.token).validate(
        f"{settings.current().public_url}{path}",
        fields,
        given.get("x-twilio-signature", ""),
        get_signature_algorithm(given.get(SIGNATURE_SETTINGS_HEADER.lower())),
    )
    return fields if right else None
