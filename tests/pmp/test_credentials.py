"""Mailed passwords: strong, easily typed, one at a time, for a time, for one use."""

from datetime import timedelta

import pytest

from models import (
    AuditEvent,
    ChannelName,
    Credential,
    Delivery,
    DeliveryState,
    Role,
    User,
    UserStatus,
)
from pmp import accounts, settings
from pmp.accounts import credentials, passwords, users
from pmp.dispensations.row_codes import SIGNS
from pmp.errors import RuleError
from tests.conftest import NOW
from tests.factories import make_practitioner_licence, make_user


def waiting(**fields: object) -> User:
    return make_user(
        Role.PRACTITIONER, status=UserStatus.AWAITING_FIRST_SIGN_IN, **fields
    )


def check(user: User, secret: str, *, days: int = 0) -> Credential:
    return accounts.check_letter(
        username=user.username,
        secret=secret,
        code="",
        address="192.0.2.1",
        at=NOW + timedelta(days=days),
    )


def test_a_secret_has_at_least_64_bits_and_no_doubtful_signs(
    db: settings.Settings,
) -> None:
    secrets = {credentials.issue(waiting(), at=NOW) for _ in range(3)}
    assert len(secrets) == 3
    for secret in secrets:
        assert len(secret) == 19
        assert set(secret) <= {*SIGNS, "-"}
        assert not set(secret) & set("OILU")
        assert 5 * len(secret.replace("-", "")) >= 64


def test_only_a_hash_is_kept(db: settings.Settings) -> None:
    secret = credentials.issue(waiting(), at=NOW)
    [row] = Credential.select()
    assert row.secret_hash.startswith("$argon2id$")
    assert passwords.matches(row.secret_hash, secret)
    assert secret not in str(list(AuditEvent.select().dicts()))


def test_it_may_be_typed_in_any_way(db: settings.Settings) -> None:
    user = waiting()
    secret = credentials.issue(user, at=NOW)
    plain = secret.replace("-", "")
    for typed in (secret.lower(), plain, f" {plain} ", plain.replace("0", "O")):
        assert check(user, typed).user == user


def test_a_new_one_ends_the_one_before(db: settings.Settings) -> None:
    user, noise = waiting(), waiting()
    first, others = credentials.issue(user, at=NOW), credentials.issue(noise, at=NOW)
    second = credentials.issue(user, at=NOW)
    with pytest.raises(RuleError):
        check(user, first)
    assert check(user, second).user == user
    assert check(noise, others).user == noise
    rows = Credential.select().order_by(Credential.id)
    assert [row.revoked_at is None for row in rows] == [False, True, True]


def test_it_dies_after_its_days(db: settings.Settings) -> None:
    user = waiting()
    secret = credentials.issue(user, at=NOW)
    assert check(user, secret, days=20).user == user
    with pytest.raises(RuleError, match="no longer in force"):
        check(user, secret, days=21)


def test_a_letter_goes_to_the_address_of_record(db: settings.Settings) -> None:
    licence = make_practitioner_licence()
    user = waiting(licence=licence)
    letter = credentials.request_letter(user, at=NOW)
    assert letter.channel == ChannelName.LETTER
    assert "77 Record Road" in letter.address


def test_without_an_address_of_record_no_letter(db: settings.Settings) -> None:
    for user in (waiting(), waiting(licence=make_practitioner_licence(street=""))):
        with pytest.raises(RuleError):
            credentials.request_letter(user, at=NOW)
    assert Delivery.select().count() == 0


def test_a_new_letter_withdraws_the_one_that_waits(db: settings.Settings) -> None:
    user = waiting(licence=make_practitioner_licence())
    first = credentials.request_letter(user, at=NOW)
    second = credentials.reissue(user, reason="lost", by=make_user(), at=NOW)
    assert Delivery.get_by_id(first.id).state == DeliveryState.CANCELLED
    assert Delivery.get_by_id(second.id).state == DeliveryState.QUEUED


def test_a_new_letter_needs_a_reason_and_someone_who_waits(
    db: settings.Settings,
) -> None:
    licence = make_practitioner_licence()
    with pytest.raises(RuleError):
        credentials.reissue(
            waiting(licence=licence), reason=" ", by=make_user(), at=NOW
        )
    active = make_user(Role.PRACTITIONER, licence=make_practitioner_licence())
    with pytest.raises(RuleError):
        credentials.reissue(active, reason="lost", by=make_user(), at=NOW)


def test_an_account_from_the_command_line_has_its_secret_once(
    db: settings.Settings,
) -> None:
    user, secret = users.create_with_secret(
        username="Admin.One", role=Role.ADMINISTRATOR, email="", at=NOW
    )
    assert user.username == "admin.one"
    assert check(user, secret).user == user
    with pytest.raises(RuleError, match="taken"):
        users.create_with_secret(
            username="admin.one", role=Role.STAFF, email="", at=NOW
        )


@pytest.mark.parametrize("name", ["", "a b", "<script>", "ünal", "../x"])
def test_a_user_name_is_plain(db: settings.Settings, name: str) -> None:
    with pytest.raises(RuleError):
        users.create_with_secret(username=name, role=Role.STAFF, email="", at=NOW)
    assert User.select().count() == 0


def test_a_new_letter_stops_the_paper_of_the_old_one(db: settings.Settings) -> None:
    user = waiting(licence=make_practitioner_licence())
    old = credentials.request_letter(user, at=NOW)
    Delivery.update(state=DeliveryState.PRINTED).execute()

    new = credentials.reissue(user, reason="Lost", by=make_user(), at=NOW)

    assert Delivery.get_by_id(old.id).state == DeliveryState.CANCELLED
    assert Delivery.get_by_id(new.id).state == DeliveryState.QUEUED
