"""What a signed-in user must do before anything else, one after the other."""

from datetime import datetime, timedelta
from enum import StrEnum

from models import Role, User
from pmp import delegates, settings
from pmp.accounts import attestation, second_factor


class Duty(StrEnum):
    """Something that stands before every other page."""

    SECOND_FACTOR = "second_factor"
    PASSWORD = "password"  # noqa: S105 - a word, not a secret
    ATTESTATION = "attestation"
    SUPERVISOR = "supervisor"  # a delegate of nobody: nothing to do but wait


def first(user: User, *, at: datetime) -> Duty | None:
    """Give what a user must do now; None on nearly every request, without a query.

    Of a delegate's, with one.
    """
    if second_factor.is_required(user) and not second_factor.has(user):
        return Duty.SECOND_FACTOR
    if password_problem(user, at=at):
        return Duty.PASSWORD
    if attestation.is_due(user, at=at):
        return Duty.ATTESTATION
    if user.role is Role.DELEGATE and not delegates.usable(user, at=at):
        return Duty.SUPERVISOR
    return None


def password_problem(user: User, *, at: datetime) -> str:
    """Say why a user must choose another password now; empty if they need not."""
    days = settings.current().password_days
    if (
        days
        and user.password_set_at
        and user.password_set_at <= (at - timedelta(days=days))
    ):
        return f"Passwords are good for {days} days here. Choose a new one."
    if user.password_is_short and not second_factor.has(user):
        return (
            "Your password is short, which is enough with a second factor only. You"
            " have none now: choose a longer one."
        )
    return ""
