"""A number is proven by a code that comes back; until then the old one is used."""

from datetime import timedelta

import pytest

from models import (
    AuditEvent,
    ChannelName,
    ContactCheck,
    Delivery,
    DeliveryKind,
    DeliveryState,
    HowConfirmed,
    Role,
    User,
)
from pmp import deliveries
from pmp.deliveries import Route, contacts
from pmp.errors import NotFoundError, RuleError
from pmp.reaching import checks, fax_numbers, own_ways, page_codes
from tests.conftest import NOW
from tests.factories import make_licence, make_pharmacy, make_user, prove_fax

pytestmark = pytest.mark.usefixtures("db")

FAX, EMAIL, SMS = ChannelName.FAX, ChannelName.EMAIL, ChannelName.SMS
OLD, NEW = "+18605550120", "+18605550121"


def pharmacist(**fields: object) -> User:
    make_user(Role.PHARMACY, fax=OLD)  # noise: the same number, another person
    return make_user(Role.PHARMACY, fax=OLD, pharmacy=make_pharmacy(), **fields)


def ask(user: User, number: str = NEW) -> ContactCheck:
    return own_ways.prove_fax(user, number=number, by=user, at=NOW)


def delivery_of(check: ContactCheck) -> Delivery:
    delivery: Delivery = Delivery.get(
        Delivery.kind == checks.KINDS[check.channel], Delivery.subject_id == check.id
    )
    return delivery


def fax_of(user: User) -> str | None:
    number: str | None = User.get_by_id(user.id).fax
    return number


def test_a_new_number_is_the_users_once_its_code_is_typed_and_the_old_one_is_told() -> (
    None
):
    user = pharmacist()
    check = ask(user, "(860) 555-0121")

    page = delivery_of(check)
    assert (page.kind, page.channel, page.address) == (
        DeliveryKind.FAX_TEST_PAGE,
        FAX,
        NEW,
    )
    assert fax_of(user) == OLD

    checks.typed(user, channel=FAX, code=check.code.lower(), by=user, at=NOW)

    assert fax_of(user) == NEW
    told = Delivery.select().where(Delivery.kind == DeliveryKind.CONTACT_CHANGE)
    assert {(each.channel, each.address) for each in told} == {
        (FAX, OLD),
        (EMAIL, user.email),  # where the reports came, OLD not being proven
    }
    assert [each.further_routes for each in told] == [[], []]
    standing = fax_numbers.standing(user, NEW, at=NOW)
    assert standing.state == fax_numbers.State.VERIFIED
    assert standing.check is not None
    assert standing.check.confirmed_how == HowConfirmed.TYPED
    [confirmed] = AuditEvent.select().where(AuditEvent.event == "contact:confirmed")
    assert confirmed.subject == f"user:{user.id}"
    assert check.code not in str(confirmed.detail)


def test_the_number_in_use_is_proven_without_anybody_being_told_of_a_change() -> None:
    user = pharmacist()
    check = ask(user, OLD)

    checks.typed(user, channel=FAX, code=check.code, by=user, at=NOW)

    assert fax_of(user) == OLD
    kinds = {delivery.kind for delivery in Delivery.select()}
    assert kinds == {DeliveryKind.FAX_TEST_PAGE}


def test_a_wrong_code_proves_nothing_and_the_fifth_ends_it() -> None:
    user, other = pharmacist(), pharmacist()
    check, theirs = ask(user), ask(other, "+18605550122")

    for _ in range(4):
        with pytest.raises(RuleError, match="not the code") as refused:
            checks.typed(user, channel=FAX, code=theirs.code, by=user, at=NOW)
        assert refused.value.field == "code"
    with pytest.raises(RuleError, match="fifth time"):
        checks.typed(user, channel=FAX, code="nonsense", by=user, at=NOW)
    with pytest.raises(RuleError, match="Ask for a new one"):
        checks.typed(user, channel=FAX, code=check.code, by=user, at=NOW)
    assert fax_of(user) == OLD
    assert ContactCheck.get_by_id(theirs.id).wrong_tries == 0


def test_a_code_is_good_for_a_fortnight_and_only_the_newest() -> None:
    user = pharmacist()
    first, second = ask(user), ask(user)

    with pytest.raises(RuleError, match="not the code"):
        checks.typed(user, channel=FAX, code=first.code, by=user, at=NOW)
    later = NOW + timedelta(days=14)
    with pytest.raises(RuleError, match="No code waits"):
        checks.typed(user, channel=FAX, code=second.code, by=user, at=later)
    with pytest.raises(RuleError, match="too old"):
        confirm(second.code, at_days=14)
    assert fax_of(user) == OLD


def confirm(code: str, *, at_days: int = 0) -> ContactCheck:
    return fax_numbers.confirm_by_code(
        code,
        how=HowConfirmed.TOLD,
        by="staff.lee",
        at=NOW + timedelta(days=at_days),
    )


def test_somebody_who_is_no_user_tells_staff_the_code() -> None:
    licence = make_licence(fax="860-555-0123")
    check = checks.ask(licence, channel=FAX, address="+18605550123", by=None, at=NOW)

    done = confirm(check.code.replace("-", " "))
    again = confirm(check.code)

    assert done.id == again.id == check.id
    assert done.confirmed_how == HowConfirmed.TOLD
    assert done.confirmed_by == "staff.lee"
    assert fax_numbers.standing(licence, "+18605550123", at=NOW).check == done
    with pytest.raises(NotFoundError, match="No test page has this code"):
        confirm(page_codes.new_code())


def test_a_user_may_ask_for_five_codes_a_day_and_staff_for_more() -> None:
    user, staff = pharmacist(), make_user()
    for _ in range(5):
        ask(user)

    with pytest.raises(RuleError, match="tomorrow") as refused:
        ask(user)
    assert refused.value.field == "fax"
    own_ways.prove_fax(user, number=NEW, by=staff, at=NOW)
    own_ways.prove_fax(user, number=NEW, by=user, at=NOW + timedelta(days=2))


def test_no_test_page_goes_to_a_wrong_number() -> None:
    user = pharmacist()
    fax_numbers.block(NEW, why="a shop has it", by="staff.lee", at=NOW)

    with pytest.raises(RuleError, match="somebody else") as refused:
        ask(user)

    assert refused.value.field == "fax"
    assert Delivery.select().count() == 0


def test_the_program_asks_by_itself_while_no_code_is_out() -> None:
    user, fortnight = pharmacist(), timedelta(days=14)

    assert checks.ask_once(user, number=OLD, at=NOW)
    assert checks.ask_once(user, number=OLD, at=NOW + timedelta(days=13)) is None
    assert checks.ask_once(user, number=OLD, at=NOW + fortnight)
    checks.give_up(user, FAX, by=user, at=NOW + fortnight)
    assert checks.ask_once(user, number=OLD, at=NOW + fortnight)


def test_the_program_does_not_spoil_the_code_that_a_user_asked_for() -> None:
    user = pharmacist()
    check = ask(user, NEW)

    assert checks.ask_once(user, number=OLD, at=NOW) is None

    checks.typed(user, channel=FAX, code=check.code, by=user, at=NOW)
    assert fax_of(user) == NEW


@pytest.mark.parametrize("email", [None, "own@example.org"])
def test_a_first_number_of_ones_own_is_told_where_the_reports_came_until_now(
    email: str | None,
) -> None:
    fax = None if email else "860-555-0120"  # the roster's: it needs no test page
    pharmacy = make_pharmacy(fax=fax, licence=make_licence(fax=fax))
    user = make_user(Role.PHARMACY, fax=None, email=email, pharmacy=pharmacy)
    before = contacts.routes_for(pharmacy)[0]
    assert before == (Route(EMAIL, email) if email else Route(FAX, OLD))

    check = ask(user, NEW)
    checks.typed(user, channel=FAX, code=check.code, by=user, at=NOW)

    assert contacts.routes_for(pharmacy)[0] == Route(FAX, NEW)
    [told] = Delivery.select().where(Delivery.kind == DeliveryKind.CONTACT_CHANGE)
    assert (told.channel, told.address) == (before.channel, before.address)


def test_a_number_that_changes_no_reports_way_tells_nobody() -> None:
    pharmacy = make_pharmacy()
    user = make_user(
        Role.PHARMACY, fax=None, pharmacy=pharmacy, preferred_channel=EMAIL
    )

    check = ask(user, NEW)
    checks.typed(user, channel=FAX, code=check.code, by=user, at=NOW)

    assert contacts.routes_for(pharmacy)[0].channel == EMAIL
    assert not Delivery.select().where(Delivery.kind == DeliveryKind.CONTACT_CHANGE)


def test_an_email_address_is_proven_by_a_link_that_only_its_user_can_follow() -> None:
    user, other = pharmacist(email="old@example.org"), pharmacist()
    check = own_ways.prove_email(user, email="new@example.org", by=user, at=NOW)
    seal = checks.seal_of(check)

    for who, wrong in ((other, seal), (user, seal[:-1] + "x"), (user, "é")):
        with pytest.raises(RuleError, match="not for the account"):
            checks.by_link(who, check_id=check.id, seal=wrong)
    found = checks.by_link(user, check_id=check.id, seal=seal)
    checks.confirm(found, how=HowConfirmed.LINK, by=user.username, at=NOW)

    assert User.get_by_id(user.id).email == "new@example.org"
    [told] = Delivery.select().where(Delivery.kind == DeliveryKind.CONTACT_CHANGE)
    assert (told.channel, told.address) == (EMAIL, "old@example.org")


def test_the_preferred_channel_decides_and_who_had_the_reports_is_told() -> None:
    user = pharmacist(email="own@example.org")
    prove_fax(user, OLD)
    assert user.pharmacy

    own_ways.prefer(user, EMAIL, by=user, at=NOW)

    assert contacts.routes_for(user.pharmacy)[0] == Route(EMAIL, "own@example.org")
    [told] = Delivery.select().where(Delivery.kind == DeliveryKind.CONTACT_CHANGE)
    assert (told.channel, told.address) == (FAX, OLD)
    with pytest.raises(RuleError, match="Choose email, fax or letter"):
        own_ways.prefer(user, SMS, by=user, at=NOW)


def test_a_wrong_number_is_closed_to_all_and_what_waits_goes_by_the_next_way() -> None:
    user = pharmacist()
    prove_fax(user, OLD)
    waiting = deliveries.request(
        kind=DeliveryKind.TICKET_NOTICE,
        subject_id=1,
        routes=[Route(FAX, OLD), Route(EMAIL, "next@example.org")],
        dedupe_key="waits",
        at=NOW,
    )
    alone, noise = (
        deliveries.request(
            kind=DeliveryKind.TICKET_NOTICE,
            subject_id=2,
            routes=[Route(FAX, number)],
            dedupe_key=f"alone {number}",
            at=NOW,
        )
        for number in (OLD, NEW)
    )

    fax_numbers.block("860-555-0120", why="a shop has it", by="staff.lee", at=NOW)

    assert user.pharmacy
    assert FAX not in {way.channel for way in contacts.routes_for(user.pharmacy)}
    states = {row.id: row.state for row in Delivery.select()}
    assert states[waiting.id] == DeliveryState.CANCELLED
    assert states[alone.id] == DeliveryState.HELD
    assert states[noise.id] == DeliveryState.QUEUED
    [child] = Delivery.select().where(Delivery.parent == waiting)
    assert (child.channel, child.address) == (EMAIL, "next@example.org")
    assert fax_numbers.standing(user, OLD, at=NOW).state == fax_numbers.State.WRONG

    fax_numbers.release(OLD, by=make_user(), at=NOW)
    standing = fax_numbers.standing(user, OLD, at=NOW)
    assert standing.state == fax_numbers.State.UNVERIFIED  # it is proven anew


def test_a_number_is_found_however_it_was_written() -> None:
    user = make_user(Role.PHARMACY, fax="860.555.0120")
    licence = make_licence(fax="1 (860) 555-0120")
    pharmacy = make_pharmacy(fax="8605550120")
    make_licence(fax="8605550121")
    make_licence(fax=None)

    assert fax_numbers.owners_of(OLD) == [user, licence, pharmacy]


@pytest.mark.parametrize(
    ("station", "own"),
    [
        ("+1 860 555 0120", True),
        ("555-0120", True),
        ("DR ADAMS 5550120", True),
        ("0120", False),
        ("860 555 0121", False),
        ("", False),
    ],
)
def test_a_machine_that_says_its_number_is_weak_evidence(
    *, station: str, own: bool
) -> None:
    assert fax_numbers.is_its_own(station, OLD) is own
