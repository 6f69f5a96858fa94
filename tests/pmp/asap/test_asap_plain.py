"""What people type, to what the standard writes."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmp.asap import plain

TODAY = date(2026, 11, 23)
ELEMENTS = sorted([*plain.DATES, "PAT19", "PAT15", "PAT16", "DSP08", "DSP09", "DSP16"])


@pytest.mark.parametrize(
    "typed",
    [
        "04/28/1971",
        "4-28-1971",
        "4/28/71",
        "04281971",
        "19710428",
        "1971-04-28",
        "1971/4/28",
        "28-Apr-1971",
        "28 april 1971",
        "Apr 28, 1971",
        "April 28 1971",
        "04/28/1971 12:00:00 AM",
        "1971-04-28T00:00:00",
        "'04/28/1971",
        '="04/28/1971"',
    ],
)
def test_a_birth_date_is_read_as_people_write_it(typed: str) -> None:
    assert plain.read("PAT18", typed, today=TODAY) == "19710428"


@pytest.mark.parametrize(
    "typed", ["2/30/1980", "13/01/2026", "soon", "1/2/26", "4/28", "0/0/0000"]
)
def test_a_birth_date_that_could_be_another_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"04/28/1971|four digits"):
        plain.read("PAT18", typed, today=TODAY)


@pytest.mark.parametrize(
    ("element", "typed", "written"),
    [
        ("DSP05", "11/3/26", "20261103"),
        ("PAT19", "Female", "F"),
        ("PAT19", "m", "M"),
        ("PAT20", "yes", "02"),
        ("DSP01", "VOID", "02"),
        ("DSP11", "Tabs", "01"),
        ("CDI05.2", "mL", "02"),
        ("DSP16", "4", "04"),
        ("DSP12", "E-Script", "05"),
        ("DSP09", "1,000.50", "1000.5"),
        ("DSP09", "60.00", "60"),
        ("DSP10", "30.0", "30"),
        ("DSP04", "none", "0"),
        ("DSP02", "600100.0", "600100"),
        ("DSP08", "0406-0512-01", "00406051201"),
        ("DSP08", "00406 0512 01", "00406051201"),
        ("PAT15", "connecticut", "CT"),
        ("PAT16", "6514", "06514"),
        ("PAT16", "65141234", "065141234"),
        ("PAT17", "(203) 555-0111", "2035550111"),
        ("PRE02", "as 3045122", "AS3045122"),
        ("PHA02", "720018", "0720018"),
        ("PAT07", " O'Neil\t Jr ", "O'Neil Jr"),
        ("PAT07", "'t Hooft", "'t Hooft"),
        ("PAT07", "  \0 ", ""),
    ],
)
def test_a_value_is_written_as_the_standard_wants_it(
    element: str, typed: str, written: str
) -> None:
    assert plain.read(element, typed, today=TODAY) == written


def test_a_number_that_a_spreadsheet_has_shortened_is_named() -> None:
    with pytest.raises(ValueError, match="Format the column as Text"):
        plain.read("DSP08", "4.06512E+08", today=TODAY)


def test_an_unknown_word_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match="each, ml or g"):
        plain.read("DSP11", "bottles", today=TODAY)


@given(st.sampled_from(ELEMENTS), st.text(max_size=60))
def test_nothing_but_a_sentence_comes_of_any_text(element: str, text: str) -> None:
    try:
        written = plain.read(element, text, today=TODAY)
    except ValueError as fault:
        assert str(fault).endswith(".")  # noqa: PT017 - either is right
    else:
        assert written == " ".join(written.split())
