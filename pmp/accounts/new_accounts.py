"""An account for one of the program's own people: one proposes it, a second decides.

Until then there is nothing that can sign in. Neither of the two ever sees a password:
a link to set the first one is mailed to the address that both have read. So nobody
makes a second self for themselves, and nobody alone.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from peewee import fn

from models import NewAccount, ProposalStatus, Role, User, UserStatus
from pmp import audit, database, identifiers
from pmp.accounts import forgotten, proposals, user_desk, users
from pmp.accounts.role_changes import STAFF_ROLES
from pmp.accounts.standings import ROLE_WORDS
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.paging import Page, pages_of
from pmp.registration.answers import email_problem
from pmp.registration.names import name_key

PAGE_SIZE = 50
_TURNED_DOWN = {
    ProposalStatus.DECLINED: audit.Event.NEW_ACCOUNT_DECLINED,
    ProposalStatus.WITHDRAWN: audit.Event.NEW_ACCOUNT_WITHDRAWN,
}
_NOT_ONESELF = (
    "nobody proposes or confirms an account for themselves. Ask another administrator."
)


@dataclass(frozen=True)
class Person:
    """Whom an account is for; without a user name they get one made of the name."""

    name: str
    email: str
    role: str
    username: str = ""
    phone: str = ""


def get(account_id: int) -> NewAccount:
    """Give a proposal by its id; NotFoundError if there is none."""
    found: NewAccount | None = NewAccount.get_or_none(NewAccount.id == account_id)
    if found is None:
        raise NotFoundError("There is no such proposal.")
    return found


def waiting() -> list[NewAccount]:
    """Give what was proposed and not decided, the oldest first."""
    return list(
        NewAccount.select()
        .where(NewAccount.status == ProposalStatus.OPEN)
        .order_by(NewAccount.proposed_at, NewAccount.id)
    )


def listed(*, page: int) -> Page:
    """Give a page of all that was ever proposed, the newest first."""
    query = NewAccount.select().order_by(NewAccount.id.desc())
    total = query.count()
    rows = list(query.paginate(page, PAGE_SIZE))
    return Page(rows, page, pages_of(total, PAGE_SIZE), total)


def that_made(user: User) -> NewAccount | None:
    """Give the proposal that an account was made by; None for any other account."""
    found: NewAccount | None = (
        NewAccount.select()
        .where(NewAccount.username == user.username)
        .where(NewAccount.status == ProposalStatus.CONFIRMED)
        .first()
    )
    return found


def namesakes(account: NewAccount) -> list[User]:
    """Give whose name is the one that is proposed: it may be the same person."""
    key = name_key(account.name)
    return [
        user
        for user in users.every()
        if name_key(user.name) == key and user.username != account.username
    ]


def second_person_is_there(*, by: User) -> bool:
    """Tell whether somebody else could confirm what `by` proposes."""
    return bool(
        User.select()
        .where(User.role == Role.ADMINISTRATOR)
        .where(User.status == UserStatus.ACTIVE)
        .where(User.id != by.id)
        .exists()
    )


def propose(person: Person, *, reason: str, by: User, at: datetime) -> NewAccount:
    """Propose an account; another administrator confirms or declines it.

    RuleError, at its field, for what is missing or not well formed, for a user name or
    an email address that somebody has, and for one's own; ConflictError when `by` may
    not propose any more.
    """
    given = _checked(person)
    if not reason.strip():
        raise RuleError("Say why: whoever confirms it reads this.", field="reason")
    with database.atomic():
        user_desk.administrators(by=by)
        if not given.username:
            given = replace(given, username=_made_of(given.name))
        _refuse_oneself(given.name, given.email, by=by)
        _refuse_used(given.username, given.email, others=waiting())
        account: NewAccount = NewAccount.create(
            username=given.username,
            name=given.name,
            email=given.email,
            phone=given.phone,
            role=Role(given.role),
            reason=reason.strip(),
            proposed_by=by.username,
            proposed_at=at,
        )
        _record(audit.Event.NEW_ACCOUNT_PROPOSED, account, by=by, at=at)
    return account


def confirm(account_id: int, *, by: User, at: datetime) -> int:
    """Make the account that was proposed, and have a link to its first password sent.

    Give the id of what the worker is to answer (`forgotten.answer`). RuleError for who
    proposed it, or is meant; ConflictError if it was decided, if its proposer may not
    propose any more, or if somebody has the user name or the address by now.
    """
    with database.atomic():
        account, administrators = _held(account_id, by=by)
        proposals.refuse_own(account, by=by)
        _refuse_oneself(account.name, account.email, by=by)
        if account.proposed_by not in {each.username for each in administrators}:
            raise ConflictError(
                f"{account.proposed_by}, who proposed this, may not do so any more."
                " Decline it, and propose it yourself if it is right."
            )
        others = [each for each in waiting() if each.id != account.id]
        try:
            _refuse_used(account.username, account.email, others=others)
        except RuleError as used:
            raise ConflictError(f"{used.message} Decline this one.") from used
        user = users.create(
            username=account.username,
            role=account.role,
            name=account.name,
            email=account.email,
            phone=account.phone,
            by=by,
            at=at,
        )
        proposals.decide(account, ProposalStatus.CONFIRMED, by=by, at=at)
        _record(audit.Event.NEW_ACCOUNT_CONFIRMED, account, by=by, at=at)
        return forgotten.ask_for(user, by_letter=False, by=by, at=at)


def decline(account_id: int, *, reason: str, by: User, at: datetime) -> ProposalStatus:
    """Decline a proposal, with a reason, or withdraw one's own; give which it was.

    RuleError for a colleague's without a reason; ConflictError if it was decided.
    """
    with database.atomic():
        account, _ = _held(account_id, by=by)
        ended = proposals.turn_down(account, reason=reason, by=by, at=at)
        _record(_TURNED_DOWN[ended], account, by=by, at=at)
        return ended


def _held(account_id: int, *, by: User) -> tuple[NewAccount, list[User]]:
    """Hold the administrators; give a proposal as it is now, and who they are."""
    administrators = user_desk.administrators(by=by)
    account = get(account_id)
    proposals.require_open(account)
    return account, administrators


def _checked(person: Person) -> Person:
    """Give what was typed as it is kept; RuleError at the first field that is wrong."""
    name, email = " ".join(person.name.split()), person.email.strip()
    if not name_key(name):
        raise RuleError("Write the name of the person.", field="name")
    if problem := email_problem(email):
        raise RuleError(problem, field="email")
    if person.role not in STAFF_ROLES:
        message = (
            "Choose a role of the program's staff. Who looks up patients or submits"
            " files registers with a licence."
        )
        raise RuleError(message, field="role")
    phone, username = person.phone.strip(), person.username.strip()
    if phone and not identifiers.e164(phone):
        raise RuleError(identifiers.not_a_number(phone), field="phone")
    return Person(
        name,
        email,
        person.role,
        username=users.plain_username(username) if username else "",
        phone=identifiers.e164(phone) or "",
    )


def _made_of(name: str) -> str:
    """Give a user name of the first and the last word of a name: dana.whitfield."""
    parts = name.split()
    stem = ".".join(dict.fromkeys((parts[0], parts[-1])))
    return users.free_username(stem, reserved=[each.username for each in waiting()])


def _refuse_oneself(name: str, email: str, *, by: User) -> None:
    if _mailbox(email) == _mailbox(by.email or ""):
        message = f"This is your own email address: {_NOT_ONESELF}"
        raise RuleError(message, field="email")
    if name_key(name) == name_key(by.name):
        raise RuleError(f"This is your own name: {_NOT_ONESELF}", field="name")


def _mailbox(email: str) -> str:
    """Give where mail to an address ends up: chief+2@ is read by chief@."""
    box, _, host = email.lower().partition("@")
    return f"{box.partition('+')[0]}@{host}"


def _refuse_used(username: str, email: str, *, others: list[NewAccount]) -> None:
    """Refuse what somebody has, or what another proposal is about: RuleError."""
    owner = User.get_or_none(fn.LOWER(User.username) == username)
    if owner is not None:
        message = f"{username} is the user name of {_told(owner)}. Choose another."
        raise RuleError(message, field="username")
    reader = (
        User.select()
        .where(fn.LOWER(User.email) == email.lower())
        .where(User.status != UserStatus.CLOSED)
        .first()
    )
    if reader is not None:
        raise RuleError(
            f"{email} is the address of {_told(reader)}. {_instead(reader)}",
            field="email",
        )
    for each in others:
        told = f"for {each.name} by {each.proposed_by}, which waits. Decide it first,"
        if each.email.lower() == email.lower():
            message = f"{email} is in the proposal {told} or give another address."
            raise RuleError(message, field="email")
        if each.username == username:
            message = f"{username} is in the proposal {told} or choose another."
            raise RuleError(message, field="username")


def _told(user: User) -> str:
    role = ROLE_WORDS[user.role]
    if user.name == user.username:  # as the command line makes them
        return f"{user.username} ({role})"
    return f"{user.name} ({user.username}, {role})"


def _instead(user: User) -> str:
    if user.role in STAFF_ROLES:
        return "Give another address; for the same person propose another role."
    return "Give the address at which this person reads mail at work."


def _record(event: audit.Event, account: NewAccount, *, by: User, at: datetime) -> None:
    detail = {
        "username": account.username,
        "role": account.role,
        "email": account.email,
    }
    subject = f"new_account:{account.id}"
    proposals.record(event, account, subject=subject, detail=detail, by=by, at=at)
