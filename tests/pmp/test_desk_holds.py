"""Who has what on the desk: one person at a time, with an end."""

from datetime import timedelta

import pytest

from models import Application, ApplicationStatus, AuditEvent, DeskHold, User
from pmp import audit, desk_holds, faxes, settings
from pmp.errors import ConflictError
from pmp.registration import approval
from pmp.registration.approval import Check, ReturnReason
from tests.conftest import NOW
from tests.factories import make_application, make_practitioner_licence, make_user
from tests.faxes import page, receive, tiff

LATER = NOW + timedelta(minutes=16)


@pytest.fixture
def lee(db: settings.Settings) -> User:
    return make_user(username="lee")


@pytest.fixture
def ortiz(db: settings.Settings) -> User:
    return make_user(username="ortiz")


def test_one_person_has_it_until_the_time_is_over(lee: User, ortiz: User) -> None:
    fax = receive(tiff([page()]))
    desk_holds.take(fax, by=lee, at=NOW)
    with pytest.raises(ConflictError, match="lee has this on the desk until"):
        desk_holds.take(fax, by=ortiz, at=NOW)
    with pytest.raises(ConflictError, match="lee has this"):
        faxes.dismiss(fax, reason="advertisement", by=ortiz, at=NOW)
    assert faxes.tray() == [fax]
    desk_holds.take(fax, by=ortiz, at=LATER)
    hold = desk_holds.holder(fax, at=LATER)
    assert hold is not None
    assert hold.user == ortiz


def test_nobody_must_take_a_thing_to_decide_it_and_the_hold_ends_with_it(
    lee: User, ortiz: User
) -> None:
    free, held = receive(tiff([page()])), receive(tiff([page(signed=True)]))
    desk_holds.take(held, by=lee, at=NOW)
    faxes.dismiss(free, reason="advertisement", by=ortiz, at=NOW)
    faxes.dismiss(held, reason="advertisement", by=lee, at=NOW)
    assert DeskHold.select().count() == 0


def test_taking_over_is_possible_and_on_record(lee: User, ortiz: User) -> None:
    application = make_application()
    desk_holds.take(application, by=lee, at=NOW)
    desk_holds.take(application, by=ortiz, at=NOW, over=True)
    with pytest.raises(ConflictError, match="ortiz has this"):
        approval.return_(application, reason=ReturnReason.UNSIGNED, by=lee, at=NOW)
    taken = AuditEvent.select().where(AuditEvent.event == audit.Event.DESK_TAKEN.value)
    assert [(each.actor, each.detail) for each in taken] == [
        ("lee", {}),
        ("ortiz", {"from": "lee"}),
    ]


def test_what_is_put_back_is_anybodys(lee: User, ortiz: User) -> None:
    application = make_application()
    desk_holds.take(application, by=lee, at=NOW)
    desk_holds.put_back(application, by=ortiz, at=NOW)  # it is not ortiz's
    assert desk_holds.holder(application, at=NOW) is not None
    desk_holds.put_back(application, by=lee, at=NOW)
    assert desk_holds.holder(application, at=NOW) is None


def test_the_first_that_nobody_else_has_is_taken(lee: User, ortiz: User) -> None:
    first, second = make_application(), make_application()
    desk_holds.take(first, by=lee, at=NOW)
    assert desk_holds.take_first([first, second], by=ortiz, at=NOW) == second
    assert desk_holds.take_first([first, second], by=lee, at=NOW) == first
    assert desk_holds.take_first([first], by=ortiz, at=NOW) is None


def test_an_approval_waits_for_whoever_has_it(lee: User, ortiz: User) -> None:
    make_practitioner_licence()
    application = make_application(
        status=ApplicationStatus.CONFIRMATION_RECEIVED, confirmation_received_at=NOW
    )
    desk_holds.take(application, by=lee, at=NOW)
    with pytest.raises(ConflictError, match="lee has this"):
        approval.approve(application, checked=list(Check), by=ortiz, at=NOW)
    approval.approve(application, checked=list(Check), by=lee, at=NOW)
    assert Application.get().status == ApplicationStatus.APPROVED
    assert DeskHold.select().count() == 0


def test_old_holds_are_forgotten(lee: User) -> None:
    desk_holds.take(make_application(), by=lee, at=NOW)
    desk_holds.take(make_application(), by=lee, at=LATER)  # noise
    desk_holds.forget_old(at=LATER)
    assert DeskHold.select().count() == 1
