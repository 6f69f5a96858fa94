"""Forgotten passwords: a link by email, a new letter, and nothing for strangers."""

import re
from datetime import timedelta

import pytest

from gateway import messages
from models import (
    AuditEvent,
    Credential,
    Delivery,
    DeliveryAttempt,
    DeliveryKind,
    DeliveryState,
    ForgottenPassword,
    Profession,
    Role,
    User,
    UserStatus,
)
from pmp import accounts, settings
from pmp.accounts import credentials, forgotten, passwords, second_factor, sessions
from pmp.accounts.lock_out import ThrottledError
from pmp.audit import Event
from pmp.errors import RuleError
from tests.authenticator import set_up
from tests.conftest import NOW
from tests.factories import make_licence, make_user

PASSWORD = "correct horse battery staple"
NEW = "seven quiet lanterns drift"
HOUR = timedelta(hours=1)


@pytest.fixture
def user(db: settings.Settings) -> User:
    make_user(Role.PRACTITIONER, username="noise")
    licence = make_licence(
        Profession.PRACTITIONER,
        code="1.012345",
        street="2 Main Street",
        city="Hartford",
        state="CT",
        zip="06106",
    )
    return make_user(
        Role.PRACTITIONER,
        username="dr.adams",
        email="Adams@example.org",
        password_hash=passwords.hash_secret(PASSWORD),
        licence=licence,
    )


def ask(typed: str, *, by_letter: bool = False, at: object = NOW) -> list[Delivery]:
    """Ask on the page and let the worker answer; give what it sends."""
    before = {row.id for row in Delivery.select(Delivery.id)}
    for ask_id in forgotten.ask(typed, by_letter=by_letter, place="p", at=at):  # type: ignore[arg-type]
        forgotten.answer(ask_id, at=at)  # type: ignore[arg-type]
    return [row for row in Delivery.select() if row.id not in before]


def mail(delivery: Delivery) -> str:
    attempt = DeliveryAttempt(delivery=delivery, number=1, started_at=NOW)
    return str(messages.compose(delivery, attempt).text)


def token_of(delivery: Delivery) -> str:
    found = re.search(r"/forgotten/([0-9a-f]{64})\n", mail(delivery))
    assert found
    return found[1]


@pytest.mark.parametrize(
    "typed", ["dr.adams", " Dr.ADAMS", "adams@EXAMPLE.org", "1.012345"]
)
def test_link_goes_to_the_address_on_file_whatever_was_typed(
    user: User, typed: str
) -> None:
    [sent] = ask(typed)

    assert (sent.kind, sent.address) == (DeliveryKind.FORGOTTEN_PASSWORD, user.email)
    text = mail(sent)
    assert "Your user name: dr.adams" in text
    assert settings.current().public_url in text


@pytest.mark.parametrize("typed", ["nobody", "dr.adam", "x@example.org", "%", ""])
def test_stranger_is_sent_nothing_and_leaves_a_row_like_any(
    user: User, typed: str
) -> None:
    assert ask(typed) == []

    [row] = ForgottenPassword.select()
    assert row.user is None
    assert row.answered_at is not None
    assert typed not in str(list(AuditEvent.select().dicts())) or typed in {"%", ""}


@pytest.mark.parametrize(
    "status",
    [UserStatus.SUSPENDED, UserStatus.CLOSED, UserStatus.AWAITING_FIRST_SIGN_IN],
)
def test_who_may_not_sign_in_is_sent_no_link(user: User, status: UserStatus) -> None:
    User.update(status=status).where(User.id == user.id).execute()
    assert ask("dr.adams") == []


def test_each_account_of_a_shared_address_gets_its_link(user: User) -> None:
    make_user(Role.PHARMACY, username="main", email="adams@example.org")
    assert len(ask("adams@example.org")) == 2


def test_link_sets_a_password_once_and_every_session_ends(user: User) -> None:
    session = sessions.begin(user=user, address="a", browser="b", at=NOW)
    [sent] = ask("dr.adams")
    row = forgotten.by_token(token_of(sent), at=NOW)

    forgotten.reset(row, NEW, address="a", at=NOW)

    assert passwords.matches(User.get_by_id(user.id).password_hash, NEW)
    assert sessions.find(session, at=NOW) is None
    with pytest.raises(RuleError, match="used"):
        forgotten.by_token(token_of_row(row), at=NOW)
    with pytest.raises(RuleError, match="used a moment ago"):
        forgotten.reset(row, "another good pass phrase", address="a", at=NOW)
    told = [d for d in Delivery.select() if d.kind == DeliveryKind.ACCOUNT_NOTICE]
    assert [d.address for d in told] == [user.email]


def token_of_row(row: ForgottenPassword) -> str:
    return forgotten.link(row).rpartition("/")[2]


def test_token_stands_in_no_table_and_guesses_are_refused(user: User) -> None:
    [sent] = ask("dr.adams")
    token = token_of(sent)

    assert token not in str(list(ForgottenPassword.select().dicts()))
    assert token not in str(list(Delivery.select().dicts()))
    assert token not in str(list(AuditEvent.select().dicts()))
    for guess in ("", "0" * 64, token[:-1], token.upper()):
        with pytest.raises(RuleError):
            forgotten.by_token(guess, at=NOW)


def test_link_is_good_for_a_day_and_dies_with_the_next_or_a_new_password(
    user: User,
) -> None:
    first, second = (token_of(ask("dr.adams", at=NOW)[0]) for _ in range(2))
    with pytest.raises(RuleError):
        forgotten.by_token(first, at=NOW)
    assert forgotten.by_token(second, at=NOW + 23 * HOUR).user == user
    with pytest.raises(RuleError):
        forgotten.by_token(second, at=NOW + 24 * HOUR)

    accounts.change_password(
        user=user, current=PASSWORD, password=NEW, address="", browser="", at=NOW
    )
    with pytest.raises(RuleError):
        forgotten.by_token(second, at=NOW)


def test_five_links_a_day_are_sent_at_most(user: User) -> None:
    sent = [len(ask("dr.adams")) for _ in range(20 - 1)]

    assert sent == [1] * 5 + [0] * 14
    assert len(ask("dr.adams", at=NOW + 25 * HOUR)) == 1


def test_crowd_from_one_place_is_slowed_down(user: User) -> None:
    for number in range(20):
        ask(f"user{number}")
    with pytest.raises(ThrottledError):
        ask("dr.adams")
    assert ask("dr.adams", at=NOW + timedelta(minutes=11))


def test_worker_answers_once_however_often_it_runs(user: User) -> None:
    [ask_id] = forgotten.ask("dr.adams", by_letter=False, place="", at=NOW)
    assert forgotten.unanswered() == [ask_id]
    for _ in range(3):
        forgotten.answer(ask_id, at=NOW)

    assert forgotten.unanswered() == []
    sent = Delivery.select().where(Delivery.kind == DeliveryKind.FORGOTTEN_PASSWORD)
    assert sent.count() == 1


def test_link_does_not_get_around_the_second_factor_nor_its_lock(user: User) -> None:
    set_up(user, at=NOW)
    User.update(failed_sign_ins=3).where(User.id == user.id).execute()
    [sent] = ask("dr.adams")

    forgotten.reset(forgotten.by_token(token_of(sent), at=NOW), NEW, address="", at=NOW)

    assert User.get_by_id(user.id).failed_sign_ins == 3
    User.update(failed_sign_ins=0).where(User.id == user.id).execute()
    came = accounts.sign_in(
        username="dr.adams", password=NEW, address="", browser="", at=NOW
    )
    assert came == accounts.FirstStep(User.get_by_id(user.id))


def test_weak_password_is_refused_and_the_link_stays_good(user: User) -> None:
    [sent] = ask("dr.adams")
    row = forgotten.by_token(token_of(sent), at=NOW)
    with pytest.raises(RuleError) as refused:
        forgotten.reset(row, "password1234567", address="", at=NOW)
    assert refused.value.field == "password"
    assert forgotten.by_token(token_of(sent), at=NOW) == row


# --- By letter


def test_letter_goes_to_the_address_of_record_and_the_password_works_until_then(
    user: User,
) -> None:
    [sent] = ask("dr.adams", by_letter=True)

    assert sent.kind == DeliveryKind.CREDENTIAL_LETTER
    assert "2 Main Street" in sent.address
    came = accounts.sign_in(
        username="dr.adams", password=PASSWORD, address="", browser="", at=NOW
    )
    assert came.user == user


def test_letter_of_an_active_user_sets_a_new_password(user: User) -> None:
    [sent] = ask("dr.adams", by_letter=True)
    attempt = DeliveryAttempt(delivery=sent, number=1, started_at=NOW)
    Delivery.update(state=DeliveryState.SENDING).where(Delivery.id == sent.id).execute()
    assert messages.compose(sent, attempt).pdf
    secret = credentials.issue(user, at=NOW)
    letter = accounts.check_letter(
        username="dr.adams", secret=secret, code="", address="", at=NOW
    )
    accounts.activate(credential=letter, password=NEW, address="", browser="", at=NOW)

    assert passwords.matches(User.get_by_id(user.id).password_hash, NEW)
    events = [row.event for row in AuditEvent.select()]
    assert Event.USER_ACTIVATED not in events  # it was one already


def test_letter_of_who_has_a_second_factor_leads_to_it(user: User) -> None:
    set_up(user, at=NOW)
    secret = credentials.issue(user, at=NOW)
    letter = accounts.check_letter(
        username="dr.adams", secret=secret, code="", address="", at=NOW
    )
    came = accounts.activate(
        credential=letter, password=NEW, address="", browser="", at=NOW
    )
    assert isinstance(came, accounts.FirstStep)
    assert second_factor.has(user)


def test_one_letter_a_week_is_sent_at_most(user: User) -> None:
    days = [
        len(ask("dr.adams", by_letter=True, at=NOW + n * 24 * HOUR)) for n in range(9)
    ]
    assert days == [1, 0, 0, 0, 0, 0, 0, 1, 0]


def test_own_password_makes_a_letter_that_is_out_worthless(user: User) -> None:
    secret = credentials.issue(user, at=NOW)
    accounts.change_password(
        user=user, current=PASSWORD, password=NEW, address="", browser="", at=NOW
    )
    with pytest.raises(RuleError, match="no longer in force"):
        accounts.check_letter(
            username="dr.adams", secret=secret, code="", address="", at=NOW
        )
    assert Credential.select().where(Credential.revoked_at.is_null()).count() == 0


def test_who_awaits_the_first_letter_can_ask_for_it_again(user: User) -> None:
    waiting = UserStatus.AWAITING_FIRST_SIGN_IN
    User.update(status=waiting, password_hash=None).where(User.id == user.id).execute()
    assert len(ask("1.012345", by_letter=True)) == 1


# --- By staff


def test_staff_send_a_link_or_a_letter_whatever_was_sent_before(user: User) -> None:
    for _ in range(6):
        ask("dr.adams")
    ask("dr.adams", by_letter=True)
    staff, before = make_user(), Delivery.select().count()

    for by_letter in (False, True):
        ask_id = forgotten.ask_for(user, by_letter=by_letter, by=staff, at=NOW)
        forgotten.answer(ask_id, at=NOW)

    assert Delivery.select().count() == before + 2
    rows = AuditEvent.select().where(AuditEvent.actor == staff.username)
    assert [row.event for row in rows] == [Event.PASSWORD_FORGOTTEN] * 2


@pytest.mark.parametrize(
    ("fields", "by_letter"),
    [
        ({"email": None}, False),
        ({"licence": None}, True),
        ({"status": UserStatus.SUSPENDED}, False),
        ({"status": UserStatus.AWAITING_FIRST_SIGN_IN}, False),
    ],
)
def test_staff_are_told_why_nothing_can_be_sent(
    user: User, fields: dict[str, object], *, by_letter: bool
) -> None:
    User.update(**fields).where(User.id == user.id).execute()
    with pytest.raises(RuleError):
        forgotten.ask_for(
            User.get_by_id(user.id), by_letter=by_letter, by=make_user(), at=NOW
        )


def test_old_rows_go_and_young_ones_stay(user: User) -> None:
    ask("dr.adams", at=NOW - timedelta(days=91))
    ask("dr.adams")
    forgotten.forget_old(at=NOW)
    assert ForgottenPassword.select().count() == 1
