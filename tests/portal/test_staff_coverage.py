"""Staff say for which further pharmacies a pharmacy's account may report."""

from collections.abc import Callable

import pytest

from models import (
    Application,
    ApplicationStatus,
    AuditEvent,
    Licence,
    Profession,
    Role,
    User,
)
from pmp import audit, settings
from pmp.accounts import coverage
from pmp.reporters import coverage_of
from tests.browser import Browser
from tests.factories import make_application, make_licence, make_user


@pytest.fixture
def chain(db: settings.Settings) -> User:
    own = make_licence(name="ELM PHARMACY", code="PCY.0000001", dea="BP1000011")
    return make_user(Role.PHARMACY, username="elm", licence=own)


@pytest.fixture
def registered(chain: User) -> Application:
    return make_application(
        Profession.PHARMACY, user=chain, status=ApplicationStatus.ACTIVE
    )


@pytest.fixture
def oak(db: settings.Settings) -> Licence:
    make_licence(name="ASH PHARMACY")
    return make_licence(name="OAK PHARMACY", code="PCY.0000002", dea="BP1000029")


@pytest.fixture
def desk(browser: Browser, registered: Application) -> Browser:
    browser.sign_in_as(make_user(Role.STAFF, username="lee"))
    browser.get(f"/staff/registrations/{registered.code}")
    return browser


def may_report_for_oak(user: User) -> bool:
    return ("dea", "BP1000029") in coverage_of(user).numbers


def test_a_pharmacy_is_added_by_its_licence_and_withdrawn(
    desk: Browser, chain: User, oak: Licence
) -> None:
    assert "ELM PHARMACY" in desk.text()
    assert "OAK PHARMACY" not in desk.text()
    desk.submit({"cover-licence": " pcy.0000002 "}, action="/pharmacies")
    desk.follow()
    assert "elm may report for OAK PHARMACY from now on." in desk.text()
    assert "lee added it" in desk.text()
    assert may_report_for_oak(chain)
    desk.submit(action="/pharmacies/withdraw")
    desk.follow()
    assert "elm may no longer report for PCY.0000002." in desk.text()
    assert "OAK PHARMACY" not in desk.text()
    assert not may_report_for_oak(chain)
    kept = AuditEvent.select().where(
        AuditEvent.event == audit.Event.USER_COVERAGE_CHANGED
    )
    assert [(event.actor, event.detail["change"]) for event in kept] == [
        ("lee", "granted"),
        ("lee", "withdrawn"),
    ]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Enter the licence number of the pharmacy"),
        ("PCY.9999999", "The roster has no active pharmacy licence PCY.9999999."),
        ("PCY.0000003", "The roster has no active pharmacy licence PCY.0000003."),
        ("CSP.0000004", "The roster has no active pharmacy licence CSP.0000004."),
        ("PCY.0000001", "ELM PHARMACY is its own pharmacy"),
        ("PCY.0000002", "elm may report for OAK PHARMACY already."),
    ],
)
def test_a_number_that_cannot_be_added_is_told_at_its_field_and_kept(
    desk: Browser, chain: User, oak: Licence, typed: str, words: str
) -> None:
    make_licence(code="PCY.0000003", active=False)
    make_licence(Profession.PRACTITIONER, code="CSP.0000004")
    coverage.grant(chain, licence=oak.code, by=None, at=chain.created_at)
    page = desk.submit({"cover-licence": typed}, action="/pharmacies", status=422)
    assert words in desk.text()
    assert f'value="{typed}"' in page.get_data(as_text=True)
    assert len(coverage.of(chain)) == 1


def test_who_withdraws_what_a_colleague_withdrew_is_told(
    desk: Browser, registered: Application, chain: User, oak: Licence
) -> None:
    coverage.grant(chain, licence=oak.code, by=None, at=chain.created_at)
    desk.get(f"/staff/registrations/{registered.code}")
    coverage.withdraw(chain, licence=oak.code, by=None, at=chain.created_at)
    desk.submit(action="/pharmacies/withdraw")
    desk.follow()
    assert "elm may not report for PCY.0000002." in desk.text()


def test_only_a_pharmacy_that_has_an_account_shows_the_list(desk: Browser) -> None:
    words = "Pharmacies that it may report for"
    assert words in desk.text()
    doctor = make_user(Role.PRACTITIONER)
    for application in (
        make_application(user=doctor, status=ApplicationStatus.ACTIVE),
        make_application(Profession.PHARMACY, code="CTR-8BHZQ-73WN3"),
    ):
        desk.get(f"/staff/registrations/{application.code}")
        assert words not in desk.text()
    values = {"csrf_token": desk.token(), "cover-licence": "PCY.0000002"}
    path = f"/staff/registrations/{application.code}/pharmacies"
    desk.post(path, values, status=404)


def test_a_pharmacy_cannot_add_to_itself(
    new_browser: Callable[..., Browser], registered: Application, chain: User
) -> None:
    own = new_browser()
    own.sign_in_as(chain)
    own.get("/submissions")
    values = {"csrf_token": own.token(), "cover-licence": "PCY.0000002"}
    path = f"/staff/registrations/{registered.code}/pharmacies"
    own.post(path, values, status=404)
    own.post(f"{path}/withdraw", values, status=404)
