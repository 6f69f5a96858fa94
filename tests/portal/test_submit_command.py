import json
from pathlib import Path

import pytest
from flask import Flask

from models import AuditEvent, Dispensation, Role, Submission, SubmissionSource, User
from pmp import audit, database, settings
from pmp.settings import Settings
from portal import cli
from tests.factories import make_pharmacy, make_product, make_user
from tests.portals import portal_for
from tests.submission_files import ELM, MAIN, OXYCODONE, fill, submission


@pytest.fixture
def app(program: Settings) -> Flask:
    """Give the portal with its commands, on a migrated database of its own."""
    database.begin_use()
    database.upgrade()
    made = portal_for(settings.current())
    cli.register(made)
    return made


@pytest.fixture
def elm(app: Flask) -> User:
    with database.connected():
        make_product(ndc=OXYCODONE)
        return make_user(
            Role.PHARMACY, username="elm", pharmacy=make_pharmacy(dea=ELM[2])
        )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write a file of one good, one bad and one foreign record."""
    path = tmp_path / "november.dat"
    records = [fill("1"), fill("2", days="0")]
    path.write_bytes(submission((ELM, records), (MAIN, [fill("3")])))
    return path


def run(app: Flask, *words: str) -> tuple[int, str, str]:
    result = app.test_cli_runner().invoke(args=("asap", "submit", *words))
    return result.exit_code, result.stdout, result.stderr


def test_a_file_is_submitted_and_processed_at_once(
    app: Flask, elm: User, file: Path
) -> None:
    code, output, _ = run(app, str(file), "--as", "elm", "--json")

    found = json.loads(output)
    assert code == 1  # done, with records held
    assert found["verdict"] == "accepted_with_problems"
    counts = {name: number for name, number in found["records"].items() if number}
    assert counts == {"read": 3, "good": 2, "stored": 1, "held": 2}
    assert {problem["code"] for problem in found["problems"]} == {"E10", "F09"}
    assert {problem["record"] for problem in found["problems"]} == {2, 3}
    with database.connected():
        assert Dispensation.select().count() == 1
        assert Submission.get().submitted_by == elm
        assert audit.verify() == []
        assert AuditEvent.select().where(AuditEvent.actor == "elm").count() == 1


def test_a_dry_run_stores_nothing(app: Flask, elm: User, file: Path) -> None:
    code, output, _ = run(app, str(file), "--as", "elm", "--dry-run")

    assert code == 1
    assert "DSP10" in output
    with database.connected():
        assert Dispensation.select().count() == 0
        assert Submission.get().dry_run


def test_a_good_file_exits_with_0_and_the_same_again_with_1(
    app: Flask, elm: User, tmp_path: Path
) -> None:
    good = tmp_path / "good.dat"
    good.write_bytes(submission((ELM, [fill("1")])))

    assert run(app, str(good), "--as", "elm")[0] == 0
    code, _, error = run(app, str(good), "--as", "elm")
    assert code == 1
    assert "You submitted this file before" in error
    assert len(error.splitlines()) == 1


def test_an_unknown_user_and_one_who_may_not_are_refused(
    app: Flask, elm: User, file: Path
) -> None:
    with database.connected():
        make_user(Role.AUDITOR, username="auditor")
    for name in ("nobody", "auditor"):
        code, _, error = run(app, str(file), "--as", name)
        assert code == 1
        assert len(error.splitlines()) == 1
    with database.connected():
        assert Submission.select().count() == 0


def test_a_report_is_written_into_a_folder_or_under_a_name(
    app: Flask, elm: User, file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "reports"
    out.mkdir()

    run(app, str(file), "--as", "elm", "--dry-run", "--report", str(out))
    code, output, _ = run(
        app, str(file), "--as", "elm", "--json", "--report", str(out / "mine.txt")
    )

    assert code == 1
    written = sorted(path.name for path in out.iterdir())
    assert written == [
        "mine.json",
        "mine.txt",
        "november.dat.1.report.json",
        "november.dat.1.report.txt",
    ]
    found, printed = json.loads((out / "mine.json").read_text()), json.loads(output)
    assert found["records"] == printed["records"]
    assert found["problems"] == printed["problems"]
    assert "held for correction" in (out / "mine.txt").read_text()


def test_a_refusal_is_reported_too(
    app: Flask, elm: User, tmp_path: Path, file: Path
) -> None:
    run(app, str(file), "--as", "elm")

    code, _, _ = run(app, str(file), "--as", "elm", "--report", str(tmp_path / "again"))

    assert code == 1
    told = json.loads((tmp_path / "again.json").read_text())
    assert (told["verdict"], told["problems"][0]["code"]) == ("refused", "F08")
    assert "submitted this file before" in (tmp_path / "again.txt").read_text()


def test_a_submission_by_command_is_known_as_one(
    app: Flask, elm: User, file: Path
) -> None:
    run(app, str(file), "--as", "elm")
    with database.connected():
        assert Submission.get().source is SubmissionSource.COMMAND
