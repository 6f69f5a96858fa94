"""Letters: which wait to be printed, which are in the post, which came back.

Those of the house's own print runs have the carrier "print"; a print-and-mail company
has the others. What staff print together is in print_runs.
"""

from datetime import datetime
from typing import Any

from peewee import fn

from models import (
    ChannelName,
    Delivery,
    DeliveryAttempt,
    DeliveryEvent,
    DeliveryKind,
    DeliveryState,
    PrintRunLetter,
    User,
)
from pmp import audit, clock, database
from pmp.deliveries import in_house, letter_codes, outbox, run_rows
from pmp.errors import RuleError

SECRET_DIES = frozenset({DeliveryKind.CREDENTIAL_LETTER})
OURS = in_house.CARRIER
CAME_BACK = "came back in the mail"
# What a letter that lies in the mail of the day may be: also one that somebody forgot
# to mark, since it has plainly been mailed.
_OUT = (
    DeliveryState.BATCHED,
    DeliveryState.PRINTED,
    DeliveryState.MAILED,
    DeliveryState.DELIVERED,
)


def waiting(*, kind: str = "") -> Any:
    """Give the query of letters that no print run has, the oldest first.

    Of one kind, or of all; without those of `to_pull_first`.
    """
    query = (
        to_mail()
        .where(Delivery.state == DeliveryState.SUBMITTED)
        .where(Delivery.id.not_in(_in_a_pile()))
        .order_by(Delivery.id)
    )
    return query.where(Delivery.kind == kind) if kind else query


def waiting_by_kind() -> list[tuple[str, int, datetime | None]]:
    """Give kind, number and time of the oldest of the letters that wait, by kind."""
    query = (
        waiting()
        .select(Delivery.kind, fn.COUNT(Delivery.id), fn.MIN(Delivery.created_at))
        .group_by(Delivery.kind)
        .order_by(Delivery.kind)
        .tuples()
    )
    return [
        (kind, count, Delivery.created_at.python_value(oldest))
        for kind, count, oldest in query
    ]


def to_pull_first() -> list[PrintRunLetter]:
    """Give the places of letters that wait again while old paper of them may lie there.

    Such a letter was cancelled in its run and sent again. Nothing prints it anew before
    a person has pulled the old paper out: both would go to the post.
    """
    again = to_mail().where(Delivery.state == DeliveryState.SUBMITTED)
    query = (
        PrintRunLetter.select()
        .where(PrintRunLetter.delivery.in_(again.select(Delivery.id)))
        .where(PrintRunLetter.taken_out_at.is_null())
        .order_by(PrintRunLetter.id)
    )
    return list(query)


def to_mail() -> Any:
    """Give the query of letters that are printed in the house and not yet mailed."""
    elsewhere = DeliveryAttempt.select(DeliveryAttempt.id).where(
        (DeliveryAttempt.delivery == Delivery.id)
        & (DeliveryAttempt.number == Delivery.attempts)
        & (DeliveryAttempt.carrier != OURS)
    )
    return Delivery.select().where(
        (Delivery.channel == ChannelName.LETTER)
        & Delivery.state.in_(in_house.NOT_MAILED)
        & ~fn.EXISTS(elsewhere)
    )


def is_with_carrier(delivery: Delivery) -> bool:
    """Tell whether a print-and-mail company has a letter, not our own print queue."""
    if delivery.channel != ChannelName.LETTER or not delivery.attempts:
        return False
    attempt = outbox.last_attempt(delivery)
    return attempt is not None and attempt.carrier != OURS


def mailed(*, limit: int = 50) -> list[Delivery]:
    """Give the letters mailed last, the newest first: one of them may come back."""
    query = (
        Delivery.select()
        .where(Delivery.channel == ChannelName.LETTER)
        .where(Delivery.state == DeliveryState.MAILED)
        .order_by(Delivery.final_at.desc(), Delivery.id.desc())
        .limit(limit)
    )
    return list(query)


def returned_today(*, at: datetime) -> list[tuple[Delivery, DeliveryEvent]]:
    """Give the letters that came back today, the last first, each with its event."""
    query = (
        DeliveryEvent.select(DeliveryEvent, Delivery)
        .join(Delivery)
        .where(Delivery.channel == ChannelName.LETTER)
        .where(Delivery.state == DeliveryState.RETURNED)
        .where(DeliveryEvent.to_state == DeliveryState.RETURNED.value)
        .where(DeliveryEvent.from_state != DeliveryState.RETURNED.value)
        .where(DeliveryEvent.at >= clock.start_of(clock.day_of(at)))
        .order_by(DeliveryEvent.id.desc())
    )
    return [(event.delivery, event) for event in query]


def by_code(code: str) -> Delivery | None:
    """Give the letter with a code, as scanned or typed; None if there is none."""
    number = letter_codes.read_code(code)
    if number is None:
        return None
    letter: Delivery | None = Delivery.get_or_none(
        (Delivery.id == number) & (Delivery.channel == ChannelName.LETTER)
    )
    return letter


def returned_by_code(code: str, *, by: User, at: datetime, why: str = "") -> Delivery:
    """Record that the letter with a code came back; give it.

    Only what a person of the staff scanned or typed is believed: a page with a letter's
    code may come by fax from whoever was sent it. RuleError, in words for the person at
    the scanner, for what is no letter's code and for a letter that cannot be back.
    """
    if letter_codes.read_code(code) is None:
        raise RuleError(
            f"“{code.strip()[:40]}” is no letter's code. It is under the small square"
            " of dots and begins with LTR-.",
            field="code",
        )
    letter = by_code(code)
    if letter is None:
        raise RuleError(f"No letter has the code {code.strip()}.", field="code")
    mark_returned(letter.id, by=by, at=at, why=why)
    return letter


def mark_returned(letter_id: int, *, by: User, at: datetime, why: str = "") -> None:
    """Record that a letter came back; it goes on by the recipient's next way.

    Staff see it whatever its next way is: the address on record is wrong. `why` is what
    the post wrote on it. A print run of which it was the last is closed.
    """
    with database.atomic():
        place = run_rows.place_of(letter_id)
        run = run_rows.taken(place.run.id) if place else None
        letter = outbox.taken(letter_id)
        if letter.channel != ChannelName.LETTER or not _may_return(letter):
            raise RuleError(_not_back(letter), field="code")
        if letter.state in {DeliveryState.BATCHED, DeliveryState.PRINTED}:
            text = "mailed, as it came back"
            outbox.change(
                letter, DeliveryState.MAILED, source=by.username, at=at, text=text
            )
        text = f"{CAME_BACK}: {why.strip()}" if why.strip() else CAME_BACK
        take_back(letter, source=by.username, text=text, at=at)
        if run is not None:
            run_rows.close_if_over(run, at=at)
        audit.record(
            audit.Event.DELIVERY_STAFF_ACTION,
            actor=by.username,
            subject=f"delivery:{letter.id}",
            at=at,
            detail={"action": "returned"},
        )


def take_back(
    letter: Delivery,
    *,
    source: str,
    text: str,
    at: datetime,
    attempt: DeliveryAttempt | None = None,
) -> None:
    """Have a letter (got by `taken`) be back, and go on by its next way."""
    letter.needs_staff = True
    outbox.change(
        letter, DeliveryState.RETURNED, source=source, text=text, at=at, attempt=attempt
    )
    outbox.fall_back(letter, at=at)


def undo_returned(letter_id: int, *, by: User, at: datetime) -> None:
    """Take back, on the same day, that a letter came back: the wrong one was scanned.

    What was sent in its place is withdrawn. RuleError where that has left already, and
    for a letter whose password died with it: it needs a new letter.
    """
    with database.atomic():
        letter = outbox.taken(letter_id)
        if letter.state != DeliveryState.RETURNED:
            raise RuleError("It is not marked as returned.")
        if not letter.final_at or clock.day_of(letter.final_at) != clock.day_of(at):
            raise RuleError("Only on the day itself can it be taken back.")
        if letter.kind in SECRET_DIES:
            raise RuleError(
                "Its password died when it was marked as returned. Have a new letter"
                " issued, on the page of the registration."
            )
        for child in Delivery.select(Delivery.id).where(Delivery.parent == letter):
            _withdraw(outbox.taken(child.id), by=by, at=at)
        letter.needs_staff = False
        outbox.change(
            letter,
            DeliveryState.MAILED,
            source=by.username,
            text="it did not come back: another was scanned",
            at=at,
        )


def _in_a_pile() -> Any:
    return PrintRunLetter.select(PrintRunLetter.delivery).where(
        PrintRunLetter.taken_out_at.is_null()
    )


def _withdraw(child: Delivery, *, by: User, at: datetime) -> None:
    unsent = child.state in {DeliveryState.QUEUED, DeliveryState.HELD}
    unprinted = (
        child.channel == ChannelName.LETTER and child.state in in_house.NOT_MAILED
    )
    if child.state == DeliveryState.CANCELLED:
        return
    if not (unsent or unprinted):
        raise RuleError(
            f"What goes in its place, delivery {child.id}, has left already."
        )
    text = "the letter that it replaces did not come back"
    outbox.change(child, DeliveryState.CANCELLED, source=by.username, text=text, at=at)


def _may_return(letter: Delivery) -> bool:
    if letter.state in _OUT:
        return True
    return bool(letter.state == DeliveryState.SUBMITTED and is_with_carrier(letter))


def _not_back(letter: Delivery) -> str:
    code = letter_codes.letter_code(letter.id)
    if letter.channel != ChannelName.LETTER:
        return f"{code} is no letter."
    if letter.state == DeliveryState.RETURNED:
        return f"{code} is marked as returned already."
    if letter.state == DeliveryState.CANCELLED:
        return f"{code} was cancelled: destroy the paper, nothing else waits for it."
    return f"{code} has not been printed yet, so it cannot have come back."
