"""What happened to one delivery and what comes next, in sentences for staff."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from models import (
    ChannelName,
    Delivery,
    DeliveryAttempt,
    DeliveryEvent,
    DeliveryState,
    ErrorClass,
)
from pmp import clock
from pmp.deliveries import (
    circuits,
    delivery_desk,
    letters,
    lines,
    outbox,
    retries,
    run_rows,
    stopping,
)
from pmp.wording import us_time, words

# A class that is tried until the deadline has no last try.
MOST_TRIES = 50
_SOURCES = {
    "worker": "The worker",
    "call-back": "The carrier's call-back",
    "poll": "The carrier, asked",
    "system": "The program",
    "recipient": "The recipient",
}
_BEGINNINGS: dict[ErrorClass | None, str] = {
    ErrorClass.BUSY: "Busy",
    ErrorClass.NO_ANSWER: "No answer",
    ErrorClass.NOT_A_FAX: "No fax machine answered",
    ErrorClass.LINE_DROPPED: "The line was cut",
    ErrorClass.REJECTED: "Refused",
    ErrorClass.DOCUMENT: "The document could not be made",
    ErrorClass.CARRIER_DOWN: "The carrier was out of reach",
    ErrorClass.THROTTLED: "The carrier asked us to wait",
    ErrorClass.CONFIGURATION: "Our settings for the carrier are wrong",
    ErrorClass.IN_DOUBT: "The line was lost while it was sent",
}


@dataclass(frozen=True)
class Step:
    """One line of the time line: when, who, what, and a tag for how it went."""

    at: datetime
    who: str
    what: str
    note: str = ""
    kind: str = ""  # good, warn, bad or nothing


@dataclass(frozen=True)
class Link:
    """A delivery among those that took each other's place; depth 0 is the first."""

    delivery: Delivery
    depth: int
    is_this: bool


def now_words(delivery: Delivery, *, at: datetime) -> str:
    """Say in a sentence or two where a delivery stands, and what happens next."""
    said = _WORDS_OF.get(delivery.state, _over)
    return said(delivery, at)


def time_line(delivery: Delivery) -> list[Step]:
    """Give every step, the first first: tries, call-backs, what staff did."""
    attempts = {each.id: each for each in delivery_desk.attempts(delivery)}
    return [
        _step(event, attempts.get(event.__data__["attempt"]))
        for event in lines.history(delivery)
    ]


def chain(delivery: Delivery) -> list[Link]:
    """Give the deliveries of one message, the first first: each took one's place."""
    first = delivery
    while first.parent is not None:
        first = first.parent
    links, level, depth = [], [first], 0
    while level:
        links += [Link(each, depth, each.id == delivery.id) for each in level]
        ids = [each.id for each in level]
        query = Delivery.select().where(Delivery.parent.in_(ids)).order_by(Delivery.id)
        level, depth = list(query), depth + 1
    return links


def short_time(moment: datetime, at: datetime) -> str:
    """Write a time as 10:42 AM where it is of the same day as `at`, else in full."""
    if clock.day_of(moment) != clock.day_of(at):
        return us_time(moment)
    here = clock.local(moment)
    return f"{here.hour % 12 or 12}:{here:%M %p}"


def most_tries(delivery: Delivery) -> int | None:
    """Give how many tries there are in all if it fails as before; None: no end."""
    error_class = delivery.error_class
    if error_class is None:
        return None
    failed = (
        DeliveryAttempt.select()
        .where(DeliveryAttempt.delivery == delivery)
        .where(DeliveryAttempt.error_class == error_class)
        .count()
    )
    most: int = delivery.attempts
    for number in range(max(failed, 1), MOST_TRIES):
        if retries.wait(error_class, number, key="") is None:
            return most
        most += 1
    return None


def _queued(delivery: Delivery, at: datetime) -> str:
    if waits := circuits.waiting_words(delivery):
        until = short_time(delivery.deadline_at, at)
        return f"{waits} Given up {until}."
    is_due = delivery.due_at <= at + timedelta(seconds=30)
    when = "as soon as a worker is free" if is_due else short_time(delivery.due_at, at)
    if not delivery.attempts:
        return f"It has not been tried yet. First try {when}."
    number, most = delivery.attempts + 1, most_tries(delivery)
    which = (
        f", the {_nth(number)} of at most {most}" if most else f", the {_nth(number)}"
    )
    last = outbox.last_attempt(delivery)
    ended = last.ended_at if last else None
    began = _BEGINNINGS.get(delivery.error_class, "It failed")
    if delivery.error_class is None:  # staff have it sent again
        return f"Next try {when}{which}."
    since = f" at {short_time(ended, at)}" if ended else ""
    until = short_time(delivery.deadline_at, at)
    return f"{began}{since}. Next try {when}{which}; given up {until}."


def _sending(delivery: Delivery, _at: datetime) -> str:
    return f"It is being sent: the {_nth(delivery.attempts)} try."


def _submitted(delivery: Delivery, at: datetime) -> str:
    if delivery.channel == ChannelName.LETTER and not letters.is_with_carrier(delivery):
        if (place := run_rows.place_of(delivery.id)) is not None:
            return (
                f"It waits until its old paper is pulled out of print run"
                f" {place.run.id}; then it is printed again."
            )
        return "It waits to be printed and mailed: see Letters."
    since = short_time(delivery.submitted_at or delivery.created_at, at)
    if outbox.is_withdrawn(delivery):
        return (
            f"It was withdrawn. The carrier has had it since {since} and is asked to"
            " stop it. What became of it will stand here; it is not sent again."
        )
    return f"The carrier has had it since {since}. It will say how it ended."


def _batched(delivery: Delivery, _at: datetime) -> str:
    place = run_rows.place_of(delivery.id)
    which = f"print run {place.run.id}" if place else "a print run"
    return f"It is in {which}, to be printed and mailed: see Letters."


def _printed(_delivery: Delivery, _at: datetime) -> str:
    return "It is printed; mark it as mailed once it is at the post."


def _in_doubt(_delivery: Delivery, _at: datetime) -> str:
    return (
        "The line was lost while it was sent. The carrier is being asked whether it"
        " has it; it is not sent again before that is known."
    )


def _held(delivery: Delivery, _at: datetime) -> str:
    if not delivery.address:
        return "No way to reach the recipient is known. Send it another way."
    if stopping.awaits_test_page(delivery):
        return (
            "Its number is not proven: it waits for a test page, and leaves by itself"
            " when the code on that page comes back."
        )
    if delivery.error_class == ErrorClass.IN_DOUBT and delivery.attempts:
        return (
            "It may have been sent: nobody could say. So that no second copy goes out"
            " by itself it waits here. Ask the recipient, then say what they told you."
        )
    return "It is held. It goes out when somebody releases it."


def _over(delivery: Delivery, at: datetime) -> str:
    when = short_time(delivery.final_at, at) if delivery.final_at else ""
    what = delivery_desk.state_words(delivery)
    if not when:
        return f"{what}."
    tries = f" after {delivery.attempts} tries" if delivery.attempts > 1 else ""
    return f"{what} on {when}{tries}." if "/" in when else f"{what} at {when}{tries}."


def _step(event: DeliveryEvent, attempt: DeliveryAttempt | None) -> Step:
    who = _SOURCES.get(event.source, event.source)
    if event.from_state == event.to_state:
        return Step(event.at, who, _said(event.note))
    state = DeliveryState(event.to_state)
    what, note = _moved(state, event, attempt), event.note
    return Step(event.at, who, what, note, _KINDS.get(state, ""))


def _said(note: str) -> str:
    said = note.removeprefix("carrier says ")
    return f"says: {said}" if said != note else note or "noted"


def _moved(
    state: DeliveryState, event: DeliveryEvent, attempt: DeliveryAttempt | None
) -> str:
    if state == DeliveryState.SENDING and attempt is not None:
        return f"begins try {attempt.number}"
    if state == DeliveryState.QUEUED and attempt is not None:
        fault = _BEGINNINGS.get(attempt.error_class, "It failed")
        return f"{fault}: to be tried again"
    if state == DeliveryState.SUBMITTED and attempt is not None:
        if attempt.carrier == letters.OURS:
            return "waits to be printed"
        reference = attempt.carrier_reference
        return f"with the carrier, {reference}" if reference else "with the carrier"
    return words(event.to_state)


_KINDS = {
    DeliveryState.SENT: "good",
    DeliveryState.DELIVERED: "good",
    DeliveryState.MAILED: "good",
    DeliveryState.HELD: "warn",
    DeliveryState.IN_DOUBT: "warn",
    DeliveryState.FAILED: "bad",
    DeliveryState.EXPIRED: "bad",
    DeliveryState.RETURNED: "bad",
}


def _nth(number: int) -> str:
    if number % 100 in {11, 12, 13}:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


_WORDS_OF: dict[DeliveryState, Callable[[Delivery, datetime], str]] = {
    DeliveryState.QUEUED: _queued,
    DeliveryState.SENDING: _sending,
    DeliveryState.SUBMITTED: _submitted,
    DeliveryState.BATCHED: _batched,
    DeliveryState.PRINTED: _printed,
    DeliveryState.IN_DOUBT: _in_doubt,
    DeliveryState.HELD: _held,
}
