"""The account of a delegate who looks up for nobody any more."""

from datetime import datetime

from models import Delegation, DelegationStatus, Role, User, UserStatus
from pmp import audit
from pmp.accounts import credentials, forgotten, sessions

_OPEN = (UserStatus.ACTIVE, UserStatus.AWAITING_FIRST_SIGN_IN)


def close_if_idle(delegate: User | None, *, by: str, at: datetime) -> bool:
    """Close the account of who has no supervisor, and none who waits; tell if it was.

    It opens again with the next approval. One that is suspended stays so: whoever
    suspended it decides. In the caller's transaction, the user held.
    """
    if delegate is None:
        return False
    standing = Delegation.select().where(
        (Delegation.delegate == delegate)
        & Delegation.status.in_([DelegationStatus.APPROVED, DelegationStatus.ASKED])
    )
    if standing.exists():
        return False
    closed = (
        User.update(status=UserStatus.CLOSED)
        .where((User.id == delegate.id) & User.status.in_(_OPEN))
        .where(User.role == Role.DELEGATE)
        .execute()
    )
    if not closed:
        return False
    sessions.end_all(delegate, at=at)
    forgotten.end_links(delegate, at=at)
    reason = "delegate of nobody any more"
    credentials.withdraw_letters(delegate, reason=reason, at=at)
    audit.record(
        audit.Event.USER_CLOSED,
        actor=by,
        subject=f"user:{delegate.id}",
        at=at,
        detail={"reason": reason},
    )
    return True
