from datetime import date

import pytest

from pmp import identifiers
from pmp.asap.remedies import guesses, numbers

TODAY = date(2026, 11, 23)
TWICE_DAILY = {"DSP09": "60", "DSP11": "01", "DSP23": "Take 1 tablet twice daily."}


def values(element: str, text: str, **others: str) -> list[str]:
    found = guesses(element, {element: text, **others}, today=TODAY)
    return [guess.value for guess in found]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2026-01-05", ["20260105"]),
        ("2026-01-05T10:15:00", ["20260105"]),
        ("20260105101500", ["20260105"]),
        ("2026/1/5", ["20260105"]),
        ("01/05/2026", ["20260105", "20260501"]),
        ("1/5/26", ["20260105", "20260501"]),
        ("13/05/2026", ["20260513"]),
        ("01052026", ["20260105", "20260501"]),
        ("20261301", ["20260113"]),
        ("05-JAN-2026", ["20260105"]),
        ("Jan 5, 2026", ["20260105"]),
        ("20621103", ["20261103"]),
        ("20991231", []),
        ("20260230", []),
        ("soon", []),
        ("", []),
    ],
)
def test_a_day_is_read_however_it_was_written(text: str, days: list[str]) -> None:
    assert values("DSP03", text) == days


def test_the_day_is_said_in_words_that_cannot_be_mistaken() -> None:
    (guess,) = guesses("DSP05", {"DSP05": "2026-01-05"}, today=TODAY)
    assert guess.why == "January 5, 2026"


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2/16/80", ["19800216"]),
        ("2/3/12", ["19120203", "20120203", "19120302", "20120302"]),
        ("20800216", ["19800216"]),
        ("02161980", ["19800216"]),
    ],
)
def test_a_birth_date_may_be_of_two_centuries(text: str, days: list[str]) -> None:
    assert values("PAT18", text) == days


def test_the_day_filled_may_be_the_day_sold() -> None:
    assert values("DSP05", "", DSP17="20261103") == ["20261103"]
    assert values("DSP05", "", DSP17="unsold") == []


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("60 TAB", ["60"]),
        ("60TABS", ["60"]),
        ("QTY: 60", ["60"]),
        ("60.000 EA", ["60"]),
        ("2,5", ["2.5"]),
        ("1,000", ["1000"]),
        ("6O", ["60"]),
        ("SIXTY", ["60"]),
        ("forty-five", ["45"]),
        ("-5", []),
        ("60/90", []),
        ("1,2,3", []),
        ("", []),
        ("٣٠", []),
    ],
)
def test_a_quantity_is_read_without_what_stands_around_it(
    text: str, quantity: list[str]
) -> None:
    assert values("DSP09", text) == quantity


def test_counts_are_whole_numbers() -> None:
    assert values("DSP10", "30 DAYS") == ["30"]
    assert values("DSP10", "2.5") == []
    assert values("DSP04", "NONE") == ["0"]
    assert values("DSP06", "N/A") == ["0"]
    assert values("DSP10", "NONE") == []


@pytest.mark.parametrize(
    ("directions", "days"),
    [
        ("Take 1 tablet by mouth twice daily", ["30"]),
        ("TAKE ONE TAB EVERY 6 HOURS", ["15"]),
        ("2 capsules three times a day.", ["10"]),
        ("Take 1 tablet twice daily as needed", []),
        ("Take 1-2 tablets twice daily", []),
        ("Take 7 tablets once daily", []),
        ("Use as directed", []),
    ],
)
def test_days_supply_follows_only_from_certain_directions(
    directions: str, days: list[str]
) -> None:
    assert values("DSP10", "0", **(TWICE_DAILY | {"DSP23": directions})) == days


def test_days_supply_of_a_liquid_is_not_reckoned() -> None:
    assert values("DSP10", "0", **(TWICE_DAILY | {"DSP11": "02"})) == []


@pytest.mark.parametrize(
    ("element", "text", "codes"),
    [
        ("DSP11", "1", ["01"]),
        ("DSP11", "TAB", ["01"]),
        ("DSP16", "001", ["01"]),
        ("DSP16", "CASH", ["01"]),
        ("PAT19", "MALE", ["M"]),
        ("PAT19", "Q", ["F", "M", "U"]),
        ("DSP01", "NEW", ["00"]),
        ("DSP01", "Void", ["02"]),
        ("DSP01", "09", ["00", "01", "02"]),
        ("DSP24", "77", []),
        ("PAT12", "X", []),
    ],
)
def test_codes_are_read_from_words_or_offered(
    element: str, text: str, codes: list[str]
) -> None:
    assert values(element, text) == codes


def test_states_zip_codes_and_phones() -> None:
    assert values("PAT15", "CONNECTICUT") == ["CT"]
    assert values("PAT15", "N. Carolina", PAT16="06514") == ["CT"]
    assert values("PAT15", "XX", PAT16="06390") == []  # of two states
    assert values("PAT16", "6514") == ["06514"]
    assert values("PAT16", "06514-") == ["06514"]
    assert values("PAT17", "(203) 555-0111") == ["2035550111"]
    assert values("PAT17", "1-203-555-0111") == ["2035550111"]
    assert values("PAT17", "555-0111") == []


@pytest.mark.parametrize(
    ("text", "ndcs"),
    [
        ("406-512-1", ["00406051201"]),
        ("NDC 00406-0512-01", ["00406051201"]),
        ("406051201", ["00406051201"]),
        ("0406051201", ["00406051201", "04060051201", "04060512001"]),
        ("OXYCODONE", []),
        ("1-2", []),
        ("123456-1-1", []),
    ],
)
def test_an_ndc_has_the_readings_that_change_no_digit(
    text: str, ndcs: list[str]
) -> None:
    assert numbers.ndc_readings(text) == ndcs


@pytest.mark.parametrize(
    "text", ["00406051202", "00406051210", "0040605120", "004060512011"]
)
def test_an_ndc_is_near_when_one_digit_slipped(text: str) -> None:
    assert "00406051201" in numbers.ndc_near(text)


@pytest.mark.parametrize(
    "text", ["AS3045112", "AS3045212", "as 304 5122", "AS304512", "A-1"]
)
def test_a_dea_number_is_near_only_with_a_fitting_check_digit(text: str) -> None:
    found = numbers.dea_near(text)
    assert all(identifiers.dea_problem(each) is None for each in found)
    if text.startswith("AS3045"):
        assert "AS3045122" in found
