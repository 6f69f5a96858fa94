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

from peewee import JOIN

from models import (
    Delegation,
    DelegationStatus,
    Licence,
    LookUp,
    PatientSchedule,
    Role,
    User,
    UserStatus,
)
from pmp import settings
from pmp.errors import NotFoundError, RuleError

SUPERVISOR: Any = User.alias()
DELEGATE: Any = User.alias()
NOBODY = (
    "You can look up nobody now: your supervisor has yet to confirm that you still work"
    " there, or cannot sign in, or it was ended, or the program allows no delegates any"
    " more. Ask your supervisor to open My delegates, or call us."
)


def standing(*statuses: DelegationStatus) -> Any:
    """Give the query of delegations with their supervisor, delegate and licence."""
    query: Any = (
        Delegation.select(Delegation, SUPERVISOR, DELEGATE, Licence)
        .join(
            SUPERVISOR, on=(Delegation.supervisor == SUPERVISOR.id), attr="supervisor"
        )
        .join(
            Licence,
            JOIN.LEFT_OUTER,
            on=(SUPERVISOR.licence == Licence.id),
            attr="licence",
        )
        .switch(Delegation)
        .join(
            DELEGATE,
            JOIN.LEFT_OUTER,
            on=(Delegation.delegate == DELEGATE.id),
            attr="delegate",
        )
    )
    return query.where(Delegation.status.in_(statuses)) if statuses else query


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
    rows = standing(DelegationStatus.APPROVED).where(Delegation.delegate == delegate)
    found = [
        row
        for row in rows
        if row.supervisor.status == UserStatus.ACTIVE and due(row) > at
    ]
    return sorted(found, key=lambda row: (row.supervisor.name, row.id))


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
    if by.role is not Role.DELEGATE or number is None:
        return True
    return number in ids(usable(by, at=at))


def seen_by(by: User, *, at: datetime) -> Any:
    """Give the condition that `may_see` holds; None for who is no delegate."""
    if by.role is not Role.DELEGATE:
        return None
    return LookUp.delegation.in_(ids(usable(by, at=at)))


def of_supervisor(supervisor: User) -> list[Delegation]:
    """Give the delegates of a user, who wait and who work first, then the others."""
    order = [DelegationStatus.ASKED, DelegationStatus.APPROVED]
    rows = standing().where(Delegation.supervisor == supervisor)
    rows = rows.order_by(Delegation.id.desc())
    return sorted(rows, key=lambda row: row.status not in order)


def of_delegate(delegate: User) -> list[Delegation]:
    """Give for whom somebody works or has worked, supervisors loaded, latest first."""
    rows = standing().where(Delegation.delegate == delegate)
    return list(rows.order_by(Delegation.id.desc()))


def supervisors(user: User, *, at: datetime) -> list[User]:
    """Give the users on whose behalf somebody may look up now."""
    return [each.supervisor for each in usable(user, at=at)]


def loaded(look_ups: Iterable[LookUp]) -> list[LookUp]:
    """Give look-ups with their delegations, read in one question."""
    rows = list(look_ups)
    numbers = {row.__data__["delegation"] for row in rows} - {None}
    if numbers:
        found = standing().where(Delegation.id.in_(sorted(numbers)))
        by_id = {each.id: each for each in found}
        for row in rows:
            if row.__data__["delegation"] is not None:
                row.delegation = by_id[row.__data__["delegation"]]
    return rows


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
        return TO_CONFIRM
    status = row.delegate.status if row.delegate else UserStatus.CLOSED
    if row.supervisor.status != UserStatus.ACTIVE:
        status = UserStatus.SUSPENDED
    return _ACCOUNTS[status]


def ids(rows: Iterable[Delegation]) -> list[int]:
    """Give the numbers of delegations, for a query."""
    return [row.id for row in rows]


TO_CONFIRM = "Paused: confirm"
_ACCOUNTS = {
    UserStatus.ACTIVE: "Looks up",
    UserStatus.AWAITING_FIRST_SIGN_IN: "Not signed in yet",
    UserStatus.SUSPENDED: "Suspended",
    UserStatus.CLOSED: "Account closed",
}
_STATES = {
    DelegationStatus.ASKED: "Waits for staff",
    DelegationStatus.DECLINED: "Declined",
    DelegationStatus.WITHDRAWN: "Withdrawn",
    DelegationStatus.ENDED: "Ended",
}
