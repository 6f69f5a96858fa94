"""The same thing done by many at the same instant has one effect."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from models import (
    Application,
    ApplicationStatus,
    Delivery,
    DeliveryKind,
    DeskHold,
    Profession,
    User,
)
from pmp import database, desk_holds, registration, settings
from pmp.errors import ConflictError, RuleError
from pmp.registration import approval, drafts
from pmp.registration.approval import Check
from tests.conftest import NOW
from tests.factories import (
    make_answers,
    make_application,
    make_practitioner_licence,
    make_user,
)

MANY = 8
pytestmark = pytest.mark.usefixtures("db")


def at_once(act: Callable[[int], Any]) -> list[Any]:
    """Do a thing in as many threads, all let go together; give what each ended with."""
    gate, ended = threading.Barrier(MANY), []

    def work(number: int) -> None:
        with database.connected():
            gate.wait(timeout=20)
            try:
                ended.append(act(number))
            except RuleError as refusal:
                ended.append(refusal)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(MANY)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=60)
    assert len(ended) == MANY
    return ended


def test_one_form_sent_many_times_is_one_registration(db: settings.Settings) -> None:
    draft = drafts.begin(Profession.PRACTITIONER, {"last_name": "Rodkin"}, at=NOW)
    made = at_once(
        lambda _: registration.submit(
            profession=Profession.PRACTITIONER,
            answers=make_answers(),
            attested=True,
            code=draft.code,
            at=NOW,
        )
    )
    assert {each.code for each in made} == {draft.code}
    assert Application.select().count() == 1
    assert drafts.by_code(draft.code) is None


def test_many_approvals_make_one_account_and_one_letter(
    db: settings.Settings,
) -> None:
    make_practitioner_licence()
    application = make_application(
        status=ApplicationStatus.CONFIRMATION_RECEIVED, confirmation_received_at=NOW
    )
    staff = [make_user(username=f"staff{n}") for n in range(MANY)]
    ended = at_once(
        lambda n: approval.approve(
            application, checked=list(Check), by=staff[n], at=NOW
        )
    )
    assert [type(each) for each in ended].count(User) == 1
    assert [type(each) for each in ended].count(ConflictError) == MANY - 1
    letters = Delivery.select().where(Delivery.kind == DeliveryKind.CREDENTIAL_LETTER)
    assert letters.count() == 1


def test_many_registrations_of_one_licence_give_one_account(
    db: settings.Settings,
) -> None:
    licence = make_practitioner_licence()
    waiting = [
        make_application(
            status=ApplicationStatus.CONFIRMATION_RECEIVED, confirmation_received_at=NOW
        )
        for _ in range(MANY)
    ]
    staff = [make_user(username=f"staff{n}") for n in range(MANY)]
    ended = at_once(
        lambda n: approval.approve(waiting[n], checked=list(Check), by=staff[n], at=NOW)
    )
    assert [type(each) for each in ended].count(User) == 1
    assert User.select().where(User.licence == licence).count() == 1
    statuses = sorted(each.status for each in Application.select())
    assert statuses == ["approved"] + ["rejected"] * (MANY - 1)


def test_one_of_many_gets_a_thing_on_the_desk(db: settings.Settings) -> None:
    application = make_application()
    staff = [make_user(username=f"staff{n}") for n in range(MANY)]
    ended = at_once(lambda n: desk_holds.take(application, by=staff[n], at=NOW))
    assert [type(each) for each in ended].count(ConflictError) == MANY - 1
    assert DeskHold.select().count() == 1
