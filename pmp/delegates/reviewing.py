"""Each quarter a supervisor says who still looks up for them; and how it ends.

Who is not confirmed in time is paused by the day alone (`delegates.usable`): no job has
to run for it. Who looks up for nobody any more loses the account.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from models import (
    Delegation,
    DelegationStatus,
    NoticeOfAccount,
    User,
    UserStatus,
)
from pmp import audit, database, delegates, settings
from pmp.accounts import account_notices, credentials, sessions
from pmp.delegates.asking import get, record, taken
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

    NotFoundError for somebody else's; ConflictError, and nothing is done, if one of
    them has ended meanwhile.
    """
    delegates.require_policy()
    with database.atomic():
        for number in sorted(keeps):
            get(number, supervisor=by)
            row = _working(number)
            if keeps[number]:
                row.reviewed_at = at
                row.save(only=[Delegation.reviewed_at])
                record(audit.Event.DELEGATE_CONFIRMED, row, by=by.username, at=at)
            else:
                reason = "not confirmed by the supervisor"
                _end(row, by=by.username, reason=reason, at=at)
    kept = sum(keeps.values())
    return kept, len(keeps) - kept


def end(delegation_id: int, *, reason: str, by: User, at: datetime) -> None:
    """End a delegation: its supervisor, its delegate or program staff.

    RuleError without a reason of staff's. Who may is for the caller to see to.
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

    Give how many supervisors were told, and how many delegations ended. For the night.
    """
    if not settings.current().delegates:
        return 0, 0
    rows = list(
        Delegation.select(Delegation, User)
        .join(User, on=Delegation.supervisor)
        .where(Delegation.status == DelegationStatus.APPROVED)
        .order_by(Delegation.id)
    )
    left = [row for row in rows if row.supervisor.status == UserStatus.CLOSED]
    for row in left:
        with database.atomic():
            why = "the supervisor's account is closed"
            _end(taken(row.id), by="system", reason=why, at=at)
    active = {
        row.supervisor for row in rows if row.supervisor.status == UserStatus.ACTIVE
    }
    told = [user for user in active if _told(user, at=at)]
    return len(told), len(left)


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
        raise ConflictError(f"{row.name} does not look up for you any more.")
    return row


def _end(row: Delegation, *, by: str, reason: str, at: datetime) -> None:
    row.status, row.end_reason = DelegationStatus.ENDED, reason
    row.ended_by, row.ended_at = by, at
    row.save()
    record(audit.Event.DELEGATE_ENDED, row, by=by, at=at, reason=reason)
    if row.delegate is None:
        return
    account_notices.tell(
        row.delegate,
        NoticeOfAccount.DELEGATION_ENDED,
        at=at,
        detail={"supervisor": row.supervisor.name},
    )
    others = Delegation.select().where(
        (Delegation.delegate == row.delegate)
        & Delegation.status.in_([DelegationStatus.APPROVED, DelegationStatus.ASKED])
    )
    if not others.exists():
        _close(row.delegate, by=by, at=at)


def _close(delegate: User, *, by: str, at: datetime) -> None:
    """Close the account of who looks up for nobody; it opens with the next approval."""
    closed = (
        User.update(status=UserStatus.CLOSED)
        .where(User.id == delegate.id)
        .where(User.status != UserStatus.CLOSED)
        .execute()
    )
    if not closed:
        return
    sessions.end_all(delegate, at=at)
    reason = "delegate of nobody any more"
    credentials.withdraw_letters(delegate, reason=reason, at=at)
    audit.record(
        audit.Event.USER_CLOSED,
        actor=by,
        subject=f"user:{delegate.id}",
        at=at,
        detail={"reason": reason},
    )
