"""What administrators do about an account, and what they are told and refused."""

import threading
from datetime import timedelta

import pytest

from models import (
    AccountNotice,
    AuditEvent,
    ChannelName,
    Credential,
    Delivery,
    DeliveryKind,
    Licence,
    NoticeOfAccount,
    Profession,
    Role,
    User,
    UserStatus,
)
from pmp import audit, database
from pmp.accounts import sessions, standings, user_desk, user_lists
from pmp.accounts.user_lists import Standing, Wanted
from pmp.errors import ConflictError, RuleError
from tests.conftest import NOW
from tests.factories import make_licence, make_practitioner_licence, make_user

pytestmark = pytest.mark.usefixtures("db")
LICENCE, STREET = "CSP.0009911", "12 Elm Street"


@pytest.fixture
def chief() -> User:
    return make_user(Role.ADMINISTRATOR, username="chief")


@pytest.fixture
def doctor() -> User:
    make_user(Role.PRACTITIONER)  # noise: another
    return make_user(
        Role.PRACTITIONER,
        username="doctor",
        licence=make_practitioner_licence(code=LICENCE, street=STREET),
        password_hash="kept",
    )


def begin_session(user: User) -> str:
    return sessions.begin(user=user, address="192.0.2.1", browser="", at=NOW)


def notices() -> list[Delivery]:
    return list(Delivery.select().where(Delivery.kind == DeliveryKind.ACCOUNT_NOTICE))


def suspend(user: User, by: User, *, seen: str = "") -> bool:
    return user_desk.suspend(user.id, reason="left", seen=seen, by=by, at=NOW)


def test_a_suspended_user_is_out_at_once_and_told(chief: User, doctor: User) -> None:
    token, mine = begin_session(doctor), begin_session(chief)

    told = suspend(doctor, chief)

    assert told
    assert User.get_by_id(doctor.id).status == UserStatus.SUSPENDED
    assert sessions.find(token, at=NOW) is None
    assert sessions.find(mine, at=NOW) is not None
    [notice] = notices()
    assert (notice.channel, notice.address) == (ChannelName.EMAIL, doctor.email)
    told_of = AccountNotice.get_by_id(notice.subject_id)
    assert (told_of.user, told_of.kind) == (doctor, NoticeOfAccount.SUSPENDED)
    [event] = AuditEvent.select().where(
        AuditEvent.event == audit.Event.USER_SUSPENDED.value
    )
    assert (event.actor, event.detail) == ("chief", {"reason": "left"})


def test_who_is_suspended_without_any_address_cannot_be_told(chief: User) -> None:
    nobody = make_user(Role.STAFF, email=None)
    assert not suspend(nobody, chief)
    assert notices() == []


def test_opened_again_the_user_comes_in_with_what_they_had(
    chief: User, doctor: User
) -> None:
    newcomer = make_user(Role.STAFF)  # has never set a password
    for user in (doctor, newcomer):
        suspend(user, chief)
        user_desk.reactivate(user.id, reason="back", seen="", by=chief, at=NOW)

    assert User.get_by_id(doctor.id).status == UserStatus.ACTIVE
    assert User.get_by_id(newcomer.id).status == UserStatus.AWAITING_FIRST_SIGN_IN


def test_an_account_without_an_active_licence_stays_shut(
    chief: User, doctor: User
) -> None:
    suspend(doctor, chief)
    Licence.update(active=False).where(Licence.code == LICENCE).execute()

    with pytest.raises(RuleError, match="not active in the roster"):
        user_desk.reactivate(doctor.id, reason="back", seen="", by=chief, at=NOW)

    assert User.get_by_id(doctor.id).status == UserStatus.SUSPENDED


def test_nobody_decides_about_their_own_account(chief: User) -> None:
    make_user(Role.ADMINISTRATOR)
    with pytest.raises(RuleError, match="your own account"):
        suspend(chief, chief)
    assert User.get_by_id(chief.id).status == UserStatus.ACTIVE


def test_who_was_suspended_meanwhile_decides_nothing(chief: User, doctor: User) -> None:
    other = make_user(Role.ADMINISTRATOR, username="other")
    suspend(chief, other)
    with pytest.raises(ConflictError, match="You may not do this any more"):
        suspend(doctor, chief)  # whose page was open


def test_a_locked_user_may_try_again(chief: User) -> None:
    locked = make_user(
        Role.PHARMACY, failed_sign_ins=4, locked_until=NOW + timedelta(minutes=9)
    )
    user_desk.unlock(locked.id, seen="", by=chief, at=NOW)

    fresh = User.get_by_id(locked.id)
    assert (fresh.failed_sign_ins, fresh.locked_until) == (0, None)
    with pytest.raises(RuleError, match="is not locked"):
        user_desk.unlock(locked.id, seen="", by=chief, at=NOW)


def test_a_new_letter_goes_to_the_address_of_record_and_the_old_password_dies(
    chief: User, doctor: User
) -> None:
    token = begin_session(doctor)

    user_desk.new_letter(doctor.id, reason="lost it", seen="", by=chief, at=NOW)

    fresh = User.get_by_id(doctor.id)
    assert fresh.status == UserStatus.AWAITING_FIRST_SIGN_IN
    assert fresh.password_hash is None
    assert sessions.find(token, at=NOW) is None
    [letter] = Delivery.select().where(Delivery.kind == DeliveryKind.CREDENTIAL_LETTER)
    assert letter.channel == ChannelName.LETTER
    assert STREET in letter.address
    [notice] = notices()
    assert notice.channel == ChannelName.EMAIL


def test_without_an_address_of_record_nothing_happens(chief: User) -> None:
    staff = make_user(Role.STAFF, password_hash="kept")
    with pytest.raises(RuleError, match="no address of record"):
        user_desk.new_letter(staff.id, reason="lost it", seen="", by=chief, at=NOW)

    fresh = User.get_by_id(staff.id)
    assert (fresh.status, fresh.password_hash) == (UserStatus.ACTIVE, "kept")
    assert not Credential.select().exists()


def test_who_decides_on_an_old_page_is_told_what_changed(
    chief: User, doctor: User
) -> None:
    seen = standings.mark(doctor)
    begin_session(doctor)  # no decision: does not count
    other = make_user(Role.ADMINISTRATOR, username="other")
    user_desk.new_letter(doctor.id, reason="moved house", seen=seen, by=other, at=NOW)

    with pytest.raises(ConflictError) as refused:
        suspend(doctor, chief, seen=seen)

    assert "other had a new password letter mailed (moved house)" in str(refused.value)
    assert User.get_by_id(doctor.id).status == UserStatus.AWAITING_FIRST_SIGN_IN
    suspend(doctor, chief, seen=standings.mark(doctor))


def test_of_two_at_once_one_suspends_and_the_other_is_told(doctor: User) -> None:
    chiefs = [make_user(Role.ADMINISTRATOR) for _ in range(2)]
    seen = standings.mark(doctor)
    ended: list[object] = []
    together = threading.Barrier(2)

    def work(by: User) -> None:
        with database.connected():
            together.wait(timeout=10)
            try:
                ended.append(suspend(doctor, by, seen=seen))
            except RuleError as refusal:
                ended.append(type(refusal))

    threads = [threading.Thread(target=work, args=(by,)) for by in chiefs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    assert sorted(map(str, ended)) == sorted([str(ConflictError), "True"])
    assert len(notices()) == 1


def test_two_administrators_cannot_suspend_each_other() -> None:
    one, two = (make_user(Role.ADMINISTRATOR) for _ in range(2))
    ended: list[object] = []
    together = threading.Barrier(2)

    def work(whom: User, by: User) -> None:
        with database.connected():
            together.wait(timeout=10)
            try:
                ended.append(suspend(whom, by))
            except RuleError as refusal:
                ended.append(type(refusal))

    threads = [
        threading.Thread(target=work, args=pair) for pair in ((one, two), (two, one))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    active = User.select().where(User.status == UserStatus.ACTIVE)
    assert active.count() == 1
    assert ConflictError in ended


def usernames(**wanted: object) -> list[str]:
    found = user_lists.listed(Wanted(**wanted), page=1, at=NOW)  # type: ignore[arg-type]
    return [user.username for user in found.rows]


def test_users_are_found_by_every_word_of_a_name_or_by_a_number() -> None:
    licence = make_licence(Profession.PHARMACY, code="PCY.0000777", dea="BP1234563")
    make_user(Role.PHARMACY, username="main.street", name="MAIN", licence=licence)
    make_user(username="rae.oakes", name="Rae Oakes", email="rae@example.org")
    make_user(username="rae.elm", name="Rae Elm")

    assert usernames(text="oakes, rae") == ["rae.oakes"]
    assert usernames(text="0000777") == ["main.street"]
    assert usernames(text="bp1234563") == ["main.street"]
    assert usernames(text="rae@example") == ["rae.oakes"]
    assert usernames(text="%") == []


def test_users_are_listed_by_role_and_standing_in_any_order() -> None:
    gone = make_licence(active=False)
    make_user(Role.PHARMACY, username="gone", licence=gone)
    make_user(
        Role.PHARMACY,
        username="shut",
        licence=make_licence(active=False),
        status=UserStatus.SUSPENDED,
    )
    make_user(username="locked", locked_until=NOW + timedelta(minutes=1))
    make_user(username="was.locked", locked_until=NOW - timedelta(minutes=1))
    make_user(username="lately", last_sign_in_at=NOW)

    assert usernames(role=Role.PHARMACY) == ["gone", "shut"]
    assert usernames(state=UserStatus.SUSPENDED) == ["shut"]
    assert usernames(state=Standing.LOCKED) == ["locked"]
    assert usernames(state=Standing.NOT_LICENSED) == ["gone"]
    assert usernames(sort="-user")[0] == "was.locked"
    assert usernames(sort="-seen")[0] == "lately"
    assert "lately" not in usernames(state=Standing.NEVER_IN)


def test_the_list_as_a_file_is_on_record(chief: User) -> None:
    make_user(username="zoe")
    rows = user_lists.rows_of(Wanted(text="zoe"), by=chief, at=NOW)
    assert [row[0] for row in rows] == ["zoe"]
    last = AuditEvent.select().order_by(AuditEvent.id.desc()).get()
    assert (last.event, last.detail) == (audit.Event.USERS_DOWNLOADED, {"rows": 1})
