"""What a report says is new to its reader, by what they were shown the last time."""

from datetime import date, timedelta

import pytest

from models import (
    Disclosure,
    Dispensation,
    DispensationStatus,
    LookUp,
    MatchReview,
    Patient,
    Purpose,
    Role,
    User,
)
from pmp import dispensations, lookup
from pmp.errors import NotFoundError
from pmp.lookup import Criteria, changes, reports
from pmp.lookup.last_look import LastLook
from pmp.matching import decisions
from pmp.settings import Settings
from tests.conftest import NOW
from tests.factories import make_dispensation, make_identity, make_patient, make_user

LATER = NOW + timedelta(days=1)
DAY = date(2026, 11, 1)


@pytest.fixture
def doctor(db: Settings) -> User:
    return make_user(Role.PRACTITIONER)


@pytest.fixture
def patient(db: Settings) -> Patient:
    return make_patient(first_name="MARIA", last_name="DELGADO")


def look(by: User, at: object = NOW, months: int = 12) -> LastLook | None:
    """Look the patient up and open the report; give what it says of the last time."""
    criteria = Criteria(
        "Maria",
        "Delgado",
        date(1971, 4, 28),
        Purpose.TREATING,
        since=date(2026, 11, 23) - timedelta(days=30 * months),
        until=date(2026, 11, 23),
    )
    answer = lookup.search(criteria=criteria, by=by, at=at)  # type: ignore[arg-type]
    opened = reports.open_report(token=answer.token, what="page", by=by, at=at)  # type: ignore[arg-type]
    again = reports.open_report(token=answer.token, what="PDF", by=by, at=at)  # type: ignore[arg-type]
    assert again.last_look == opened.last_look  # of the look before this one
    return opened.last_look


def test_the_first_look_has_none_before_it(doctor: User, patient: Patient) -> None:
    make_dispensation(patient=patient)
    look(make_user(Role.PRACTITIONER))  # noise: somebody else's

    assert look(doctor) is None


def test_nothing_has_changed(doctor: User, patient: Patient) -> None:
    make_dispensation(patient=patient)
    look(doctor)

    found = look(doctor, LATER)

    assert found is not None
    assert found.sentence == (
        "Since your last look on 11/23/2026 10:14 AM ET: nothing has changed."
    )


def test_new_changed_and_removed_entries_are_told(
    doctor: User, patient: Patient
) -> None:
    staff = make_user(Role.STAFF)
    kept, changed, voided = (
        make_dispensation(patient=patient, filled_on=DAY + timedelta(days=number))
        for number in range(3)
    )
    look(doctor)
    dispensations.correct(
        changed, changes={"quantity": 30}, reason="count", by=staff, at=LATER
    )
    dispensations.void(voided, reason="never picked up", by=staff, at=LATER)
    new = make_dispensation(patient=patient, stored_at=LATER)

    found = look(doctor, LATER)

    assert found is not None
    assert found.new == {new.row_code}
    assert found.changed == {changed.row_code: "quantity"}
    assert [(gone.row_code, gone.why) for gone in found.removed] == [
        (voided.row_code, "removed: it was reported in error")
    ]
    assert "1 new, 1 changed, 1 removed" in found.sentence
    assert kept.row_code not in {*found.new, *found.changed}
    assert look(doctor, LATER) == LastLook(LATER, removed=[])


def test_an_entry_that_went_to_another_person_is_told_to_whoever_saw_it(
    doctor: User, patient: Patient
) -> None:
    entry = make_dispensation(patient=patient)
    look(doctor)
    other = make_identity(last_name="STRANGER")
    dispensations.correct(
        entry,
        changes={"identity": other},
        reason="mixed up",
        by=make_user(Role.STAFF),
        at=LATER,
    )

    found = look(doctor, LATER)

    assert found is not None
    assert [gone.why for gone in found.removed] == ["it belongs to another person"]


def test_what_became_of_another_persons_entry_is_not_told(
    doctor: User, patient: Patient
) -> None:
    """It reads as it was shown, whatever it has been corrected to since."""
    staff = make_user(Role.STAFF)
    moved, voided, secret = (
        make_dispensation(patient=patient, drug_name="Oxycodone 5 mg", filled_on=DAY)
        for _ in range(3)
    )
    look(doctor)
    before: LookUp = LookUp.get()
    other = {"identity": make_identity(last_name="STRANGER")}
    for each in (moved, voided, secret):
        dispensations.correct(each, changes=other, reason="mixed", by=staff, at=LATER)
    change = {"filled_on": DAY - timedelta(days=900), "quantity": 7}
    dispensations.correct(moved, changes=change, reason="day", by=staff, at=LATER)
    Dispensation.update(drug_name="Methadone 10 mg").where(
        Dispensation.id == moved.id
    ).execute()
    dispensations.void(voided, reason="never picked up", by=staff, at=LATER)
    Dispensation.update(withheld="administrators").where(
        Dispensation.id == secret.id
    ).execute()

    found = look(doctor, LATER)
    answer = lookup.look_again(look_up_id=before.id, by=doctor, at=LATER)
    since = changes.since(before.id, token=answer.token, by=doctor, at=LATER)

    assert found is not None
    told = {(gone.row_code, gone.filled_on, gone.drug) for gone in found.removed}
    assert told == {(each.row_code, DAY, "Oxycodone 5 mg") for each in (moved, voided)}
    assert {gone.why for gone in found.removed} == {"it belongs to another person"}
    assert told == {
        (each.row_code, each.filled_on, each.drug_name) for each in since.moved
    }
    assert since.count == 2


def test_an_entry_that_was_put_back_is_new(doctor: User, patient: Patient) -> None:
    entry = make_dispensation(patient=patient, status=DispensationStatus.VOIDED)
    look(doctor)
    Dispensation.update(status=DispensationStatus.CURRENT).where(
        Dispensation.id == entry.id
    ).execute()

    found = look(doctor, LATER)

    assert found is not None
    assert found.new == {entry.row_code}


def test_a_longer_period_shows_older_entries_that_are_not_new(
    doctor: User, patient: Patient
) -> None:
    make_dispensation(patient=patient, filled_on=date(2025, 3, 1))
    look(doctor, months=12)

    found = look(doctor, LATER, months=24)

    assert found is not None
    assert found.new == frozenset()


def join(review: MatchReview) -> None:
    decisions.join(
        review,
        reason="She has married.",
        seen=decisions.mark_of(review.identity.patient.id, review.candidate.id),
        by=make_user(Role.STAFF),
        at=LATER - timedelta(hours=1),
    )


@pytest.fixture
def review(db: Settings) -> MatchReview:
    """Two who will be joined; the one whose number goes is found by the search."""
    kept = make_identity(first_name="MARIA", last_name="OLDNAME")
    gone = make_identity(first_name="MARIA", last_name="DELGADO")
    for each in (kept, gone):
        make_dispensation(each, stored_at=NOW - timedelta(days=9))
    found: MatchReview = MatchReview.create(
        identity=gone, candidate=kept.patient, score=30, opened_at=NOW
    )
    return found


def test_a_look_at_a_number_that_was_joined_away_is_a_look_before(
    doctor: User, review: MatchReview
) -> None:
    look(doctor)
    join(review)

    found = look(doctor, LATER)

    other = Dispensation.get(Dispensation.identity != review.identity)
    assert found is not None
    assert (found.at, set(found.new)) == (NOW, {other.row_code})
    assert not found.removed


def test_changes_since_a_number_that_was_joined_away_are_told(
    doctor: User, review: MatchReview
) -> None:
    look(doctor)
    before: LookUp = LookUp.get()
    join(review)
    answer = lookup.look_again(look_up_id=before.id, by=doctor, at=LATER)

    found = changes.since(before.id, token=answer.token, by=doctor, at=LATER)

    other = Dispensation.get(Dispensation.identity != review.identity)
    assert list(found.joined) == [other]
    assert found.count == 1
    told = Disclosure.select().order_by(Disclosure.id.desc()).get()
    assert told.patient == review.candidate


def test_changes_are_told_of_one_patient_alone(
    doctor: User, review: MatchReview
) -> None:
    look(doctor)
    before: LookUp = LookUp.get()
    make_patient(first_name="MARIA", last_name="STRANGER")
    criteria = Criteria(
        "Maria",
        "Stranger",
        date(1971, 4, 28),
        Purpose.TREATING,
        since=DAY,
        until=date(2026, 11, 23),
    )
    answer = lookup.search(criteria=criteria, by=doctor, at=LATER)

    with pytest.raises(NotFoundError):
        changes.since(before.id, token=answer.token, by=doctor, at=LATER)
