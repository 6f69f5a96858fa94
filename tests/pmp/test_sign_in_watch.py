"""One password on many accounts is slowed down, and staff see it."""

from datetime import timedelta

import pytest

from models import AuditEvent, SignInAttempt, User
from pmp import accounts, audit, registration, system_health
from pmp.accounts import lock_out, sign_in_watch
from pmp.accounts.lock_out import ThrottledError
from pmp.errors import RuleError
from tests.conftest import NOW
from tests.factories import make_user

pytestmark = pytest.mark.usefixtures("db")
PLACE = "192.0.2.7"


def alerts() -> list[AuditEvent]:
    attacked = AuditEvent.event == audit.Event.SIGN_INS_ATTACKED
    return list(AuditEvent.select().where(attacked).order_by(AuditEvent.id))


def refuse(
    count: int, *, address: str = PLACE, user: User | None = None, minutes: float = 0
) -> None:
    for _ in range(count):
        at = NOW + timedelta(minutes=minutes)
        lock_out.note_refusal(user, address=address, at=at)


def shown() -> system_health.Part:
    at = NOW + timedelta(minutes=1)
    [part] = [each for each in system_health.parts(at=at) if each.name == "Sign-ins"]
    return part


def try_the_same_password(name: str) -> type[RuleError]:
    with pytest.raises(RuleError) as refused:
        accounts.sign_in(
            username=name,
            password="maple syrup on monday",
            address=PLACE,
            browser="",
            at=NOW,
        )
    return type(refused.value)


def test_one_password_on_many_accounts_ends_in_an_alert() -> None:
    names = [make_user(username=f"dr.{number}").username for number in range(30)]

    answers = [try_the_same_password(name) for name in names]

    limit = sign_in_watch.ADDRESS_LIMIT
    assert answers.index(ThrottledError) == limit
    assert set(answers[limit:]) == {ThrottledError}
    [alert] = alerts()
    assert (alert.actor, alert.address) == ("system", PLACE)
    assert alert.detail == {"refusals": limit, "accounts": limit}
    assert audit.verify() == []


def test_a_few_refusals_are_no_alert() -> None:
    refuse(sign_in_watch.ADDRESS_LIMIT - 1)
    refuse(1, minutes=11)  # when the others are too long ago to be one attack

    assert alerts() == []
    assert shown() == system_health.Part("Sign-ins", "20 refused since yesterday")


def test_mistyped_codes_of_registrations_are_no_sign_ins() -> None:
    for _ in range(sign_in_watch.ADDRESS_LIMIT - 1):
        with pytest.raises(RuleError, match="no registration with this code"):
            registration.find(code="R-2222222", name="Oakes", address=PLACE, at=NOW)
    refuse(1)

    assert shown() == system_health.Part("Sign-ins", "1 refused since yesterday")
    assert alerts() == []
    with pytest.raises(ThrottledError):  # though the place is slowed down for both
        registration.find(code="R-2222222", name="Oakes", address=PLACE, at=NOW)


def test_staff_are_told_once_an_hour_for_each_place() -> None:
    refuse(sign_in_watch.ADDRESS_LIMIT + 3)
    refuse(sign_in_watch.ADDRESS_LIMIT, address="192.0.2.8")
    assert [alert.address for alert in alerts()] == [PLACE, "192.0.2.8"]

    refuse(sign_in_watch.ADDRESS_LIMIT, minutes=61)

    assert [alert.address for alert in alerts()] == [PLACE, "192.0.2.8", PLACE]


def test_an_attack_from_many_places_is_seen_though_none_is_slowed_down() -> None:
    known = make_user()
    for number in range(sign_in_watch.EVERYWHERE_LIMIT):
        refuse(1, address=f"198.51.100.{number}", user=known if number < 2 else None)

    [alert] = alerts()
    assert (alert.address, alert.detail["accounts"]) == ("", 1)
    assert shown().bad
    assert "many were tried from several places" in shown().words


def test_the_console_says_when_and_from_where() -> None:
    assert shown() == system_health.Part("Sign-ins", "0 refused since yesterday")
    refuse(sign_in_watch.ADDRESS_LIMIT)

    assert shown().bad
    assert "many were tried from one place" in shown().words
    assert PLACE not in shown().words  # not for everybody who sees the console
    assert SignInAttempt.select().count() == sign_in_watch.ADDRESS_LIMIT
