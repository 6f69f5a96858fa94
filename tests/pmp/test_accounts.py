"""What the pages cannot show: many tries at once, hashes, locks that staff take off."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from models import AuditEvent, Role, SignInAttempt, User, UserStatus
from pmp import accounts, settings
from pmp.accounts import lock_out, passwords
from pmp.audit import Event
from pmp.errors import RuleError
from tests.conftest import NOW
from tests.factories import make_user

PASSWORD = "correct horse battery staple"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def user(db: settings.Settings) -> User:
    make_user(username="noise", failed_sign_ins=3)
    return make_user(Role.STAFF, password_hash=passwords.hash_secret(PASSWORD))


def sign_in(
    user: User, password: str = PASSWORD, *, later: timedelta = 0 * MINUTE
) -> None:
    accounts.sign_in(
        username=user.username,
        password=password,
        address="192.0.2.1",
        browser="",
        at=NOW + later,
    )


def test_tries_are_counted_before_a_password_is_looked_at(user: User) -> None:
    taken = [lock_out.take_try(user, at=NOW) for _ in range(50)]

    assert taken == [True] * 4 + [False] * 46
    assert User.get(username="noise").failed_sign_ins == 3


def test_tries_while_locked_do_not_make_the_lock_longer(user: User) -> None:
    for _ in range(4):
        lock_out.take_try(user, at=NOW)
    for minute in range(10):
        lock_out.take_try(user, at=NOW + minute * MINUTE)

    sign_in(user, later=10 * MINUTE)


def test_last_try_with_the_right_password_takes_the_lock_off(user: User) -> None:
    for _ in range(3):
        with pytest.raises(RuleError):
            sign_in(user, "wrong")

    sign_in(user)

    assert User.get_by_id(user.id).locked_until is None


def test_count_begins_anew_after_the_lock(user: User) -> None:
    for _ in range(4):
        lock_out.take_try(user, at=NOW)

    lock_out.take_try(user, at=NOW + 11 * MINUTE)

    assert User.get_by_id(user.id).failed_sign_ins == 1


def test_staff_unlock_and_it_is_on_record(user: User) -> None:
    for _ in range(4):
        lock_out.take_try(user, at=NOW)
    accounts.unlock(user=user, by=None, at=NOW)

    sign_in(user)

    [row] = AuditEvent.select().where(AuditEvent.event == Event.USER_UNLOCKED)
    assert (row.actor, row.subject) == ("system", f"user:{user.id}")


def test_unlocking_does_not_activate_who_never_signed_in(user: User) -> None:
    newcomer = make_user(status=UserStatus.AWAITING_FIRST_SIGN_IN)
    accounts.unlock(user=newcomer, by=user, at=NOW)

    status = User.get_by_id(newcomer.id).status
    assert status == UserStatus.AWAITING_FIRST_SIGN_IN


def test_name_that_nobody_has_is_not_kept(db: settings.Settings) -> None:
    with pytest.raises(RuleError):
        accounts.sign_in(
            username="my secret word", password="", address="a", browser="", at=NOW
        )

    kept = str(list(SignInAttempt.select().dicts())) + str(
        list(AuditEvent.select().dicts())
    )
    assert "secret word" not in kept


def test_refusals_are_forgotten_after_a_day(user: User) -> None:
    lock_out.note_refusal(None, address="a", at=NOW - timedelta(days=2))
    lock_out.note_refusal(None, address="b", at=NOW)

    assert [row.address for row in SignInAttempt.select()] == ["b"]


def test_hash_of_weaker_parameters_is_made_anew_at_sign_in(user: User) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    User.update(password_hash=weak).where(User.id == user.id).execute()

    sign_in(user)

    stored = str(User.get_by_id(user.id).password_hash)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.matches(stored, PASSWORD)


def test_same_letters_in_another_unicode_form_are_the_same_password() -> None:
    stored = passwords.hash_secret("cafe\u0301 au lait, deux croissants")

    assert passwords.matches(stored, "caf\u00e9 au lait, deux croissants")
    assert not passwords.matches(stored, "cafe au lait, deux croissants")


def test_no_hash_never_matches() -> None:
    assert not passwords.matches(None, "")
    assert not passwords.matches("", "nobody has this password")
    assert not passwords.matches(None, "nobody has this password")
