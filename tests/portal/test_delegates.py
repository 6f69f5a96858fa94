"""The pages of delegates: asked for, agreed to, used, confirmed and ended."""

from collections.abc import Callable, Iterator
from datetime import date

import pytest

from gateway import tasks
from models import Delegation, DelegationStatus, LookUp, Profession, Purpose, Role, User
from pmp import clock, settings
from pmp.delegates import asking, deciding
from pmp.delegates.asking import Person
from tests.browser import Browser
from tests.factories import make_licence, make_patient, make_user

CASEY = {
    "name": "Casey Reed",
    "position": "medical assistant",
    "email": "casey@example.org",
    "answers": "y",
}
MARIA = {"first_name": "Maria", "last_name": "Delgado", "birth_date": "04/28/1971"}


@pytest.fixture
def on(browser: Browser) -> Iterator[None]:
    with settings.changed(delegates=True):
        yield


@pytest.fixture
def doctor() -> User:
    licence = make_licence(Profession.PRACTITIONER)
    return make_user(
        Role.PRACTITIONER, username="dr.adams", name="Ruth Adams", licence=licence
    )


@pytest.fixture(autouse=True)
def _worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "nudge", lambda *_: None)


@pytest.fixture
def working(on: None, doctor: User) -> Delegation:
    """Give a delegation whose delegate can sign in."""
    row = asking.ask(
        Person("Casey Reed", "nurse", "casey@example.org"),
        answers=True,
        by=doctor,
        at=clock.now(),
    )
    deciding.approve(row.id, by=make_user(), at=clock.now())
    row = deciding.get(row.id)
    User.update(status="active", attested_at=clock.now()).where(
        User.id == row.delegate
    ).execute()
    return deciding.get(row.id)


def test_where_the_policy_has_none_there_is_no_such_page(
    browser: Browser, doctor: User
) -> None:
    make_patient(first_name="MARIA", last_name="DELGADO", birth_date=date(1971, 4, 28))
    browser.sign_in_as(doctor)
    browser.get("/look-up")
    assert "delegate" not in browser.page_text().lower()
    for path in ("/delegates", "/delegates/ask", "/delegates/1/look-ups"):
        browser.get(path, status=404)
    browser.sign_in_as(make_user(Role.STAFF))
    browser.get("/staff/delegates", status=404)
    browser.get("/staff")
    assert "Delegates" not in browser.page_text()


@pytest.mark.usefixtures("on")
def test_a_doctor_asks_and_staff_agree(
    browser: Browser, new_browser: Callable[..., Browser], doctor: User
) -> None:
    browser.sign_in_as(doctor)
    browser.get("/delegates")
    assert "Nobody looks up patients on your behalf." in browser.text()
    browser.get("/delegates/ask")
    browser.submit({"name": "Casey Reed", "position": " "}, status=422)
    assert "Say what they do for you" in browser.text()
    assert "Confirm that you answer for them" in browser.text()
    assert browser.page is not None
    assert 'value="Casey Reed"' in browser.page.get_data(as_text=True)
    browser.submit(CASEY)
    browser.follow()
    assert "Waits for staff" in browser.text()

    staff = new_browser()
    staff.sign_in_as(make_user(Role.STAFF, username="lee"))
    staff.get("/staff")
    assert "Delegates to decide" in staff.page_text()
    row = Delegation.get()
    staff.get(f"/staff/delegates/{row.id}")
    staff.post(
        f"/staff/delegates/{row.id}/decline", {"csrf_token": staff.token()}, status=422
    )
    assert "Say why it is declined" in staff.text()
    staff.post(f"/staff/delegates/{row.id}/approve", {"csrf_token": staff.token()})
    staff.follow()
    assert "A link to the first password goes to casey@example.org" in staff.text()
    staff.get("/staff/delegates?state=approved")
    assert "1 delegate" in staff.text()
    lines = staff.get("/staff/delegates.csv").get_data(as_text=True).splitlines()
    assert len(lines) == 2
    assert "casey.reed" in lines[1]
    browser.get("/delegates")
    assert "Not signed in yet" in browser.text()


def test_a_delegate_s_search_says_for_whom_and_the_report_too(
    browser: Browser, working: Delegation, doctor: User
) -> None:
    make_patient(first_name="MARIA", last_name="DELGADO", birth_date=date(1971, 4, 28))
    browser.sign_in_as(User.get_by_id(working.delegate))
    browser.get("/look-up")
    assert "Ruth Adams" in browser.text()
    browser.submit(MARIA)
    browser.follow()
    assert "by Casey Reed on behalf of Ruth Adams" in browser.text()
    assert "Something is missing" not in browser.text()  # is the supervisor's
    assert LookUp.get().delegation == working
    for path in ("/delegates", "/prescribing", "/threshold-reports", "/tickets"):
        browser.get(path, status=404)

    browser.sign_in_as(doctor)
    browser.get(f"/delegates/{working.id}/look-ups")
    assert "DELGADO, MARIA" in browser.text()


def test_who_looks_up_for_two_says_for_whom_and_keeps_what_was_typed(
    browser: Browser, working: Delegation
) -> None:
    make_patient(first_name="MARIA", last_name="DELGADO", birth_date=date(1971, 4, 28))
    pharmacy = make_user(Role.PHARMACY, name="Elm Pharmacy")
    person = Person("Casey Reed", "technician", username="casey.reed")
    row = asking.ask(person, answers=True, by=pharmacy, at=clock.now())
    deciding.approve(row.id, by=make_user(), at=clock.now())
    browser.sign_in_as(User.get_by_id(working.delegate))
    browser.get("/look-up")
    browser.submit({**MARIA, "on_behalf_of": "0"}, status=422)
    assert "Say for whom you look this patient up" in browser.text()
    assert browser.page is not None
    assert 'value="Delgado"' in browser.page.get_data(as_text=True)
    assert LookUp.select().count() == 0
    browser.submit({**MARIA, "on_behalf_of": str(row.id)})
    kept = LookUp.get()
    assert (kept.delegation, kept.purpose) == (row, Purpose.DISPENSING)


def test_the_quarter_s_question_takes_an_answer_for_each(
    browser: Browser, working: Delegation, doctor: User
) -> None:
    long_ago = clock.now().replace(year=clock.now().year - 1)
    Delegation.update(reviewed_at=long_ago).execute()
    browser.sign_in_as(User.get_by_id(working.delegate))
    browser.get("/look-up", status=303)
    browser.follow()
    assert "You can look up nobody now" in browser.text()
    browser.sign_in_as(doctor)
    browser.get("/delegates")
    assert "My delegates (1)" in browser.page_text()
    browser.post("/delegates/review", {"csrf_token": browser.token()}, status=422)
    assert "Nothing was changed yet. Choose for Casey Reed" in browser.text()
    answers = {f"delegate-{working.id}": "keep", "csrf_token": browser.token()}
    browser.post("/delegates/review", answers)
    browser.follow()
    assert "Confirmed: 1. Ended: 0." in browser.text()
    browser.sign_in_as(User.get_by_id(working.delegate))
    browser.get("/look-up")


@pytest.mark.parametrize("who", ["doctor", "delegate", "staff"])
def test_each_of_the_three_can_end_it(
    browser: Browser, working: Delegation, doctor: User, who: str
) -> None:
    at = f"/staff/delegates/{working.id}"
    persons = {
        "doctor": (doctor, f"/delegates/{working.id}/end"),
        "delegate": (
            User.get_by_id(working.delegate),
            f"/account/delegate-of/{working.id}/leave",
        ),
        "staff": (make_user(Role.STAFF), at),
    }
    user, path = persons[who]
    stranger = make_user(Role.PRACTITIONER)
    browser.sign_in_as(stranger)
    browser.get(f"/delegates/{working.id}/end", status=404)
    browser.get(f"/account/delegate-of/{working.id}/leave", status=404)
    browser.sign_in_as(user)
    browser.get(path)
    if who == "staff":
        browser.post(f"{at}/end", {"csrf_token": browser.token()}, status=422)
        assert "Say why it ends" in browser.text()
        browser.post(f"{at}/end", {"csrf_token": browser.token(), "reason": "left"})
    else:
        browser.submit({})
    ended = deciding.get(working.id)
    assert (ended.status, ended.ended_by) == (DelegationStatus.ENDED, user.username)


def test_without_the_policy_nobody_hears_of_delegates_in_what_they_sign(
    browser: Browser,
) -> None:
    for is_on in (False, True):
        with settings.changed(delegates=is_on):
            browser.get("/register")
            assert ("may not be delegated" in browser.text()) is not is_on
            assert ("as their delegate" in browser.text()) is is_on
