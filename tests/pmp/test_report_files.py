"""The files that tell a sender what became of a submission: whole, and of no person."""

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from models import Role, Severity, SubmissionProblem, User
from pmp import deployment, settings, uploads
from pmp.uploads import reports
from pmp.uploads.discretion import told
from tests.conftest import NOW
from tests.factories import make_pharmacy, make_product, make_user
from tests.submission_files import ELM, OXYCODONE, fill, submission, zero

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def elm(db: settings.Settings) -> User:
    make_product(ndc=OXYCODONE)
    return make_user(
        Role.PHARMACY, username="elm", pharmacy=make_pharmacy(dea=ELM[2], name=ELM[3])
    )


def report(elm: User, body: bytes, *, dry_run: bool = False) -> reports.Report:
    received = uploads.receive(
        filename="november.dat", body=body, by=elm, at=NOW, dry_run=dry_run
    )
    return reports.report_of(uploads.process(received.id, at=LATER))


def problem(**fields: Any) -> SubmissionProblem:
    defaults: dict[str, Any] = {
        "record_number": 3,
        "code": "E99",
        "severity": Severity.ERROR,
        "segment_number": 9,
        "segment_id": "DSP",
        "element": "DSP10",
        "value": "0",
        "message": "Days supply is “0”.",
        "fix": "Give the days.",
    }
    return SubmissionProblem(**(defaults | fields))


PERSON = {
    "last": "QUILLFEATHER9",
    "first": "WINIFRED9",
    "born": "18110203",
    "number": "RX77",
}


def test_a_report_names_record_and_rule_and_nothing_of_the_patient(elm: User) -> None:
    made = report(elm, submission((ELM, [fill("1"), fill(**PERSON)])))

    both = made.text + made.json
    for particular in ("QUILL", "WINI", "1811", "02/03", "0203", "MAPLE", "5550111"):
        assert particular not in both
    assert "Rx number RX77, PAT18, error E05" in made.text
    codes = {each["code"]: each for each in json.loads(made.json)["problems"]}
    assert codes["E05"]["element"] == "PAT18"
    assert codes["E05"]["value"] == ""
    assert "see submission" in codes["E05"]["message"]


def test_a_value_that_is_of_no_person_is_told_with_its_message(elm: User) -> None:
    made = report(elm, submission((ELM, [fill("1", days="0", dea="AS3045123")])))

    assert "value AS3045123" in made.text
    assert "“AS3045123”" in made.text or "AS3045123 has" in made.text


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"element": "DSP10"}, True),
        ({"element": "CDI03.2", "segment_id": "CDI"}, True),
        ({"element": "TH05", "segment_id": "TH"}, True),
        ({"element": "PAT07", "segment_id": "PAT"}, False),
        ({"element": "AIR07", "segment_id": "AIR"}, False),
        ({"element": "DSP23"}, False),  # directions are free text
        ({"element": "PRE17", "segment_id": "PRE"}, False),  # a PAT after no terminator
        ({"element": "", "segment_id": "SMITHSON"}, False),
    ],
)
def test_values_are_told_of_elements_that_hold_no_persons_particulars(
    fields: dict[str, Any], *, kept: bool
) -> None:
    value = "SMITHSON"
    found = told(
        problem(
            **fields, value=value, message=f"It is “{value}”.", fix=f"Not {value}."
        ),
        version="4.2B",
        number=7,
    )

    assert (value in str(found)) is kept
    assert (found.value == value) is kept
    assert "submission 7" in found.message or kept


def test_a_message_without_a_value_stays_whole() -> None:
    empty = problem(
        element="PAT18", segment_id="PAT", value="", message="It is empty.", fix="Fill."
    )
    found = told(empty, version="4.2B", number=7)
    assert (found.message, found.fix) == ("It is empty.", "Fill.")

    born = problem(
        element="PAT18",
        value="19800216",
        message="The date of birth, 02/16/1980, is after the date filled.",
    )
    assert "1980" not in told(born, version="4.2B", number=7).message


def test_in_an_unknown_version_nothing_but_the_header_is_sure() -> None:
    assert told(problem(value="SMITH"), version="", number=7).value == ""
    header = problem(element="TH01", segment_id="TH", value="3.0")
    assert told(header, version="", number=7).value == "3.0"


def test_a_report_says_what_the_page_says(elm: User) -> None:
    made = report(
        elm,
        submission(
            (ELM, [fill("1"), fill("1"), fill("2", days="1"), fill("3", days="0")])
        ),
    )

    words = " ".join(made.text.split())
    assert made.stem.startswith("november.dat.")
    for said in (
        "Accepted with errors",
        "1 stored",
        "1 held for correction",
        "1 reported before",
        "1 not to be reported",
        "4 records in the file",
        "A held record is stored only once it is corrected",
        "Problems by kind",
        "Submitted by elm",
        "Version ASAP 4.2B",
        "ELM CITY DRUG",
    ):
        assert said in words
    assert made.text.endswith("\r\n")


def test_refused_dry_and_empty_ones_say_so(elm: User) -> None:
    cut = report(elm, submission((ELM, [fill("1")]), complete=False))
    assert "Nothing of this file was stored" in cut.text
    assert json.loads(cut.json)["verdict"] == "refused"

    dry = report(elm, submission((ELM, [fill("2")])), dry_run=True)
    assert "Accepted (dry run)" in dry.text
    assert "Nothing was stored. This was a dry run" in dry.text

    none = report(elm, submission((ELM, [zero()]), message="#20261101#-#20261115#"))
    assert "1  zero reports" in none.text
    assert "No problem was found." in none.text


@pytest.mark.parametrize(
    "name", ["a.dat", "", "...", "x" * 300, "☂" * 200, "a/b", ".hidden"]
)
def test_a_stem_fits_into_a_folder_and_is_not_hidden(name: str) -> None:
    stem = reports.stem_of(name, ".7.report")
    assert len(f"{stem}.json".encode()) <= 255
    assert stem.endswith(".7.report")
    assert not stem.startswith(".")
    assert "/" not in stem


def test_check_names_drop_folders_that_others_can_read_or_the_worker_cannot_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = tmp_path / "in" / "elm"
    box.mkdir(parents=True)
    box.chmod(0o770)
    box.parent.chmod(0o751)  # users may pass through it, as an SFTP server wants
    with settings.changed(submissions_dir=str(box.parent)) as chosen:
        assert deployment.drop_folders(chosen) == []

        box.chmod(0o775)
        [open_to_all] = deployment.drop_folders(chosen)
        assert f"can read {box}" in open_to_all
        box.chmod(0o770)

        monkeypatch.setattr(
            os, "access", lambda path, _: path != box
        )  # root, who may run tests, can write everywhere
        [closed] = deployment.drop_folders(chosen)
        assert f"cannot write to {box}" in closed
    with settings.changed(submissions_dir=str(tmp_path / "none")) as chosen:
        [missing] = deployment.drop_folders(chosen)
        assert "there is no folder" in missing
    with settings.changed(submissions_dir="") as chosen:
        assert deployment.drop_folders(chosen) == []
