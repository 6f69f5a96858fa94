"""Accounts kept in order: attested yearly, closed when unused, odd sign-ins told."""

from datetime import timedelta

import pytest

from models import AccountNotice, AuditEvent, NoticeOfAccount, Role, User, UserStatus
from pmp import accounts, settings
from pmp.accounts import (
    attestation,
    duties,
    inactivity,
    passwords,
    sessions,
    unusual_sign_ins,
)
from pmp.accounts.duties import Duty
from pmp.audit import Event
from pmp.errors import RuleError
from tests.conftest import NOW
from tests.factories import make_licence, make_user

DAY = timedelta(days=1)
WINDOWS = "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"
PHONE = "Mozilla/5.0 (iPhone) Safari/605"


@pytest.fixture
def user(db: settings.Settings) -> User:
    return make_user(Role.PRACTITIONER, username="dr.adams", attested_at=NOW)


def notices(user: User) -> list[NoticeOfAccount]:
    query = AccountNotice.select().where(AccountNotice.user == user)
    return [notice.kind for notice in query.order_by(AccountNotice.id)]


def night(days: int) -> tuple[int, int]:
    return inactivity.run(at=NOW + days * DAY)


# --- Attestation


def test_attestation_is_due_after_a_year_and_for_who_never_did(user: User) -> None:
    assert duties.first(user, at=NOW + 364 * DAY) is None
    assert duties.first(user, at=NOW + 365 * DAY) == Duty.ATTESTATION
    assert attestation.is_due(make_user(attested_at=None), at=NOW)

    attestation.attest(user, at=NOW + 365 * DAY, address="a")

    fresh = User.get_by_id(user.id)
    assert duties.first(fresh, at=NOW + 366 * DAY) is None
    assert AuditEvent.get().event == Event.USER_ATTESTED


def test_no_attestation_is_asked_for_where_the_state_wants_none(user: User) -> None:
    with settings.changed(attestation_days=0):
        assert duties.first(user, at=NOW + 3650 * DAY) is None


def test_expiry_of_passwords_is_off_by_default_and_a_setting(user: User) -> None:
    user.password_set_at = NOW - 90 * DAY
    assert duties.first(user, at=NOW) is None
    with settings.changed(password_days=90):
        assert duties.first(user, at=NOW) == Duty.PASSWORD
        assert "90 days" in duties.password_problem(user, at=NOW)
        assert duties.first(user, at=NOW - DAY) is None


# --- Accounts that nobody uses


def test_nothing_is_closed_unless_the_state_says_so(user: User) -> None:
    assert night(3650) == (0, 0)


def test_unused_account_is_told_first_and_closed_later(user: User) -> None:
    token = sessions.begin(user=user, address="a", browser="b", at=NOW + 121 * DAY)
    used = make_user(last_sign_in_at=NOW + 80 * DAY)
    with settings.changed(inactive_days=120, inactive_notice_days=30):
        assert night(89) == (0, 0)
        assert night(90) == (1, 0)
        assert night(91) == (0, 0)
        assert night(119) == (0, 0)
        assert night(120) == (0, 1)

    assert User.get_by_id(user.id).status == UserStatus.CLOSED
    assert User.get_by_id(used.id).status == UserStatus.ACTIVE
    assert notices(user) == [NoticeOfAccount.CLOSING, NoticeOfAccount.CLOSED]
    assert sessions.find(token, at=NOW + 121 * DAY) is None


def test_nobody_is_closed_who_was_not_told_long_enough_before(user: User) -> None:
    """The setting is new, or the worker did not run: the notice still comes first."""
    with settings.changed(inactive_days=120, inactive_notice_days=30):
        assert night(1000) == (1, 0)
        assert night(1029) == (0, 0)
        assert night(1030) == (0, 1)
    detail = AccountNotice.get(AccountNotice.kind == NoticeOfAccount.CLOSING).detail
    assert detail["closes_at"].startswith(f"{NOW + 1030 * DAY:%Y-%m-%d}")


def test_sign_in_after_the_notice_keeps_the_account_open(user: User) -> None:
    User.update(password_hash=passwords.hash_secret("x")).execute()
    with settings.changed(inactive_days=120, inactive_notice_days=30):
        night(90)
        accounts.sign_in(
            username="dr.adams",
            password="x",
            address="",
            browser="",
            at=NOW + 100 * DAY,
        )
        assert night(125) == (0, 0)
        assert night(190) == (1, 0)


def test_staff_open_a_closed_account_and_it_stays_open(user: User) -> None:
    with settings.changed(inactive_days=120, inactive_notice_days=30):
        night(90)
        night(120)
        staff = make_user(last_sign_in_at=NOW + 130 * DAY)
        inactivity.reopen(user, reason="called", by=staff, at=NOW + 130 * DAY)
        assert night(131) == (0, 0)
    # Never came in with a password of their own: the letter comes first.
    assert User.get_by_id(user.id).status == UserStatus.AWAITING_FIRST_SIGN_IN
    with pytest.raises(RuleError, match="not closed"):
        inactivity.reopen(user, reason="again", by=None, at=NOW)


def test_licence_with_another_account_by_now_is_not_opened_twice(user: User) -> None:
    licence = make_licence()
    closed = make_user(licence=licence, status=UserStatus.CLOSED, password_hash="x")
    make_user(licence=licence)
    with pytest.raises(RuleError, match="another account"):
        inactivity.reopen(closed, reason="called", by=None, at=NOW)
    with pytest.raises(RuleError, match="Say why"):
        inactivity.reopen(closed, reason=" ", by=None, at=NOW)


# --- Sign-ins unlike those before


def sign_in(user: User, address: str, browser: str) -> bool:
    told = unusual_sign_ins.tell_if_new(user, address=address, browser=browser, at=NOW)
    sessions.begin(user=user, address=address, browser=browser, at=NOW)
    return told


def test_sign_in_from_a_new_browser_or_network_is_told(user: User) -> None:
    sign_in(make_user(username="noise"), "203.0.113.9", PHONE)

    assert not sign_in(user, "192.0.2.7", WINDOWS)  # nothing to compare it with
    assert not sign_in(user, "192.0.2.200", WINDOWS.replace("140", "141"))
    assert sign_in(user, "192.0.2.7", PHONE)
    assert sign_in(user, "203.0.113.9", WINDOWS)
    assert not sign_in(user, "203.0.113.10", PHONE)
    assert sign_in(user, "2001:db8:1:2::3", WINDOWS)
    assert not sign_in(user, "2001:db8:1:9::4", WINDOWS)
    assert notices(user) == [NoticeOfAccount.NEW_SIGN_IN] * 3


def test_such_notices_can_be_switched_off(user: User) -> None:
    sign_in(user, "192.0.2.7", WINDOWS)
    with settings.changed(sign_in_notices=False):
        assert not sign_in(user, "203.0.113.9", PHONE)
    assert notices(user) == []
