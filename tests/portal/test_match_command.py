"""match link on lists as others write them: columns, encodings, reviews, summary."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from portal.cli.match import match
from tests.pmp.test_match_lists import HEADINGS, rough_list

OTHERS = """\
Record;Family Name;Given Name;Birth Date;Gender;Tel.;Street Address;Zip Code
a;Peña;José;02/16/1980;M;203-555-0111;12 Maple St;06514
b;PENA;Jose;2/16/1980;m;(203) 555-0111;12 MAPLE STREET;06514
c;Nowak;Anna;16 Feb 1980;F;;1 Oak St;06106
d;Kowalski;Anna;1980-02-16;F;;1 Oak St;06106
"""


def run(folder: Path, *options: str) -> tuple[Result, list[dict[str, str]]]:
    out = folder / "out.csv"
    arguments = ["link", str(folder / "in.csv"), str(out), *options]
    done = CliRunner().invoke(match, arguments)
    with out.open(encoding="utf-8") as stream:
        return done, list(csv.DictReader(stream))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_list_is_read_in_its_own_columns_and_encoding(
    tmp_path: Path, encoding: str
) -> None:
    (tmp_path / "in.csv").write_text(OTHERS, encoding=encoding)

    done, rows = run(tmp_path)

    assert done.exit_code == 0, done.output
    assert [row["person"] for row in rows] == ["1", "1", "2", "3"]
    assert [row["Family Name"] for row in rows[:2]] == ["Peña", "PENA"]
    assert "last = Family Name" in done.stdout
    assert "3 people; 1 rows to be reviewed" in done.stdout
    assert "are kept apart" in done.stdout


def test_reviews_name_the_pair_and_why(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(OTHERS, encoding="utf-8")
    reviews = tmp_path / "reviews.csv"

    run(tmp_path, "--reviews", str(reviews), "--columns", "id=Record")

    with reviews.open(encoding="utf-8") as stream:
        [review] = list(csv.DictReader(stream))
    assert (review["row"], review["id"]) == ("4", "d")
    assert (review["person"], review["perhaps_person"]) == ("3", "2")
    assert "last name differs" in review["why"]
    assert "first name same (ANNA" in review["evidence"]


def test_the_summary_is_json_where_it_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(OTHERS, encoding="utf-8")

    done, _ = run(tmp_path, "--json")

    told = json.loads(done.stdout)
    assert (told["rows"], told["people"], told["to_be_reviewed"]) == (4, 3, 1)
    assert told["columns"]["dob"] == "Birth Date"
    assert told["relatives"] is True


def test_a_date_that_cannot_be_read_is_told_by_row_and_column_not_by_value(
    tmp_path: Path,
) -> None:
    text = OTHERS.replace("02/16/1980", "16/02/1980").replace("1980-02-16", "")
    (tmp_path / "in.csv").write_text(text, encoding="utf-8")

    done, rows = run(tmp_path)

    assert done.exit_code == 1
    assert (
        done.stderr == "row 1, column Birth Date: no date of birth that can be read.\n"
    )
    assert len(rows) == 4
    assert run(tmp_path, "--day-first")[0].exit_code == 1  # 2/16/1980, then


def test_columns_are_chosen_and_wrong_choices_refused(tmp_path: Path) -> None:
    text = OTHERS.replace("Family Name", "X1").replace("Given Name", "X2")
    (tmp_path / "in.csv").write_text(text, encoding="utf-8")

    done, rows = run(tmp_path, "--columns", "last=X1,first=X2")
    assert (done.exit_code, len(rows)) == (0, 4)

    for wrong, words in (
        ("last=X1", "first"),
        ("last=X1,first=X9", "X9"),
        ("last:X1", "NAME=HEADING"),
    ):
        done, rows = run(tmp_path, "--columns", wrong)
        assert done.exit_code == 2
        assert words in done.stderr


def test_a_rough_list_is_told_to_be_judged_by_weights_unless_relatives_are_in_it(
    tmp_path: Path,
) -> None:
    rows, _ = rough_list(5)
    with (tmp_path / "in.csv").open("w", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, HEADINGS)
        writer.writeheader()
        writer.writerows(rows)

    alone, _ = run(tmp_path)
    assert "judged by weights alone" in alone.stdout

    people = {
        relatives: json.loads(
            run(tmp_path, "--relatives", relatives, "--json")[0].stdout
        )
        for relatives in ("auto", "yes", "no")
    }
    assert people["auto"] == people["no"]
    assert 285 < people["no"]["people"] < 315 < people["yes"]["people"]
