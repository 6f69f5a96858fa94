"""How the program reaches a user: what their page shows, and what they may change.

By the user, or by staff for the user on the telephone. Where reports go is told to the
old number or address too, whoever changed it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models import (
    AuditEvent,
    ChannelName,
    ContactCheck,
    Delivery,
    FaxNumber,
    User,
)
from pmp import audit, clock_hours, database, settings
from pmp.deliveries import Route, contacts, delivery_desk
from pmp.errors import NotFoundError, RuleError
from pmp.identifiers import e164, not_a_number
from pmp.reaching import checks, fax_numbers, telling, texts
from pmp.reaching.fax_numbers import Standing
from pmp.registration.answers import email_problem

MOST_HISTORY = 30
_EVENTS = (
    audit.Event.CONTACT_CHECK_ASKED,
    audit.Event.CONTACT_CONFIRMED,
    audit.Event.CONTACT_CHANGED,
    audit.Event.CONTACT_PREFERRED,
)


@dataclass(frozen=True)
class Pending:
    """A code that is out, and what became of the message that carries it."""

    check: ContactCheck
    state: str
    problem: str


@dataclass(frozen=True)
class Overview:
    """All that the page shows of a user's ways."""

    user: User
    routes: list[Route]  # of threshold reports, first choice first
    fax: Standing | None
    fax_is_own: bool  # given by the user; else the Department's file has it
    email_confirmed: ContactCheck | None
    texts_on: bool
    texts_stopped: bool
    pending: dict[str, Pending | None]  # by channel: a code that is out
    history: list[AuditEvent]


def overview(user: User, *, at: datetime) -> Overview:
    """Give how a user is reached, each way with what proves it."""
    number = fax_of(user)
    pending = {
        channel.value: _pending(check) if check else None
        for channel in checks.KINDS
        for check in [checks.open_check(user, channel, at=at)]
    }
    email = user.email or ""
    return Overview(
        user=user,
        routes=telling.report_routes(user),
        fax=fax_numbers.standing(user, number, at=at) if number else None,
        fax_is_own=bool(user.fax),
        email_confirmed=checks.last_confirmed(user, ChannelName.EMAIL, email),
        texts_on=texts.is_on(),
        texts_stopped=bool(user.mobile and texts.is_stopped(user.mobile)),
        pending=pending,
        history=_history(user),
    )


def get(user_id: int) -> User:
    """Give a user whose ways staff look at; NotFoundError."""
    user: User | None = User.get_or_none(User.id == user_id)
    if user is None:
        raise NotFoundError("There is no such user.")
    return user


def fax_of(user: User) -> str:
    """Give the number that faxes to a user go to: their own, else the roster's."""
    for known in (user, user.licence, user.pharmacy, user.prescriber):
        if known and known.fax and (number := _number(known.fax)):
            return number
    return ""


def prove_fax(user: User, *, number: str, by: User, at: datetime) -> ContactCheck:
    """Fax a test page to a number, old or new; RuleError at the field `fax`."""
    return checks.ask(
        user,
        channel=ChannelName.FAX,
        address=fax_numbers.written(number),
        by=by,
        at=at,
    )


def prove_email(user: User, *, email: str, by: User, at: datetime) -> ContactCheck:
    """Mail a link to an address, old or new; RuleError at the field `email`."""
    address = email.strip()
    if problem := email_problem(address):
        raise RuleError(problem, field="email")
    channel = ChannelName.EMAIL
    return checks.ask(user, channel=channel, address=address, by=by, at=at)


def prove_mobile(
    user: User, *, number: str, agreed: bool, by: User, at: datetime
) -> ContactCheck:
    """Text a code to a mobile whose owner agrees; RuleError at `mobile` or `agreed`."""
    if not texts.is_on():
        raise RuleError("The program sends no text messages.", field="mobile")
    mobile = _number(number)
    if not mobile:
        raise RuleError(not_a_number(number), field="mobile")
    if not agreed:
        raise RuleError("Tick that text messages may be sent to it.", field="agreed")
    if texts.is_stopped(mobile):
        raise RuleError(
            "STOP was sent from this mobile. Text START to us from it first.",
            field="mobile",
        )
    channel = ChannelName.SMS
    return checks.ask(user, channel=channel, address=mobile, by=by, at=at)


def prefer(user: User, channel: ChannelName | None, *, by: User, at: datetime) -> None:
    """Choose by which channel reports come first; None: whatever reaches them first.

    RuleError for a channel by which this user cannot be reached.
    """
    if channel not in {None, *contacts.ORDER}:
        raise RuleError("Choose email, fax or letter.", field="channel")
    if channel == ChannelName.EMAIL and not user.email:
        raise RuleError("Give an email address first.", field="channel")
    if channel == ChannelName.FAX and not fax_of(user):
        raise RuleError("Give a fax number first.", field="channel")
    before = telling.report_routes(user)
    if user.preferred_channel == channel:
        return
    with database.atomic():
        user.preferred_channel = channel
        user.save(only=[User.preferred_channel])
        telling.tell_if_moved(user, before, at=at)
        audit.record(
            audit.Event.CONTACT_PREFERRED,
            actor=by.username,
            subject=f"user:{user.id}",
            at=at,
            detail={"channel": channel.value if channel else "any"},
        )


def choose_fax_hours(
    user: User, *, start: int | None, end: int | None, by: User, at: datetime
) -> str:
    """Choose when the user's number may be faxed; neither hour: whenever we fax.

    Hours of the wall clock; one alone is joined by the programme's own. Gives them as
    they are kept, such as "8-12". RuleError, at the field, where there is no number or
    no hour is left in which the programme faxes.
    """
    number = fax_of(user)
    if not number:
        raise RuleError("Give a fax number first.", field="start")
    programmes = settings.current().fax_hours
    chosen = ""
    if start is not None or end is not None:
        opens, closes = (int(hour) for hour in programmes.split("-"))
        first = opens if start is None else start
        last = closes if end is None else end
        if first == last:
            raise RuleError("Choose two different hours.", field="end")
        chosen = f"{first}-{last}"
        if not clock_hours.parse(chosen) & clock_hours.parse(programmes):
            raise RuleError(
                "The program faxes only from"
                f" {clock_hours.spoken_hours(programmes)}: choose hours among these.",
                field="start",
            )
    with database.atomic():
        row = fax_numbers.row_of(number)
        if (row.hours or "") == chosen:
            return chosen
        row.hours = chosen or None
        row.save(only=[FaxNumber.hours])
        said = clock_hours.spoken_hours(chosen) or "whenever the program faxes"
        audit.record(
            audit.Event.CONTACT_CHANGED,
            actor=by.username,
            subject=f"user:{user.id}",
            at=at,
            detail={"channel": "fax", "what": f"may come {said}"},
        )
    return chosen


def event_words(event: AuditEvent) -> str:
    """Say what was done to a user's ways, for people."""
    channel = {"fax": "fax", "email": "email", "sms": "text messages"}.get(
        str(event.detail.get("channel")), str(event.detail.get("channel"))
    )
    if event.event == audit.Event.CONTACT_PREFERRED:
        return f"Reports first by: {channel}"
    if event.event == audit.Event.CONTACT_CHECK_ASKED:
        return f"{'Link' if channel == 'email' else 'Code'} sent ({channel})"
    if event.event == audit.Event.CONTACT_CONFIRMED:
        how = str(event.detail.get("how", "")).replace("_", " ")
        return f"Confirmed ({channel}, {how})"
    return f"{channel.capitalize()}: {event.detail.get('what', 'changed')}"


def _pending(check: ContactCheck) -> Pending:
    kind = checks.KINDS[check.channel]
    query: Any = Delivery.select().where(
        (Delivery.kind == kind) & (Delivery.subject_id == check.id)
    )
    delivery: Delivery | None = query.order_by(Delivery.id.desc()).first()
    if delivery is None:
        return Pending(check, "", "")
    return Pending(
        check, delivery_desk.state_words(delivery), delivery_desk.error_words(delivery)
    )


def _history(user: User) -> list[AuditEvent]:
    query = (
        AuditEvent.select()
        .where(AuditEvent.subject == f"user:{user.id}")
        .where(AuditEvent.event.in_([event.value for event in _EVENTS]))
        .order_by(AuditEvent.id.desc())
        .limit(MOST_HISTORY)
    )
    return list(query)


def _number(text: str) -> str:
    return e164(text) or ""
