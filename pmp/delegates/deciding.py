"""Program staff agree that somebody may look up on a user's behalf, or decline.

With the second word the account comes about. Nobody sees its first password: a link to
set it goes to the delegate's own email address, or a single-use password by letter to
the supervisor's address of record, which opens with the code that the supervisor has.
"""

from dataclasses import dataclass
from datetime import datetime

from peewee import IntegrityError, fn

import models
from models import (
    Delegation,
    DelegationStatus,
    NoticeOfAccount,
    Role,
    User,
    UserStatus,
)
from pmp import audit, database, delegates
from pmp.accounts import (
    account_notices,
    credentials,
    forgotten,
    inactivity,
    users,
)
from pmp.delegates import closing
from pmp.delegates.asking import record, require_asked, taken
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.registration.names import name_key

_LOCK = 26_070_048


@dataclass(frozen=True)
class Approved:
    """The account that looks up, and what the worker has to send (`forgotten`)."""

    delegate: User
    ask_id: int | None = None
    by_letter: bool = False


def get(delegation_id: int) -> Delegation:
    """Give a delegation by its number, for staff; NotFoundError if there is none."""
    found: Delegation | None = Delegation.get_or_none(Delegation.id == delegation_id)
    if found is None:
        raise NotFoundError("There is no such delegate.")
    return found


def alike(row: Delegation) -> list[User]:
    """Give the accounts that may be the same person's: of that name or address."""
    key, email = name_key(row.name), row.email.lower()
    return [
        user
        for user in users.every()
        if user != row.delegate
        and (
            name_key(user.name) == key
            or (email and (user.email or "").lower() == email)
        )
    ]


def has_letter(row: Delegation, *, at: datetime) -> bool:
    """Tell whether a password letter may be on its way that needs this one's code."""
    if row.status != DelegationStatus.APPROVED or row.delegate is None:
        return False
    good_until = credentials.good_until(row.delegate)
    waits = row.delegate.status == UserStatus.AWAITING_FIRST_SIGN_IN
    no_link = waits and not row.delegate.email
    return no_link or (good_until is not None and good_until > at)


def approve(delegation_id: int, *, by: User, at: datetime) -> Approved:
    """Let somebody look up on a user's behalf; make their account if they have none.

    ConflictError if it was decided, if the supervisor cannot sign in, or if somebody
    else reads mail at that address; RuleError if no way leads to the new delegate.
    """
    delegates.require_policy()
    try:
        with database.atomic():
            row = taken(delegation_id)
            require_asked(row)
            _require_supervisor(row)
            row.delegate = _account(row, by=by, at=at)
            row.status, row.decided_by = DelegationStatus.APPROVED, by.username
            row.decided_at = row.reviewed_at = at
            row.save()
            sent = _let_in(row.delegate, by=by, at=at)
            record(audit.Event.DELEGATE_APPROVED, row, by=by.username, at=at)
            _tell(row, approved=True, at=at)
    except IntegrityError as before:  # delegation_approved_once
        message = "This person is a delegate of the same supervisor already."
        raise ConflictError(message) from before
    return sent


def decline(delegation_id: int, *, reason: str, by: User, at: datetime) -> None:
    """Decline, with a reason that the supervisor reads on their page."""
    delegates.require_policy()
    if not reason.strip():
        raise RuleError("Say why: the supervisor reads it.", field="reason")
    with database.atomic():
        row = taken(delegation_id)
        require_asked(row)
        row.status, row.answer = DelegationStatus.DECLINED, reason.strip()
        row.decided_by, row.decided_at = by.username, at
        row.save()
        closing.close_if_idle(row.delegate, by=by.username, at=at)
        record(
            audit.Event.DELEGATE_DECLINED,
            row,
            by=by.username,
            at=at,
            reason=reason.strip(),
        )
        _tell(row, approved=False, at=at)


def _require_supervisor(row: Delegation) -> None:
    if row.supervisor.status != UserStatus.ACTIVE:
        name, status = row.supervisor.username, row.supervisor.status
        raise ConflictError(f"The account of {name} is {status}: decline this.")


def _account(row: Delegation, *, by: User, at: datetime) -> User:
    """Give the account of a delegation, made or opened again if need be."""
    if row.delegate is not None:
        user: User = User.get_by_id(row.delegate.id)
        if user.status == UserStatus.SUSPENDED:
            raise ConflictError(f"{user.username} is suspended: decline this.")
        _require_own_email(user)
        if user.status == UserStatus.CLOSED:
            why = f"delegate of {row.supervisor.username}"
            inactivity.reopen(user, reason=why, by=by, at=at)
        return user
    _refuse_used(row.email)
    parts = row.name.split()
    stem = ".".join(dict.fromkeys((parts[0], parts[-1])))
    return users.create(
        username=users.free_username(stem),
        role=Role.DELEGATE,
        name=row.name,
        email=row.email,
        phone=row.phone,
        by=by,
        at=at,
    )


def _require_own_email(user: User) -> None:
    """Refuse a second supervisor for who is reached by the first one's letters only.

    A password would go to one of the two, who would see the other's patients.
    """
    if not user.email:
        raise ConflictError(
            f"{user.username} has no email of their own, so a new password could go to"
            " the wrong supervisor. They add one under “How the program reaches you”;"
            " then agree. Or decline."
        )


def _let_in(delegate: User, *, by: User, at: datetime) -> Approved:
    """Send the way in to who has not been in; everybody else is in already."""
    user: User = User.get_by_id(delegate.id)
    if user.status != UserStatus.AWAITING_FIRST_SIGN_IN:
        return Approved(user)
    if user.email:
        ask_id = forgotten.ask_for(user, by_letter=False, by=by, at=at)
        return Approved(user, ask_id=ask_id)
    credentials.request_letter(user, at=at)
    return Approved(user, by_letter=True)


def _refuse_used(email: str) -> None:
    """Refuse an address at which somebody else with an account reads mail."""
    if email and not database.is_sqlite():  # two who are agreed to at once
        models.database.execute_sql(
            "SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_LOCK, email.lower())
        )
    reader = (
        User.select()
        .where(fn.LOWER(User.email) == email.lower())
        .where(User.status != UserStatus.CLOSED)
        .first()
        if email
        else None
    )
    if reader is not None:
        raise ConflictError(
            f"{email} is the address of {reader.name} ({reader.username}). Whoever"
            " reads it would set the password: decline this, and say so."
        )


def _tell(row: Delegation, *, approved: bool, at: datetime) -> None:
    if approved and row.delegate is not None:
        account_notices.tell(
            row.delegate,
            NoticeOfAccount.DELEGATION_BEGUN,
            at=at,
            detail={"supervisor": row.supervisor.name},
        )
    account_notices.tell(
        row.supervisor,
        NoticeOfAccount.DELEGATE_DECIDED,
        at=at,
        detail={"approved": approved},
    )
