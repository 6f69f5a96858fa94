"""A new colleague: proposed, confirmed by another, and in by a link and a factor.

And a rogue administrator, who wants a second self and gets none.
"""

import re

import pytest
from flask import Flask

from models import Credential, NewAccount, Role, User, UserStatus
from pmp import audit, clock, settings
from pmp.accounts import forgotten, second_factor
from tests.authenticator import app_on_page
from tests.browser import Browser
from tests.factories import make_user
from tests.gateway.conftest import Clock, work
from tests.servers.relay import Relay

pytestmark = [pytest.mark.story, pytest.mark.usefixtures("db")]
PASS_PHRASE = "plain words for a long story"
GIVEN = {
    "name": "Dana Whitfield",
    "email": "dana.whitfield@example.org",
    "phone": "(860) 555-0142",
    "role": "staff",
    "reason": "works on tickets from Monday on",
}


def administrator(app: Flask, username: str) -> Browser:
    mine = Browser(app)
    mine.sign_in_as(make_user(Role.ADMINISTRATOR, username=username))
    return mine


def test_new_colleague_is_proposed_confirmed_and_comes_in(
    app: Flask, now: Clock
) -> None:
    chief, reyes = administrator(app, "admin.chief"), administrator(app, "admin.reyes")
    chief.get("/staff/users")
    chief.get("/staff/users/new-accounts/propose")
    chief.submit(GIVEN)
    chief.follow()

    now.go_on(minutes=10)
    reyes.get("/staff/users")
    reyes.get(f"/staff/users/new-accounts/{NewAccount.get().id}")
    with Relay() as relay, settings.changed(mail_url=relay.url):
        reyes.submit(action="/confirm")
        work()
        [mail] = relay.taken
        assert mail["To"] == GIVEN["email"]
        made = User.get(User.username == "dana.whitfield")
        assert made.status == UserStatus.AWAITING_FIRST_SIGN_IN
        with settings.changed(second_factor="staff"):
            comes_in(Browser(app), mail.get_content())

    assert User.get_by_id(made.id).status == UserStatus.ACTIVE
    assert second_factor.has(made)
    assert Credential.select().count() == 0  # no secret that anybody else could read
    assert audit.verify() == []


def comes_in(theirs: Browser, text: str) -> None:
    """Follow the mail: a password, the first sign-in, the factor, then the work."""
    found = re.search(r"(/forgotten/[0-9a-f]{64})\s", text)
    assert found
    theirs.get(found[1], status=303)
    theirs.follow()
    assert "Access may not be delegated" in theirs.text()
    theirs.submit({"password": PASS_PHRASE})
    theirs.follow()
    theirs.submit({"username": "dana.whitfield", "password": PASS_PHRASE})
    answer = theirs.get("/staff/tickets", status=303)
    assert answer.headers["Location"] == "/account/second-factor"
    theirs.follow()
    theirs.submit(action="/account/second-factor")
    theirs.follow()
    theirs.submit({"code": app_on_page(theirs).code(clock.now())}, status=200)
    theirs.get("/staff/tickets")
    theirs.get("/staff/users/new-accounts", status=404)
    theirs.get(found[1], status=303)  # the link is worth nothing any more
    theirs.follow()
    assert "was used" in theirs.text()


def test_rogue_administrator_gets_no_second_self(app: Flask, now: Clock) -> None:
    rogue, other = administrator(app, "admin.rogue"), administrator(app, "admin.reyes")
    me = User.get(User.username == "admin.rogue")
    rogue.get("/staff/users/new-accounts/propose")
    for mine in ({"email": me.email}, {"name": me.name}):
        rogue.submit(GIVEN | {"role": "administrator"} | mine, status=422)
        assert "nobody proposes or confirms an account for themselves" in rogue.text()
    rogue.submit(GIVEN | {"role": "administrator", "email": "box@elsewhere.example"})
    rogue.follow()
    here = f"/staff/users/new-accounts/{NewAccount.get().id}"
    token = {"csrf_token": rogue.token()}
    rogue.post(f"{here}/confirm", token)
    rogue.follow()
    assert "another administrator must confirm it" in rogue.text()
    rogue.get("/staff/sign-in-help/dana.whitfield", status=404)

    now.go_on(minutes=5)
    other.get(here)
    assert "box@elsewhere.example is read by them alone" in other.text()
    other.submit(action="/decline", values={"reason": "nobody of ours"})

    rogue.post(f"{here}/confirm", token)
    rogue.follow()
    assert "admin.reyes was faster: this was declined" in rogue.text()
    assert {each.username for each in User.select()} == {"admin.rogue", "admin.reyes"}
    assert forgotten.unanswered() == []
