"""Whom a search finds, why, and that every question of it is answered by an index."""

import re
from datetime import date, timedelta
from typing import Any

import pytest

import models
from models import Patient, ReportedIdentity
from pmp import bulk, database
from pmp.lookup import patient_search
from pmp.lookup.patient_search import Candidate
from pmp.matching.identities import name_key, sound
from pmp.settings import Settings
from tests.conftest import NOW
from tests.factories import make_dispensation, make_identity, make_patient
from tests.statements import statements

BORN = date(1971, 4, 28)


def find(
    first_name: str = "Anna",
    last_name: str = "Kowalski",
    *,
    birth_date: date = BORN,
    similar: bool = True,
    zip_code: str = "",
) -> list[Candidate]:
    return patient_search.find(
        first_name=first_name,
        last_name=last_name,
        birth_date=birth_date,
        similar=similar,
        zip_code=zip_code,
    )


def person(last_name: str = "KOWALSKI", first_name: str = "ANNA", **fields: Any) -> Any:
    return make_patient(last_name=last_name, first_name=first_name, **fields)


def test_beginnings_of_both_names_find_a_person(db: Settings) -> None:
    patient = person()
    person("NOVAK", "JANE")  # noise

    [found] = find("ann", "kow")

    assert found.patient_id == patient.id
    assert found.why[:2] == (
        "Last name begins the same.",
        "First name begins the same.",
    )
    assert find("ann", "ko") == []
    assert find("ann", "kow", similar=False) == []


@pytest.mark.parametrize(
    ("typed", "reported"),
    [
        ("Lopez", "GARCIA-LOPEZ"),
        ("Garcia Lopez", "LOPEZ"),
        ("Lopez-Garcia", "GARCIA LOPEZ"),
    ],
)
def test_one_of_a_double_name_is_enough(
    db: Settings, typed: str, reported: str
) -> None:
    patient = person(reported)

    [found] = find(last_name=typed)

    assert found.patient_id == patient.id
    assert not found.is_exact
    assert found.why[0] == "Last name is one of a double name."


def test_another_last_name_is_found_by_first_name_birth_date_and_zip_code(
    db: Settings,
) -> None:
    patient = person("MARTIN", zip="061061234")
    person("BAKER", zip="06511")  # noise: another ZIP code
    person("COHEN", "RUTH", zip="06106")  # noise: another first name

    assert find() == []
    [found] = find(zip_code="06106")

    assert found.patient_id == patient.id
    assert "The last name is another." in found.why
    assert "ZIP code is the same." in found.why
    assert find(zip_code="06106", similar=False) == []
    assert find(zip_code="06106", birth_date=BORN + timedelta(days=1)) == []


def test_a_sound_and_a_wrong_digit_together_are_forgiven(db: Settings) -> None:
    patient = person("SMITH", birth_date=date(1971, 4, 23))

    [found] = find(last_name="Smyth")

    assert found.patient_id == patient.id


@pytest.mark.parametrize("other", [date(1972, 5, 28), date(1985, 1, 1)])
def test_a_namesake_with_quite_another_birth_date_is_not_offered(
    db: Settings, other: date
) -> None:
    person(birth_date=other)
    person("SMITH", birth_date=other)

    assert find() == []
    assert find(last_name="Smyth") == []


def test_a_zip_code_narrows_to_those_reported_there(db: Settings) -> None:
    here, _ = person(zip="06106-1234"), person(zip="06511")

    [found] = find(zip_code="06106", similar=False)

    assert (found.patient_id, found.is_exact) == (here.id, True)


def test_a_zip_code_counts_of_any_of_a_persons_identities(db: Settings) -> None:
    moved = person(zip="06511")
    make_identity(moved, last_name="MARTIN", zip="06106")
    person(zip="06511")

    [found] = find(zip_code="06106", similar=False)

    assert found.patient_id == moved.id


def test_with_another_zip_code_nobody_is_exact(db: Settings) -> None:
    person(zip="06511")

    [found] = find(zip_code="06106", similar=False)

    assert not found.is_exact
    assert found.why[-1] == "No address in 06106 was reported."


PEOPLE = 6000
FILLS = 200


@pytest.fixture
def crowd(db: Settings) -> Patient:
    """Six thousand people and some fills, so that an index is worth its while."""
    patient = Patient.create(created_at=NOW)
    with database.atomic():
        numbers = bulk.next_ids(ReportedIdentity, PEOPLE)
        bulk.insert(
            ReportedIdentity,
            [_row(n, patient.id, each) for n, each in enumerate(numbers)],
        )
        for number in range(FILLS):
            make_dispensation(patient=patient, filled_on=BORN + timedelta(number))
    models.database.execute_sql("ANALYZE")
    return patient


def _row(number: int, patient: int, row_id: int) -> dict[str, Any]:
    last = f"NAME{chr(65 + number % 26)}{chr(65 + number // 26 % 26)}"
    return {
        "id": row_id,
        "fingerprint": f"{number:064x}",
        "patient": patient,
        "last_name": last,
        "first_name": "ANNA",
        "birth_date": date(1930, 1, 1) + timedelta(days=number * 5),
        "last_key": last,
        "first_key": "ANNA",
        "last_sound": sound(last),
        "linked_at": NOW,
    }


def plan(sql: str, params: Any) -> str:
    """Give the engine's plan, its lines joined."""
    word = "EXPLAIN QUERY PLAN" if database.is_sqlite() else "EXPLAIN"
    rows = models.database.execute_sql(f"{word} {sql}", params).fetchall()
    return "\n".join(str(row[-1]) for row in rows)


# SQLite calls reading the values of one parameter a scan of them.
_WHOLE_TABLE = r"^\s*SCAN (?!json_each )\S+(?! USING)|Seq Scan"


def reads_a_whole_table(planned: str) -> bool:
    return bool(re.search(_WHOLE_TABLE, planned, re.MULTILINE))


@pytest.mark.parametrize("zip_code", ["", "06106"])
@pytest.mark.parametrize("similar", [False, True])
def test_a_search_reads_by_indexes_alone(
    crowd: Patient, *, similar: bool, zip_code: str
) -> None:
    with statements() as asked:
        found = find(
            "Anna",
            "Nameaa",
            birth_date=date(1930, 1, 1),
            similar=similar,
            zip_code=zip_code,
        )

    assert found
    about = [(sql, params) for sql, params in asked if "birth_date" in sql]
    for sql, params in about:
        assert not reads_a_whole_table(plan(sql, params)), sql
    by_date = [
        (sql, params) for sql, params in about if "birth_date" in sql.split("WHERE")[-1]
    ]
    assert len(by_date) == 1
    for sql, params in by_date:
        assert "birth_date" in plan(sql, params)
        assert "reported_identity_" in plan(sql, params)  # an index is named


def test_one_index_holds_all_that_is_compared_of_a_birth_dates_people(
    db: Settings,
) -> None:
    """Else each of them would cost a page of the table: they lie all over it."""
    make_patient(last_name="DELGADO", birth_date=BORN)
    with statements() as asked:
        find("Anna", "Delgado", birth_date=BORN, similar=True)

    compared = asked[0][0].split("UNION")[0]
    wanted = set(re.findall(r'"t1"\."(\w+)"', compared))
    held = [
        set(index.columns)
        for index in models.database.obj.get_indexes("reported_identity")
        if index.columns[0] == "birth_date"
    ]
    assert len(wanted) == 7
    assert any(wanted <= columns for columns in held)


@pytest.mark.parametrize(
    ("one", "other"),
    [("O'Brien", "OBRIEN"), ("Núñez", "NUNEZ"), ("de la Cruz", "Delacruz Jr")],
)
def test_who_is_called_the_same_sounds_the_same(one: str, other: str) -> None:
    """So a search by sound needs no search by name beside it."""
    assert name_key(one) == name_key(other)
    assert sound(one) == sound(other) != ""


def test_a_question_without_an_index_would_be_seen(crowd: Patient) -> None:
    sql, params = (
        ReportedIdentity.select().where(ReportedIdentity.middle_name == "X").sql()
    )

    assert reads_a_whole_table(plan(sql, params))
