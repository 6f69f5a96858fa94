"""Telling users what was done about their account, where they can be told.

The message is about the row of the audit record: what it says is what was done.
"""

from datetime import datetime

from models import AuditEvent, ChannelName, DeliveryKind, Role, User
from pmp import audit, deliveries
from pmp.accounts.standings import ROLE_WORDS
from pmp.deliveries import Route, contacts
from pmp.wording import us_time

_SIGN_IN = "Sign in with your own password, as before."
_LETTER = "Sign in with the user name and password of the letter mailed to you."


_NEWS: dict[str, tuple[str, str]] = {
    audit.Event.USER_SUSPENDED: (
        "Your account is suspended",
        """\
Staff of the program suspended your account on {when}.
You cannot sign in, and whoever was signed in was signed out.""",
    ),
    audit.Event.USER_REACTIVATED: (
        "Your account is open again",
        """\
Staff of the program opened your account again on {when}.
{last}""",
    ),
    audit.Event.USER_UNLOCKED: (
        "Your account is unlocked",
        """\
Staff of the program unlocked your account on {when}.
It was locked after too many wrong passwords.
{last}""",
    ),
    audit.Event.PASSWORD_LETTER: (
        "A letter with a new password is on its way",
        """\
On {when} staff of the program ordered a letter with a single-use password for you.
It goes to your address of record.
Your old password is no longer in force, and whoever was signed in was signed out.""",
    ),
    audit.Event.ROLE_CHANGE_CONFIRMED: (
        "Your account has another role",
        """\
On {when} two administrators of the program changed what your account may do.
Its role was {roles[from]}, and is {roles[to]} now.
You were signed out; sign in again to go on.""",
    ),
}


def routes(user: User) -> list[Route]:
    """Give the ways to tell a user, as they are now: suspending closes some."""
    found = contacts.routes_of_user(user)
    return [way for way in found if not way.awaits] or contacts.own_routes(user)


def tell(event: AuditEvent, ways: list[Route], *, at: datetime) -> bool:
    """Have the worker tell whom an event is about; False if there is no way to.

    That a letter is on its way no second letter needs to say.
    """
    if event.event == audit.Event.PASSWORD_LETTER:
        ways = [way for way in ways if way.channel != ChannelName.LETTER]
    if not ways:
        return False
    deliveries.request(
        kind=DeliveryKind.ACCOUNT_NEWS,
        subject_id=event.id,
        routes=ways,
        dedupe_key=f"account_news:{event.id}",
        at=at,
    )
    return True


def whom(event: AuditEvent) -> User:
    """Give the user whom an event of the audit record is about."""
    user: User = User.get_by_id(int(event.subject.removeprefix("user:")))
    return user


def news(event: AuditEvent) -> tuple[str, list[str]]:
    """Give the subject and the sentences of what a user is told."""
    subject, text = _NEWS[event.event]
    last = _SIGN_IN if event.detail.get("came_in", True) else _LETTER
    roles = {side: _role(event, side) for side in ("from", "to")}
    told = text.format(when=us_time(event.at), last=last, roles=roles)
    return subject, told.splitlines()


def _role(event: AuditEvent, side: str) -> str:
    value = event.detail.get(side)
    return ROLE_WORDS[Role(value)] if value else ""
