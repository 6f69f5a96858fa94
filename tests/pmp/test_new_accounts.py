"""An account for staff takes two persons, and neither of them sees a way in."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from peewee import IntegrityError

from gateway import messages
from models import (
    AuditEvent,
    Credential,
    Delivery,
    DeliveryAttempt,
    DeliveryKind,
    ForgottenPassword,
    NewAccount,
    ProposalStatus,
    Role,
    User,
    UserStatus,
)
from pmp import accounts, audit, database, work_queues
from pmp.accounts import (
    credentials,
    forgotten,
    new_accounts,
    passwords,
    user_desk,
    user_files,
)
from pmp.accounts.new_accounts import Person
from pmp.errors import ConflictError, RuleError
from tests.conftest import NOW
from tests.factories import make_licence, make_user

pytestmark = pytest.mark.usefixtures("db")
PASSWORD = "seven quiet lanterns drift"
DANA = {"name": "Dana Whitfield", "email": "Dana@example.org", "role": "staff"}


@pytest.fixture
def chief() -> User:
    return make_user(
        Role.ADMINISTRATOR, username="chief", name="Al Chief", email="chief@example.org"
    )


@pytest.fixture
def second() -> User:
    make_user(Role.STAFF)  # noise: may not decide
    return make_user(Role.ADMINISTRATOR, username="second")


def propose(by: User, **given: str) -> NewAccount:
    person = Person(**(DANA | given))
    return new_accounts.propose(person, reason="takes over tickets", by=by, at=NOW)


def events_of(account: NewAccount) -> list[str]:
    rows = AuditEvent.select().where(AuditEvent.subject == f"new_account:{account.id}")
    return [row.event for row in rows.order_by(AuditEvent.id)]


def test_nothing_exists_until_a_second_person_confirms_it(
    chief: User, second: User
) -> None:
    before = User.select().count()

    account = propose(chief, phone="860 555 0142")

    assert User.select().count() == before
    assert Delivery.select().count() == ForgottenPassword.select().count() == 0
    assert [each.id for each in new_accounts.waiting()] == [account.id]

    new_accounts.confirm(account.id, by=second, at=NOW)

    made = User.get(User.username == "dana.whitfield")
    assert (made.role, made.status) == (Role.STAFF, UserStatus.AWAITING_FIRST_SIGN_IN)
    assert (made.email, made.phone) == ("Dana@example.org", "+18605550142")
    assert made.password_hash is None
    assert Credential.select().count() == 0
    assert new_accounts.waiting() == []
    assert events_of(account) == ["new_account:proposed", "new_account:confirmed"]
    [created] = AuditEvent.select().where(AuditEvent.subject == f"user:{made.id}")[:1]
    assert (created.event, created.actor) == ("user:created", "second")
    file = user_files.opened(made, by=second, at=NOW)
    assert file.proposal == account
    assert user_files.opened(second, by=chief, at=NOW).proposal is None


def test_link_to_the_first_password_goes_to_the_new_address_alone(
    chief: User, second: User
) -> None:
    ask_id = new_accounts.confirm(propose(chief).id, by=second, at=NOW)
    assert forgotten.unanswered() == [ask_id]

    forgotten.answer(ask_id, at=NOW)

    [sent] = Delivery.select()
    assert (sent.kind, sent.address) == (
        DeliveryKind.FORGOTTEN_PASSWORD,
        "Dana@example.org",
    )
    attempt = DeliveryAttempt(delivery=sent, number=1, started_at=NOW)
    message = messages.compose(sent, attempt)
    assert message.subject == "Your new account: a link to your first password"
    assert "Your user name: dana.whitfield" in message.text
    assert "As you asked" not in message.text
    found = re.search(r"/forgotten/([0-9a-f]{64})\n", message.text)
    assert found

    row = forgotten.by_token(found[1], at=NOW)
    forgotten.reset(row, PASSWORD, address="10.0.0.9", at=NOW)

    made = User.get(User.username == "dana.whitfield")
    assert made.status == UserStatus.ACTIVE
    assert made.attested_at == NOW
    came = accounts.sign_in(
        username="dana.whitfield", password=PASSWORD, address="", browser="", at=NOW
    )
    assert came.user == made
    history = {row.event for row in AuditEvent.select()}
    assert {"user:activated", "user:attested", "password:reset"} <= history
    assert Delivery.select().count() == 1  # nobody is told that it "was changed"


def test_link_that_is_too_old_is_asked_for_again_by_anybody(
    chief: User, second: User
) -> None:
    ask_id = new_accounts.confirm(propose(chief).id, by=second, at=NOW)
    forgotten.answer(ask_id, at=NOW)
    first = forgotten.link(ForgottenPassword.get_by_id(ask_id)).rpartition("/")[2]
    later = NOW + timedelta(hours=25)
    with pytest.raises(RuleError):
        forgotten.by_token(first, at=later)

    [again] = forgotten.ask("dana@EXAMPLE.org", by_letter=False, place="p", at=later)
    forgotten.answer(again, at=later)
    made = User.get(User.username == "dana.whitfield")
    by_staff = forgotten.ask_for(made, by_letter=False, by=chief, at=later)
    forgotten.answer(by_staff, at=later)

    assert [each.address for each in Delivery.select()] == ["Dana@example.org"] * 3


def test_first_password_by_link_ends_a_single_use_password_that_is_out(
    chief: User, second: User
) -> None:
    ask_id = new_accounts.confirm(propose(chief).id, by=second, at=NOW)
    forgotten.answer(ask_id, at=NOW)
    made = User.get(User.username == "dana.whitfield")
    secret = credentials.issue(made, at=NOW)

    row = ForgottenPassword.get_by_id(ask_id)
    forgotten.reset(row, PASSWORD, address="", at=NOW)

    with pytest.raises(RuleError, match="no longer in force"):
        accounts.check_letter(
            username=made.username, secret=secret, code="", address="", at=NOW
        )
    assert passwords.matches(User.get_by_id(made.id).password_hash, PASSWORD)


def test_account_that_was_suspended_is_not_opened_by_its_link(
    chief: User, second: User
) -> None:
    ask_id = new_accounts.confirm(propose(chief).id, by=second, at=NOW)
    forgotten.answer(ask_id, at=NOW)
    row = ForgottenPassword.get_by_id(ask_id)
    made = forgotten.user_of(row)  # as the page has it
    user_desk.suspend(made.id, reason="a trick", seen="", by=chief, at=NOW)

    with pytest.raises(RuleError, match="shut a moment ago"):
        forgotten.reset(row, PASSWORD, address="", at=NOW)

    assert User.get_by_id(made.id).status == UserStatus.SUSPENDED
    assert User.get_by_id(made.id).password_hash is None


def test_licence_s_user_still_begins_with_the_letter(second: User) -> None:
    waits = UserStatus.AWAITING_FIRST_SIGN_IN
    doctor = make_user(Role.PRACTITIONER, licence=make_licence(), status=waits)
    with pytest.raises(RuleError, match="begin with the letter"):
        forgotten.ask_for(doctor, by_letter=False, by=second, at=NOW)


def test_who_proposed_an_account_cannot_confirm_it(chief: User, second: User) -> None:
    account = propose(chief)
    with pytest.raises(RuleError, match="You proposed this"):
        new_accounts.confirm(account.id, by=chief, at=NOW)
    account.status, account.decided_by = ProposalStatus.CONFIRMED, "chief"
    with pytest.raises(IntegrityError), database.atomic():
        account.save()
    assert User.get_or_none(User.username == "dana.whitfield") is None
    assert second.id


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "CHIEF@example.org"),
        ("email", "chief+two@example.org"),
        ("name", "al  CHIEF"),
    ],
)
def test_nobody_makes_a_second_self(
    chief: User, second: User, field: str, value: str
) -> None:
    with pytest.raises(RuleError, match="for themselves") as refused:
        propose(chief, **{field: value})
    assert refused.value.field == field
    if field == "name":  # a colleague may propose a namesake; they may not confirm it
        account = propose(second, name=value)
        with pytest.raises(RuleError, match="for themselves"):
            new_accounts.confirm(account.id, by=chief, at=NOW)
        assert new_accounts.namesakes(account) == [chief]


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"name": " . "}, "name", "Write the name"),
        ({"email": "dana at example"}, "email", "not an email address"),
        ({"role": "practitioner"}, "role", "registers with a licence"),
        ({"role": "king"}, "role", "role of the program's staff"),
        ({"phone": "12"}, "phone", "not a number with area code"),
        ({"username": "dana whitfield"}, "username", "letters, digits"),
        ({"username": "SECOND"}, "username", r"User \d+ \(second, administrator\)"),
        ({"email": "Rae@Example.org"}, "email", r"Rae Oakes \(rae, practitioner\)"),
    ],
)
def test_what_is_wrong_with_a_proposal_is_told_at_its_field(
    chief: User, second: User, given: dict[str, str], field: str, words: str
) -> None:
    make_user(
        Role.PRACTITIONER, username="rae", name="Rae Oakes", email="rae@example.org"
    )
    with pytest.raises(RuleError, match=words) as refused:
        propose(chief, **given)
    assert refused.value.field == field
    assert NewAccount.select().count() == 0
    assert second.id


def test_reason_is_wanted(chief: User) -> None:
    with pytest.raises(RuleError, match="Say why") as refused:
        new_accounts.propose(Person(**DANA), reason=" ", by=chief, at=NOW)
    assert refused.value.field == "reason"


def test_user_name_is_made_of_the_name_and_promised_once(chief: User) -> None:
    make_user(username="dana.whitfield")
    one = propose(chief, name="Dana Q. Whitfield")
    two = propose(chief, name="Dana Whitfield", email="other@example.org")
    three = propose(chief, name="Zoë", email="zoe@example.org")
    names = [each.username for each in (one, two, three)]
    assert names == ["dana.whitfield2", "dana.whitfield3", "zoe"]


def test_what_waits_in_another_proposal_is_taken(chief: User, second: User) -> None:
    propose(chief, username="dana")
    with pytest.raises(RuleError, match="proposal for Dana Whitfield by chief") as no:
        propose(second, username="dana", email="else@example.org")
    assert no.value.field == "username"
    with pytest.raises(RuleError, match="proposal for Dana Whitfield by chief") as no:
        propose(second, username="other", email="DANA@example.org")
    assert no.value.field == "email"


def test_address_of_a_closed_account_is_free(chief: User, second: User) -> None:
    make_user(username="old", email="dana@example.org", status=UserStatus.CLOSED)
    assert new_accounts.confirm(propose(chief).id, by=second, at=NOW)


@pytest.mark.parametrize(
    "taken", [{"username": "dana.whitfield"}, {"email": "dana@example.org"}]
)
def test_what_was_taken_meanwhile_is_not_confirmed(
    chief: User, second: User, taken: dict[str, str]
) -> None:
    account = propose(chief)
    make_user(Role.STAFF, **taken)
    with pytest.raises(ConflictError, match="Decline this one"):
        new_accounts.confirm(account.id, by=second, at=NOW)
    assert NewAccount.get_by_id(account.id).status == ProposalStatus.OPEN
    assert ForgottenPassword.select().count() == 0


def test_proposal_of_who_was_shut_out_since_is_not_confirmed(
    chief: User, second: User
) -> None:
    account = propose(chief)
    user_desk.suspend(chief.id, reason="a rogue", seen="", by=second, at=NOW)
    with pytest.raises(ConflictError, match="chief, who proposed this, may not"):
        new_accounts.confirm(account.id, by=second, at=NOW)
    new_accounts.decline(account.id, reason="a rogue's", by=second, at=NOW)
    with pytest.raises(ConflictError, match="may not do this any more"):
        propose(chief)


def test_declined_account_says_why_and_may_be_proposed_again(
    chief: User, second: User
) -> None:
    account = propose(chief)
    with pytest.raises(RuleError, match="Say why"):
        new_accounts.decline(account.id, reason=" ", by=second, at=NOW)

    new_accounts.decline(account.id, reason="not yet", by=second, at=NOW)

    fresh = NewAccount.get_by_id(account.id)
    assert (fresh.status, fresh.answer) == (ProposalStatus.DECLINED, "not yet")
    assert events_of(account)[-1] == audit.Event.NEW_ACCOUNT_DECLINED
    with pytest.raises(ConflictError, match="second was faster"):
        new_accounts.confirm(account.id, by=second, at=NOW)
    again = propose(chief)
    assert [each.id for each in new_accounts.listed(page=1).rows] == [
        again.id,
        account.id,
    ]


def test_who_proposed_an_account_may_withdraw_it(chief: User) -> None:
    account = propose(chief)
    ended = new_accounts.decline(account.id, reason="", by=chief, at=NOW)
    assert ended == ProposalStatus.WITHDRAWN
    assert events_of(account)[-1] == audit.Event.NEW_ACCOUNT_WITHDRAWN


def test_new_accounts_wait_in_a_queue(chief: User) -> None:
    propose(chief)
    at = NOW + timedelta(days=3)
    tiles = {each.words: each for each in work_queues.accounts(at=at)}
    tile = tiles["New accounts to confirm"]
    assert (tile.count, tile.oldest, tile.late) == (1, NOW, 1)


def test_of_two_who_decide_at_once_one_does(chief: User, second: User) -> None:
    third = make_user(Role.ADMINISTRATOR, username="third")
    account = propose(chief)
    decisions: list[Callable[[], object]] = [
        lambda: new_accounts.confirm(account.id, by=second, at=NOW),
        lambda: new_accounts.confirm(account.id, by=third, at=NOW),
        lambda: new_accounts.decline(account.id, reason="no", by=third, at=NOW),
    ]
    ended = _at_once(decisions)

    assert sorted(ended) == ["done", "told", "told"]
    is_made = User.get_or_none(User.username == "dana.whitfield") is not None
    confirmed = NewAccount.get_by_id(account.id).status == ProposalStatus.CONFIRMED
    assert is_made == confirmed


def test_of_two_who_propose_the_same_at_once_one_does(
    chief: User, second: User
) -> None:
    ended = _at_once([lambda: propose(chief), lambda: propose(second)])
    assert sorted(ended) == ["done", "told"]
    assert NewAccount.select().count() == 1


def _at_once(decisions: list[Callable[[], object]]) -> list[str]:
    ended: list[str] = []
    together = threading.Barrier(len(decisions))

    def work(decide: Callable[[], object]) -> None:
        with database.connected():
            together.wait(timeout=10)
            try:
                decide()
                ended.append("done")
            except RuleError:
                ended.append("told")

    threads = [threading.Thread(target=work, args=(each,)) for each in decisions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    return ended
