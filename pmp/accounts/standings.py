"""How an account stands, in words; and what staff did about it since a page was shown.

`mark` goes into each form of a user's page and comes back as `seen`: who decides about
an account that has changed meanwhile is told what has changed, and nothing is done.
"""

from datetime import datetime
from typing import Any

from peewee import fn

from models import AuditEvent, Role, User, UserStatus
from pmp import audit
from pmp.errors import ConflictError
from pmp.wording import us_time, words

ROLE_WORDS = {
    Role.PRACTITIONER: "practitioner",
    Role.PHARMACY: "pharmacy",
    Role.DELEGATE: "delegate",
    Role.STAFF: "staff",
    Role.ANALYST: "analyst",
    Role.ADMINISTRATOR: "administrator",
    Role.AUDITOR: "auditor",
}
# What staff, or another administrator, do about an account.
DECIDED = {
    audit.Event.USER_SUSPENDED: "suspended it",
    audit.Event.USER_REACTIVATED: "opened it again",
    audit.Event.USER_UNLOCKED: "unlocked it",
    audit.Event.USER_ACTIVATED: "came in for the first time",
    audit.Event.PASSWORD_LETTER: "had a new password letter mailed",
    audit.Event.DELIVERY_STAFF_ACTION: "had a new password letter mailed",
    audit.Event.ROLE_CHANGE_PROPOSED: "proposed another role",
    audit.Event.ROLE_CHANGE_CONFIRMED: "confirmed another role",
    audit.Event.ROLE_CHANGE_DECLINED: "declined another role",
    audit.Event.ROLE_CHANGE_WITHDRAWN: "withdrew a proposal of another role",
}


def state_words(user: User, *, at: datetime) -> str:
    """Say how an account stands: its status, and whether it is locked for now."""
    if user.status == UserStatus.ACTIVE and is_locked(user, at=at):
        return f"Locked until {us_time(user.locked_until)}"
    return words(user.status)


def once_open(user: User) -> UserStatus:
    """Give how an account stands when it is opened again.

    Who never came in still needs the letter.
    """
    came_in = user.password_hash is not None
    return UserStatus.ACTIVE if came_in else UserStatus.AWAITING_FIRST_SIGN_IN


def is_locked(user: User, *, at: datetime) -> bool:
    """Tell whether too many wrong passwords keep an account shut for now."""
    return bool(user.locked_until and user.locked_until > at)


def mark(user: User) -> str:
    """Give a word for what was decided about an account until now."""
    return str(_decisions(user).select(fn.MAX(AuditEvent.id)).scalar() or 0)


def require(user: User, seen: str) -> None:
    """Refuse what somebody decides about an account that has changed since they saw it.

    ConflictError, which says who has done what meanwhile. An empty `seen` is who has
    seen no page, such as another part of the program.
    """
    if not seen:
        return
    since = int(seen) if seen.isdecimal() and len(seen) < 19 else 0
    newer = list(
        _decisions(user).where(AuditEvent.id > since).order_by(AuditEvent.id.desc())
    )
    if newer:
        lines = dict.fromkeys(_told(event) for event in reversed(newer))
        told = "; ".join(list(lines)[-3:])
        raise ConflictError(
            f"Nothing was done: this account has changed since you opened the page."
            f" {told}. Look at it again, then decide."
        )


def _told(event: AuditEvent) -> str:
    what = DECIDED[audit.Event(event.event)]
    reason = event.detail.get("reason")
    why = f" ({reason})" if reason else ""
    return f"{us_time(event.at)}: {event.actor} {what}{why}"


def _decisions(user: User) -> Any:
    return AuditEvent.select().where(
        (AuditEvent.subject == f"user:{user.id}")
        & AuditEvent.event.in_([event.value for event in DECIDED])
    )
