"""Signed-in browsers: begun, recognised, ended.

A session is a row; the browser's cookie holds a random token and the table only its
SHA-256, so a copied cookie is worth nothing once the session has ended.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from models import Session, User, UserStatus
from pmp import audit, database, settings
from pmp.errors import NotFoundError
from pmp.prepared import Given, prepared

TOKEN_BYTES = 32
# A page view within this time does not write: a busy screen is not a busy disk.
WRITE_AFTER = timedelta(seconds=20)
LONGEST_BROWSER = 200


def begin(*, user: User, address: str, browser: str, at: datetime) -> str:
    """Start a session; give the token for the cookie, which is kept nowhere else."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    Session.create(
        token_sha256=_digest(token),
        user=user,
        created_at=at,
        seen_at=at,
        address=address,
        browser=browser[:LONGEST_BROWSER],
    )
    return token


def find(token: str, *, at: datetime) -> Session | None:
    """Give the live session of a token, its user loaded; note that it was seen.

    None once it ended, was idle or lasted too long, or its user may not sign in.
    """
    session: Session | None = _live.one(
        token=_digest(token), seen_after=at - idle(), created_after=at - _longest()
    )
    if session is not None and at - session.seen_at >= WRITE_AFTER:
        _mark_seen(session, at=at)
    return session


@prepared
def _live() -> Any:
    return (
        Session.select(Session, User)
        .join(User)
        .where(
            (Session.token_sha256 == Given("token"))
            & Session.ended_at.is_null()
            & (Session.seen_at > Given("seen_after"))
            & (Session.created_at > Given("created_after"))
            & (User.status == UserStatus.ACTIVE)
        )
    )


def user_of_expired(token: str, *, at: datetime) -> User | None:
    """Give whose session has just run out by itself; nobody's that was ended."""
    session: Session | None = (
        Session.select(Session, User)
        .join(User)
        .where(Session.token_sha256 == _digest(token))
        .where(Session.ended_at.is_null())
        .where(Session.seen_at > at - idle() - _longest())
        .where(User.status == UserStatus.ACTIVE)
        .first()
    )
    return session.user if session else None


def seconds_left(session: Session, *, at: datetime) -> int:
    """Give the seconds after which a session ends if nothing more is asked."""
    ends = min(at + idle(), session.created_at + _longest())
    return max(0, int((ends - at).total_seconds()))


def of_user(user: User, *, at: datetime) -> list[Session]:
    """List a user's live sessions, the latest used first."""
    return list(
        Session.select()
        .where(
            (Session.user == user)
            & Session.ended_at.is_null()
            & (Session.seen_at > at - idle())
            & (Session.created_at > at - _longest())
        )
        .order_by(Session.seen_at.desc())
    )


def end(session: Session, *, at: datetime) -> None:
    """Sign one browser out; its cookie is dead from here on."""
    with database.atomic():
        ended = (
            Session.update(ended_at=at)
            .where((Session.id == session.id) & Session.ended_at.is_null())
            .execute()
        )
        if ended:
            username = session.user.username
            audit.record(
                audit.Event.SIGNED_OUT,
                actor=username,
                subject=f"session:{session.id}",
                at=at,
            )


def end_one(user: User, session_id: int, *, at: datetime) -> int:
    """Sign out one browser of a user; give its id. NotFoundError if not theirs."""
    session = Session.get_or_none((Session.id == session_id) & (Session.user == user))
    if session is None:
        raise NotFoundError("There is no such browser of yours.")
    end(session, at=at)
    return session_id


def end_all(user: User, *, at: datetime) -> int:
    """End every session of a user; give how many there were."""
    ended: int = (
        Session.update(ended_at=at)
        .where((Session.user == user) & Session.ended_at.is_null())
        .execute()
    )
    return ended


def _mark_seen(session: Session, *, at: datetime) -> None:
    session.seen_at = at
    Session.update(seen_at=at).where(Session.id == session.id).execute()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def idle() -> timedelta:
    """Give the time after which a session that is not used ends."""
    return timedelta(minutes=settings.current().idle_minutes)


def _longest() -> timedelta:
    return timedelta(hours=settings.current().session_hours)
