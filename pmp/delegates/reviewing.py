"""Each quarter a supervisor says who still looks up for them; and how it ends.

Who is not confirmed in time is paused by the day alone (`delegates.usable`): no job has
to run for it. Who looks up for nobody any more loses the account.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from models import (
    Delegation,
    DelegationStatus,
    NoticeOfAccount,
    Role,
    User,
    UserStatus,
)
from pmp import audit, database, delegates, settings
from pmp.accounts import account_notices
from pmp.delegates import closing
from pmp.delegates.asking import get, record, taken, withdrawn
from pmp.errors import ConflictError, RuleError


def to_review(supervisor: User, *, at: datetime) -> list[Delegation]:
    """Give the delegates whom a user should confirm now: due soon, or paused."""
    soon = at + timedelta(days=settings.current().delegate_notice_days)
    return [
        row
        for row in delegates.of_supervisor(supervisor)
        if row.status == DelegationStatus.APPROVED and delegates.due(row) <= soon
    ]


def review(keeps: Mapping[int, bool], *, by: User, at: datetime) -> tuple[int, int]:
    """Confirm those of one's delegates who are kept, end the others; count both.

    One after the other: whoever has ended meanwhile stays as they are and is counted as
    neither. NotFoundError for somebody else's, before anything is done.
    """
    delegates.require_policy()
    for number in keeps:
        get(number, supervisor=by)
    counts = {True: 0, False: 0}
    for number, is_kept in sorted(keeps.items()):
        with suppress(ConflictError), database.atomic():
            row = _working(number)
            if is_kept:
                row.reviewed_at = at
                row.save(only=[Delegation.reviewed_at])
                record(audit.Event.DELEGATE_CONFIRMED, row, by=by.username, at=at)
            else:
                reason = "not confirmed by the supervisor"
                _end(row, by=by.username, reason=reason, at=at)
            counts[is_kept] += 1
    return counts[True], counts[False]


def end(delegation_id: int, *, reason: str, by: User, at: datetime) -> None:
    """End a delegation: its supervisor, its delegate or program staff.

    RuleError without a reason of staff's; ConflictError if it has ended. Who may is for
    the caller to see to.
    """
    with database.atomic():
        row = _working(delegation_id)
        is_own = by in (row.supervisor, row.delegate)
        if not is_own and not reason.strip():
            raise RuleError("Say why it ends: it is kept on record.", field="reason")
        _end(row, by=by.username, reason=reason.strip(), at=at)
        if by != row.supervisor:
            kind = NoticeOfAccount.DELEGATION_ENDED
            detail = {"supervisor": row.supervisor.name}
            account_notices.tell(row.supervisor, kind, at=at, detail=detail)


def run(*, at: datetime) -> tuple[int, int]:
    """Tell supervisors whom to confirm, end what a closed account leaves behind.

    Give how many supervisors were told, and how many delegations ended. For the night;
    where the state has no delegates any more, it only ends.
    """
    rows = list(delegates.standing(DelegationStatus.ASKED, DelegationStatus.APPROVED))
    ended = sum(_tidied(row, at=at) for row in rows)
    _close_idle(at=at)
    if not settings.current().delegates:
        return 0, ended
    approved = [row for row in rows if row.status == DelegationStatus.APPROVED]
    active = {
        row.supervisor for row in approved if row.supervisor.status == UserStatus.ACTIVE
    }
    told = [user for user in active if _told(user, at=at)]
    return len(told), ended


def _tidied(row: Delegation, *, at: datetime) -> bool:
    """End, or withdraw, what has lost its supervisor or delegate; tell if it was."""
    if _lost(row) is None:
        return False
    with suppress(ConflictError), database.atomic():
        held = taken(row.id)
        why = _lost(held)  # as it is now
        if why is None:
            return False
        if held.status == DelegationStatus.ASKED:
            withdrawn(held.id, by="system", at=at)
        else:
            _end(_working(held.id), by="system", reason=why, at=at)
        return True
    return False


def _lost(row: Delegation) -> str | None:
    if row.supervisor.status == UserStatus.CLOSED:
        return "the supervisor's account is closed"
    is_approved = row.status == DelegationStatus.APPROVED
    if is_approved and row.delegate and row.delegate.status == UserStatus.CLOSED:
        return "the delegate's account is closed"
    return None


def _close_idle(*, at: datetime) -> None:
    """Close what was opened again by itself: an account that looks up for nobody."""
    some = [UserStatus.ACTIVE, UserStatus.AWAITING_FIRST_SIGN_IN]
    for user in User.select().where(
        (User.role == Role.DELEGATE) & User.status.in_(some)
    ):
        with database.atomic():
            closing.close_if_idle(user, by="system", at=at)


def _told(supervisor: User, *, at: datetime) -> bool:
    """Tell a supervisor once of each term whom they should confirm."""
    untold = [
        row
        for row in to_review(supervisor, at=at)
        if row.review_told_at is None
        or row.review_told_at < (row.reviewed_at or row.decided_at)
    ]
    if not untold:
        return False
    with database.atomic():
        Delegation.update(review_told_at=at).where(
            Delegation.id.in_(delegates.ids(untold))
        ).execute()
        account_notices.tell(
            supervisor,
            NoticeOfAccount.DELEGATES_TO_REVIEW,
            at=at,
            detail={"by": min(map(delegates.due, untold)).isoformat()},
        )
    return True


def _working(delegation_id: int) -> Delegation:
    row = taken(delegation_id)
    if row.status != DelegationStatus.APPROVED:
        raise ConflictError(f"Nothing was done: this is {row.status} already.")
    return row


def _end(row: Delegation, *, by: str, reason: str, at: datetime) -> None:
    """End it, and the account with the last one; who is concerned is told first."""
    row.status, row.end_reason = DelegationStatus.ENDED, reason
    row.ended_by, row.ended_at = by, at
    row.save()
    if row.delegate is not None:
        account_notices.tell(
            row.delegate,
            NoticeOfAccount.DELEGATION_ENDED,
            at=at,
            detail={"supervisor": row.supervisor.name},
        )
    closing.close_if_idle(row.delegate, by=by, at=at)
    record(audit.Event.DELEGATE_ENDED, row, by=by, at=at, reason=reason)
