"""What was done at the fax desk, taken back."""

import pytest

from models import Application, ApplicationStatus, FaxStatus, User
from pmp import faxes, settings
from pmp.errors import RuleError
from pmp.faxes import dividing, undoing
from pmp.registration import approval
from tests.conftest import NOW
from tests.factories import make_application, make_user
from tests.faxes import now, page, receive, tiff


@pytest.fixture
def lee(db: settings.Settings) -> User:
    return make_user(username="lee")


def test_what_was_put_aside_comes_back_with_its_reason(lee: User) -> None:
    fax, noise = receive(tiff([page()])), receive(tiff([page(signed=True)]))
    for each in (fax, noise):
        faxes.dismiss(each, reason="an advertisement", by=lee, at=NOW)
    undoing.bring_back(now(fax), by=lee, at=NOW)
    assert faxes.tray() == [fax]
    assert "put aside: an advertisement" in now(fax).note
    with pytest.raises(RuleError):
        undoing.bring_back(now(fax), by=lee, at=NOW)


def test_a_file_without_pages_comes_back_as_unreadable(lee: User) -> None:
    fax = receive(b"%PDF-1.7\nnothing")
    faxes.dismiss(fax, reason="empty", by=lee, at=NOW)
    undoing.bring_back(now(fax), by=lee, at=NOW)
    assert now(fax).status == FaxStatus.UNREADABLE


def test_repeats_and_pages_that_were_given_back_do_not_come(lee: User) -> None:
    body = tiff([page(), page()])
    whole = receive(body, name="one")
    repeat = receive(body, name="two")
    assert repeat.status == FaxStatus.DISMISSED
    part = dividing.take_out(whole, page=2, by=lee, at=NOW)
    dividing.put_back(part, by=lee, at=NOW)
    for each in (repeat, now(part)):
        assert not undoing.can_come_back(each)


def test_a_page_of_another_registration_is_taken_off(lee: User) -> None:
    application = make_application()
    fax = receive(tiff([page(application.code)]))
    undoing.detach(fax, by=lee, at=NOW)
    assert now(fax).status == FaxStatus.UNMATCHED
    assert now(fax).application is None
    awaited = Application.get_by_id(application.id)
    assert awaited.status == ApplicationStatus.SUBMITTED
    faxes.attach(now(fax), code=application.code, by=lee, at=NOW)
    received = Application.get_by_id(application.id)
    assert received.status == ApplicationStatus.CONFIRMATION_RECEIVED


def test_a_second_page_keeps_the_registration_where_it_is(lee: User) -> None:
    application = make_application()
    wrong = receive(tiff([page(application.code)]))
    receive(tiff([page(application.code, signed=True), page()]))
    undoing.detach(wrong, by=lee, at=NOW)
    row = Application.get_by_id(application.id)
    assert row.status == ApplicationStatus.CONFIRMATION_RECEIVED


def test_what_is_decided_is_not_taken_off(lee: User) -> None:
    application = make_application()
    fax = receive(tiff([page(application.code)]))
    approval.reject(
        Application.get_by_id(application.id), reason="no prescriber", by=lee, at=NOW
    )
    with pytest.raises(RuleError):
        undoing.detach(now(fax), by=lee, at=NOW)
    assert Application.get().status == ApplicationStatus.REJECTED
