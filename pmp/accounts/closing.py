"""Accounts that end for good: a licence or pharmacy has passed to somebody else.

What the account did stays on the record. It is not undone: its owner registers again.
"""

from datetime import datetime

from models import Role, User, UserStatus
from pmp import audit, database
from pmp.accounts import credentials, sessions
from pmp.errors import ConflictError, RuleError

PARTICIPANTS = (Role.PRACTITIONER, Role.PHARMACY)


def close(user: User, *, reason: str, by: User, at: datetime, code: str = "") -> None:
    """Close an account: no way in, no letter, no notice; the licence is free again.

    `code` is the registration for which it is closed, if any. Raises RuleError without
    a reason or for an account of the program's own people, ConflictError if it is
    closed already.
    """
    if user.role not in PARTICIPANTS:
        raise RuleError(f"{user.username} is no practitioner's or pharmacy's account.")
    if not reason.strip():
        raise RuleError("Say why the account is closed.", field="reason")
    with database.atomic():
        closed = (
            User.update(status=UserStatus.CLOSED)
            .where(User.id == user.id)
            .where(User.status != UserStatus.CLOSED)
            .execute()
        )
        if not closed:
            raise ConflictError(f"{user.username} is closed already.")
        sessions.end_all(user, at=at)
        credentials.withdraw_letters(user, reason="account closed", by=by, at=at)
        audit.record(
            audit.Event.USER_CLOSED,
            actor=by.username,
            subject=f"user:{user.id}",
            at=at,
            detail={"reason": reason.strip(), "registration": code},
        )
