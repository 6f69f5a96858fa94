"""The accounts there are: how one comes about, and its user name."""

from collections.abc import Collection
from datetime import datetime

from peewee import IntegrityError

from models import ChannelName, Role, User, UserStatus
from pmp import audit, database
from pmp.accounts import credentials
from pmp.errors import NotFoundError, RuleError
from pmp.registration.names import name_key, unaccented

LONGEST_NAME = 24


def free_username(wanted: str, *, reserved: Collection[str] = ()) -> str:
    """Give a user name that nobody has: letters, digits, dots; a number if taken.

    `reserved` are names that are promised to somebody who has no account yet.
    """
    ascii_only = unaccented(wanted).encode("ascii", "ignore").decode()
    parts = (name_key(part).lower() for part in ascii_only.split("."))
    stem = ".".join(part for part in parts if part)[:LONGEST_NAME] or "user"
    known = {
        user.username
        for user in User.select(User.username).where(User.username.startswith(stem))
    } | set(reserved)
    number = 2
    name = stem
    while name in known:
        name = f"{stem}{number}"
        number += 1
    return name


def plain_username(typed: str) -> str:
    """Give a user name as it is kept: small letters, digits, dots and hyphens.

    RuleError at the field `username` for anything else.
    """
    plain = typed.strip().lower()
    if not plain.replace(".", "").replace("-", "").isalnum() or not plain.isascii():
        raise RuleError(
            "A user name is made of letters, digits, dots and hyphens.",
            field="username",
        )
    return plain


def create(  # noqa: PLR0913 - a person's account
    *,
    username: str,
    role: Role,
    name: str,
    at: datetime,
    by: User | None,
    email: str = "",
    phone: str = "",
    fax: str = "",
    preferred_channel: ChannelName | None = None,
) -> User:
    """Make an account that awaits its first sign-in; `by` None is the command line.

    RuleError if the name is taken or is not plain letters, digits, dots and hyphens.
    """
    plain = plain_username(username)
    try:
        with database.atomic():
            user: User = User.create(
                username=plain,
                role=role,
                status=UserStatus.AWAITING_FIRST_SIGN_IN,
                name=name,
                email=email or None,
                phone=phone or None,
                fax=fax or None,
                preferred_channel=preferred_channel,
                created_at=at,
            )
            audit.record(
                audit.Event.USER_CREATED,
                actor=by.username if by else "system",
                subject=f"user:{user.id}",
                at=at,
                detail={"role": role.value},
            )
    except IntegrityError as taken:
        raise RuleError(f"{plain} is taken.", field="username") from taken
    return user


def create_with_secret(
    *, username: str, role: Role, email: str, at: datetime
) -> tuple[User, str]:
    """Make an account at the command line; give it and its single-use password.

    The password is in clear this once: show it to the administrator, keep it nowhere.
    """
    with database.atomic():
        user = create(
            username=username, role=role, name=username, email=email, at=at, by=None
        )
        return user, credentials.issue(user, at=at)


def every() -> list[User]:
    """Give all accounts by user name."""
    return list(User.select().order_by(User.username))


def named(username: str) -> User:
    """Give the account with a user name; NotFoundError if there is none."""
    user: User | None = User.get_or_none(User.username == username.strip().lower())
    if user is None:
        raise NotFoundError(f"There is no user called {username}.", field="username")
    return user
