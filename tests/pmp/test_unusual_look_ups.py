"""What is unusual about a look-up is noticed with its answer, once, with a reason."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from models import (
    AuditEvent,
    LookUp,
    Patient,
    Profession,
    Purpose,
    Role,
    UnusualKind,
    UnusualLookUp,
    UnusualStatus,
    User,
)
from pmp import audit, clock, lookup, settings, statistics
from pmp.errors import NotFoundError, RuleError
from pmp.lookup import Answer, Criteria, own_names, protected, unusual
from pmp.settings import Settings
from tests.conftest import NOW
from tests.factories import (
    make_application,
    make_dispensation,
    make_identity,
    make_patient,
    make_practitioner_licence,
    make_prescriber,
    make_user,
)

BORN = date(1971, 4, 28)
DAY = timedelta(days=1)


@pytest.fixture
def doctor(db: Settings) -> User:
    return make_user(Role.PRACTITIONER, name="Ruth Adams")


def search(
    by: User,
    last_name: str = "Delgado",
    first_name: str = "Maria",
    *,
    at: datetime = NOW,
    similar: bool = False,
    born: date = BORN,
) -> Answer:
    purposes = {Role.PHARMACY: Purpose.DISPENSING}
    criteria = Criteria(
        first_name=first_name,
        last_name=last_name,
        birth_date=born,
        purpose=purposes.get(by.role, Purpose.TREATING),
        since=clock.day_of(at) - 365 * DAY,
        until=clock.day_of(at),
        similar=similar,
    )
    return lookup.search(criteria=criteria, by=by, at=at)


def person(last_name: str = "DELGADO", first_name: str = "MARIA") -> Patient:
    return make_patient(first_name=first_name, last_name=last_name)


def noticed(kind: UnusualKind) -> list[UnusualLookUp]:
    query = UnusualLookUp.select().where(UnusualLookUp.kind == kind)
    return list(query.order_by(UnusualLookUp.id))


def explain(row: UnusualLookUp, at: datetime = NOW) -> None:
    UnusualLookUp.update(status=UnusualStatus.EXPLAINED, explained_at=at).where(
        UnusualLookUp.id == row.id
    ).execute()


def test_an_ordinary_look_up_is_not_noticed(doctor: User) -> None:
    person()
    search(doctor)
    search(doctor, "Nobody")

    assert UnusualLookUp.select().count() == 0


def test_ones_own_last_name_is_noticed_once_a_person(doctor: User) -> None:
    person("ADAMS", "PAUL")
    person("ADAMS", "LUCY")

    for _ in range(2):
        search(doctor, "Adams", "Paul")
    search(doctor, "Adams", "Lucy")
    search(doctor, "Adams", "Nobody")  # nobody was shown

    found = noticed(UnusualKind.OWN_NAME)
    assert [each.look_up.first_name for each in found] == ["Paul", "Lucy"]
    assert found[0].reason == "The user's own last name, which is a common one."
    events = AuditEvent.select().where(
        AuditEvent.event == audit.Event.UNUSUAL_FOUND.value
    )
    assert [each.detail["kind"] for each in events] == ["own_name"] * 2


def test_the_tile_counts_what_waits_for_staff_with_its_oldest(doctor: User) -> None:
    for days, name in ((3, "PAUL"), (2, "LUCY"), (1, "JOHN"), (0, "RITA")):
        person("ADAMS", name)
        search(doctor, "Adams", name, at=NOW - days * DAY)
    states = (UnusualStatus.EXPLAINED, UnusualStatus.ANSWERED, UnusualStatus.ASKED)
    for row, state in zip(noticed(UnusualKind.OWN_NAME), states, strict=False):
        UnusualLookUp.update(status=state).where(UnusualLookUp.id == row.id).execute()

    queues = statistics.staff_queues(at=NOW)

    [tile] = [each for each in queues if each.address == "/staff/look-ups"]
    assert (tile.count, tile.oldest) == (2, NOW - 2 * DAY)


def test_what_was_explained_stays_quiet_for_half_a_year(doctor: User) -> None:
    person("ADAMS", "PAUL")
    search(doctor, "Adams", "Paul")
    explain(noticed(UnusualKind.OWN_NAME)[0])

    search(doctor, "Adams", "Paul", at=NOW + 179 * DAY)
    assert len(noticed(UnusualKind.OWN_NAME)) == 1
    search(doctor, "Adams", "Paul", at=NOW + 181 * DAY)
    assert len(noticed(UnusualKind.OWN_NAME)) == 2


def test_ones_own_first_and_last_name_is_said(doctor: User) -> None:
    person("ADAMS", "RUTH")

    search(doctor, "Adams", "Ruth")

    [found] = noticed(UnusualKind.OWN_NAME)
    assert found.reason == "The user's own first and last name."


def test_a_name_under_which_the_person_was_reported_counts(doctor: User) -> None:
    patient = person("BAKER", "PAUL")
    make_identity(patient, last_name="ADAMS", first_name="PAUL")

    search(doctor, "Baker", "Paul")

    assert len(noticed(UnusualKind.OWN_NAME)) == 1


@pytest.mark.parametrize(
    ("name", "looked_up", "is_noticed"),
    [
        ("Ana Garcia-Lopez, MD", "LOPEZ", True),
        ("LOPEZ, ANA", "LOPEZ", True),
        ("Ana B. Lopez Jr.", "LOPEZ", True),
        ("Ana Lopez MD", "LOPEZ", True),
        ("Ana Lopez", "LOPES", False),
        ("Lopez Clinic", "LOPEZ", False),
        ("", "LOPEZ", False),
    ],
)
def test_names_are_told_from_titles_and_generations(
    db: Settings, name: str, looked_up: str, *, is_noticed: bool
) -> None:
    by = make_user(Role.PRACTITIONER, name=name)
    look_up = LookUp(first_name="PAUL", last_name=looked_up)

    assert bool(own_names.words(by, look_up, [])) is is_noticed


def test_a_licence_and_a_pharmacist_in_charge_have_names_too(db: Settings) -> None:
    person("RODKIN", "PAUL")
    person("FIELDING", "PAUL")
    doctor = make_user(
        Role.PRACTITIONER, name="Doctor", licence=make_practitioner_licence()
    )
    pharmacy = make_user(Role.PHARMACY, name="Fielding Drug")
    make_application(
        Profession.PHARMACY, pharmacist_in_charge="Ada Fielding", user=pharmacy
    )

    search(doctor, "Rodkin", "Paul")
    search(pharmacy, "Fielding", "Paul")

    users = [each.user for each in noticed(UnusualKind.OWN_NAME)]
    assert users == [doctor, pharmacy]


def protect(last_name: str = "Delgado", first_name: str = "Maria") -> Any:
    return protected.add(
        first_name=first_name,
        last_name=last_name,
        birth_date=BORN,
        reason="A member of the legislature",
        by=make_user(Role.ADMINISTRATOR),
        at=NOW,
    )


def test_each_look_up_of_a_protected_person_is_noticed(doctor: User) -> None:
    person()
    protect("DELGADO", "María")

    search(doctor)
    search(doctor)
    search(doctor, "Delgato", similar=True)
    search(doctor, born=BORN + DAY)  # noise: somebody else's birth date

    assert [each.reason for each in noticed(UnusualKind.PROTECTED_PERSON)] == [
        "Opened the report of a protected person.",
        "Opened the report of a protected person.",
        "A protected person was among the candidates.",
    ]


def test_a_protected_person_is_noticed_under_another_reported_name(
    doctor: User,
) -> None:
    patient = person("BAKER")
    make_identity(patient, last_name="DELGADO", first_name="MARIA", birth_date=BORN)
    protect()

    search(doctor, "Baker")

    assert len(noticed(UnusualKind.PROTECTED_PERSON)) == 1


def test_a_search_for_a_protected_person_is_noticed_even_if_nobody_is_found(
    doctor: User,
) -> None:
    protect()

    search(doctor)

    [found] = noticed(UnusualKind.PROTECTED_PERSON)
    assert found.reason == "Searched for a protected person."


def test_who_left_the_list_is_as_others_are(doctor: User) -> None:
    row = protect()
    admin = make_user(Role.ADMINISTRATOR)
    protected.remove(row.id, by=admin, at=NOW)

    search(doctor)

    assert noticed(UnusualKind.PROTECTED_PERSON) == []
    assert protected.listed(by=admin, at=NOW).rows == []
    with pytest.raises(NotFoundError):
        protected.remove(row.id, by=admin, at=NOW)


def test_nobody_is_on_the_list_twice_or_without_a_reason(db: Settings) -> None:
    protect()

    with pytest.raises(RuleError, match="on the list"):
        protect("DELGADO", "MARIA")
    with pytest.raises(RuleError, match="Say why"):
        protected.add(
            first_name="A",
            last_name="B",
            birth_date=BORN,
            reason=" ",
            by=make_user(),
            at=NOW,
        )


def test_seeing_the_list_is_on_the_record(db: Settings) -> None:
    admin = make_user(Role.ADMINISTRATOR)
    protect()

    [row] = protected.listed(by=admin, at=NOW).rows

    assert row.last_name == "Delgado"
    [event] = AuditEvent.select().where(
        AuditEvent.event == audit.Event.PROTECTED_LISTED.value
    )
    assert (event.actor, event.detail) == (admin.username, {"shown": [row.id]})


def test_three_times_the_usual_is_noticed_once_a_day(doctor: User) -> None:
    person()
    for day in range(1, 4):  # usually five a day
        for minute in range(5):
            search(doctor, at=NOW - day * DAY + timedelta(minutes=minute))
    with settings.changed(unusual_look_ups_per_day=10, look_ups_per_ten_minutes=99):
        for minute in range(25):
            search(doctor, at=NOW + timedelta(minutes=minute))

    [found] = noticed(UnusualKind.VOLUME)
    words = "20 look-ups on 11/23/2026; in the 60 days before mostly 5 a day."
    assert found.reason == words


def test_many_a_day_are_no_wonder_where_they_are_usual(doctor: User) -> None:
    person()
    with settings.changed(unusual_look_ups_per_day=10, look_ups_per_ten_minutes=99):
        for day in (1, 0):
            for _ in range(20):
                search(doctor, at=NOW - day * DAY)

    assert [each.look_up.at for each in noticed(UnusualKind.VOLUME)] == [NOW - DAY]


def test_many_reports_of_a_patient_without_a_fill_of_ones_own(doctor: User) -> None:
    patient = person()
    make_dispensation(patient=patient)
    for _ in range(6):
        search(doctor)

    [found] = noticed(UnusualKind.NO_LINK)
    assert found.reason.startswith("4 reports of one patient in 30 days")


def test_a_fill_of_ones_own_is_reason_enough(doctor: User) -> None:
    patient = person()
    doctor.prescriber = make_prescriber()
    doctor.save()
    make_dispensation(patient=patient, prescriber=doctor.prescriber)
    for _ in range(6):
        search(doctor)

    assert noticed(UnusualKind.NO_LINK) == []


@pytest.mark.parametrize(
    ("hour", "is_noticed"), [(22, False), (23, True), (4, True), (5, False)]
)
def test_hours_at_which_few_people_work(
    doctor: User, hour: int, *, is_noticed: bool
) -> None:
    person()
    at = datetime(2026, 11, 24, (hour + 5) % 24, 30, tzinfo=UTC)  # Eastern time

    search(doctor, at=at)
    search(doctor, at=at + timedelta(minutes=1))

    assert len(noticed(UnusualKind.ODD_HOUR)) == is_noticed


def test_no_hour_is_unusual_where_the_setting_is_empty(doctor: User) -> None:
    person()
    with settings.changed(unusual_hours=""):
        search(doctor, at=datetime(2026, 11, 24, 7, tzinfo=UTC))

    assert noticed(UnusualKind.ODD_HOUR) == []


@pytest.mark.parametrize("text", ["night", "23", "5-5", "24-3", "23-25"])
def test_hours_that_are_none_stop_the_start(program: Settings, text: str) -> None:
    with pytest.raises(ValueError, match="hours"), settings.changed(unusual_hours=text):
        pass


def test_no_answer_where_the_notice_cannot_be_kept(
    doctor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    person("ADAMS", "PAUL")

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(unusual, "notice", fail)

    with pytest.raises(OSError, match="disk full"):
        search(doctor, "Adams", "Paul")

    assert LookUp.get().token_sha256 is None
