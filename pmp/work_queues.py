"""What waits for staff: how many, since when, how many of them too long."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from models import (
    Delegation,
    DelegationStatus,
    NewAccount,
    ProposalStatus,
    RoleChange,
    UtcField,
)
from pmp import clock, settings
from pmp.accounts import user_lists
from pmp.disclosures import denial_reviews, request_letters
from pmp.permissions import Permission
from pmp.reporting import held_records

if TYPE_CHECKING:
    from peewee import ModelSelect


@dataclass(frozen=True)
class Queue:
    """What waits: how many, since when the oldest, and how many are late."""

    words: str
    address: str  # of the page where it is worked off
    permission: Permission
    count: int
    oldest: datetime | None
    late: int = 0


def queue(  # noqa: PLR0913 - what a tile shows
    words: str,
    address: str,
    permission: Permission,
    waiting: "ModelSelect[Any]",
    since: UtcField,
    *,
    at: datetime | None = None,
    late: int = 0,
) -> Queue:
    """Make a queue; given `at`, what waits for longer than staff may take is late."""
    if at is not None:
        term = timedelta(days=settings.current().queue_overdue_days)
        late = waiting.where(since < at - term).count()
    return Queue(
        words, address, permission, waiting.count(), first(waiting, since), late
    )


def first(rows: "ModelSelect[Any]", since: UtcField) -> datetime | None:
    oldest = rows.order_by(since).first()
    moment: datetime | None = getattr(oldest, since.name) if oldest else None
    return moment


def files_with_held_records(*, at: datetime) -> Queue:
    """Count the submissions with held records past their term: all are overdue."""
    waiting = held_records.overdue(today=clock.day_of(at))
    oldest = min((each.due for each in waiting), default=None)
    return Queue(
        "Files with held records past their term",
        "/staff/reporting/held",
        Permission.REPORTING_WATCH,
        len(waiting),
        clock.start_of(oldest) if oldest else None,
        len(waiting),
    )


def delegates_to_decide(*, at: datetime) -> list[Queue]:
    """Count those for whom a supervisor has asked; nothing where there are none."""
    if not settings.current().delegates:
        return []
    asked = Delegation.select().where(Delegation.status == DelegationStatus.ASKED)
    return [
        queue(
            "Delegates to decide",
            "/staff/delegates?state=asked",
            Permission.DELEGATE_DECIDE,
            asked,
            Delegation.asked_at,
            at=at,
        )
    ]


def letters_of_requests(*, at: datetime) -> Queue:
    """Count the letters that patients are owed, since their request was so decided."""
    since = [each.since for _, each in request_letters.owed() if each.since]
    term = timedelta(days=settings.current().queue_overdue_days)
    return Queue(
        "Letters about patients' requests to print",
        "/staff/disclosures?letters=owed#letters",
        Permission.DISCLOSURE_WORK,
        len(since),
        min(since, default=None),
        sum(each < at - term for each in since),
    )


def reviews_of_denials(*, at: datetime) -> Queue:
    """Count the reviews that patients asked for, since the day they did."""
    since = [clock.start_of(each.asked_on) for each in denial_reviews.waiting()]
    term = timedelta(days=settings.current().queue_overdue_days)
    return Queue(
        "Denials that patients want reviewed",
        "/staff/disclosures?reviews=waiting#reviews",
        Permission.DISCLOSURE_WORK,
        len(since),
        min(since, default=None),
        sum(each < at - term for each in since),
    )


def accounts(*, at: datetime) -> list[Queue]:
    """List what accounts wait for: a second administrator, a look at the licence."""
    unlicensed = user_lists.Wanted(state=user_lists.Standing.NOT_LICENSED)
    return [
        queue(
            "Roles to confirm",
            "/staff/users?state=other_role_proposed",
            Permission.USER_ADMINISTER,
            RoleChange.select().where(RoleChange.status == ProposalStatus.OPEN),
            RoleChange.proposed_at,
            at=at,
        ),
        queue(
            "New accounts to confirm",
            "/staff/users/new-accounts",
            Permission.USER_ADMINISTER,
            NewAccount.select().where(NewAccount.status == ProposalStatus.OPEN),
            NewAccount.proposed_at,
            at=at,
        ),
        Queue(
            "Users whose licence is not active",
            "/staff/users?state=licence_not_active",
            Permission.USER_ADMINISTER,
            user_lists.listed(unlicensed, page=1, at=at).total,
            None,
        ),
    ]
