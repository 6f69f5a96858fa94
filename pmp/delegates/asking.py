"""A supervisor asks that somebody may look up on their behalf: the first of two words.

There is no account until program staff have agreed (`deciding`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models import Delegation, DelegationStatus, Role, User, UserStatus
from pmp import audit, database, delegates, identifiers
from pmp.delegates import closing
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.registration import registration_codes
from pmp.registration.answers import email_problem
from pmp.registration.names import name_key

MOST_WAITING = 20
_STANDS = (DelegationStatus.ASKED, DelegationStatus.APPROVED)


@dataclass(frozen=True)
class Person:
    """Who is to look up; `username` is that of a delegate's account they have.

    The name is given in any case: who guesses a user name does not know whose it is.
    """

    name: str
    position: str
    email: str = ""
    phone: str = ""
    username: str = ""


def get(delegation_id: int, *, supervisor: User) -> Delegation:
    """Give a delegation of a user's own; NotFoundError for anybody else's."""
    found: Delegation | None = Delegation.get_or_none(
        (Delegation.id == delegation_id) & (Delegation.supervisor == supervisor)
    )
    if found is None:
        raise NotFoundError("You have no such delegate.")
    return found


def ask(person: Person, *, answers: bool, by: User, at: datetime) -> Delegation:
    """Ask for a delegate; program staff decide.

    `answers`: the supervisor has said that they answer for this person. RuleError, at
    its field, for what is missing or not well formed, for one's own address, and for
    somebody whom one has asked for already. NotFoundError without the policy.
    """
    delegates.require_policy()
    given = _checked(person, by=by)
    if not answers:
        raise RuleError(
            "Confirm that this person works for you and that you answer for them.",
            field="answers",
        )
    with database.atomic():
        delegate = _account(given.username, given.name)
        # Two requests at once must each see the other.
        _hold(User.select().where(User.id == by.id))
        _refuse_twice(given, delegate, by=by)
        asked: Delegation = Delegation.create(
            supervisor=by,
            delegate=delegate,
            name=given.name,
            position=given.position,
            email=given.email,
            phone=given.phone,
            code=registration_codes.new_code(),
            asked_at=at,
        )
        record(audit.Event.DELEGATE_ASKED, asked, by=by.username, at=at)
    return asked


def withdraw(delegation_id: int, *, by: User, at: datetime) -> None:
    """Withdraw what was asked; ConflictError if staff have decided meanwhile."""
    get(delegation_id, supervisor=by)
    with database.atomic():
        withdrawn(delegation_id, by=by.username, at=at)


def withdrawn(delegation_id: int, *, by: str, at: datetime) -> None:
    """Take back what was asked; `by` is a user name, or the program itself."""
    row = taken(delegation_id)
    require_asked(row)
    row.status, row.decided_by = DelegationStatus.WITHDRAWN, by
    row.decided_at = at
    row.save()
    closing.close_if_idle(row.delegate, by=by, at=at)
    record(audit.Event.DELEGATE_WITHDRAWN, row, by=by, at=at)


def taken(delegation_id: int) -> Delegation:
    """Hold a delegation and its delegate until the transaction ends; the fresh row.

    The user first and the audit record last, as everybody does. Both are held so that
    rows which point to them, such as look-ups, are written meanwhile.
    """
    seen: Delegation | None = Delegation.get_or_none(Delegation.id == delegation_id)
    if seen is None:
        raise NotFoundError("There is no such delegate.")
    _hold(User.select().where(User.id == seen.__data__["delegate"]))
    held: Delegation = _hold(
        Delegation.select().where(Delegation.id == delegation_id)
    ).get()
    return held


def require_asked(row: Delegation) -> None:
    """Refuse what was decided meanwhile: ConflictError, which says by whom."""
    if row.status != DelegationStatus.ASKED:
        raise ConflictError(f"{row.decided_by} was faster: this is {row.status}.")


def record(
    event: audit.Event, row: Delegation, *, by: str, at: datetime, reason: str = ""
) -> None:
    """Put what was done about a delegation on the audit record."""
    audit.record(
        event,
        actor=by,
        subject=f"delegation:{row.id}",
        at=at,
        detail={
            "supervisor": row.supervisor.username,
            "delegate": row.delegate.username if row.delegate else row.name,
            **({"reason": reason} if reason else {}),
        },
    )


def _checked(person: Person, *, by: User) -> Person:
    name, email = " ".join(person.name.split()), person.email.strip()
    username = person.username.strip().lower()
    if sum(len(name_key(word)) > 0 for word in name.split()) < 2:
        raise RuleError("Write the person's first and last name.", field="name")
    if name_key(name) == name_key(by.name):
        message = "This is your own name: nobody is their own delegate."
        raise RuleError(message, field="name")
    position = " ".join(person.position.split())
    if not position:
        message = "Say what they do for you, such as medical assistant."
        raise RuleError(message, field="position")
    if email and (problem := email_problem(email)):
        raise RuleError(problem, field="email")
    if email and email.lower() == (by.email or "").lower():
        message = "This is your own address. Give theirs, or leave the box empty."
        raise RuleError(message, field="email")
    phone = person.phone.strip()
    if phone and not identifiers.e164(phone):
        raise RuleError(identifiers.not_a_number(phone), field="phone")
    return Person(name, position, email, identifiers.e164(phone) or "", username)


def _account(username: str, name: str) -> User | None:
    """Give the delegate's account with a user name; None where none was typed.

    RuleError where it is nobody's of this name, or suspended, all in the same words.
    """
    if not username:
        return None
    user: User | None = User.get_or_none(
        (User.username == username) & (User.role == Role.DELEGATE)
    )
    is_theirs = user is not None and name_key(user.name) == name_key(name)
    if not is_theirs or (user and user.status == UserStatus.SUSPENDED):
        raise RuleError(
            f"No delegate of this name can look up with the user name {username}. Ask"
            " them how both are written on their account's page.",
            field="username",
        )
    return user


def _hold(query: Any) -> Any:
    """Keep rows from being changed, not from being pointed to, and give the query."""
    if not database.is_sqlite():  # SQLite's transactions are IMMEDIATE
        query = query.for_update("FOR NO KEY UPDATE")
    list(query.tuples())
    return query


def _refuse_twice(person: Person, delegate: User | None, *, by: User) -> None:
    standing = [row for row in delegates.of_supervisor(by) if row.status in _STANDS]
    for row in standing:
        same = delegate is not None and row.__data__["delegate"] == delegate.id
        if same or (not delegate and name_key(row.name) == name_key(person.name)):
            message = f"{row.name} is a delegate of yours already, or waits for staff."
            raise RuleError(message, field="username" if delegate else "name")
    if sum(row.status == DelegationStatus.ASKED for row in standing) >= MOST_WAITING:
        message = f"{MOST_WAITING} of your delegates wait for program staff. Call us."
        raise RuleError(message, field="name")
