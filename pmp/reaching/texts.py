"""Text messages: to whom they may go, and that STOP means never again.

Only short notices go by text message, to a number whose owner agreed: where a
registration stands, and codes that are good once. Never patient data, never a report,
no names.
"""

import re
from datetime import datetime

from models import (
    Application,
    ChannelName,
    ContactCheck,
    Delivery,
    DeliveryKind,
    DeliveryState,
    TextNumber,
    User,
)
from pmp import audit, database, deliveries, settings
from pmp.deliveries import Route

OPTED_OUT = "opted out"  # how a channel says that the number's owner wrote STOP
# The words of the carriers' own rules (CTIA), in any case.
STOP_WORDS = frozenset(
    {
        "STOP",
        "STOPALL",
        "UNSUBSCRIBE",
        "CANCEL",
        "END",
        "QUIT",
        "REVOKE",
        "OPTOUT",
    }
)
START_WORDS = frozenset({"START", "UNSTOP", "YES"})
HELP_WORDS = frozenset({"HELP", "INFO"})
PRIORITY = 3


def is_on() -> bool:
    """Tell whether text messages are sent at all."""
    return bool(settings.current().sms_url.get_secret_value())


def may_go_to(number: str) -> bool:
    """Tell whether a text message may go to a number: agreed to, and not stopped."""
    known = _known(number)
    return bool(is_on() and known and known.agreed_at and not known.stopped_at)


def is_stopped(number: str) -> bool:
    """Tell whether the owner of a number wrote STOP."""
    known = _known(number)
    return bool(known and known.stopped_at)


def agree(number: str, *, by: str, at: datetime) -> None:
    """Keep that the owner of a number wants text messages; in the caller's transaction.

    Not where they wrote STOP: that is taken back from the telephone alone, by START.
    """
    row = _row(number)
    if row.agreed_at is None:
        row.agreed_at, row.agreed_by = at, by
        row.save()
        _record(audit.Event.TEXTS_AGREED, row, actor=by, at=at)


def heard(*, number: str, words: str, at: datetime) -> str:
    """Take what somebody texted us; give what it was: stop, start, help or nothing."""
    said = re.sub(r"[^A-Z]", "", words.upper())
    if said in STOP_WORDS:
        stop(number, how="STOP by text message", at=at)
        return "stop"
    if said in START_WORDS:
        _start(number, at=at)
        return "start"
    return "help" if said in HELP_WORDS else ""


def stop(number: str, *, how: str, at: datetime) -> None:
    """Send nothing more to a number; messages that wait are cancelled."""
    with database.atomic():
        row = _row(number)
        if row.stopped_at is None:
            row.stopped_at, row.stopped_how = at, how
            row.save()
            _record(audit.Event.TEXTS_STOPPED, row, actor="system", at=at, how=how)


def notify(application: Application, *, at: datetime) -> None:
    """Text an applicant that the registration has moved, beside the other notice.

    Nothing where no mobile was given with consent, or its owner wrote STOP.
    """
    number = application.mobile or ""
    if not number or not is_on() or is_stopped(number):
        return
    agree(number, by="applicant", at=application.attested_at)
    deliveries.request(
        kind=DeliveryKind.REGISTRATION_NOTICE,
        subject_id=application.id,
        routes=[Route(ChannelName.SMS, number)],
        dedupe_key=f"registration_text:{application.id}:{application.status}:{at:%Y%m%d%H%M%S}",
        priority=PRIORITY,
        at=at,
    )


def forget_mobile(user: User, *, by: User, at: datetime) -> None:
    """Take a user's mobile number away: no more text messages to it."""
    with database.atomic():
        ContactCheck.update(ended_at=at).where(
            ContactCheck.user == user,
            ContactCheck.channel == ChannelName.SMS,
            ContactCheck.ended_at.is_null(),
        ).execute()
        user.mobile = None
        user.save(only=[User.mobile])
        audit.record(
            audit.Event.CONTACT_CHANGED,
            actor=by.username,
            subject=f"user:{user.id}",
            at=at,
            detail={"channel": "sms", "what": "removed"},
        )


def _start(number: str, *, at: datetime) -> None:
    with database.atomic():
        row = _row(number)
        if row.stopped_at is not None:
            row.stopped_at, row.stopped_how = None, ""
            row.save()
            how = "START by text message"
            _record(audit.Event.TEXTS_AGREED, row, actor="system", at=at, how=how)


def _note_opted_out(delivery: Delivery, at: datetime) -> None:
    """Keep what the carrier says of a number: its owner wrote STOP to it."""
    failed = delivery.state == DeliveryState.FAILED
    is_text = delivery.channel == ChannelName.SMS
    if failed and is_text and OPTED_OUT in delivery.error_text:
        stop(delivery.address, how="the carrier says so", at=at)


def _known(number: str) -> TextNumber | None:
    known: TextNumber | None = TextNumber.get_or_none(TextNumber.number == number)
    return known


def _row(number: str) -> TextNumber:
    """Give the row of a number, made if there is none, taken until the end."""
    TextNumber.insert(number=number).on_conflict_ignore().execute()
    query = TextNumber.select().where(TextNumber.number == number)
    row: TextNumber = (query if database.is_sqlite() else query.for_update()).get()
    return row


def _record(
    event: audit.Event, row: TextNumber, *, actor: str, at: datetime, how: str = ""
) -> None:
    detail = {"how": how} if how else {}
    subject = f"text_number:{row.id}"
    audit.record(event, actor=actor, subject=subject, at=at, detail=detail)


for _kind in (DeliveryKind.REGISTRATION_NOTICE, DeliveryKind.MOBILE_CODE):
    deliveries.on_change(_kind, _note_opted_out)
