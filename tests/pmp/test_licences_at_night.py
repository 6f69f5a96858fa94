"""Licences that run out between two imports are asked about in the night."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from gateway import schedule
from models import (
    AuditEvent,
    CoveredPharmacy,
    FindingKind,
    FindingVerdict,
    Licence,
    LicenceFinding,
    Profession,
    Role,
    RosterImport,
    User,
    UserStatus,
)
from pmp import clock, settings
from pmp.accounts import coverage
from pmp.errors import ConflictError, RuleError
from pmp.roster import licence_decisions, reverification
from tests.conftest import NOW
from tests.factories import make_licence, make_user
from tests.pmp.test_reverification import imported, open_findings, user_of
from tests.roster_sheets import row

ENDED = date(2026, 11, 15)  # eight days before NOW


@pytest.fixture
def staff(db: settings.Settings) -> User:
    return make_user(username="staff.lee")


def doctor(name: str, *, ends: date | None = ENDED, **fields: object) -> User:
    licence = make_licence(Profession.PRACTITIONER, expires_on=ends)
    return make_user(Role.PRACTITIONER, username=name, licence=licence, **fields)


def looked(days: int = 0) -> int:
    return reverification.recheck_between_imports(at=NOW + timedelta(days=days))


def settle(verdict: FindingVerdict, by: User, *, days: int = 0) -> int:
    rows = LicenceFinding.select().where(LicenceFinding.settled_at.is_null())
    ids = [each.id for each in rows]
    at = NOW + timedelta(days=days)
    return licence_decisions.settle(ids, verdict, reason="renewal", by=by, at=at)


def test_a_licence_that_ended_longer_ago_than_the_grace_is_asked_about(
    staff: User,
) -> None:
    doctor("dr.late")
    doctor("dr.within", ends=ENDED + timedelta(days=1))
    doctor("dr.endless", ends=None)
    doctor("dr.shut", status=UserStatus.SUSPENDED)
    doctor("dr.gone", status=UserStatus.CLOSED)

    assert looked() == 1
    assert looked() == 0

    assert open_findings() == [("dr.late", FindingKind.LAPSED)]
    [finding] = LicenceFinding.select()
    assert (finding.after, finding.batch) == ("ACTIVE, until 11/15/2026", None)
    assert User.get(username="dr.late").status == UserStatus.ACTIVE
    event = AuditEvent.get(AuditEvent.event == "licence:found")
    assert (event.actor, event.subject) == ("system", f"user:{finding.user.id}")


def test_the_grace_is_a_setting(staff: User) -> None:
    doctor("dr.late")
    with settings.changed(licence_grace_days=8):
        assert looked() == 0
    with settings.changed(licence_grace_days=0):
        assert looked() == 1


def test_a_renewed_date_takes_it_off_at_the_next_import_and_at_night(
    staff: User, tmp_path: Path
) -> None:
    imported(tmp_path, row(1, ExpirationDate="12/01/2026"))
    user_of(1)
    late = NOW + timedelta(days=16)
    assert reverification.recheck_between_imports(at=late) == 1
    imported(tmp_path, row(1, ExpirationDate="12/01/2028"), at=late)
    assert open_findings() == []

    doctor("dr.late")
    looked()
    Licence.update(expires_on=date(2028, 1, 1)).execute()
    looked(1)

    assert open_findings() == []
    closed = LicenceFinding.select().order_by(LicenceFinding.id.desc()).get()
    assert closed.verdict == FindingVerdict.OVERTAKEN


def test_who_is_put_aside_is_asked_about_again_only_for_another_date(
    staff: User,
) -> None:
    user = doctor("dr.late")
    looked()
    settle(FindingVerdict.KEPT, staff)

    assert looked(1) == 0
    assert User.get_by_id(user.id).status == UserStatus.ACTIVE
    Licence.update(expires_on=ENDED + timedelta(days=1)).execute()
    assert looked(1) == 1


def test_staff_confirm_a_suspension_that_the_night_proposed(staff: User) -> None:
    user = doctor("dr.late")
    looked()

    assert settle(FindingVerdict.SUSPENDED, staff) == 1

    assert User.get_by_id(user.id).status == UserStatus.SUSPENDED
    Licence.update(expires_on=NOW.date()).execute()
    assert looked() == 1
    assert open_findings() == [("dr.late", FindingKind.IN_FORCE_AGAIN)]


def test_a_suspended_user_is_not_let_in_again_within_the_grace_alone(
    staff: User,
) -> None:
    doctor("dr.late")
    looked()
    settle(FindingVerdict.SUSPENDED, staff)
    Licence.update(expires_on=ENDED + timedelta(days=3)).execute()

    assert looked() == 0


def test_nothing_is_asked_while_an_import_is_applied(staff: User) -> None:
    doctor("dr.late")
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

    assert looked() == 0

    RosterImport.update(turn=None).execute()
    assert looked() == 1


# --- Pharmacies that an account covers


@pytest.fixture
def chain(staff: User) -> User:
    """Give the account of a chain that covers two pharmacies, one of which ended."""
    own = make_licence(expires_on=date(2028, 1, 1))
    user = make_user(Role.PHARMACY, username="chain", licence=own)
    for name, ends in (("ELM STREET RX", ENDED), ("OAK RX", date(2028, 1, 1))):
        branch = make_licence(name=name, expires_on=ends)
        CoveredPharmacy.create(
            user=user, licence=branch, granted_by="lee", granted_at=NOW
        )
    return user


def test_a_covered_pharmacy_that_ended_is_asked_about_and_taken_off(
    staff: User, chain: User
) -> None:
    assert looked() == 1
    assert looked() == 0
    [finding] = LicenceFinding.select()
    assert finding.kind == FindingKind.COVERED_LAPSED
    assert finding.after.startswith("ELM STREET RX, PCY.")
    with pytest.raises(RuleError, match="cannot be suspended"):
        settle(FindingVerdict.SUSPENDED, staff)

    assert settle(FindingVerdict.WITHDRAWN, staff) == 0

    assert [each.licence.name for each in coverage.of(chain)] == ["OAK RX"]
    assert User.get_by_id(chain.id).status == UserStatus.ACTIVE
    events = [each.event for each in AuditEvent.select().order_by(AuditEvent.id)]
    assert events[-2:] == ["licence:settled", "user:coverage_changed"]


def test_two_covered_pharmacies_of_one_account_are_two_questions(
    staff: User, chain: User
) -> None:
    Licence.update(expires_on=ENDED).where(Licence.name == "OAK RX").execute()

    assert looked() == 2
    assert looked() == 0


def test_a_coverage_that_was_withdrawn_meanwhile_is_asked_about_no_more(
    staff: User, chain: User
) -> None:
    looked()
    code = Licence.get(name="ELM STREET RX").code
    coverage.withdraw(chain, licence=code, by=staff, at=NOW)
    with pytest.raises(ConflictError, match="not so any more"):
        settle(FindingVerdict.WITHDRAWN, staff)

    looked(1)

    assert open_findings() == []


def test_the_worker_looks_in_the_night(db: settings.Settings) -> None:
    ended = clock.today() - timedelta(days=30)
    doctor("dr.late", ends=ended)

    schedule.look_at_licences()

    assert open_findings() == [("dr.late", FindingKind.LAPSED)]
