"""Between the two steps of sign-in: what the cookie holds, and where it goes on.

The cookie is signed and holds an id, what ties it to the password that was typed, and
a time. It lets nobody in: the second step asks for a factor and looks at the account.
"""

from datetime import datetime, timedelta
from typing import Any

from flask import flash, redirect, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue

from models import User
from pmp import accounts, clock
from pmp.accounts import kept_forms, second_step
from pmp.deliveries import mail_problems
from portal import access
from portal.navigation import landing_page

STEP = "second step"
CHALLENGE = "challenge"
GOOD_FOR = timedelta(minutes=10)


def whence() -> dict[str, Any]:
    """Give where and when a request comes from, as the rules of sign-in want it."""
    return {
        "address": request.remote_addr or "",
        "browser": request.user_agent.string,
        "at": clock.now(),
    }


def go_on(
    result: accounts.SignedIn | accounts.FirstStep, *, wanted: str = ""
) -> ResponseReturnValue:
    """Let a browser in, or send it to the second step; then to the page it wanted."""
    path = access.safe_path(wanted)
    if isinstance(result, accounts.FirstStep):
        access.leave()
        cookie[STEP] = {
            "id": result.user.id,
            "mark": second_step.mark(result.user),
            "until": (clock.now() + GOOD_FOR).isoformat(),
            "next": path,
        }
        return redirect(url_for("second_factor.second_step_page"), 303)
    access.enter(result)
    tell_of_mail(result.user)
    if kept_forms.of(result.user, at=clock.now()) is not None:
        return redirect(url_for("kept_form.show"), 303)
    return redirect(path if path != "/" else landing_page(), 303)


def waiting_user() -> tuple[User, str] | None:
    """Give who is between the steps and where they go on to; None if nobody is."""
    kept = cookie.get(STEP)
    if not kept or datetime.fromisoformat(kept["until"]) <= clock.now():
        return None
    try:
        user = second_step.user_of(kept["id"], password_set_at=kept["mark"])
    except second_step.StaleStepError:
        return None
    return user, str(kept["next"])


def keep_challenge(challenge: bytes) -> None:
    """Remember what a passkey was asked, until it answers."""
    cookie[CHALLENGE] = {"hex": challenge.hex(), "at": clock.now().isoformat()}


def challenge_of(*, good_for: timedelta = GOOD_FOR) -> tuple[bytes, datetime]:
    """Take back what a passkey was asked, and when; empty if that is too long ago."""
    kept = cookie.pop(CHALLENGE, None)
    asked_at = datetime.fromisoformat(kept["at"]) if kept else clock.now()
    if kept is None or asked_at + good_for <= clock.now():
        return b"", asked_at
    return bytes.fromhex(kept["hex"]), asked_at


def tell_of_mail(user: User) -> None:
    """Tell a user who signs in that email to them came back, until it is settled."""
    if mail_problems.of_user(user) is not None:
        flash(
            "Email that we sent you came back. See Your account for what to do.",
            "warn",
        )
