"""What an import says about users' licences, and what staff decide on it."""

from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pypdf
import pytest

from gateway import letters_check, messages
from models import (
    AuditEvent,
    ChannelName,
    Delivery,
    DeliveryAttempt,
    DeliveryKind,
    FindingKind,
    FindingVerdict,
    Licence,
    LicenceFinding,
    Profession,
    Role,
    RosterImport,
    Session,
    User,
    UserStatus,
)
from pmp import accounts, clock, roster, settings
from pmp.accounts import sessions
from pmp.errors import ConflictError, RuleError
from pmp.roster import licence_decisions, reverification
from tests.conftest import NOW
from tests.factories import make_licence, make_user
from tests.roster_sheets import row, sheet

LATER = NOW + timedelta(hours=1)


def imported(folder: Path, *rows: dict[str, str], at: datetime = NOW) -> RosterImport:
    path = sheet(folder, [*rows, row(999)])
    return roster.import_file(path, by="system", at=at, now=lambda: at)


def user_of(key: int, **fields: object) -> User:
    licence = Licence.get(credential_id=str(key))
    named = {"username": f"dr.{key}", "password_hash": "x", "licence": licence}
    return make_user(Role.PRACTITIONER, **(named | fields))


def open_findings() -> list[tuple[str, FindingKind]]:
    rows = LicenceFinding.select().where(LicenceFinding.settled_at.is_null())
    return [
        (each.user.username, each.kind) for each in rows.order_by(LicenceFinding.id)
    ]


def settle(
    verdict: FindingVerdict, *, at: datetime = NOW, by: User | None = None
) -> int:
    rows = LicenceFinding.select().where(LicenceFinding.settled_at.is_null())
    ids = [each.id for each in rows]
    lee = by or make_user()
    return licence_decisions.settle(ids, verdict, reason="renewal", by=lee, at=at)


@pytest.fixture
def listed(db: settings.Settings, tmp_path: Path) -> Path:
    """Give a folder; three licences are on the roster, two of them users'."""
    imported(tmp_path, row(1), row(2), row(3))
    return tmp_path


def test_gone_and_lapsed_licences_of_users_are_asked_about(listed: Path) -> None:
    user_of(1), user_of(2), user_of(3, status=UserStatus.CLOSED)
    imported(listed, row(2, Status="INACTIVE", Active="0"))
    assert open_findings() == [
        ("dr.1", FindingKind.GONE),
        ("dr.2", FindingKind.LAPSED),
    ]
    assert {user.status for user in User.select()} == {
        UserStatus.ACTIVE,
        UserStatus.CLOSED,
    }


@pytest.mark.parametrize(("ends", "asked"), [("11/15/2026", 1), ("11/16/2026", 0)])
def test_a_licence_past_its_day_and_the_grace_has_lapsed_whatever_the_file_calls_it(
    listed: Path, ends: str, asked: int
) -> None:
    user_of(1)
    imported(listed, row(1, ExpirationDate=ends), row(2), row(3))
    found = [(each.kind, each.after) for each in LicenceFinding.select()]
    assert found == [(FindingKind.LAPSED, "ACTIVE, until 11/15/2026")] * asked


def test_what_is_asked_is_asked_once_and_closed_when_it_holds_no_more(
    listed: Path,
) -> None:
    user_of(1)
    for _ in range(2):
        imported(listed, row(1, Status="LAPSED", Active="0"), row(2), row(3))
    assert LicenceFinding.select().count() == 1
    imported(listed, row(1), row(2), row(3))
    [finding] = LicenceFinding.select()
    assert finding.verdict == FindingVerdict.OVERTAKEN
    assert finding.settled_by == "system"
    events = [each.event for each in AuditEvent.select().order_by(AuditEvent.id)]
    assert events.count("licence:settled") == 1


def test_an_undone_import_takes_its_questions_back(listed: Path) -> None:
    user_of(1)
    batch = imported(listed, row(2, City="Avon"), row(1, City="Avon", Active="0"))
    assert len(open_findings()) == 2
    roster.undo(batch.id, reason="wrong file", by="lee", at=NOW)
    assert open_findings() == []


def test_a_confirmed_suspension_ends_sessions_and_tells_the_user(listed: Path) -> None:
    user, noise = user_of(1), user_of(2)
    for each in (user, noise):
        sessions.begin(user=each, address="", browser="", at=NOW)
    imported(listed, row(2), row(3))

    told = settle(FindingVerdict.SUSPENDED, at=LATER)

    assert told == 1
    assert User.get_by_id(user.id).status == UserStatus.SUSPENDED
    assert User.get_by_id(noise.id).status == UserStatus.ACTIVE
    live = Session.select().where(Session.ended_at.is_null())
    assert [session.user for session in live] == [noise]
    [sent] = Delivery.select().where(Delivery.kind == DeliveryKind.ACCOUNT_NOTICE)
    assert (sent.channel, sent.address) == (ChannelName.EMAIL, user.email)
    message = messages.compose(sent, DeliveryAttempt(started_at=LATER))
    assert message.subject == "Your account is suspended"
    assert "CSP.0000001: not in the Department's file" in message.text
    assert "renewal" not in message.text
    reasons = AuditEvent.select().where(AuditEvent.event == "user:suspended")
    assert [each.detail["reason"] for each in reasons] == ["renewal"]


def test_the_notice_by_letter_and_by_fax(listed: Path) -> None:
    user_of(1, email=None, fax="+18605550101", name="Licensee Number1")
    imported(listed, row(2), row(3))
    settle(FindingVerdict.SUSPENDED)
    sent = Delivery.get(kind=DeliveryKind.ACCOUNT_NOTICE)
    assert sent.channel == ChannelName.FAX
    [(channel, lines)] = sent.further_routes
    assert (channel, lines.splitlines()[0]) == ("letter", "Licensee Number1")
    assert "1 Main St" in lines
    sent.channel, sent.address = ChannelName.LETTER, lines
    message = messages.compose(sent, DeliveryAttempt(started_at=NOW))
    assert message.pdf is not None
    assert letters_check.problems(message.pdf) == []
    text = pypdf.PdfReader(BytesIO(message.pdf)).pages[0].extract_text()
    assert "You cannot sign in until it is in force" in " ".join(text.split())


def test_a_user_comes_back_once_the_licence_is_in_force_and_staff_confirm(
    listed: Path,
) -> None:
    user = user_of(1)
    imported(listed, row(2), row(3))
    settle(FindingVerdict.SUSPENDED)
    imported(listed, row(2), row(3))
    assert open_findings() == []
    imported(listed, row(1), row(2), row(3))
    assert open_findings() == [("dr.1", FindingKind.IN_FORCE_AGAIN)]
    assert User.get_by_id(user.id).status == UserStatus.SUSPENDED
    settle(FindingVerdict.REINSTATED, at=LATER)
    assert User.get_by_id(user.id).status == UserStatus.ACTIVE
    last = Delivery.select().order_by(Delivery.id.desc()).first()
    message = messages.compose(last, DeliveryAttempt(started_at=LATER))
    assert message.subject == "Your account is active again"
    assert "in force again" in message.text


def test_who_was_suspended_for_something_else_is_not_proposed(listed: Path) -> None:
    user, other = user_of(1), user_of(2)
    accounts.suspend(user=other, reason="look-ups", by=None, at=NOW)
    imported(listed, row(3))
    settle(FindingVerdict.SUSPENDED)
    accounts.suspend(user=user, reason="look-ups", by=None, at=LATER)
    imported(listed, row(1), row(2), row(3))
    assert open_findings() == []


def test_what_staff_kept_is_not_asked_again_until_it_is_another_thing(
    listed: Path,
) -> None:
    user_of(1)
    lapsed = row(1, Status="LAPSED", Active="0")
    imported(listed, lapsed, row(2), row(3))
    settle(FindingVerdict.KEPT)
    imported(listed, lapsed, row(2), row(3))
    assert open_findings() == []
    imported(listed, lapsed | {"Status": "REVOKED"}, row(2), row(3))
    assert open_findings() == [("dr.1", FindingKind.LAPSED)]


def test_two_staff_do_not_decide_the_same_and_nothing_is_done_by_halves(
    listed: Path,
) -> None:
    user_of(1), user_of(2)
    imported(listed, row(3))
    first, second = LicenceFinding.select().order_by(LicenceFinding.id)
    lee = make_user()
    suspended = FindingVerdict.SUSPENDED
    licence_decisions.settle([second.id], suspended, reason="x", by=lee, at=NOW)
    with pytest.raises(ConflictError, match="meanwhile"):
        licence_decisions.settle(
            [first.id, second.id], suspended, reason="x", by=lee, at=NOW
        )
    assert User.get(username="dr.1").status == UserStatus.ACTIVE


def test_a_licence_that_is_in_force_by_now_suspends_nobody(listed: Path) -> None:
    user = user_of(1)
    imported(listed, row(2), row(3))
    Licence.update(active=True, status="ACTIVE").execute()
    with pytest.raises(ConflictError, match=r"dr\.1: this is not so any more"):
        settle(FindingVerdict.SUSPENDED)
    assert User.get_by_id(user.id).status == UserStatus.ACTIVE
    assert len(open_findings()) == 1


@pytest.mark.parametrize(
    ("verdict", "reason", "field"),
    [
        (FindingVerdict.SUSPENDED, " ", "reason"),
        (FindingVerdict.REINSTATED, "x", "verdict"),
        (FindingVerdict.NOTED, "", "verdict"),
    ],
)
def test_a_verdict_that_does_not_suit_is_refused(
    listed: Path, verdict: FindingVerdict, reason: str, field: str
) -> None:
    user_of(1)
    imported(listed, row(2), row(3))
    ids = [each.id for each in LicenceFinding.select()]
    with pytest.raises(RuleError) as refused:
        licence_decisions.settle(ids, verdict, reason=reason, by=make_user(), at=NOW)
    assert refused.value.field == field
    assert len(open_findings()) == 1


def test_a_new_address_of_record_and_name_are_noted_on_the_user_s_file(
    listed: Path,
) -> None:
    user = user_of(1)
    imported(listed, row(1, Address="9 Oak St", Name="Ann New"), row(2), row(3))
    found = {each.kind: each for each in licence_decisions.of_user(user)}
    moved, renamed = found[FindingKind.MOVED], found[FindingKind.RENAMED]
    assert (moved.before, moved.after) == (
        "1 Main St, Hartford, CT 06106-1234",
        "9 Oak St, Hartford, CT 06106-1234",
    )
    assert renamed.after == "Ann New CSP.0000001"
    assert settle(FindingVerdict.NOTED) == 0
    assert open_findings() == []
    assert Delivery.select().count() == 0


def test_a_user_without_any_address_is_suspended_all_the_same(
    db: settings.Settings,
) -> None:
    licence = make_licence(Profession.PRACTITIONER, active=False, street="", city="")
    user = make_user(Role.PRACTITIONER, licence=licence, email=None)
    batch = RosterImport.create(
        filename="x",
        kind="licences",
        source="command",
        state="applied",
        asked_by="x",
        asked_at=NOW,
    )
    reverification.recheck(batch, at=NOW)
    settle(FindingVerdict.SUSPENDED)
    assert User.get_by_id(user.id).status == UserStatus.SUSPENDED
    assert Delivery.get(kind=DeliveryKind.ACCOUNT_NOTICE).needs_staff


def test_days_are_those_of_the_program_s_zone(listed: Path) -> None:
    """A licence until today is in force all of today."""
    user_of(1)
    late = datetime(2026, 11, 24, 4, 30, tzinfo=NOW.tzinfo)  # 11:30 PM in Hartford
    assert clock.day_of(late) == date(2026, 11, 23)
    rows = (row(1, ExpirationDate="11/23/2026"), row(2), row(3))
    imported(listed, *rows, at=late)
    assert open_findings() == []
