"""Tables for spreadsheets that cannot run."""

import csv
import io

import pytest

from pmp.spreadsheets import csv_text


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "  ="])
def test_what_a_spreadsheet_would_run_is_led_by_an_apostrophe(start: str) -> None:
    text = csv_text(["a"], [[f"{start}1"]])

    assert next(csv.reader(io.StringIO(text.partition("\r\n")[2])))[0][0] == "'"


def test_other_cells_stay_as_they_are() -> None:
    text = csv_text(["name", "n"], [['O"Neil, Ann', 5], ["5-4", None]])

    assert text == 'name,n\r\n"O""Neil, Ann",5\r\n5-4,\r\n'
