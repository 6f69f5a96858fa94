"""The page “How the program reaches you”, for its user and for staff."""

from collections.abc import Callable

import pytest

from models import (
    AuditEvent,
    ChannelName,
    ContactCheck,
    Delivery,
    DeliveryKind,
    HowConfirmed,
    Misdelivery,
    Role,
    StationChange,
    User,
    WhatBecame,
)
from pmp import clock, settings
from pmp.deliveries import outbox, sealed_searches
from pmp.reaching import checks, fax_numbers, stations
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import make_licence, make_pharmacy, make_user, prove_fax
from tests.servers.sms import SENDER, Twilio

OLD, NEW, MOBILE = "+18605550120", "+18605550121", "+18605550150"


@pytest.fixture
def pharmacist(db: settings.Settings) -> User:
    make_user(Role.PHARMACY, fax=OLD)  # noise
    return make_user(
        Role.PHARMACY, name="ELM DRUG", fax=OLD, pharmacy=make_pharmacy(name="ELM DRUG")
    )


def form(
    browser: Browser, fields: dict[str, str], step: str, status: int = 303
) -> None:
    """Send the form of one step, as it stands on the page."""
    prefixed = {f"{step}-{name}": value for name, value in fields.items()}
    send(browser, prefixed | {"step": step}, status=status)


def send(
    browser: Browser, values: dict[str, str], *, action: str = "", status: int = 303
) -> None:
    """Send a form, and go where that leads."""
    browser.submit(values, action=action or None, status=status)
    if status == 303:
        browser.follow()


def html(browser: Browser) -> str:
    assert browser.page is not None
    return browser.page.get_data(as_text=True)


def page_of(number: str) -> str:
    return f"/staff/fax-numbers/{sealed_searches.seal(number)}"


def the_check() -> ContactCheck:
    return ContactCheck.select().order_by(ContactCheck.id.desc()).get()


def test_a_user_changes_the_fax_number_and_types_the_code(
    browser: Browser, pharmacist: User
) -> None:
    browser.sign_in_as(pharmacist)
    browser.get("/account/reaching")
    assert "(860) 555-0120" in browser.text()
    assert "Not verified" in browser.text()

    form(browser, {"fax": "860-555-0121"}, "fax")
    assert "A code is out to (860) 555-0121" in browser.text()
    assert User.get_by_id(pharmacist.id).fax == OLD
    form(browser, {"code": "FXT-0000-0000"}, "fax_code", status=422)
    assert "not the code" in browser.text()
    form(browser, {"code": the_check().code.lower()}, "fax_code")

    assert "(860) 555-0121 is confirmed" in browser.text()
    assert "✓ Verified" in browser.text()
    assert "Confirmed (fax, typed)" in browser.text()
    assert User.get_by_id(pharmacist.id).fax == NEW
    assert the_check().code not in browser.text()


def test_what_was_typed_wrong_is_kept_and_said_at_its_field(
    browser: Browser, pharmacist: User
) -> None:
    browser.sign_in_as(pharmacist)
    browser.get("/account/reaching")

    form(browser, {"fax": "555-01"}, "fax", status=422)

    assert "“555-01” is not a number with area code" in browser.text()
    assert 'value="555-01"' in html(browser)
    form(browser, {"email": "nobody"}, "email", status=422)
    assert "is not an email address" in browser.text()
    assert Delivery.select().count() == 0


def test_a_user_chooses_when_faxes_may_come(browser: Browser, pharmacist: User) -> None:
    browser.sign_in_as(pharmacist)
    browser.get("/account/reaching")

    form(browser, {"start": "8", "end": "12"}, "fax_hours")

    assert "Faxes come from 8 AM to noon." in browser.text()
    assert "Fax: may come 8 AM to noon" in browser.text()
    assert '<option selected value="12">noon</option>' in html(browser)
    form(browser, {"start": "22", "end": "23"}, "fax_hours", status=422)
    assert "choose hours among these" in browser.text()
    form(browser, {"start": "", "end": ""}, "fax_hours")
    assert "Faxes come whenever the program faxes." in browser.text()


def test_a_code_that_is_out_can_be_given_up(browser: Browser, pharmacist: User) -> None:
    browser.sign_in_as(pharmacist)
    browser.get("/account/reaching")
    form(browser, {"fax": "860-555-0121"}, "fax")

    send(browser, {"step": "give_up", "channel": "fax"})

    assert "A code is out" not in browser.text()
    assert User.get_by_id(pharmacist.id).fax == OLD


def test_the_link_of_a_mail_asks_before_it_confirms(
    browser: Browser, pharmacist: User, new_browser: Callable[..., Browser]
) -> None:
    browser.sign_in_as(pharmacist)
    browser.get("/account/reaching")
    form(browser, {"email": "new@example.org"}, "email")
    path = f"/account/reaching/email/{the_check().id}/{checks.seal_of(the_check())}"

    other = new_browser()
    other.sign_in_as(make_user(Role.PHARMACY))
    other.get(path, status=303)
    browser.get(path)
    assert "new@example.org" in browser.text()
    assert User.get_by_id(pharmacist.id).email != "new@example.org"
    send(browser, {})

    assert User.get_by_id(pharmacist.id).email == "new@example.org"
    assert "new@example.org is confirmed" in browser.text()


def test_the_preferred_channel_is_kept(browser: Browser, pharmacist: User) -> None:
    prove_fax(pharmacist, OLD)
    browser.sign_in_as(pharmacist)
    browser.get("/account/reaching")

    form(browser, {"channel": "email"}, "preferred")

    assert User.get_by_id(pharmacist.id).preferred_channel == ChannelName.EMAIL
    [told] = Delivery.select().where(Delivery.kind == DeliveryKind.CONTACT_CHANGE)
    assert told.address == OLD


def test_a_wrong_number_is_told_to_its_user(browser: Browser, pharmacist: User) -> None:
    fax_numbers.block(OLD, why="a shop has it", by="staff.lee", at=NOW)
    browser.sign_in_as(pharmacist)

    browser.get("/account/reaching")

    assert "A fax to this number reached somebody else" in browser.text()
    assert "a shop has it" not in browser.text()


def test_a_mobile_as_fax_number_is_a_warning_and_no_refusal(
    browser: Browser, pharmacist: User
) -> None:
    browser.sign_in_as(pharmacist)
    with (
        Twilio() as twilio,
        settings.changed(sms_url=twilio.url, sms_from=SENDER),
    ):
        twilio.lines = {MOBILE: "mobile"}
        browser.get("/account/reaching")
        form(browser, {"fax": "860-555-0150"}, "fax", status=422)
        assert "is listed as a mobile" in browser.text()
        assert ContactCheck.select().count() == 0
        form(browser, {"fax": "860-555-0150", "anyway": "y"}, "fax")
    assert the_check().address == MOBILE


def test_text_messages_need_a_tick_and_are_not_offered_where_none_are_sent(
    browser: Browser, pharmacist: User
) -> None:
    browser.sign_in_as(pharmacist)
    browser.get("/account/reaching")
    assert "Text messages" not in browser.text()
    with settings.changed(sms_url="folder:"):
        browser.get("/account/reaching")
        form(browser, {"mobile": "860-555-0150"}, "mobile", status=422)
        assert "Tick that text messages may be sent" in browser.text()
        form(browser, {"mobile": "860-555-0150", "agreed": "y"}, "mobile")
        form(browser, {"code": the_check().code}, "mobile_code")
        assert User.get_by_id(pharmacist.id).mobile == MOBILE
        send(browser, {"step": "remove_mobile"})
        assert User.get_by_id(pharmacist.id).mobile is None


# --- Staff


def test_staff_do_it_for_a_user_on_the_telephone(
    browser: Browser, pharmacist: User
) -> None:
    staff = make_user(Role.STAFF)
    browser.sign_in_as(staff)
    browser.get(f"/staff/users/{pharmacist.id}/reaching")

    form(browser, {"fax": "860-555-0121"}, "fax")
    form(browser, {"code": the_check().code}, "fax_code")

    check = the_check()
    assert (check.confirmed_how, check.confirmed_by) == (
        HowConfirmed.TOLD,
        staff.username,
    )
    assert User.get_by_id(pharmacist.id).fax == NEW


def test_others_may_not(browser: Browser, pharmacist: User) -> None:
    browser.sign_in_as(make_user(Role.PHARMACY))
    for path in (
        f"/staff/users/{pharmacist.id}/reaching",
        "/staff/fax-numbers",
        "/staff/fax-numbers/wrong.csv",
        page_of(OLD),
    ):
        browser.get(path, status=404)


def test_staff_test_a_number_of_somebody_who_is_no_user_and_type_the_code(
    browser: Browser,
) -> None:
    licence = make_licence(name="RAE OAKES", fax="860 555 0120")
    browser.sign_in_as(make_user(Role.STAFF))
    browser.get("/staff/fax-numbers")
    find = browser.submit({"fax": "(860) 555-0120"}, action="/find")
    assert "555" not in find.headers["Location"]
    browser.follow()
    assert "RAE OAKES" in browser.text()
    assert "8605550120" not in html(browser)

    send(browser, {"owner": f"licence:{licence.id}"}, action="/test")
    browser.get("/staff/fax-numbers")
    assert "RAE OAKES" in browser.text()
    send(browser, {"code": "FXT"}, status=422)
    assert "No test page has this code" in browser.text()
    send(browser, {"code": the_check().code})

    assert "(860) 555-0120 is confirmed for RAE OAKES" in browser.text()
    browser.get(page_of(OLD))
    assert "the code was told by telephone" in browser.text()


def test_staff_close_a_wrong_number_and_open_it_again(browser: Browser) -> None:
    make_licence(name="RAE OAKES", fax="860 555 0120")
    browser.sign_in_as(make_user(Role.STAFF))
    browser.get(page_of(OLD))

    send(browser, {"why": " "}, action="/wrong", status=422)
    send(browser, {"why": "A bakery has it"}, action="/wrong")
    assert fax_numbers.is_closed(OLD)
    assert "A bakery has it" in browser.text()
    browser.get("/staff/fax-numbers")
    assert "A bakery has it" in browser.text()
    browser.get(page_of(OLD))
    send(browser, {}, action="/right")
    assert not fax_numbers.is_closed(OLD)


def test_a_number_that_an_incident_closes_too_is_not_said_to_be_used_again(
    browser: Browser,
) -> None:
    delivery = outbox.request(
        kind=DeliveryKind.TICKET_NOTICE,
        subject_id=1,
        routes=[outbox.Route(ChannelName.FAX, OLD)],
        dedupe_key="x",
        at=NOW,
    )
    incident = Misdelivery.create(
        delivery=delivery,
        told_by="A bakery",
        became=WhatBecame.KEPT,
        recorded_by="staff.lee",
        recorded_at=NOW,
        assessed_at=NOW,
        assessed_by="staff.lee",
        assessment="Told.",
    )
    fax_numbers.block(OLD, why="A bakery has it", by="staff.lee", at=NOW)
    browser.sign_in_as(make_user(Role.STAFF))
    browser.get(f"/staff/deliveries/{delivery.id}")
    send(browser, {}, action="/release")
    assert f"Incident {incident.id}" in browser.text()
    assert "It is right after all" in browser.text()

    browser.get(page_of(OLD))
    send(browser, {}, action="/right")
    assert "may be used again" not in browser.text()
    assert "still nothing is sent" in browser.text()

    browser.get(f"/staff/misdeliveries/{incident.id}")
    send(browser, {}, action="/address")
    assert "is used again" in browser.text()
    assert not fax_numbers.is_closed(OLD)
    send(browser, {}, action="/address")
    assert fax_numbers.is_closed(OLD)


def test_no_number_stands_in_an_address(browser: Browser) -> None:
    browser.sign_in_as(make_user(Role.STAFF))

    browser.get("/staff/fax-numbers/8605550120", status=404)
    browser.get("/staff/fax-numbers")
    browser.submit({"fax": "555-01"}, action="/find")
    browser.follow()
    assert "not a number with area code" in browser.text()


def test_staff_settle_that_another_machine_answers(browser: Browser) -> None:
    delivery = outbox.request(
        kind=DeliveryKind.TICKET_NOTICE,
        subject_id=1,
        routes=[outbox.Route(ChannelName.FAX, OLD)],
        dedupe_key="x",
        at=NOW,
    )
    for name in ("DR ADAMS", "GARAGE 7", "DR ADAMS NEW"):
        stations.seen(delivery, name, at=clock.now())
    first, second = StationChange.select().order_by(StationChange.id)
    browser.sign_in_as(make_user(Role.STAFF))
    browser.get("/staff/fax-numbers")
    assert "GARAGE 7" in browser.text()

    send(browser, {"verdict": "right"}, action=f"/changes/{second.id}")
    assert "new machine" in browser.text()
    send(browser, {"verdict": "wrong_number"}, action=f"/changes/{first.id}")

    assert fax_numbers.is_closed(OLD)
    assert "Write down who has the fax" in browser.text()
    settled = AuditEvent.select().where(
        AuditEvent.event == "fax_number:station_settled"
    )
    assert settled.count() == 2
