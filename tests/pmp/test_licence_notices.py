"""Users are told before their licence ends, once for each last day that it has."""

from datetime import date, timedelta
from typing import Any

import pytest

from gateway import schedule
from models import (
    AccountNotice,
    AuditEvent,
    ChannelName,
    Delivery,
    Licence,
    NoticeOfAccount,
    Profession,
    Role,
    RosterImport,
    User,
    UserStatus,
)
from pmp import clock, settings
from pmp.accounts import notice_words
from pmp.roster import licence_notices
from tests.conftest import NOW
from tests.factories import make_licence, make_user

ENDS = date(2026, 12, 23)  # thirty days after NOW

pytestmark = pytest.mark.usefixtures("db")


def doctor(name: str, *, ends: date | None = ENDS, **fields: Any) -> User:
    licence = make_licence(Profession.PRACTITIONER, expires_on=ends)
    fields = {"email": f"{name}@example.org"} | fields
    return make_user(Role.PRACTITIONER, username=name, licence=licence, **fields)


def night(days: int = 0) -> int:
    return licence_notices.tell(at=NOW + timedelta(days=days))


def told() -> list[tuple[str, str]]:
    query = AccountNotice.select().order_by(AccountNotice.id)
    return [(each.user.username, each.detail["ends_on"]) for each in query]


def test_who_has_a_licence_that_ends_within_the_days_is_told_once_a_term() -> None:
    doctor("dr.soon")
    doctor("dr.later", ends=ENDS + timedelta(days=1))
    doctor("dr.endless", ends=None)
    doctor("dr.over", ends=NOW.date() - timedelta(days=5))
    doctor("dr.shut", status=UserStatus.SUSPENDED)
    doctor("dr.closed", status=UserStatus.CLOSED)
    lapsed = doctor("dr.lapsed").licence
    Licence.update(active=False).where(Licence.id == lapsed).execute()
    make_user(username="staff.lee")

    assert [night(-1), night(), night(), night(1)] == [0, 1, 0, 1]
    assert told() == [("dr.soon", "2026-12-23"), ("dr.later", "2026-12-24")]
    event = AuditEvent.get(AuditEvent.event == "user:told")
    assert (event.actor, event.detail["ends_on"]) == ("system", "2026-12-23")

    renewed = date(2028, 12, 23)
    Licence.update(expires_on=renewed).execute()
    assert night(1) == 0
    assert licence_notices.tell(at=clock.start_of(renewed)) == 4  # and dr.endless, over


def test_never_is_a_setting_and_so_is_the_grace_that_the_notice_names() -> None:
    doctor("dr.soon")
    with settings.changed(licence_notice_days=0):
        assert night() == 0
    with settings.changed(licence_notice_days=40, licence_grace_days=3):
        assert night(-10) == 1
        _, paragraphs = notice_words.of(AccountNotice.get())
    words = " ".join(paragraphs)
    assert "is 12/23/2026" in words
    assert "no renewal by 12/26/2026" in words


@pytest.mark.parametrize(
    ("fields", "channel"),
    [
        ({}, ChannelName.EMAIL),
        ({"email": None, "fax": "8605550143"}, ChannelName.FAX),
        ({"email": None}, ChannelName.LETTER),
    ],
)
def test_who_has_no_email_is_told_by_fax_or_letter(
    fields: dict[str, Any], channel: ChannelName
) -> None:
    doctor("dr.soon", **fields)

    assert night() == 1

    assert Delivery.get().channel == channel


def test_who_cannot_be_told_yet_is_told_once_there_is_a_way() -> None:
    user = doctor("dr.soon", email=None)
    Licence.update(street="", city="", state="", zip="").execute()
    assert night() == 0
    assert AuditEvent.select().count() == 0
    User.update(email="dr.soon@example.org").where(User.id == user).execute()

    assert night(1) == 1


def test_nobody_is_told_while_an_import_may_bring_the_renewal() -> None:
    doctor("dr.soon")
    RosterImport.create(
        filename="a.csv",
        sha256="x",
        kind="licences",
        source="upload",
        state="applying",
        asked_by="chief",
        asked_at=NOW,
        turn="taken",
    )
    assert night() == 0
    RosterImport.update(turn=None).execute()
    assert night() == 1


def test_the_worker_tells_in_the_night() -> None:
    doctor("dr.soon", ends=clock.today() + timedelta(days=3))

    schedule.look_at_licences()

    assert AccountNotice.get().kind == NoticeOfAccount.LICENCE_ENDING
