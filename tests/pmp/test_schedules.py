"""Lists of patients: each a look-up of its own, under the user, with its own limit."""

from datetime import date, timedelta
from typing import Any

import pytest

import models
from gateway import schedule as timer
from gateway import tasks
from models import (
    AuditEvent,
    Disclosure,
    LookUp,
    LookUpOrigin,
    LookUpOutcome,
    PatientSchedule,
    Purpose,
    Role,
    ScheduledPatient,
    Species,
    User,
    UserStatus,
)
from pmp import audit, clock, history, settings
from pmp.errors import NotFoundError, RuleError
from pmp.lookup import schedules
from pmp.lookup.schedule_lines import Line
from pmp.settings import Settings
from tests.conftest import NOW
from tests.factories import (
    make_dispensation,
    make_identity,
    make_patient,
    make_user,
)

BORN = date(1971, 4, 28)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def doctor(db: Settings) -> User:
    return make_user(Role.PRACTITIONER, name="Ruth Adams")


def line(last_name: str, number: int = 1, **fields: Any) -> Line:
    return Line(number, "", "Anna", last_name, BORN, **fields)


def make(
    *lines: Line, by: User, similar: bool = False, at: Any = NOW
) -> PatientSchedule:
    return schedules.make(
        lines,
        purpose=Purpose.TREATING,
        since=date(2025, 11, 23),
        similar=similar,
        by=by,
        at=at,
    )


def run(schedule: PatientSchedule) -> None:
    while schedules.run_next(schedule.id, at=schedule.made_at + MINUTE):
        pass


def people(schedule: PatientSchedule) -> list[ScheduledPatient]:
    query = ScheduledPatient.select().where(ScheduledPatient.schedule == schedule)
    return list(query.order_by(ScheduledPatient.number))


def test_each_person_is_a_look_up_and_a_disclosure_under_the_user(doctor: User) -> None:
    patient = make_patient(last_name="KOWALSKI")
    make_dispensation(patient=patient, filled_on=date(2026, 11, 20))
    make_dispensation(patient=patient, filled_on=date(2020, 1, 1))  # before the period
    for _ in range(2):
        make_patient(last_name="TWIN")
    made = make(line("Kowalski"), line("Twin"), line("Nobody"), by=doctor)

    run(made)

    found, several, nobody = people(made)
    assert (found.fills, found.last_fill) == (1, date(2026, 11, 20))
    assert found.mme == "30.0"
    outcomes = [each.outcome for each in (found, several, nobody)]
    assert outcomes == [
        LookUpOutcome.REPORT,
        LookUpOutcome.CANDIDATES,
        LookUpOutcome.NONE,
    ]
    kept = list(LookUp.select().order_by(LookUp.id))
    assert [(each.user, each.origin) for each in kept] == [
        (doctor, LookUpOrigin.SCHEDULE)
    ] * 3
    [disclosed] = Disclosure.select()
    assert (disclosed.patient, disclosed.recipient) == (patient, "Ruth Adams")
    assert disclosed.look_up == found.look_up
    assert PatientSchedule.get().finished_at == NOW + MINUTE
    assert schedules.waiting() == []
    assert audit.verify() == []


def test_similar_spellings_are_tried_where_the_name_is_not_found(doctor: User) -> None:
    make_patient(last_name="KOWALSKI")
    make_patient(last_name="KOWALSKA")
    made = make(line("Kowalski"), line("Kowalskij"), by=doctor, similar=True)

    run(made)

    exact, near = people(made)
    assert exact.outcome is LookUpOutcome.REPORT
    assert near.outcome is LookUpOutcome.CANDIDATES
    assert [each.similar for each in LookUp.select().order_by(LookUp.id)] == [
        False,
        False,
        True,
    ]


def test_lines_with_a_problem_are_left_out(doctor: User) -> None:
    made = make(line("Kowalski"), line("X", problem="Two dates."), by=doctor)

    assert [each.last_name for each in people(made)] == ["Kowalski"]
    with pytest.raises(RuleError, match="No line names a person"):
        make(line("X", problem="Two dates."), by=doctor)


def test_fifty_at_a_time_and_so_many_a_day(doctor: User) -> None:
    with pytest.raises(RuleError, match="51 people"):
        make(*(line(f"A{n}") for n in range(51)), by=doctor)
    with settings.changed(scheduled_patients_per_day=3):
        run(make(line("Abel"), line("Baker"), by=doctor))
        assert schedules.left_today(doctor, at=NOW) == 1
        with pytest.raises(RuleError, match="you have 1 left"):
            make(line("Cole"), line("Dean"), by=doctor)
        make(line("Cole"), by=doctor)
        assert schedules.left_today(doctor, at=NOW) == 0
        assert schedules.left_today(make_user(Role.PHARMACY), at=NOW) == 3
        run(PatientSchedule.get(PatientSchedule.finished_at.is_null()))
        assert schedules.left_today(doctor, at=NOW + timedelta(days=1)) == 3


def test_deleting_a_list_does_not_give_its_people_back(doctor: User) -> None:
    with settings.changed(scheduled_patients_per_day=2):
        made = make(line("Abel"), line("Baker"), by=doctor)
        run(made)
        schedules.forget(made.id, by=doctor, at=NOW)

        assert schedules.left_today(doctor, at=NOW) == 0
    assert ScheduledPatient.select().count() == 0
    assert LookUp.select().count() == 2


def test_a_purpose_of_another_role_is_refused(db: Settings) -> None:
    with pytest.raises(RuleError) as refused:
        make(line("Abel"), by=make_user(Role.PHARMACY))

    assert refused.value.field == "purpose"


def test_a_list_of_somebody_else_is_not_there(doctor: User) -> None:
    made, other = make(line("Abel"), by=doctor), make_user(Role.PRACTITIONER)

    for ask in (
        lambda: schedules.standing(made.id, by=other, at=NOW),
        lambda: schedules.look_up_of(made.id, 1, by=other),
        lambda: schedules.forget(made.id, by=other, at=NOW),
    ):
        with pytest.raises(NotFoundError):
            ask()


def test_a_closed_account_gets_nobody_looked_up(doctor: User) -> None:
    make_patient(last_name="KOWALSKI")
    made = make(line("Kowalski"), by=doctor)
    doctor.status = UserStatus.SUSPENDED
    doctor.save()

    run(made)

    [only] = people(made)
    assert only.outcome is LookUpOutcome.REFUSED
    assert LookUp.select().count() == 0


def test_a_line_is_not_taken_twice_and_is_taken_up_after_a_death(
    doctor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_patient(last_name="KOWALSKI")
    made = make(line("Kowalski"), line("Nobody"), by=doctor)

    def cut(*_: object, **__: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as broken:
        broken.setattr(history, "patient_report", cut)
        with pytest.raises(RuntimeError):
            schedules.run_next(made.id, at=NOW)

    assert Disclosure.select().count() == 0  # nothing was told
    assert schedules.run_next(made.id, at=NOW)  # the other line
    assert not schedules.run_next(made.id, at=NOW)
    assert schedules.waiting() == [made.id]
    assert schedules.run_next(made.id, at=NOW + schedules.LEASE)
    first, second = people(made)
    assert first.outcome is LookUpOutcome.REPORT
    assert second.outcome is LookUpOutcome.NONE
    assert schedules.waiting() == []


def test_a_search_is_kept_and_nobody_waits_while_the_report_is_made(
    doctor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_patient(last_name="KOWALSKI")
    made = make(line("Kowalski"), by=doctor)
    begun: list[bool] = []

    def cut(*_: object, **__: object) -> None:
        begun.append(models.database.in_transaction())
        raise RuntimeError("power cut")

    monkeypatch.setattr(history, "patient_report", cut)
    with pytest.raises(RuntimeError):
        schedules.run_next(made.id, at=NOW)

    assert begun == [False]
    [kept] = LookUp.select()
    assert kept.outcome is LookUpOutcome.REPORT
    assert people(made)[0].outcome is LookUpOutcome.ASKED


def test_each_sight_of_a_list_is_on_the_record(doctor: User) -> None:
    made = make(line("Abel"), by=doctor)

    found = schedules.standing(made.id, by=doctor, at=NOW)

    assert (found.done, found.is_finished) == (0, False)
    names = [
        event.event
        for event in AuditEvent.select().where(
            AuditEvent.subject == f"schedule:{made.id}"
        )
    ]
    assert names == ["schedule:made", "schedule:viewed"]


def test_the_night_deletes_lists_that_had_their_days(doctor: User) -> None:
    days = timedelta(days=settings.current().schedule_days)
    old = make(line("Abel"), by=doctor, at=clock.now() - days)
    kept = make(line("Baker"), by=doctor, at=clock.now())
    run(old)

    timer.tidy()

    assert list(PatientSchedule.select()) == [kept]
    assert {each.schedule for each in ScheduledPatient.select()} == {kept}
    assert LookUp.select().count() == 1


def test_the_worker_finds_lists_that_a_lost_wake_up_left(
    doctor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(line("Abel"), by=doctor, at=clock.now())
    woken: list[int] = []
    monkeypatch.setattr(tasks, "nudge", lambda _, number: woken.append(number))
    monkeypatch.setattr(tasks, "is_full", lambda: False)

    timer.sweep_schedules()
    assert woken == [made.id]
    tasks.run_schedule.call_local(made.id)
    timer.sweep_schedules()

    assert woken == [made.id]
    assert people(made)[0].outcome is LookUpOutcome.NONE


def test_an_animals_fills_are_not_its_owners(doctor: User) -> None:
    owner = make_identity(last_name="KOWALSKI")
    make_dispensation(owner, filled_on=date(2026, 11, 2))
    animal = make_identity(
        owner.patient, last_name="KOWALSKI", species=Species.ANIMAL, animal_name="REX"
    )
    make_dispensation(animal, filled_on=date(2026, 11, 20))
    made = make(line("Kowalski"), by=doctor)

    run(made)

    [found] = people(made)
    assert (found.fills, found.last_fill) == (1, date(2026, 11, 2))
    assert found.look_up is not None
    assert found.look_up.entries == 1


def test_whose_animal_alone_has_fills_has_none(doctor: User) -> None:
    animal = make_identity(last_name="KOWALSKI", species=Species.ANIMAL)
    make_identity(animal.patient, last_name="KOWALSKI")
    make_dispensation(animal, filled_on=date(2026, 11, 20))
    made = make(line("Kowalski"), by=doctor)

    run(made)

    [found] = people(made)
    assert (found.fills, found.last_fill) == (0, None)
