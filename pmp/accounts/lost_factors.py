"""Staff take a lost second factor off an account, so that its owner can come in.

For an account of the program itself it takes two: one asks, another agrees. Nobody
does it for themselves. The user is told each time.
"""

from datetime import datetime

from peewee import IntegrityError

from models import FactorRemoval, User
from pmp import audit, database
from pmp.account_settings import STAFF_ROLES
from pmp.accounts import second_factor
from pmp.errors import ConflictError, NotFoundError, RuleError

SHORTEST_REASON = 5


def takes_two(user: User) -> bool:
    """Tell whether it takes two persons to take this user's factor off."""
    return user.role in STAFF_ROLES


def ask(user: User, *, reason: str, by: User, at: datetime) -> FactorRemoval:
    """Take a user's factor off, or ask a second person to; see `takes_two`.

    Raises RuleError for one's own account, without a reason, for a user who has no
    second factor, and while one is asked for already.
    """
    if by == user:
        raise RuleError("Another person must do this for your own account.")
    if len(reason.strip()) < SHORTEST_REASON:
        raise RuleError("Say how you made sure that it is this person.", field="reason")
    if not second_factor.has(user):
        raise RuleError(f"{user.username} has no second factor.")
    try:
        with database.atomic():
            removal: FactorRemoval = FactorRemoval.create(
                user=user, reason=reason.strip()[:250], asked_by=by, asked_at=at
            )
            if not takes_two(user):
                _decide(removal, agreed=True, by=by, at=at)
            else:
                _record(audit.Event.FACTOR_REMOVAL_ASKED, removal, by=by, at=at)
    except IntegrityError as waits:
        raise RuleError("This was asked for already. Another agrees to it.") from waits
    return FactorRemoval.get_by_id(removal.id)


def decide(removal_id: int, *, agreed: bool, by: User, at: datetime) -> FactorRemoval:
    """Agree to what a colleague asked, or decline it.

    Raises NotFoundError for an unknown one, RuleError for what one asked oneself or
    is about oneself, ConflictError if somebody has decided meanwhile.
    """
    removal: FactorRemoval | None = FactorRemoval.get_or_none(id=removal_id)
    if removal is None:
        raise NotFoundError("There is no such request.")
    if by in (removal.asked_by, removal.user) and agreed:
        raise RuleError("Another person must agree to this.")
    with database.atomic():
        _decide(removal, agreed=agreed, by=by, at=at)
    return FactorRemoval.get_by_id(removal.id)


def waiting() -> list[FactorRemoval]:
    """List what waits for a second person, the oldest first."""
    return list(
        FactorRemoval.select()
        .where(FactorRemoval.decided_at.is_null())
        .order_by(FactorRemoval.id)
    )


def _decide(removal: FactorRemoval, *, agreed: bool, by: User, at: datetime) -> None:
    changed = (
        FactorRemoval.update(decided_by=by, decided_at=at, agreed=agreed)
        .where((FactorRemoval.id == removal.id) & FactorRemoval.decided_at.is_null())
        .execute()
    )
    if not changed:
        raise ConflictError("Somebody has decided this meanwhile.")
    if agreed:
        second_factor.remove(removal.user, by=by.username, at=at, reason=removal.reason)
    else:
        _record(audit.Event.FACTOR_REMOVAL_DECLINED, removal, by=by, at=at)


def _record(
    event: audit.Event, removal: FactorRemoval, *, by: User, at: datetime
) -> None:
    audit.record(
        event,
        actor=by.username,
        subject=f"user:{removal.user.id}",
        at=at,
        detail={"reason": removal.reason},
    )
