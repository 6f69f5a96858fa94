"""What a patient is told of who was told: whose, of which days, in which words."""

from datetime import date, timedelta
from typing import Any

import pytest

from models import (
    AuditEvent,
    Disclosure,
    LookUp,
    LookUpOutcome,
    MatchDecision,
    Patient,
    Purpose,
    ReportedIdentity,
    Role,
    User,
)
from pmp import audit, disclosures, settings
from pmp.disclosures import accountings
from pmp.disclosures.accountings import Accounting
from pmp.errors import NotFoundError, RuleError
from pmp.matching import decisions
from tests.conftest import NOW
from tests.factories import make_identity, make_licence, make_patient, make_user

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def staff() -> User:
    return make_user(username="staff.lee")


def disclose(patient: Patient, **fields: Any) -> Disclosure:
    given: dict[str, Any] = {
        "recipient": "OAKES, RAE",
        "address": "+18605550120",
        "what": "Patient Threshold Report RPL-1",
        "purpose": "Treatment",
        "at": NOW,
    }
    return disclosures.record(patient=patient, **(given | fields))


def looked_up(user: User, **fields: Any) -> LookUp:
    given: dict[str, Any] = {
        "user": user,
        "at": NOW,
        "first_name": "ANNA",
        "last_name": "SAMPLE",
        "birth_date": date(1971, 4, 28),
        "purpose": Purpose.TREATING,
        "since": date(2025, 11, 23),
        "until": date(2026, 11, 23),
        "address": "192.0.2.7",
    }
    look_up: LookUp = LookUp.create(**(given | fields))
    return look_up


def doctor(**fields: Any) -> User:
    licence = make_licence(street="5 Elm Street", city="HARTFORD", zip="06106")
    given = {"username": "dr.oakes", "name": "Rae Oakes", "licence": licence}
    return make_user(Role.PRACTITIONER, **(given | fields))


def made(patient: Patient, by: User, **days: Any) -> Accounting:
    return accountings.open_accounting(
        patient.id, what="page", by=by, at=NOW + timedelta(days=1), **days
    )


def test_it_says_when_to_whom_where_what_and_why(staff: User) -> None:
    patient = make_patient(last_name="BRANDT", first_name="EDITH")
    disclose(patient)
    disclose(make_patient(), recipient="NOBODY OF OURS")

    accounting = made(patient, staff)

    assert accounting.name == "BRANDT, EDITH"
    [line] = accounting.lines
    assert line == accountings.Line(
        NOW,
        "OAKES, RAE",
        "(860) 555-0120",
        "Patient Threshold Report RPL-1",
        "Treatment",
    )


def test_a_user_who_looked_has_the_address_of_record_not_that_of_a_computer(
    staff: User,
) -> None:
    patient, user = make_patient(), doctor()
    look_up = looked_up(user, outcome=LookUpOutcome.REPORT, patient=patient)
    disclose(patient, look_up=look_up, address="192.0.2.7", what="patient report (PDF)")
    disclose(patient, recipient="Rae Oakes (dr.oakes)", address="192.0.2.7")

    lines = made(patient, staff).lines

    assert {(each.recipient, each.address) for each in lines} == {
        ("Rae Oakes", "5 Elm Street, HARTFORD, CT 06106")
    }
    assert "Patient report (PDF)" in {each.what for each in lines}


def test_a_programme_may_tell_what_users_are_instead_of_their_names(
    staff: User,
) -> None:
    patient = make_patient()
    look_up = looked_up(doctor(), outcome=LookUpOutcome.REPORT, patient=patient)
    disclose(patient, look_up=look_up, recipient="Rae Oakes")

    with settings.changed(patient_told_names="places"):
        [line] = made(patient, staff).lines

    assert (line.recipient, line.address) == (
        "A practitioner",
        "5 Elm Street, HARTFORD, CT 06106",
    )


def test_a_list_of_those_who_fit_is_told_though_no_report_was_opened(
    staff: User,
) -> None:
    patient, other = make_patient(), make_patient()
    user = doctor()
    offered = {"outcome": LookUpOutcome.CANDIDATES}
    looked_up(user, candidates=[other.id, patient.id], **offered)
    looked_up(user, candidates=[other.id, patient.id * 1000 + 7], **offered)
    looked_up(user, candidates=[], outcome=LookUpOutcome.NONE)

    [line] = made(patient, staff).lines

    assert line.recipient == "Rae Oakes"
    assert line.what.startswith("Name, date of birth and address in a list")
    assert line.purpose == "Treating this patient"


def test_it_goes_six_years_back_and_no_further(staff: User) -> None:
    patient = make_patient()
    disclose(patient, at=NOW - timedelta(days=6 * 365 - 10), what="within")
    disclose(patient, at=NOW - timedelta(days=6 * 365 + 10), what="before")

    assert [each.what for each in made(patient, staff).lines] == ["Within"]
    days = (date(2026, 11, 1), date(2026, 11, 22))
    assert made(patient, staff, days=days).lines == []
    with pytest.raises(RuleError) as refused:
        made(patient, staff, days=(date(2026, 11, 2), date(2026, 11, 1)))
    assert refused.value.field == "since"


def test_what_is_suspended_is_not_told_before_its_day(staff: User) -> None:
    patient = make_patient()
    disclose(patient, what="told", suspended_until=date(2026, 11, 24))
    disclose(patient, what="not yet", suspended_until=date(2026, 11, 25))

    assert [each.what for each in made(patient, staff).lines] == ["Told"]
    assert len(disclosures.accounting(patient.id)) == 2


def joined(one: ReportedIdentity, two: ReportedIdentity, by: User) -> MatchDecision:
    review = decisions.ask(one.patient.id, two.patient.id, by=by, at=NOW)
    return decisions.join(
        review,
        reason="Her married name.",
        seen=decisions.mark_of(one.patient.id, two.patient.id),
        by=by,
        at=NOW + timedelta(hours=1),
    )


def test_after_a_join_it_has_what_left_about_both(staff: User) -> None:
    one = make_identity(last_name="BRANDT")
    two = make_identity(last_name="LINDGREN")
    disclose(one.patient, what="about Brandt")
    disclose(two.patient, what="about Lindgren")
    looked_up(
        doctor(),
        outcome=LookUpOutcome.CANDIDATES,
        candidates=[two.patient.id],
    )
    joined(one, two, staff)

    numbers = {one.patient.id, two.patient.id}
    now = {accountings.patient_now(number).id for number in numbers}

    assert len(now) == 1
    lines = made(Patient.get_by_id(now.pop()), staff).lines
    assert {each.what.split(",")[0] for each in lines} == {
        "About Brandt",
        "About Lindgren",
        "Name",
    }


def test_after_a_split_each_has_what_left_while_they_were_one(staff: User) -> None:
    one = make_identity(last_name="BRANDT")
    two = make_identity(one.patient, last_name="BRANT", linked_at=NOW)
    disclose(one.patient, what="about both")
    decision = decisions.split(
        one.patient.id,
        [two.id],
        to=None,
        reason="Mother and daughter.",
        seen=decisions.mark_of(one.patient.id),
        by=staff,
        at=NOW + timedelta(hours=1),
    )
    disclose(one.patient, what="about the mother", at=NOW + timedelta(hours=2))
    daughter = decision.other
    assert daughter is not None

    assert [each.what for each in made(daughter, staff).lines] == ["About both"]
    assert len(made(one.patient, staff).lines) == 2


def test_making_one_is_on_record_before_it_is_there(staff: User) -> None:
    patient = make_patient(last_name="CANARYQUIST")
    disclose(patient)

    accounting = made(patient, staff)

    event = AuditEvent.get(AuditEvent.event == audit.Event.ACCOUNTING_MADE)
    assert (event.actor, event.subject) == ("staff.lee", f"patient:{patient.id}")
    assert event.detail["since"] == str(accounting.since)
    assert "CANARYQUIST" not in str(event.detail)
    with pytest.raises(NotFoundError):
        accountings.patient_now(987654)


def test_postal_lines_are_one_line_of_a_file(staff: User) -> None:
    patient = make_patient()
    disclose(patient, address="1 Oak Street\nHARTFORD CT 06106")

    [row] = accountings.table(made(patient, staff))

    assert row[2] == "1 Oak Street, HARTFORD CT 06106"
    assert len(row) == len(accountings.HEADINGS)


def test_leap_days_end_a_period_too() -> None:
    at = NOW.replace(year=2028, month=2, day=29)
    assert accountings.longest(at) == (date(2022, 2, 28), date(2028, 2, 29))
