"""Delegates: people who look up patients for a user, who answers for what they do.

A state's policy, off unless PMP_DELEGATES is on: then the supervisor, a practitioner or
a pharmacy, asks for somebody who works for them, and program staff agree. A delegate
has an account of their own, and each look-up says on whose behalf it is. Every
PMP_DELEGATE_REVIEW_DAYS the supervisor says that it is still right; whom they forget
looks up nobody until they do.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from models import (
    Delegation,
    DelegationStatus,
    LookUp,
    PatientSchedule,
    Role,
    User,
    UserStatus,
)
from pmp import settings
from pmp.errors import NotFoundError, RuleError

NOBODY = (
    "You are nobody's delegate now: your supervisor or program staff have ended it, or"
    " your supervisor has yet to confirm that you still work there. Ask your"
    " supervisor to open My delegates."
)


def require_policy() -> None:
    """Refuse where the state has no delegates, as if there were no such thing."""
    if not settings.current().delegates:
        raise NotFoundError("There is no such page.")


def due(delegation: Delegation) -> datetime:
    """Give until when the supervisor's last word holds."""
    since: datetime = delegation.reviewed_at or delegation.decided_at
    return since + timedelta(days=settings.current().delegate_review_days)


def usable(delegate: User, *, at: datetime) -> list[Delegation]:
    """Give on whose behalf somebody may look up now, supervisors loaded, by name."""
    if delegate.role is not Role.DELEGATE or not settings.current().delegates:
        return []
    rows: Any = (
        Delegation.select(Delegation, User)
        .join(User, on=Delegation.supervisor)
        .where(Delegation.delegate == delegate)
        .where(Delegation.status == DelegationStatus.APPROVED)
        .where(User.status == UserStatus.ACTIVE)
        .order_by(User.name, Delegation.id)
    )
    return [row for row in rows if due(row) > at]


def require_usable(delegation_id: int | None, *, by: User, at: datetime) -> None:
    """Refuse a look-up on behalf of somebody for whom `by` may not look up now.

    RuleError at `on_behalf_of`; also where one who is no delegate names anybody.
    """
    if by.role is not Role.DELEGATE and delegation_id is None:
        return
    found = usable(by, at=at)
    if not found:
        raise RuleError(NOBODY, field="on_behalf_of")
    if delegation_id not in {each.id for each in found}:
        raise RuleError("Say for whom you look this patient up", field="on_behalf_of")


def may_see(row: LookUp | PatientSchedule, *, by: User, at: datetime) -> bool:
    """Tell whether what a look-up or list of one's own showed may be shown again.

    A delegate's no more once they do not work for that supervisor.
    """
    number = row.__data__["delegation"]
    return number is None or number in {each.id for each in usable(by, at=at)}


def of_supervisor(supervisor: User) -> list[Delegation]:
    """Give the delegates of a user, who wait and who work first, then the others."""
    order = [DelegationStatus.ASKED, DelegationStatus.APPROVED]
    rows: Any = (
        Delegation.select(Delegation)
        .where(Delegation.supervisor == supervisor)
        .order_by(Delegation.id.desc())
    )
    return sorted(rows, key=lambda row: row.status not in order)


def of_delegate(delegate: User) -> list[Delegation]:
    """Give for whom somebody works or has worked, supervisors loaded, latest first."""
    rows: Any = (
        Delegation.select(Delegation, User)
        .join(User, on=Delegation.supervisor)
        .where(Delegation.delegate == delegate)
        .order_by(Delegation.id.desc())
    )
    return list(rows)


def supervisors(user: User, *, at: datetime) -> list[User]:
    """Give the users on whose behalf somebody may look up now."""
    return [each.supervisor for each in usable(user, at=at)]


def with_supervisor(name: str, look_up: LookUp | None) -> str:
    """Name whom a look-up told, and the supervisor on whose behalf it was."""
    if look_up is None or look_up.delegation is None:
        return name
    return f"{name}, delegate of {look_up.delegation.supervisor.name}"


def behalf(row: LookUp | PatientSchedule) -> str:
    """Give the words behind a delegate's name: on whose behalf it was; mostly none."""
    if row.delegation is None:
        return ""
    return f" on behalf of {row.delegation.supervisor.name}"


def state_words(row: Delegation, *, at: datetime) -> str:
    """Say how a delegation stands, in a word or two."""
    if row.status != DelegationStatus.APPROVED:
        return _STATES[row.status]
    if due(row) <= at:
        return "Paused: confirm"
    came_in = row.delegate and row.delegate.status != UserStatus.AWAITING_FIRST_SIGN_IN
    return "Looks up" if came_in else "Not signed in yet"


def ids(rows: Iterable[Delegation]) -> list[int]:
    """Give the numbers of delegations, for a query."""
    return [row.id for row in rows]


_STATES = {
    DelegationStatus.ASKED: "Waits for staff",
    DelegationStatus.DECLINED: "Declined",
    DelegationStatus.WITHDRAWN: "Withdrawn",
    DelegationStatus.ENDED: "Ended",
}
