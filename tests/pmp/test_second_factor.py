"""Codes of the app and recovery codes: good once, counted, kept sealed."""

from datetime import timedelta

import pytest

from models import (
    AccountNotice,
    AuditEvent,
    Delivery,
    NoticeOfAccount,
    RecoveryCode,
    Role,
    Session,
    User,
)
from pmp import accounts, settings
from pmp.accounts import (
    lock_out,
    lost_factors,
    passwords,
    second_factor,
    second_step,
    sessions,
)
from pmp.audit import Event
from pmp.errors import ConflictError, RuleError
from tests.authenticator import App, sealed_secret, set_up
from tests.conftest import NOW
from tests.factories import make_user

PASSWORD = "correct horse battery staple"
STEP = timedelta(seconds=30)
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def user(db: settings.Settings) -> User:
    set_up(make_user(username="noise"), at=NOW)
    return make_user(
        Role.PRACTITIONER,
        username="dr.adams",
        password_hash=passwords.hash_secret(PASSWORD),
    )


@pytest.fixture
def app(user: User) -> App:
    made, _ = set_up(user, at=NOW)
    return made


def by_code(user: User, code: str, *, at: object = LATER) -> accounts.SignedIn:
    return second_step.by_code(user, code, address="a", browser="b", at=at)  # type: ignore[arg-type]


def with_password(user: User, password: str = PASSWORD) -> object:
    return accounts.sign_in(
        username=user.username, password=password, address="a", browser="b", at=LATER
    )


def test_password_alone_begins_no_session(user: User, app: App) -> None:
    before = Session.select().count()

    assert with_password(user) == accounts.FirstStep(user)

    assert Session.select().count() == before
    assert by_code(user, app.code(LATER)).user == user
    assert Session.select().count() == before + 1
    row = AuditEvent.get(AuditEvent.event == Event.SIGNED_IN)
    assert row.detail == {"second_factor": "app"}


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_code_of_the_step_before_and_after_is_taken(
    user: User, app: App, steps: int
) -> None:
    assert by_code(user, app.code(LATER, later=steps)).user == user


@pytest.mark.parametrize("steps", [-2, 2])
def test_code_of_two_steps_away_is_refused(user: User, app: App, steps: int) -> None:
    with pytest.raises(RuleError, match="not a code that is good now"):
        by_code(user, app.code(LATER, later=steps))


def test_code_works_once_and_none_before_it_after_it(user: User, app: App) -> None:
    by_code(user, app.code(LATER))

    for steps in (0, -1):
        with pytest.raises(RuleError):
            by_code(user, app.code(LATER, later=steps))
    assert by_code(user, app.code(LATER, later=1)).user == user


def test_code_that_set_the_app_up_does_not_sign_in(user: User) -> None:
    app, _ = set_up(user, at=NOW)
    with pytest.raises(RuleError):
        by_code(user, app.code(NOW), at=NOW)


def test_code_of_somebody_else_is_refused(user: User, app: App) -> None:
    other = make_user()
    others_app, others_codes = set_up(other, at=NOW)
    for code in (others_app.code(LATER), others_codes[0]):
        with pytest.raises(RuleError):
            by_code(user, code)


def test_four_wrong_codes_lock_however_often_the_password_is_typed(
    user: User, app: App
) -> None:
    for _ in range(4):
        with_password(user)
        with pytest.raises(RuleError):
            by_code(user, "000000")

    with pytest.raises(RuleError, match="locked"):
        with_password(user)
    with pytest.raises(RuleError):
        by_code(user, app.code(LATER))
    assert User.get_by_id(user.id).locked_until is not None


def test_both_steps_well_done_forget_what_went_wrong_before(
    user: User, app: App
) -> None:
    with pytest.raises(RuleError):
        by_code(user, "000000")
    with_password(user)
    by_code(user, app.code(LATER))

    assert User.get_by_id(user.id).failed_sign_ins == 0


def test_a_hundred_wrong_codes_in_a_row_stop_the_app_until_a_recovery_code(
    user: User,
) -> None:
    app, codes = set_up(user, at=NOW)
    for _ in range(second_factor.MOST_WRONG):
        assert second_factor.check(user, "000000", at=LATER) is None

    assert second_factor.check(user, app.code(LATER), at=LATER) is None
    assert second_factor.standing(user).is_blocked
    assert second_factor.check(user, codes[0], at=LATER) == "recovery code"
    assert second_factor.check(user, app.code(LATER), at=LATER) == "app"


def test_recovery_code_works_once_however_it_is_typed(user: User) -> None:
    _, codes = set_up(user, at=NOW)
    assert len(set(codes)) == 10

    by_code(user, f" {codes[3].lower().replace('-', ' ')} ")

    with pytest.raises(RuleError):
        by_code(user, codes[3])
    assert second_factor.standing(user).codes_left == 9
    assert by_code(user, codes[4]).user == user


def test_new_recovery_codes_make_the_old_ones_worthless(user: User) -> None:
    _, old = set_up(user, at=NOW)
    new = second_factor.new_codes(user, at=NOW)

    assert second_factor.check(user, old[0], at=LATER) is None
    assert second_factor.check(user, new[0], at=LATER)


def test_neither_secret_nor_recovery_code_stands_in_a_table(user: User) -> None:
    app, codes = set_up(user, at=NOW)

    assert app.codes.secret.encode() not in sealed_secret(user)
    hashes = str(list(RecoveryCode.select().dicts()))
    assert not any(code in hashes for code in codes)


def test_sealed_secret_of_one_user_opens_for_no_other(user: User, app: App) -> None:
    other = make_user()
    set_up(other, at=NOW)
    second_factor._change(other, secret=sealed_secret(user))
    with pytest.raises(Exception, match="wrong document key"):
        second_factor.check(other, app.code(LATER), at=LATER)


def test_setting_up_ends_other_sessions_and_tells_the_user(user: User) -> None:
    token = sessions.begin(user=user, address="a", browser="b", at=NOW)
    noise = sessions.begin(user=make_user(), address="a", browser="b", at=NOW)

    set_up(user, at=NOW)

    assert sessions.find(token, at=NOW) is None
    assert sessions.find(noise, at=NOW) is not None
    notice = AccountNotice.get(AccountNotice.user == user)
    assert notice.kind == NoticeOfAccount.FACTOR_ADDED
    assert Delivery.get(
        (Delivery.kind == "account_notice") & (Delivery.subject_id == notice.id)
    ).address == (user.email)


def test_app_in_use_works_until_the_next_was_shown_to_work(user: User) -> None:
    old, _ = set_up(user, at=NOW)
    second_factor.begin(user, at=LATER)

    assert second_factor.check(user, old.code(LATER), at=LATER)
    secret = second_factor.waiting_secret(user, at=LATER)
    assert secret is not None
    new = App(secret)
    second_factor.confirm(user, new.code(LATER), at=LATER)
    later = LATER + 4 * STEP
    assert second_factor.check(user, old.code(later), at=later) is None
    assert second_factor.check(user, new.code(later), at=later)


def test_key_that_was_not_used_within_half_an_hour_is_no_longer_good(
    user: User,
) -> None:
    second_factor.begin(user, at=NOW)
    assert second_factor.waiting_secret(user, at=NOW + timedelta(minutes=31)) is None
    with pytest.raises(RuleError, match="too long ago"):
        second_factor.confirm(user, "123456", at=NOW + timedelta(minutes=31))


def test_first_step_is_worth_nothing_after_the_password_changed(
    user: User, app: App
) -> None:
    mark = second_step.mark(user)
    assert second_step.user_of(user.id, password_set_at=mark) == user
    User.update(password_set_at=LATER).where(User.id == user.id).execute()
    with pytest.raises(second_step.StaleStepError):
        second_step.user_of(user.id, password_set_at=mark)


# --- A lost factor


def test_staff_take_the_lost_factor_of_a_practitioner_off_and_they_are_told(
    user: User, app: App
) -> None:
    token = sessions.begin(user=user, address="a", browser="b", at=NOW)

    lost_factors.ask(user, reason="called back", by=make_user(), at=NOW)

    assert not second_factor.has(user)
    assert sessions.find(token, at=NOW) is None
    kinds = [n.kind for n in AccountNotice.select().where(AccountNotice.user == user)]
    assert NoticeOfAccount.FACTOR_REMOVED in kinds
    row = AuditEvent.get(AuditEvent.event == Event.FACTOR_REMOVED)
    assert row.detail == {"reason": "called back"}
    assert second_factor.has(User.get(username="noise"))


def test_it_takes_two_for_an_account_of_the_program(user: User) -> None:
    colleague, asker, other = make_user(), make_user(), make_user()
    set_up(colleague, at=NOW)

    removal = lost_factors.ask(colleague, reason="in person", by=asker, at=NOW)

    assert second_factor.has(colleague)
    for nobody in (asker, colleague):
        with pytest.raises(RuleError, match="Another person"):
            lost_factors.decide(removal.id, agreed=True, by=nobody, at=NOW)
    with pytest.raises(RuleError, match="asked for already"):
        lost_factors.ask(colleague, reason="in person", by=other, at=NOW)
    lost_factors.decide(removal.id, agreed=True, by=other, at=NOW)
    assert not second_factor.has(colleague)
    with pytest.raises(ConflictError):
        lost_factors.decide(removal.id, agreed=False, by=other, at=NOW)


def test_declined_removal_leaves_the_factor_and_can_be_asked_anew(user: User) -> None:
    colleague, asker = make_user(), make_user()
    set_up(colleague, at=NOW)
    removal = lost_factors.ask(colleague, reason="in person", by=asker, at=NOW)

    lost_factors.decide(removal.id, agreed=False, by=make_user(), at=NOW)

    assert second_factor.has(colleague)
    assert lost_factors.waiting() == []
    lost_factors.ask(colleague, reason="once more", by=asker, at=NOW)


@pytest.mark.parametrize("own", [True, False])
def test_nobody_takes_their_own_factor_off_as_staff_nor_without_a_reason(
    user: User, *, own: bool
) -> None:
    staff = make_user()
    set_up(staff, at=NOW)
    by, reason = (staff, "I lost it") if own else (make_user(), " ")
    with pytest.raises(RuleError):
        lost_factors.ask(staff, reason=reason, by=by, at=NOW)
    assert second_factor.has(staff)


def test_tries_are_given_back_one_by_one_and_never_below_none(user: User) -> None:
    for _ in range(3):
        lock_out.take_try(user, at=NOW)
    lock_out.give_back_try(user)
    assert User.get_by_id(user.id).failed_sign_ins == 2
    for _ in range(5):
        lock_out.give_back_try(user)
    assert User.get_by_id(user.id).failed_sign_ins == 0
