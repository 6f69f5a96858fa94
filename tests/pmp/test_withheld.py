"""Naloxone and its like: reported, stored, and seen by administrators alone."""

from datetime import date
from typing import Any

import pytest

from models import (
    AuditEvent,
    Dispensation,
    LookUp,
    LookUpOutcome,
    Purpose,
    Role,
    ThresholdCase,
    User,
)
from pmp import lookup, reported_drugs, settings, thresholds, tickets, withheld
from pmp.errors import NotFoundError, RuleError
from pmp.lookup import Criteria, reports
from pmp.matching import reviews
from pmp.permissions import Permission, can
from pmp.reported_drugs import Audience
from pmp.settings import Settings
from pmp.tickets import identity_tickets
from tests.conftest import NOW
from tests.factories import (
    make_dispensation,
    make_identity,
    make_patient,
    make_pharmacy,
    make_prescriber,
    make_product,
    make_rule,
    make_user,
)
from tests.pmp.test_uploads import submit
from tests.submission_files import ELM, fill

NALOXONE = "69547035302"
SINCE, UNTIL = date(2025, 11, 24), date(2026, 11, 23)
BORN = date(1980, 2, 16)

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def elm() -> User:
    make_product()
    make_product(
        ndc=NALOXONE,
        name="Narcan 4 mg spray",
        ingredient="NALOXONE HYDROCHLORIDE",
        schedule="",
        drug_class="other",
        mme_key="",
    )
    pharmacy = make_pharmacy(dea=ELM[2], name=ELM[3])
    return make_user(Role.PHARMACY, pharmacy=pharmacy)


@pytest.fixture
def doctor() -> User:
    return make_user(Role.PRACTITIONER)


def search(by: User) -> lookup.Answer:
    criteria = Criteria("Ada", "Example", BORN, Purpose.TREATING, SINCE, UNTIL)
    return lookup.search(criteria=criteria, by=by, at=NOW)


def naloxone(**fields: Any) -> Dispensation:
    return make_dispensation(
        **{
            "ingredient": "NALOXONE HYDROCHLORIDE",
            "schedule": "",
            "drug_class": "other",
            "mme_key": "",
            "withheld": "administrators",
            **fields,
        }
    )


def test_a_naloxone_record_is_stored_even_for_a_day(elm: User) -> None:
    found = submit(elm, fill("1", ndc=NALOXONE, days="1", quantity="2"))

    assert (found.stored, found.not_reportable, found.held) == (1, 0, 0)
    [row] = Dispensation.select()
    assert row.withheld == "administrators"


def test_who_had_naloxone_alone_is_not_found(elm: User, doctor: User) -> None:
    submit(elm, fill("1", ndc=NALOXONE, days="30"))

    assert search(doctor).outcome is LookUpOutcome.NONE
    similar = Criteria("Ada", "Exampel", BORN, Purpose.TREATING, SINCE, UNTIL, True)  # noqa: FBT003
    answer = lookup.search(criteria=similar, by=doctor, at=NOW)
    assert answer.outcome is LookUpOutcome.NONE


def test_a_report_has_the_opioid_and_neither_the_naloxone_nor_its_address(
    elm: User, doctor: User
) -> None:
    submit(elm, fill("1"), fill("2", ndc=NALOXONE))
    [opioid] = Dispensation.select().where(Dispensation.withheld.is_null())
    hidden = make_identity(opioid.patient, street="1 SECRET WAY")
    naloxone(identity=hidden, filled_on=date(2026, 11, 20))

    answer = search(doctor)

    assert answer.outcome is LookUpOutcome.REPORT
    opened = reports.open_report(token=answer.token, what="page", by=doctor, at=NOW)
    report = opened.report
    assert [entry.row_code for entry in report.entries] == [opioid.row_code]
    assert lookup.of_token(token=answer.token, by=doctor, at=NOW).entries == 1
    assert report.counts.fills == 1
    assert "SECRET" not in str(report)
    assert "NALOXONE" not in str(report).upper()


def test_a_name_and_a_home_known_from_naloxone_alone_find_nobody() -> None:
    person = make_identity(
        last_name="EXAMPLE", first_name="ADA", birth_date=BORN, zip="06106"
    )
    make_dispensation(person)
    noise = make_identity(last_name="EXAMPLE", first_name="ADA", birth_date=BORN)
    make_dispensation(noise)
    hidden = make_identity(
        person.patient,
        last_name="SECRET",
        first_name="ADA",
        birth_date=BORN,
        zip="06511",
    )
    naloxone(identity=hidden)

    def found(last_name: str, zip_code: str = "") -> list[lookup.Candidate]:
        return [
            each
            for similar in (False, True)
            for each in lookup.patient_search.find(
                first_name="Ada",
                last_name=last_name,
                birth_date=BORN,
                similar=similar,
                zip_code=zip_code,
            )
        ]

    assert found("Secret") == []
    assert {each.name for each in found("Example")} == {"EXAMPLE, ADA"}
    # Nobody is known to live there: it tells nobody from anybody.
    assert len(found("Example", "06511")) == 4
    assert not any(each.is_exact for each in found("Example", "06511"))


def test_looking_again_at_who_is_known_by_naloxone_alone_finds_nobody(
    doctor: User,
) -> None:
    person = make_identity(last_name="EXAMPLE", first_name="ADA", birth_date=BORN)
    entry = make_dispensation(person)
    search(doctor)
    before: LookUp = LookUp.get()
    assert before.patient == person.patient
    Dispensation.update(withheld="administrators").where(
        Dispensation.id == entry.id
    ).execute()

    answer = lookup.look_again(look_up_id=before.id, by=doctor, at=NOW)

    assert answer.outcome is LookUpOutcome.NONE
    assert LookUp.get(LookUp.id != before.id).patient is None


def test_people_of_a_report_are_not_told_by_naloxone(doctor: User) -> None:
    person = make_identity(last_name="EXAMPLE", first_name="ADA", birth_date=BORN)
    make_dispensation(person)
    naloxone(identity=make_identity(person.patient, last_name="SECRET"))
    token = search(doctor).token

    [found] = identity_tickets.people(token=token, by=doctor, at=NOW)

    assert found.ids == (person.id,)


def test_the_last_fill_of_a_candidate_is_one_that_may_be_shown(doctor: User) -> None:
    person = make_identity(last_name="EXAMPLE", first_name="ADA", birth_date=BORN)
    make_dispensation(person, filled_on=date(2026, 5, 1))
    naloxone(identity=person, filled_on=date(2026, 11, 1))

    [found] = lookup.patient_search.find(
        first_name="Ada", last_name="Example", birth_date=BORN, similar=False
    )

    assert found.last_fill == date(2026, 5, 1)


def test_naloxone_counts_in_no_threshold_whatever_a_rule_counts() -> None:
    make_rule(prescribers=2, pharmacies=2)
    patient = make_patient()
    for day in (1, 2, 3):
        naloxone(
            patient=patient,
            filled_on=date(2026, 11, day),
            prescriber=make_prescriber(),
            pharmacy=make_pharmacy(),
            schedule="CII",  # as if a policy withheld a scheduled drug
        )

    thresholds.evaluate([patient.id], at=NOW)

    assert ThresholdCase.select().count() == 0


def test_nobody_reports_an_error_in_an_entry_that_they_may_not_see(
    doctor: User,
) -> None:
    row = naloxone()
    staff, chief = make_user(Role.STAFF), make_user(Role.ADMINISTRATOR)

    for user in (doctor, staff):
        with pytest.raises(NotFoundError):
            tickets.find_shown(row.row_code, by=user)
    assert tickets.find_shown(row.row_code, by=chief).dispensation == row


def test_staff_see_no_naloxone_where_they_decide_who_is_who() -> None:
    person = make_identity()
    opioid = make_dispensation(person)
    naloxone(identity=person, pharmacy=make_pharmacy(name="SECRET PHARMACY"))

    side = reviews.side(person.patient.id)

    assert side.fills == 1
    [reported] = side.reported
    assert list(reported.fills) == [opioid]
    assert "SECRET PHARMACY" not in reported.pharmacies


def test_counts_are_for_administrators_and_on_the_audit_record() -> None:
    pharmacy = make_pharmacy(name="ELM")
    person = make_identity()
    naloxone(identity=person, pharmacy=pharmacy, filled_on=date(2026, 10, 1))
    naloxone(identity=person, pharmacy=pharmacy, filled_on=date(2026, 10, 9))
    naloxone(pharmacy=pharmacy, filled_on=date(2025, 1, 1))  # noise: before
    naloxone(pharmacy=pharmacy, status="voided")
    make_dispensation(pharmacy=pharmacy)
    chief = make_user(Role.ADMINISTRATOR)

    [found] = withheld.counts(since=SINCE, until=UNTIL, by=chief, at=NOW)

    assert (found.drug, found.pharmacy) == ("NALOXONE HYDROCHLORIDE", "ELM")
    assert (found.fills, found.patients) == (2, 1)
    assert (found.first, found.last) == (date(2026, 10, 1), date(2026, 10, 9))
    assert (
        AuditEvent.select()
        .where(AuditEvent.event == "dispensation:withheld_counted")
        .count()
    )
    with pytest.raises(RuleError):
        withheld.counts(since=UNTIL, until=SINCE, by=chief, at=NOW)
    assert [role for role in Role if can(role, Permission.WITHHELD_READ)] == [
        Role.ADMINISTRATOR
    ]


@pytest.mark.parametrize(
    ("policy", "stored", "withheld_as"),
    [
        ("CII,naloxone", 1, None),
        ("CII,naloxone=administrators", 1, "administrators"),
        ("CII,naloxone=no", 0, None),
        ("CII", 0, None),
    ],
)
def test_the_programme_says_who_sees_a_drug(
    elm: User, policy: str, stored: int, withheld_as: str | None
) -> None:
    with settings.changed(reported_drugs=policy):
        found = submit(elm, fill("1", ndc=NALOXONE))

    assert (found.stored, found.not_reportable) == (stored, 1 - stored)
    assert [row.withheld for row in Dispensation.select()] == [withheld_as] * stored


@pytest.mark.parametrize(
    ("ingredient", "schedule", "audience"),
    [
        ("NALOXONE HYDROCHLORIDE", "", Audience.ADMINISTRATORS),
        ("BUPRENORPHINE; NALOXONE", "CIII", Audience.EVERYONE),
        ("PENTAZOCINE; NALOXONE", "CIV", Audience.EVERYONE),
        ("GABAPENTIN", "", Audience.EVERYONE),
        ("ATENOLOL", "", Audience.NOBODY),
        ("PSEUDOEPHEDRINE", "", Audience.NOBODY),
    ],
)
def test_who_sees_what_in_connecticut(
    db: Settings, ingredient: str, schedule: str, audience: Audience
) -> None:
    assert (
        reported_drugs.audience(
            db.reported_drugs,
            schedule=schedule,
            drug_class="other",
            ingredient=ingredient,
        )
        is audience
    )


def test_a_policy_names_classes_and_turns_single_drugs_off() -> None:
    policy = "cii, Gabapentinoid ,lacosamide=no,CV"

    assert reported_drugs.parse(policy)["CII"] is Audience.EVERYONE
    for drug_class, ingredient, schedule, audience in (
        ("gabapentinoid", "PREGABALIN", "", Audience.EVERYONE),
        ("other", "LACOSAMIDE", "CV", Audience.NOBODY),
        ("other", "BRIVARACETAM", "CV", Audience.EVERYONE),
        ("other", "TESTOSTERONE", "CIII", Audience.NOBODY),
    ):
        found = reported_drugs.audience(
            policy, schedule=schedule, drug_class=drug_class, ingredient=ingredient
        )
        assert found is audience


@pytest.mark.parametrize("text", ["", "CII,naloxone=staff", "C2", "CII,na loxone"])
def test_a_policy_that_cannot_be_read_stops_the_start(text: str) -> None:
    with pytest.raises(ValueError, match=r"name|use"):
        reported_drugs.parse(text)
