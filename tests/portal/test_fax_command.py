"""`fax receive FILE`: what became of it, and whether somebody must look."""

from pathlib import Path

import pytest
from flask import Flask

from models import Application, InboundFax
from pmp import database, settings
from portal import cli
from tests.factories import make_application
from tests.faxes import page, tiff
from tests.portals import portal_for


@pytest.fixture
def app(program: settings.Settings) -> Flask:
    """Give the portal with its commands, on a migrated database of its own."""
    database.begin_use()
    database.upgrade()
    made = portal_for(settings.current())
    cli.register(made)
    return made


def run(app: Flask, file: Path) -> tuple[int, str, str]:
    words = ("fax", "receive", str(file), "--from", "8605550143")
    result = app.test_cli_runner().invoke(args=words)
    return result.exit_code, result.stdout, result.stderr


def test_a_fax_of_several_forms_is_told_form_by_form(
    app: Flask, tmp_path: Path
) -> None:
    with database.connected():
        one, two = make_application(), make_application()
    file = tmp_path / "fax.tif"
    file.write_bytes(tiff([page(one.code), page(two.code)]))

    code, output, notes = run(app, file)

    assert code == 0
    assert "It holds 2 forms." in notes
    assert f"registration {one.code}" in output
    assert f"registration {two.code}" in output
    with database.connected():
        assert {each.status for each in Application.select()} == {
            "confirmation_received"
        }
        assert {each.from_number for each in InboundFax.select()} == {"+18605550143"}


def test_a_form_that_staff_must_look_at_is_an_exit_of_1(
    app: Flask, tmp_path: Path
) -> None:
    with database.connected():
        known, closed = make_application(), make_application(status="rejected")
    file = tmp_path / "fax.tif"
    file.write_bytes(tiff([page(known.code), page(closed.code)]))

    code, output, notes = run(app, file)

    assert code == 1
    assert "unmatched" in output
    assert f"Registration {closed.code} is rejected." in notes


def test_a_file_that_is_no_fax_is_refused(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear program")

    code, _, notes = run(app, file)

    assert code == 1
    assert "not a PDF, TIFF or PNG" in notes
