"""Another role takes two persons, neither of them the one whom it is about."""

import threading

import pytest

from models import (
    Delivery,
    DeliveryKind,
    ProposalStatus,
    Role,
    RoleChange,
    User,
    UserStatus,
)
from pmp import database
from pmp.accounts import role_changes, sessions, standings, user_desk
from pmp.errors import ConflictError, RuleError
from tests.conftest import NOW
from tests.factories import make_licence, make_user

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def chief() -> User:
    return make_user(Role.ADMINISTRATOR, username="chief")


@pytest.fixture
def second() -> User:
    return make_user(Role.ADMINISTRATOR, username="second")


@pytest.fixture
def clerk() -> User:
    make_user(Role.STAFF)  # noise: keeps the role
    return make_user(Role.STAFF, username="clerk")


def propose(user: User, by: User, role: Role = Role.ADMINISTRATOR) -> RoleChange:
    return role_changes.propose(
        user.id, role=role, reason="takes over", seen="", by=by, at=NOW
    )


def role_of(user: User) -> Role:
    role: Role = User.get_by_id(user.id).role
    return role


def test_a_role_holds_once_a_second_person_confirms_it(
    chief: User, second: User, clerk: User
) -> None:
    token = sessions.begin(user=clerk, address="", browser="", at=NOW)
    change = propose(clerk, chief)
    assert role_of(clerk) == Role.STAFF
    assert [each.id for each in role_changes.waiting()] == [change.id]

    told = role_changes.confirm(change.id, by=second, at=NOW)

    assert told
    assert role_of(clerk) == Role.ADMINISTRATOR
    assert sessions.find(token, at=NOW) is None
    [notice] = Delivery.select().where(Delivery.kind == DeliveryKind.ACCOUNT_NOTICE)
    assert notice.address == clerk.email
    assert role_changes.waiting() == []
    roles = [user.role for user in User.select()]
    assert roles.count(Role.STAFF) == 1


def test_who_proposed_a_role_cannot_confirm_it(
    chief: User, second: User, clerk: User
) -> None:
    change = propose(clerk, chief)
    with pytest.raises(RuleError, match="You proposed this"):
        role_changes.confirm(change.id, by=chief, at=NOW)
    assert role_of(clerk) == Role.STAFF
    assert second.id


def test_nobody_has_a_hand_in_their_own_role(chief: User, second: User) -> None:
    with pytest.raises(RuleError, match="your own account"):
        propose(chief, chief, Role.AUDITOR)
    change = propose(second, chief, Role.AUDITOR)
    with pytest.raises(RuleError, match="your own account"):
        role_changes.confirm(change.id, by=second, at=NOW)
    with pytest.raises(RuleError, match="your own account"):
        role_changes.decline(change.id, reason="no", by=second, at=NOW)
    assert role_of(second) == Role.ADMINISTRATOR


def test_a_declined_role_says_why_and_may_be_proposed_again(
    chief: User, second: User, clerk: User
) -> None:
    change = propose(clerk, chief)
    with pytest.raises(RuleError, match="Say why"):
        role_changes.decline(change.id, reason=" ", by=second, at=NOW)

    role_changes.decline(change.id, reason="not yet", by=second, at=NOW)

    fresh = RoleChange.get_by_id(change.id)
    assert (fresh.status, fresh.answer) == (ProposalStatus.DECLINED, "not yet")
    with pytest.raises(ConflictError, match="second was faster"):
        role_changes.confirm(change.id, by=second, at=NOW)
    propose(clerk, chief)


def test_who_proposed_it_may_withdraw_it(chief: User, clerk: User) -> None:
    change = propose(clerk, chief)
    role_changes.decline(change.id, reason="", by=chief, at=NOW)
    assert RoleChange.get_by_id(change.id).status == ProposalStatus.WITHDRAWN


def test_one_proposal_at_a_time_waits_for_an_account(
    chief: User, second: User, clerk: User
) -> None:
    propose(clerk, chief)
    with pytest.raises(ConflictError, match="proposed for this account already"):
        propose(clerk, second, Role.AUDITOR)


def test_the_role_of_a_licence_is_not_changed(chief: User, clerk: User) -> None:
    doctor = make_user(Role.PRACTITIONER, licence=make_licence())
    with pytest.raises(RuleError, match="account of a licence"):
        propose(doctor, chief)
    with pytest.raises(RuleError, match="role of the program's staff"):
        propose(clerk, chief, Role.PRACTITIONER)
    with pytest.raises(RuleError, match="has this role already"):
        propose(clerk, chief, Role.STAFF)


def test_a_proposal_about_an_account_that_was_shut_is_not_confirmed(
    chief: User, second: User, clerk: User
) -> None:
    change = propose(clerk, chief)
    user_desk.suspend(clerk.id, reason="left", seen="", by=second, at=NOW)
    with pytest.raises(ConflictError, match="has changed since"):
        role_changes.confirm(change.id, by=second, at=NOW)
    assert role_of(clerk) == Role.STAFF
    assert User.get_by_id(clerk.id).status == UserStatus.SUSPENDED


def test_an_old_page_is_told_of_the_proposal(
    chief: User, second: User, clerk: User
) -> None:
    seen = standings.mark(clerk)
    propose(clerk, chief)
    with pytest.raises(ConflictError, match="chief proposed another role"):
        user_desk.suspend(clerk.id, reason="left", seen=seen, by=second, at=NOW)


def test_of_two_who_confirm_and_decline_at_once_one_decides(
    chief: User, second: User, clerk: User
) -> None:
    third = make_user(Role.ADMINISTRATOR, username="third")
    change = propose(clerk, chief)
    ended: list[str] = []
    together = threading.Barrier(2)

    def work(by: User) -> None:
        with database.connected():
            together.wait(timeout=10)
            try:
                if by == second:
                    role_changes.confirm(change.id, by=by, at=NOW)
                else:
                    role_changes.decline(change.id, reason="no", by=by, at=NOW)
                ended.append("done")
            except ConflictError:
                ended.append("told")

    threads = [threading.Thread(target=work, args=(by,)) for by in (second, third)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    assert sorted(ended) == ["done", "told"]
    confirmed = RoleChange.get_by_id(change.id).status == ProposalStatus.CONFIRMED
    assert (role_of(clerk) == Role.ADMINISTRATOR) == confirmed
