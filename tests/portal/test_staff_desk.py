"""The fax desk's order: who has what, several at once, and everything taken back."""

import io
from collections.abc import Callable

import pytest
from PIL import Image

from models import (
    Application,
    ApplicationStatus,
    DeskHold,
    FaxStatus,
    InboundFax,
    Profession,
    Role,
    User,
    UserStatus,
)
from pmp import clock, desk_holds, faxes, settings
from tests.browser import Browser
from tests.factories import (
    make_application,
    make_licence,
    make_practitioner_licence,
    make_user,
)
from tests.faxes import now, page, receive, tiff

CHECKED = {"approve-checked": ["signed", "dated", "unaltered"]}


@pytest.fixture
def lee(db: settings.Settings) -> User:
    return make_user(Role.STAFF, username="lee")


@pytest.fixture
def desk(browser: Browser, lee: User) -> Browser:
    browser.sign_in_as(lee)
    return browser


@pytest.fixture
def ortiz(new_browser: Callable[..., Browser], lee: User) -> Browser:
    other = new_browser()
    other.sign_in_as(make_user(Role.STAFF, username="ortiz"))
    return other


def to_decide() -> Application:
    application = make_application()
    receive(tiff([page(application.code, signed=True)]))
    row: Application = Application.get_by_id(application.id)
    return row


def markup(browser: Browser) -> str:
    assert browser.page is not None
    return browser.page.get_data(as_text=True)


# --- Who has it


def test_the_oldest_is_taken_and_others_see_by_whom(
    desk: Browser, ortiz: Browser
) -> None:
    first, second = receive(tiff([page()])), receive(tiff([page(signed=True)]))
    desk.get("/staff/faxes")
    desk.submit(action="/staff/faxes/next")
    desk.follow()
    assert "You have it until" in desk.text()

    ortiz.get("/staff/faxes")
    assert "lee has it until" in ortiz.text()
    ortiz.submit(action="/staff/faxes/next")
    assert ortiz.page is not None
    assert ortiz.page.headers["Location"].endswith(f"/staff/faxes/{second.id}")
    ortiz.get(f"/staff/faxes/{first.id}")
    ortiz.submit(
        {"dismiss-note": "spam"}, action=f"/staff/faxes/{first.id}/dismiss", status=422
    )
    assert "lee has this on the desk until" in ortiz.text()
    ortiz.get(f"/staff/faxes/{first.id}")
    ortiz.submit(action=f"/staff/faxes/{first.id}/take")
    ortiz.follow()
    assert "You have it until" in ortiz.text()
    desk.get(f"/staff/faxes/{first.id}")
    assert "ortiz has it on the desk" in desk.text()


def test_a_decision_leads_to_the_next_that_nobody_has_taken(
    desk: Browser, ortiz: Browser
) -> None:
    make_practitioner_licence()
    first, second, third = to_decide(), to_decide(), to_decide()
    Application.update(last_name="Other", dea="X").where(
        Application.id != first.id
    ).execute()
    other = User.get(User.username == "ortiz")
    desk_holds.take(second, by=other, at=clock.now())
    desk.get(f"/staff/registrations/{first.code}")
    desk.submit(CHECKED, action=f"/staff/registrations/{first.code}/approve")
    assert desk.page is not None
    assert desk.page.headers["Location"].endswith(third.code)
    desk.follow()
    assert "You have it until" in desk.text()
    desk.submit(action=f"/staff/registrations/{third.code}/back")
    desk.follow()
    assert "Take it" in desk.text()
    assert DeskHold.select().count() == 1


def test_an_empty_tray_says_so(desk: Browser) -> None:
    desk.get("/staff/faxes")
    desk.post("/staff/faxes/next", {"csrf_token": desk.token()})
    desk.follow()
    assert "Nothing waits that nobody else has taken." in desk.text()


# --- Several at once, and back again


def test_several_faxes_are_put_aside_after_a_review_and_one_comes_back(
    desk: Browser,
) -> None:
    spam = [receive(tiff([page(blank=n == 0, signed=n == 1)])) for n in range(2)]
    noise = receive(tiff([page(), page()]))
    desk.get("/staff/faxes")
    desk.submit(action="/staff/faxes/put-aside")
    desk.follow()
    assert "Tick the faxes" in desk.text()
    chosen = {"fax": [str(each.id) for each in spam]}
    desk.submit(chosen, action="/staff/faxes/put-aside", status=200)
    assert f"Fax {spam[1].id} from" in desk.text()
    assert f"Fax {noise.id}" not in desk.text()
    desk.submit(chosen | {"note": " "}, status=422)
    assert "Say why it is put aside" in desk.text()
    desk.submit(chosen | {"note": "advertisements"})
    desk.follow()
    assert "2 faxes are put aside." in desk.text()
    assert faxes.tray() == [noise]

    desk.get("/staff/faxes/put-aside")
    assert desk.text().count("advertisements") == 2
    desk.get(f"/staff/faxes/{spam[0].id}")
    desk.submit(action=f"/staff/faxes/{spam[0].id}/bring-back")
    desk.follow()
    assert "It had been put aside: advertisements" in desk.text()


def test_what_another_has_taken_is_told_and_left(desk: Browser, ortiz: Browser) -> None:
    fax, free = receive(tiff([page()])), receive(tiff([page(signed=True)]))
    desk_holds.take(fax, by=User.get(User.username == "ortiz"), at=clock.now())
    desk.get("/staff/faxes")
    chosen = {"fax": [str(fax.id), str(free.id)]}
    desk.submit(chosen, action="/staff/faxes/put-aside", status=200)
    desk.submit(chosen | {"note": "spam"})
    desk.follow()
    assert "1 fax is put aside." in desk.text()
    assert f"Fax {fax.id}: ortiz has this" in desk.text()


def test_a_page_of_another_registration_is_taken_off(desk: Browser) -> None:
    application = to_decide()
    fax = InboundFax.get()
    desk.get(f"/staff/registrations/{application.code}")
    desk.submit(action=f"/staff/faxes/{fax.id}/detach")
    desk.follow()
    assert "took it off registration" in desk.text()
    assert now(fax).status == FaxStatus.UNMATCHED
    desk.post(f"/staff/faxes/{fax.id}/detach", {"csrf_token": desk.token()})
    desk.follow()
    assert "with no registration" in desk.text()


# --- An account in the way


def test_an_account_in_the_way_is_closed_after_a_review_and_another_approves(
    desk: Browser, ortiz: Browser
) -> None:
    licence = make_practitioner_licence()
    holder = make_user(Role.PRACTITIONER, username="dr.old", licence=licence)
    noise = make_user(Role.PRACTITIONER, username="dr.noise")
    application = to_decide()
    address = f"/staff/registrations/{application.code}"
    desk.get(address)
    assert "has an account already: dr.old" in desk.text()
    desk.get(f"{address}/accounts/{noise.id}", status=404)
    desk.get(f"{address}/accounts/{holder.id}")
    desk.submit({"reason": ""}, status=422)
    assert User.get_by_id(holder.id).status == UserStatus.ACTIVE
    desk.submit({"reason": "Registered again after a move"})
    desk.follow()
    desk.submit(CHECKED, action=f"{address}/approve", status=422)
    assert "someone else must approve it" in desk.text()
    ortiz.get(address)
    ortiz.submit(CHECKED, action=f"{address}/approve")
    assert Application.get().status == ApplicationStatus.APPROVED
    assert User.get_by_id(holder.id).status == UserStatus.CLOSED


def test_a_pharmacys_dea_number_shows_whose_account_it_is(desk: Browser) -> None:
    make_licence(Profession.PHARMACY, name="ELM STREET PHARMACY", code="PCY.0000001")
    application = make_application(Profession.PHARMACY, licence_number="PCY.0000001")
    desk.get(f"/staff/registrations/{application.code}")
    assert "has an account already" not in desk.text()


def test_letters_that_are_out_are_a_list_with_those_that_are_too_old(
    desk: Browser,
) -> None:
    mailed = make_application(status=ApplicationStatus.CREDENTIALS_MAILED)
    make_application(status=ApplicationStatus.REJECTED, last_name="Noise")
    desk.get("/staff/registrations?list=out")
    assert mailed.code in desk.text()
    assert "Mail a new letter: the password is no longer good" in desk.text()
    assert "Noise" not in desk.text()


# --- Looking


def test_a_page_is_turned_and_enlarged_without_scripts(desk: Browser) -> None:
    fax = receive(tiff([page(), page(signed=True)]))
    sizes = {}
    for asked in ("", "?turn=90", "?turn=180", "?turn=45", "?turn=x", "?large="):
        answer = desk.get(f"/staff/faxes/{fax.id}/pages/1.png{asked}")
        with Image.open(io.BytesIO(answer.data)) as picture:
            sizes[asked] = picture.size
    tall, wide = sizes[""], sizes["?turn=90"]
    assert tall[0] < tall[1]
    assert wide[0] > wide[1]
    assert sizes["?turn=180"] == sizes["?turn=45"] == sizes["?turn=x"] == tall
    assert sizes["?large="][0] > tall[0]

    desk.get(f"/staff/faxes/{fax.id}?turn=270")
    assert f"/staff/faxes/{fax.id}/pages/2.png?turn=270" in markup(desk)
    desk.get(f"/staff/faxes/{fax.id}/look/1?turn=90&size=9")
    assert "Page 1 of 2, size 3 of 3, turned 90 degrees" in desk.text()
    assert f"/staff/faxes/{fax.id}/look/2?turn=90" in markup(desk)
    desk.get(f"/staff/faxes/{fax.id}/look/3", status=404)


@pytest.mark.parametrize("role", [Role.PRACTITIONER, Role.AUDITOR])
def test_others_see_and_do_none_of_it(
    browser: Browser, db: settings.Settings, role: Role
) -> None:
    fax, application = receive(tiff([page()])), make_application()
    browser.sign_in_as(make_user(role))
    browser.get("/account")
    for path in (f"/staff/faxes/{fax.id}/look/1", "/staff/faxes/put-aside"):
        browser.get(path, status=404)
    for path in (
        "/staff/faxes/next",
        f"/staff/faxes/{fax.id}/take",
        f"/staff/faxes/{fax.id}/bring-back",
        f"/staff/faxes/{fax.id}/detach",
        "/staff/faxes/put-aside",
        "/staff/registrations/next",
        f"/staff/registrations/{application.code}/take",
        f"/staff/registrations/{application.code}/accounts/1",
    ):
        browser.post(path, {"csrf_token": browser.token()}, status=404)
