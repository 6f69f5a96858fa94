"""Lists of patients are read in any usual order; what is not clear is told by line."""

from datetime import date

import pytest

from pmp.lookup import schedule_lines
from pmp.lookup.schedule_lines import Line

TODAY = date(2026, 11, 23)
BORN = date(1971, 4, 28)


def read(text: str, *, last_first: bool = False) -> list[Line]:
    return schedule_lines.read(text, last_first=last_first, today=TODAY)


@pytest.mark.parametrize(
    "text",
    [
        "KOWALSKI, ANNA 04/28/1971",
        "Kowalski, Anna, 04/28/1971",
        "Kowalski, Anna M. 4-28-71",
        "Anna Kowalski\t1971-04-28",
        "Anna M Kowalski 19710428",
        "Anna\tKowalski\t04/28/1971",
        "9:30 AM  Anna Kowalski  DOB: 04/28/1971",
        "04/28/1971 Anna Kowalski",
        "Anna Kowalski, Apr 28, 1971",
        "Anna Kowalski 28 April 1971",
        '"Kowalski, Anna",04/28/1971',
        "Anna Kowalski Jr. (04/28/1971)",
        "1. Anna Kowalski | 04/28/1971",
        "Last name,First name,DOB\nKowalski,Anna,04/28/1971",
        "DOB\tPatient\n04/28/1971\tAnna Kowalski",
        'Patient name;Date of birth\n"Kowalski, Anna M";28 Apr 1971',
        "Time,First Name,Last Name,Birth Date,Reason\n9:30,Anna,Kowalski,4/28/71,pain",
        "\n\n  Anna Kowalski  04/28/1971  \n\n",
    ],
)
def test_the_usual_orders_are_read(text: str) -> None:
    [line] = read(text)

    assert line.problem == ""
    assert (line.first_name.upper(), line.last_name.upper()) == ("ANNA", "KOWALSKI")
    assert line.birth_date == BORN


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("Anna van der Berg 04/28/1971", "Anna", "van der Berg"),
        ("DE LA CRUZ, MARY ANN 04/28/1971", "MARY ANN", "DE LA CRUZ"),
        ("Anna Garcia-Lopez 04/28/1971", "Anna", "Garcia-Lopez"),
        ("O'Neil, Ann-Marie 04/28/1971", "Ann-Marie", "O'Neil"),
        ("José Núñez 04/28/1971", "José", "Núñez"),
    ],
)
def test_names_of_several_words_are_parted(text: str, first: str, last: str) -> None:
    [line] = read(text)

    assert (line.first_name, line.last_name) == (first, last)


def test_names_without_a_comma_may_begin_with_the_last_name() -> None:
    lines = read(
        "Kowalski Anna 04/28/1971\nKowalski\tAnna\t04/29/1971\n"
        "Kowalski, Anna 04/30/1971",
        last_first=True,
    )

    assert {(each.first_name, each.last_name) for each in lines} == {
        ("Anna", "Kowalski")
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Anna Kowalski", schedule_lines.NO_DATE),
        ("04/28/1971", schedule_lines.NO_NAMES),
        ("Anna 04/28/1971", schedule_lines.NO_NAMES),
        (
            "A. Kowalski 04/28/1971",
            schedule_lines.NO_NAMES,
        ),
        (
            "Anna Kowalski 04/28/1971 11/23/2026",
            schedule_lines.TWO_DATES,
        ),
        ("Anna Kowalski 02/30/1971", "There is no such day."),
        ("Anna Kowalski 04/28/05", "Was it 1905 or 2005?"),
        ("Anna Kowalski 11/24/2026", "The date of birth is in the future."),
        ("x" * 400, "This line is too long."),
        (
            f"Anna {'x' * 101} 04/28/1971",
            schedule_lines.LONG_NAME,
        ),
        (
            f"Last,First,DOB\nKowalski,{'x' * 300},04/28/1971",
            schedule_lines.LONG_NAME,
        ),
        ("Last,First,DOB\nKowalski,Anna", "fewer columns"),
    ],
)
def test_what_is_wrong_is_told_and_the_line_kept(text: str, problem: str) -> None:
    [line] = read(text)

    assert problem in line.problem
    assert text.splitlines()[-1].startswith(line.text)


def test_a_person_twice_is_read_once() -> None:
    lines = read("Anna Kowalski 04/28/1971\n\nKOWALSKI, ANNA 4-28-71")

    assert [each.problem for each in lines] == ["", "The same person as in line 1."]
    assert [each.number for each in lines] == [1, 3]


def test_nothing_is_no_line() -> None:
    assert read("") == []
    assert read(" \n ,, \n") == []
