"""Whether a name on the roster and an applicant's are of one person or pharmacy."""

import pytest

from pmp.registration.names import same_company, same_person, split_person


@pytest.mark.parametrize(
    ("listed", "last", "first"),
    [
        ("SEMYON RODKIN", "Rodkin", "Semyon"),
        ("SEMYON A RODKIN, MD", "RODKIN", "semyon"),
        ("MARY-ANN O'BRIEN SMITH", "O\u2019Brien Smith", "Mary Ann"),
        ("JOSÉ DE LA CRUZ JR", "De la Cruz", "Jose"),
        ("ANNA SMITH-JONES", "Smith Jones", "Anna"),
        ("RODKIN, SEMYON", "Rodkin", "Semyon"),
    ],
)
def test_one_person(listed: str, last: str, first: str) -> None:
    assert same_person(listed, last_name=last, first_name=first)


@pytest.mark.parametrize(
    ("listed", "last", "first"),
    [
        ("SIMON RODKIN", "Rodkin", "Semyon"),
        ("SEMYON RODKINSON", "Rodkin", "Semyon"),
        ("S RODKIN", "Rodkin", "Semyon"),
        ("SEMYON RODKIN", "Semyon", "Semyon"),
        ("SEMYON RODKIN", "", "Semyon"),
        ("", "Rodkin", "Semyon"),
    ],
)
def test_not_one_person(listed: str, last: str, first: str) -> None:
    assert not same_person(listed, last_name=last, first_name=first)


def test_pharmacies_are_the_same_but_for_the_form_of_company() -> None:
    assert same_company("THE ELM STREET PHARMACY, INC.", "Elm Street Pharmacy")
    assert same_company("SMITH & SONS", "Smith and Sons LLC")
    assert not same_company("ELM STREET PHARMACY 2", "Elm Street Pharmacy")
    assert not same_company("INC", "LLC")


def test_a_listed_name_is_split_before_its_last_word() -> None:
    assert split_person("SEMYON A RODKIN MD") == ("RODKIN", "SEMYON A")
    assert split_person("RODKIN") == ("RODKIN", "")
    assert split_person("") == ("", "")
