"""An authenticator app as a user has one: reads the key of the page, shows codes."""

import re
from datetime import datetime

import pyotp

from models import AuthenticatorApp, User
from pmp import documents
from pmp.accounts import second_factor
from tests.browser import Browser


class App:
    """The app on a phone; `secret` in base32, blanks and all."""

    def __init__(self, secret: str) -> None:
        self.codes = pyotp.TOTP(secret.replace(" ", ""))

    def code(self, at: datetime, *, later: int = 0) -> str:
        """Give the code that is shown at a time, or so many steps of 30 s later."""
        return self.codes.at(at, counter_offset=later)


def app_on_page(browser: Browser) -> App:
    """Give the app of who types in the key that the page shows."""
    found = re.search(r"<code>([A-Z2-7 ]{32,})</code>", browser.page_text())
    assert found, "the page shows no key"
    return App(found[1])


def set_up(user: User, *, at: datetime) -> tuple[App, list[str]]:
    """Give a user a second factor; give the app and the recovery codes."""
    second_factor.begin(user, at=at)
    secret = second_factor.waiting_secret(user, at=at)
    assert secret is not None
    app = App(secret)
    return app, second_factor.confirm(user, app.code(at), at=at)


def sealed_secret(user: User) -> bytes:
    """Give what the table holds of a user's app."""
    row = AuthenticatorApp.get(AuthenticatorApp.user == user)
    assert row.secret is not None
    assert documents.unseal(
        bytes(row.secret), purpose=f"authenticator-app:{user.id}"
    ).decode()
    return bytes(row.secret)
