"""asap check, asap generate, match link: what scripts hold on to."""

import csv
import json
from collections import Counter
from pathlib import Path

from click.testing import CliRunner, Result

from pmp import settings
from portal.cli.asap import asap
from portal.cli.match import match
from tests.pmp.asap.files import pharmacy, record, submission


def run(*arguments: object) -> Result:
    return CliRunner().invoke(asap, [str(each) for each in arguments])


def test_check_prints_one_object_a_file(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.dat", tmp_path / "bad.dat"
    good.write_text(submission(), encoding="utf-8")
    bad.write_text(submission(pharmacy(record(DSP09="-5"), record())), encoding="utf-8")

    found = run("check", "--json", good, bad)

    one, other = (json.loads(line) for line in found.stdout.splitlines())
    assert found.exit_code == 1
    assert one["file"] == str(good)
    assert (one["verdict"], one["version"], one["test"]) == ("accepted", "4.2B", False)
    assert (one["transactions"], one["pharmacies"]) == (1, 1)
    assert len(one["sha256"]) == 64
    assert other["verdict"] == "accepted_with_problems"
    assert other["records"] == {
        "read": 2,
        "good": 1,
        "held": 1,
        "duplicate": 0,
        "zero_reports": 0,
    }
    [problem] = other["problems"]
    assert {
        key: problem[key]
        for key in ("code", "severity", "segment", "segment_id", "element", "value")
    } == {
        "code": "E09",
        "severity": "error",
        "segment": 5,
        "segment_id": "DSP",
        "element": "DSP09",
        "value": "-5",
    }


def test_check_exits_0_for_good_files_and_1_for_a_refused_one(tmp_path: Path) -> None:
    good, cut = tmp_path / "good.dat", tmp_path / "cut.dat"
    good.write_text(submission(), encoding="utf-8")
    cut.write_text(submission()[:300], encoding="utf-8")

    assert run("check", good).exit_code == 0
    told = run("check", cut)
    assert told.exit_code == 1
    assert "refused" in told.stdout
    assert "F06" in told.stdout
    assert run("check", tmp_path / "missing.dat").exit_code == 2
    assert run("check").exit_code == 2


def test_check_judges_by_the_programme_that_options_name(tmp_path: Path) -> None:
    file = tmp_path / "file.dat"
    body = submission(pharmacy(record(PAT17="", DSP23="", PRE10=""), trailer="9"))
    file.write_text(body.replace("4.2B", "4.1"), encoding="utf-8")

    refused = run("check", "--json", file)
    told = run("check", "--json", "--accept", "4.1,4.2", file)
    strict = run(
        *("check", "--json", "--accept", "4.1", "--profile", "PAT17=required"),
        *("--severities", "W01=off,E04=fatal", file),
    )
    wrong = run("check", "--accept", "4.7", "--profile", "X=y", file)

    assert json.loads(refused.stdout)["problems"][0]["code"] == "F03"
    assert json.loads(told.stdout)["records"]["good"] == 1
    codes = [each["code"] for each in json.loads(strict.stdout)["problems"]]
    assert codes.count("E04") == 1
    assert "W01" not in codes
    assert json.loads(strict.stdout)["verdict"] == "refused"
    assert wrong.exit_code == 2
    assert "4.7" in wrong.output


def test_check_judges_by_the_settings_where_there_are_some(tmp_path: Path) -> None:
    file = tmp_path / "file.dat"
    file.write_text(submission().replace("4.2B", "4.2A"), encoding="utf-8")

    with settings.changed(asap_versions="4.2B"):
        told = json.loads(run("check", "--json", file).stdout)

    assert told["verdict"] == "refused"
    assert json.loads(run("check", "--json", file).stdout)["verdict"] == "accepted"


def test_generate_gives_the_same_bytes_for_the_same_seed(tmp_path: Path) -> None:
    for out, seed in (("a", 7), ("b", 7), ("c", 8)):
        made = run(
            *("generate", "--seed", seed, "--days", 3, "--scale", 0.3),
            *("--out", tmp_path / out),
        )
        assert made.exit_code == 0

    def bodies(out: str) -> dict[str, bytes]:
        return {each.name: each.read_bytes() for each in (tmp_path / out).iterdir()}

    assert bodies("a") == bodies("b")
    assert bodies("a") != bodies("c")


def test_the_truth_of_generated_files_is_what_check_finds(tmp_path: Path) -> None:
    made = run("generate", "--seed", 3, "--days", 30, "--scale", 0.4, "--out", tmp_path)
    assert made.exit_code == 0
    with (tmp_path / "truth.csv").open(encoding="utf-8") as stream:
        truth = list(csv.DictReader(stream))
    files = sorted(tmp_path.glob("*.dat"))

    checked = run("check", "--json", *files)

    found: Counter[str] = Counter()
    for line in checked.stdout.splitlines():
        told = json.loads(line)
        assert told["verdict"] != "refused"
        found.update(told["records"])
    # A test file is checked as any other; what is stored elsewhere a check cannot know.
    real = [row for row in truth if row["outcome"] != "test"]
    expected = Counter(row["outcome"] for row in real)
    twice = [row for row in real if row["why"] == "sent twice in one file"]
    assert found["read"] == len(truth) > 1000
    assert found["held"] == expected["held"] > 0
    assert found["duplicate"] == len(twice) > 0
    assert found["zero_reports"] == expected["zero_report"] > 0
    assert min(expected["voided"], expected["revised"]) > 0


COLUMNS = "id,last,first,dob,sex,street,city,state,zip,phone"
ROWS = """\
1,SAMPLE,KATHERINE,1980-02-16,F,12 MAPLE ST,HAMDEN,CT,06514,2035550111
2,SAMPEL,KATHERINE,19800216,F,12 MAPLE ST,HAMDEN,CT,06514,2035550111
3,SAMPLE,KRISTINA,1980-02-16,F,12 MAPLE ST,HAMDEN,CT,06514,2035550111
4,SAMPLE,KATE,1980-02-16,F,12 MAPLE ST,HAMDEN,CT,06514,
5,NOBODY,KATE,1955-01-01,F,,,,,2035550111
"""


def test_match_link_tells_which_rows_are_one_person(tmp_path: Path) -> None:
    rows, out = tmp_path / "in.csv", tmp_path / "out.csv"
    rows.write_text(f"{COLUMNS}\n{ROWS}", encoding="utf-8")

    done = CliRunner().invoke(match, ["link", str(rows), str(out)])

    assert done.exit_code == 0
    with out.open(encoding="utf-8") as stream:
        found = list(csv.DictReader(stream))
    assert [row["person"] for row in found] == ["1", "1", "2", "1", "3"]
    assert [row["id"] for row in found] == ["1", "2", "3", "4", "5"]
    assert "a slip apart" in found[1]["why"]
    assert "short form" in found[3]["why"]


def test_match_link_says_which_column_is_missing(tmp_path: Path) -> None:
    rows = tmp_path / "in.csv"
    rows.write_text("id,last\n1,SAMPLE\n", encoding="utf-8")

    done = CliRunner().invoke(match, ["link", str(rows), str(tmp_path / "out.csv")])

    assert done.exit_code == 2
    assert "dob" in done.output


def test_match_link_keeps_a_row_without_date_of_birth_apart(tmp_path: Path) -> None:
    rows, out = tmp_path / "in.csv", tmp_path / "out.csv"
    undated = ROWS.splitlines()[0].replace("1980-02-16", "1980-02-31")
    rows.write_text(f"{COLUMNS}\n{undated}\n{ROWS}", encoding="utf-8")

    done = CliRunner().invoke(match, ["link", str(rows), str(out)])

    assert done.exit_code == 1
    assert len(out.read_text(encoding="utf-8").splitlines()) == 7
