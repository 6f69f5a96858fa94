"""One action on many deliveries: what it would do to each, shown before it is done."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from models import Delivery, User
from pmp.deliveries import as_seen, barred, delivery_desk, stopping
from pmp.errors import RuleError

MOST = 200


class Action(StrEnum):
    """What may be done to many at once."""

    RETRY = "retry"
    HOLD = "hold"
    RELEASE = "release"
    CANCEL = "cancel"
    SETTLE = "settle"


@dataclass(frozen=True)
class Line:
    """One delivery of a choice, and why the action passes it by; "" if it does not.

    `warning` says what speaks against it all the same.
    """

    delivery: Delivery
    why_not: str
    mark: str
    warning: str = ""


@dataclass(frozen=True)
class Outcome:
    """The numbers of the deliveries for which it was done, and why not for others."""

    done: list[int]
    refused: dict[int, str]


WORDS = {
    Action.RETRY: "Send now",
    Action.HOLD: "Hold",
    Action.RELEASE: "Release",
    Action.CANCEL: "Cancel",
    Action.SETTLE: "I have seen to it",
}
_MAY: dict[Action, Callable[[Delivery], bool]] = {
    Action.RETRY: delivery_desk.may_retry,
    Action.HOLD: delivery_desk.may_hold,
    Action.RELEASE: delivery_desk.may_release,
    Action.CANCEL: delivery_desk.may_cancel,
    Action.SETTLE: delivery_desk.may_settle,
}
_RULES: dict[Action, Callable[..., Any]] = {
    Action.RETRY: delivery_desk.retry,
    Action.HOLD: delivery_desk.hold,
    Action.RELEASE: delivery_desk.release,
    Action.CANCEL: delivery_desk.cancel,
    Action.SETTLE: delivery_desk.settle,
}
_SENDS = {Action.RETRY, Action.RELEASE}


def review(action: Action, ids: Collection[int]) -> list[Line]:
    """Say of each chosen delivery what the action would do; nothing is done.

    RuleError for no choice, or for more than 200.
    """
    if not ids:
        raise RuleError("Choose at least one delivery: tick the box in its row.")
    if len(ids) > MOST:
        raise RuleError(f"Choose at most {MOST} deliveries at once.")
    query = Delivery.select().where(Delivery.id.in_(sorted(ids))).order_by(Delivery.id)
    rows = list(query)
    return [_line(action, row) for row in rows]


def carry_out(
    action: Action,
    marks: Mapping[int, str],
    *,
    reason: str = "",
    by: User,
    at: datetime,
) -> Outcome:
    """Do it to each delivery that still stands as it was shown; others are told of.

    `marks` are what `review` gave, by delivery. Each is a change of its own: one that
    is refused stops none of the others. RuleError where a reason is wanting.
    """
    if action == Action.CANCEL and not reason.strip():
        raise RuleError("Say why they are cancelled.", field="reason")
    more = {"reason": reason} if action == Action.CANCEL else {}
    done, refused = [], {}
    for number in sorted(marks):
        try:
            _RULES[action](number, by=by, at=at, seen=marks[number], **more)
        except RuleError as refusal:
            refused[number] = refusal.message
        else:
            done.append(number)
    return Outcome(done, refused)


def _line(action: Action, row: Delivery) -> Line:
    why_not = ""
    if not _MAY[action](row):
        why_not = f"It is: {delivery_desk.state_words(row).lower()}."
        if action in _SENDS and not row.address:
            why_not = "No address is known."
    elif action in _SENDS and barred.closes(row):
        why_not = barred.why(row.address)
    warning = stopping.unproven_words(row) if action in _SENDS else ""
    return Line(row, why_not, as_seen.mark(row), warning)
