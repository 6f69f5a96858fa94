"""Addresses from which email came back: flagged, shown, settled.

Whoever's address it is hears of it at sign-in, staff see a list. It is settled when a
later email is known to have arrived, when its user says that it works again, or when
staff have put it right. An address that nobody has any more is not shown.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from peewee import IntegrityError, fn

from models import (
    ChannelName,
    Delivery,
    DeliveryKind,
    DeliveryState,
    ErrorClass,
    MailProblem,
    User,
    UserStatus,
)
from pmp import audit, database, downloads, sorting
from pmp.deliveries import bounces, outbox
from pmp.downloads import Listing
from pmp.errors import NotFoundError
from pmp.paging import Page, page_of
from pmp.wording import us_time

PAGE_SIZE = 50
OLDEST = "since"
SORTS: dict[str, Any] = {
    "address": MailProblem.address,
    "why": MailProblem.reason,
    "since": MailProblem.found_at,
}
HEADINGS = ("Address", "Users", "Why", "Since", "Last delivery")
FILE = Listing("mail_problems", "addresses")
_STATUS = re.compile(r"\b[45]\.\d{1,3}\.\d{1,3}\b")
# What is said of the address and not of us, the relay or the document.
_OF_THE_ADDRESS = frozenset({ErrorClass.REJECTED, ErrorClass.BUSY})


@dataclass(frozen=True)
class Flagged:
    """An address with what came back, and the user names that have it."""

    problem: MailProblem
    users: list[str]


def of_user(user: User) -> MailProblem | None:
    """Give what is wrong with a user's email address; None if nothing is known."""
    if not user.email:
        return None
    found: MailProblem | None = MailProblem.get_or_none(address=user.email.lower())
    return found


def listed(*, page: int = 1, sort: str = OLDEST) -> Page:
    """Give a page of the flagged addresses that users have, the oldest first.

    Or in another order, one of SORTS; a minus before it turns it round.
    """
    found = page_of(_in_order(sort), number=page, size=PAGE_SIZE)
    return replace(found, rows=_flagged(found.rows))


def file_of(sort: str, *, by: User, at: datetime) -> list[list[Any]]:
    """Give the list as lines of a file, under HEADINGS; kept on record.

    RuleError if it is longer than a file may be.
    """
    problems = downloads.rows_of(_in_order(sort), FILE, by=by, at=at)
    return [
        [
            row.problem.address,
            ", ".join(row.users),
            row.problem.reason,
            us_time(row.problem.found_at),
            row.problem.delivery.id,
        ]
        for start in range(0, len(problems), PAGE_SIZE)
        for row in _flagged(problems[start : start + PAGE_SIZE])
    ]


def count() -> int:
    """Count the flagged addresses that users have."""
    found: int = _of_users().count()
    return found


def oldest() -> datetime | None:
    """Give since when the first of them is flagged; None if there is none."""
    first = _of_users().order_by(MailProblem.found_at).first()
    return first.found_at if first else None


def settle(problem_id: int, *, by: User, at: datetime, address: str = "") -> None:
    """Take the flag off: the address is put right, or works again.

    NotFoundError if there is none.
    """
    with database.atomic():
        problem = MailProblem.get_or_none(id=problem_id)
        if problem is None:
            raise NotFoundError("This is settled already.")
        problem.delete_instance()
        audit.record(
            audit.Event.MAIL_PROBLEM_SETTLED,
            actor=by.username,
            subject=f"delivery:{problem.delivery.id}",
            at=at,
            address=address,
        )


def _in_order(sort: str) -> Any:
    order = sorting.known(sort, SORTS, otherwise=OLDEST)
    return sorting.in_order(_of_users(), order, SORTS, then=MailProblem.id)


def _flagged(problems: list[MailProblem]) -> list[Flagged]:
    names = _names(each.address for each in problems)
    return [Flagged(each, names.get(each.address, [])) for each in problems]


def _watch(delivery: Delivery, at: datetime) -> None:
    """Flag the address of an email that failed for good; clear one that arrived."""
    if delivery.channel != ChannelName.EMAIL:
        return
    address = delivery.address.lower()
    if delivery.state == DeliveryState.DELIVERED:
        MailProblem.delete().where(MailProblem.address == address).execute()
    elif (
        delivery.state == DeliveryState.FAILED
        and delivery.error_class in _OF_THE_ADDRESS
    ):
        _flag(delivery, address, at=at)


def _flag(delivery: Delivery, address: str, *, at: datetime) -> None:
    reason = _reason(delivery)
    try:
        with database.atomic():
            MailProblem.create(
                address=address, delivery=delivery, reason=reason, found_at=at
            )
    except IntegrityError:  # it is flagged: what came back last is what counts
        (
            MailProblem.update(delivery=delivery, reason=reason)
            .where(MailProblem.address == address)
            .execute()
        )


def _reason(delivery: Delivery) -> str:
    """Say why in words for its user; staff find the relay's own at the delivery."""
    status = _STATUS.search(delivery.error_text)
    if status is None and delivery.error_class == ErrorClass.BUSY:
        return "the mailbox is full or does not answer"
    return bounces.words(status[0] if status else "")


def _of_users() -> Any:
    has_it = (
        User.select(User.id)
        .where(fn.LOWER(User.email) == MailProblem.address)
        .where(User.status != UserStatus.CLOSED)
    )
    return MailProblem.select().where(fn.EXISTS(has_it))


def _names(addresses: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    query = (
        User.select(User.username, User.email)
        .where(fn.LOWER(User.email).in_(list(addresses)))
        .where(User.status != UserStatus.CLOSED)
        .order_by(User.username)
    )
    for user in query:
        found.setdefault((user.email or "").lower(), []).append(user.username)
    return found


for _kind in DeliveryKind:
    outbox.on_change(_kind, _watch)
