"""Another role for a staff account, by two persons: one proposes, a second decides.

Nobody has a hand in their own role. The role of a practitioner or a pharmacy is the one
of their licence: it changes with a registration and not here.
"""

from datetime import datetime

from peewee import IntegrityError

from models import (
    NoticeOfAccount,
    ProposalStatus,
    Role,
    RoleChange,
    User,
    UserStatus,
)
from pmp import accounts, audit, database
from pmp.accounts import account_notices, proposals, sessions, user_desk
from pmp.accounts.standings import ROLE_WORDS
from pmp.errors import ConflictError, NotFoundError, RuleError

STAFF_ROLES = (Role.STAFF, Role.ANALYST, Role.AUDITOR, Role.ADMINISTRATOR)
_TURNED_DOWN = {
    ProposalStatus.DECLINED: audit.Event.ROLE_CHANGE_DECLINED,
    ProposalStatus.WITHDRAWN: audit.Event.ROLE_CHANGE_WITHDRAWN,
}


def may_change(user: User) -> bool:
    """Tell whether the role of an account is changed here."""
    return user.role in STAFF_ROLES and user.status not in accounts.SHUT_OUT


def get(change_id: int) -> RoleChange:
    """Give a proposal by its id, its user loaded; NotFoundError if there is none."""
    found: RoleChange | None = (
        RoleChange.select(RoleChange, User)
        .join(User)
        .where(RoleChange.id == change_id)
        .first()
    )
    if found is None:
        raise NotFoundError("There is no such proposal.")
    return found


def waiting() -> list[RoleChange]:
    """Give what was proposed and not decided, the oldest first."""
    return list(
        RoleChange.select(RoleChange, User)
        .join(User)
        .where(RoleChange.status == ProposalStatus.OPEN)
        .order_by(RoleChange.proposed_at)
    )


def of(user: User) -> list[RoleChange]:
    """Give every proposal about an account, the newest first."""
    return list(
        RoleChange.select()
        .where(RoleChange.user == user)
        .order_by(RoleChange.id.desc())
    )


def open_of(user: User) -> RoleChange | None:
    """Give the proposal about an account that waits for a second person."""
    found: RoleChange | None = (
        RoleChange.select()
        .where((RoleChange.user == user) & (RoleChange.status == ProposalStatus.OPEN))
        .first()
    )
    return found


def propose(
    user_id: int, *, role: Role, reason: str, seen: str, by: User, at: datetime
) -> RoleChange:
    """Propose another role; another administrator confirms or declines it.

    RuleError for one's own account, the same role, a licence's account, or no reason;
    ConflictError while another proposal waits, or if somebody decided since `seen`.
    """
    if not reason.strip():
        raise RuleError("Say why: whoever confirms it reads this.", field="reason")
    if role not in STAFF_ROLES:
        raise RuleError("Choose a role of the program's staff.", field="role")
    try:
        with database.atomic():
            user = user_desk.taken(user_id, seen=seen, by=by)
            _refuse_licensed(user)
            if user.role == role:
                message = f"{user.username} has this role already."
                raise RuleError(message, field="role")
            change: RoleChange = RoleChange.create(
                user=user,
                from_role=user.role,
                to_role=role,
                reason=reason.strip(),
                proposed_by=by.username,
                proposed_at=at,
            )
            _record(audit.Event.ROLE_CHANGE_PROPOSED, change, by=by, at=at)
    except IntegrityError as before:  # role_change_open_once
        message = "Another role was proposed for this account already. Decide it first."
        raise ConflictError(message) from before
    return change


def confirm(change_id: int, *, by: User, at: datetime) -> bool:
    """Confirm a proposal: the role holds at once, and every session of the user ends.

    Give whether they can be told. RuleError for who proposed it or is meant;
    ConflictError if it was decided, or the account changed.
    """
    with database.atomic():
        change, user = _held(change_id, by=by)
        proposals.refuse_own(change, by=by)
        if user.role != change.from_role or user.status in accounts.SHUT_OUT:
            raise ConflictError(
                f"{user.username} has changed since this was proposed: the account is"
                f" {user.status} with the role {ROLE_WORDS[user.role]}. Decline it."
            )
        user.role = change.to_role
        user.save(only=[User.role])
        sessions.end_all(user, at=at)
        proposals.decide(change, ProposalStatus.CONFIRMED, by=by, at=at)
        _record(audit.Event.ROLE_CHANGE_CONFIRMED, change, by=by, at=at)
        roles = {"from": change.from_role, "to": change.to_role}
        kind = NoticeOfAccount.ROLE_CHANGED
        return account_notices.tell(user, kind, at=at, detail=roles)


def decline(change_id: int, *, reason: str, by: User, at: datetime) -> None:
    """Decline a proposal, with a reason, or withdraw one's own; the role stays.

    Errors as for `confirm`.
    """
    with database.atomic():
        change, _ = _held(change_id, by=by)
        ended = proposals.turn_down(change, reason=reason, by=by, at=at)
        _record(_TURNED_DOWN[ended], change, by=by, at=at)


def _held(change_id: int, *, by: User) -> tuple[RoleChange, User]:
    """Hold the user of an open proposal; give both as they are now."""
    proposed = get(change_id)
    user = user_desk.taken(proposed.user.id, seen="", by=by)
    change: RoleChange = RoleChange.get_by_id(change_id)
    proposals.require_open(change)
    return change, user


def _refuse_licensed(user: User) -> None:
    if user.role not in STAFF_ROLES:
        raise RuleError(
            f"{user.username} is the account of a licence: its role is the licence's."
            " Somebody who works for the program needs an account of their own."
        )
    if user.status == UserStatus.SUSPENDED:
        raise RuleError(f"{user.username} is suspended: open the account again first.")


def _record(event: audit.Event, change: RoleChange, *, by: User, at: datetime) -> None:
    detail = {"from": change.from_role, "to": change.to_role}
    subject = f"user:{change.user.id}"
    proposals.record(event, change, subject=subject, detail=detail, by=by, at=at)
