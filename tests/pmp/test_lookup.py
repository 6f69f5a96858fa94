"""Searching for a patient: what is found, what is kept, who may see the answer."""

from datetime import date, timedelta
from typing import Any

import pytest

from models import (
    AuditEvent,
    Disclosure,
    DispensationStatus,
    LookUp,
    LookUpOutcome,
    Patient,
    Purpose,
    ReportedIdentity,
    Role,
    User,
)
from pmp import audit, lookup, settings
from pmp.errors import NotFoundError, RuleError
from pmp.history import PatientReport
from pmp.lookup import Answer, Criteria, own_history, patient_search, reports
from pmp.settings import Settings
from tests.conftest import NOW
from tests.factories import (
    make_dispensation,
    make_identity,
    make_patient,
    make_user,
)

BORN = date(1971, 4, 28)


@pytest.fixture
def doctor(db: Settings) -> User:
    return make_user(Role.PRACTITIONER, name="Ruth Adams")


def criteria(
    first_name: str = "Maria", last_name: str = "Delgado", **fields: Any
) -> Criteria:
    defaults: dict[str, Any] = {
        "birth_date": BORN,
        "purpose": Purpose.TREATING,
        "since": date(2025, 11, 24),
        "until": date(2026, 11, 23),
    }
    return Criteria(first_name=first_name, last_name=last_name, **(defaults | fields))


def delgado(**fields: Any) -> Patient:
    defaults = {"first_name": "MARIA", "last_name": "DELGADO", "birth_date": BORN}
    return make_patient(**(defaults | fields))


def noise() -> None:
    make_patient(first_name="MARIA", last_name="DELGADO", birth_date=date(1950, 1, 1))
    make_patient(first_name="JANE", last_name="DELGADO", birth_date=BORN)
    make_patient(first_name="MARIA", last_name="NOVAK", birth_date=BORN)


def search(by: User, *, at: Any = NOW, **fields: Any) -> Answer:
    return lookup.search(criteria=criteria(**fields), by=by, at=at)


def events(event: audit.Event) -> list[AuditEvent]:
    return list(AuditEvent.select().where(AuditEvent.event == event.value))


def test_one_exact_fit_is_a_report(doctor: User) -> None:
    noise()
    patient = delgado()
    make_dispensation(patient=patient)
    make_dispensation(patient=patient, status=DispensationStatus.VOIDED)

    answer = search(doctor)

    assert answer.outcome is LookUpOutcome.REPORT
    kept = LookUp.get()
    assert (kept.patient, kept.entries) == (patient, 1)
    report = opened(answer, doctor)
    assert report.patient_id == patient.id


@pytest.mark.parametrize(
    ("first_name", "last_name"),
    [("maria", "DELGADO"), ("María", "Delgado"), ("Ma-ria", "Del gado")],
)
def test_case_accents_and_punctuation_do_not_count(
    doctor: User, first_name: str, last_name: str
) -> None:
    delgado()

    answer = search(doctor, first_name=first_name, last_name=last_name)

    assert answer.outcome is LookUpOutcome.REPORT


def test_two_of_the_same_name_and_birth_date_are_candidates(doctor: User) -> None:
    noise()
    one, other = delgado(city="AVON"), delgado(city="NORWALK")

    answer = search(doctor)

    found = lookup.result(token=answer.token, by=doctor, at=NOW).candidates
    assert {each.patient_id for each in found} == {one.id, other.id}
    assert {"1 Oak Street, AVON, CT", "1 Oak Street, NORWALK, CT"} == {
        each.place for each in found
    }


def test_two_identities_of_one_patient_are_one_fit(doctor: User) -> None:
    patient = delgado()
    make_identity(patient, first_name="MARIA", last_name="DELGADO", birth_date=BORN)

    assert search(doctor).outcome is LookUpOutcome.REPORT


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"last_name": "Delgato"}, "Last name sounds the same."),
        ({"last_name": "Delgafo"}, "Last name is spelt nearly the same."),
        ({"last_name": "Del"}, "Last name begins the same."),
        ({"first_name": "Mar"}, "First name begins the same."),
        ({"birth_date": date(1971, 4, 23)}, "Birth date differs in one digit"),
        ({"birth_date": date(1971, 4, 29)}, "Birth date differs in one digit"),
        (
            {"first_name": "Delgado", "last_name": "Maria"},
            "First and last name are swapped.",
        ),
    ],
)
def test_similar_spellings_are_candidates_only_when_asked_for(
    doctor: User, typed: dict[str, Any], why: str
) -> None:
    noise()
    patient = delgado()

    strict = search(doctor, **typed)
    similar = search(doctor, similar=True, **typed)

    assert strict.outcome is LookUpOutcome.NONE
    assert similar.outcome is LookUpOutcome.CANDIDATES
    found = lookup.result(token=similar.token, by=doctor, at=NOW).candidates
    likeliest = next(each for each in found if each.patient_id == patient.id)
    assert any(sentence.startswith(why) for sentence in likeliest.why)


def test_nicknames_are_known(doctor: User) -> None:
    make_patient(first_name="ROBERT", last_name="NOVAK", birth_date=BORN)

    answer = search(doctor, first_name="Bob", last_name="Novak", similar=True)

    [found] = lookup.result(token=answer.token, by=doctor, at=NOW).candidates
    assert "First name is a short form." in found.why


def test_the_nearest_candidate_comes_first_and_nothing_is_merged(doctor: User) -> None:
    other_day = delgado(birth_date=date(1971, 4, 18))
    slip = make_patient(first_name="MARIA", last_name="DELGATO", birth_date=BORN)
    exact = delgado()

    answer = search(doctor, similar=True)

    found = lookup.result(token=answer.token, by=doctor, at=NOW).candidates
    assert [each.patient_id for each in found] == [exact.id, slip.id, other_day.id]


@pytest.mark.parametrize("wild", ["%", "_", "*", "__", "%%%", "", "M", "'; --"])
@pytest.mark.parametrize("field", ["first_name", "last_name"])
def test_wildcards_and_single_letters_find_nobody(
    doctor: User, field: str, wild: str
) -> None:
    delgado()

    with pytest.raises(RuleError) as refused:
        search(doctor, **{field: wild, "similar": True})

    assert refused.value.field == field


@pytest.mark.parametrize("wild", ["Del%", "D_lgado", "Mar*", "De"])
def test_wildcards_within_a_name_are_no_wildcards(doctor: User, wild: str) -> None:
    delgado()

    assert search(doctor, last_name=wild).outcome is LookUpOutcome.NONE


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"birth_date": date(2026, 11, 24)}, "birth_date"),
        ({"birth_date": date(1071, 4, 28)}, "birth_date"),
        ({"purpose": Purpose.DISPENSING}, "purpose"),
        ({"purpose": Purpose.OVERSIGHT}, "purpose"),
        ({"since": date(2026, 11, 24)}, "since"),
        ({"until": date(2026, 11, 24)}, "until"),
        ({"since": date(2001, 1, 1)}, "since"),
    ],
)
def test_senseless_searches_are_refused_at_their_field(
    doctor: User, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(RuleError) as refused:
        search(doctor, **fields)

    assert refused.value.field == field
    assert LookUp.select().count() == 0


def test_a_pharmacy_searches_to_dispense(db: Settings) -> None:
    pharmacist = make_user(Role.PHARMACY)

    assert search(pharmacist, purpose=Purpose.DISPENSING).token
    with pytest.raises(RuleError):
        search(pharmacist, purpose=Purpose.TREATING)


def test_a_search_is_kept_and_audited_before_it_is_answered(
    doctor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(**_: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(patient_search, "find", cut)

    with pytest.raises(RuntimeError):
        search(doctor)

    assert LookUp.get().outcome is LookUpOutcome.ASKED
    [event] = events(audit.Event.LOOKED_UP)
    assert event.actor == doctor.username
    assert event.detail["purpose"] == "treating"


def test_no_answer_where_it_cannot_be_kept(
    doctor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    delgado()

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(audit, "record", fail)

    with pytest.raises(OSError, match="disk full"):
        search(doctor)

    assert LookUp.select().count() == 0


@pytest.mark.parametrize("found", [0, 1, 2])
def test_every_outcome_is_one_look_up_and_two_events(doctor: User, found: int) -> None:
    for _ in range(found):
        delgado()

    search(doctor)

    assert LookUp.select().count() == 1
    assert len(events(audit.Event.LOOKED_UP)) == 1
    [answered] = events(audit.Event.LOOK_UP_ANSWERED)
    assert answered.detail["outcome"] == ["none", "report", "candidates"][found]
    assert "DELGADO" not in str(answered.detail).upper()


def test_a_nobody_found_is_a_result_one_can_print(doctor: User) -> None:
    noise()

    answer = search(doctor)

    assert answer.outcome is LookUpOutcome.NONE
    found = lookup.result(token=answer.token, by=doctor, at=NOW)
    assert found.candidates == []
    assert found.look_up.at == NOW


def test_choosing_a_candidate_is_a_look_up_of_its_own(doctor: User) -> None:
    chosen, _ = delgado(), delgado()
    first = search(doctor)

    answer = lookup.choose(
        token=first.token, patient_ids=[chosen.id], by=doctor, at=NOW
    )

    assert answer.outcome is LookUpOutcome.REPORT
    assert LookUp.select().count() == 2
    report = opened(answer, doctor)
    assert report.patient_id == chosen.id


def test_a_chosen_candidate_is_kept_under_the_name_that_was_chosen(
    doctor: User,
) -> None:
    chosen = delgado(birth_date=BORN + timedelta(days=1))
    delgado(last_name="DELGATO")
    first = search(doctor, first_name="maria", last_name="delgado", similar=True)

    lookup.choose(token=first.token, patient_ids=[chosen.id], by=doctor, at=NOW)

    typed, kept = LookUp.select().order_by(LookUp.id)
    assert (typed.first_name, typed.last_name) == ("maria", "delgado")
    assert (kept.first_name, kept.last_name) == ("MARIA", "DELGADO")
    assert kept.birth_date == BORN + timedelta(days=1)


def test_choosing_somebody_who_was_not_offered_is_refused(doctor: User) -> None:
    delgado()
    delgado()
    outsider = make_patient()
    token = search(doctor).token

    with pytest.raises(NotFoundError):
        lookup.choose(token=token, patient_ids=[outsider.id], by=doctor, at=NOW)


def opened(answer: Answer, by: User) -> PatientReport:
    made = reports.open_report(token=answer.token, what="page", by=by, at=NOW)
    return made.report


def test_a_token_is_stored_as_a_hash_alone(doctor: User) -> None:
    delgado()

    answer = search(doctor)

    kept = LookUp.get()
    assert kept.token_sha256 != answer.token
    assert len(answer.token) >= 40


def test_foreign_expired_and_unknown_tokens_are_refused_alike(doctor: User) -> None:
    delgado()
    answer = search(doctor)
    late = NOW + timedelta(hours=settings.current().report_hours)
    other = make_user(Role.PRACTITIONER)

    refusals = set()
    for token, by, at in [
        (answer.token, other, NOW),
        (answer.token, doctor, late),
        ("unknown", doctor, NOW),
    ]:
        with pytest.raises(NotFoundError) as refused:
            reports.open_report(token=token, what="page", by=by, at=at)
        refusals.add(refused.value.message)

    assert len(refusals) == 1
    assert Disclosure.select().count() == 0


@pytest.mark.parametrize("what", ["page", "PDF", "CSV"])
def test_each_opening_is_a_disclosure(doctor: User, what: str) -> None:
    patient = delgado()
    answer = search(doctor)

    for _ in range(2):
        reports.open_report(token=answer.token, what=what, by=doctor, at=NOW)

    rows = list(Disclosure.select())
    assert [(row.patient, row.recipient) for row in rows] == [
        (patient, doctor.name)
    ] * 2
    assert rows[0].what == f"patient report ({what})"
    opened = (
        audit.Event.REPORT_OPENED if what == "page" else audit.Event.REPORT_DOWNLOADED
    )
    assert len(events(opened)) == 2


def test_too_many_look_ups_are_refused_and_kept(doctor: User) -> None:
    delgado()
    make_user(Role.PRACTITIONER)
    with settings.changed(look_ups_per_ten_minutes=2):
        search(doctor)
        search(doctor)
        with pytest.raises(RuleError, match="You can go on at 11/23/2026"):
            search(doctor)
        assert search(make_user(Role.PRACTITIONER)).token
        assert search(doctor, at=NOW + timedelta(minutes=10)).token

    assert len(events(audit.Event.LOOK_UP_REFUSED)) == 1
    refused = LookUp.select().where(LookUp.outcome == LookUpOutcome.REFUSED)
    assert refused.count() == 1


def test_looking_again_moves_the_period_to_today(doctor: User) -> None:
    patient = delgado()
    search(doctor)
    before = LookUp.get()

    lookup.look_again(look_up_id=before.id, by=doctor, at=NOW + timedelta(days=3))

    again = LookUp.select().order_by(LookUp.id.desc()).get()
    assert again.patient == patient
    assert (again.since, again.until) == (date(2025, 11, 27), date(2026, 11, 26))


def test_nobody_looks_again_at_anothers_look_up(doctor: User) -> None:
    delgado()
    search(doctor)

    with pytest.raises(NotFoundError):
        lookup.look_again(
            look_up_id=LookUp.get().id, by=make_user(Role.PRACTITIONER), at=NOW
        )


def test_my_look_ups_and_recent_patients_are_mine(doctor: User) -> None:
    patient = delgado()
    search(doctor)
    search(doctor, at=NOW + timedelta(minutes=1))
    search(doctor, last_name="Nobody", at=NOW + timedelta(minutes=2))
    search(make_user(Role.PRACTITIONER))  # noise: another's

    listed = own_history.mine(own_history.Wanted(), user=doctor, at=NOW)
    recent = own_history.recent_patients(user=doctor, at=NOW)

    assert listed.total == 3
    assert [each.outcome.value for each in listed.rows] == ["none", "report", "report"]
    assert [each.patient for each in recent] == [patient]


@pytest.mark.parametrize(
    ("first", "last", "zip_code"),
    [
        ("Maria", "Delgado", ""),
        ("Mar", "Del", ""),
        ("Delgado", "Maria", ""),
        ("Maria", "Vega", ""),
        ("Maria", "Delgado Vega", ""),
        ("Maria", "Delgdo", ""),
        ("Mary", "Delgado", ""),
        ("Maria", "Ortiz", "06106"),
    ],
)
def test_the_quick_choice_of_a_days_people_leaves_nobody_out_who_fits(
    db: Settings, first: str, last: str, zip_code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("DELGADO", "DELGADO-VEGA", "O'DELL", "DELGATO", "MARIA", "VEGA", "LEE")
    for number, name in enumerate((*names, "DELGADO VEGA", "STONE", "D ELGADO")):
        given = "DELGADO" if name == "MARIA" else "MARIA"
        make_identity(
            last_name=name,
            first_name=given,
            zip="06106" if number % 2 else "06001",
        )
    born = ReportedIdentity.select().first().birth_date

    def found() -> list[patient_search.Candidate]:
        return patient_search.find(
            first_name=first,
            last_name=last,
            birth_date=born,
            similar=True,
            zip_code=zip_code,
        )

    quick = found()
    monkeypatch.setattr(patient_search, "_alike", lambda named, _typed: list(named))
    assert quick == found()
    assert quick
