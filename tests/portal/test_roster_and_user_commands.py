"""roster import and user, on the command line."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from models import AuditEvent, Credential, Licence, Role, User, UserStatus
from pmp import accounts, clock, database
from pmp.demo.roster_files import COLUMNS
from portal.cli.roster import roster
from portal.cli.user import user
from tests.factories import make_dea, make_user

Run = Callable[..., Result]
CSP = "CONTROLLED SUBSTANCE REGISTRATION FOR PRACTITIONER"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, db: object) -> Run:
    # The tables are there, made without migrations.
    monkeypatch.setattr(database, "begin_use", lambda: None)
    monkeypatch.setattr(database, "require_current_schema", lambda: None)
    return lambda command, *words: CliRunner().invoke(command, list(words))


def licences(tmp_path: Path, *names: str) -> str:
    lines = [",".join(COLUMNS)]
    for number, name in enumerate(names, start=1):
        cells = dict.fromkeys(COLUMNS, "") | {
            "CredentialId": str(number),
            "Name": name,
            "FullCredentialCode": f"CSP.{number:07d}",
            "Credential": CSP,
            "Status": "ACTIVE",
            "Active": "1",
        }
        lines.append(",".join(cells.values()))
    path = tmp_path / "licences.csv"
    path.write_text("\n".join(lines))
    return str(path)


def test_roster_import_knows_both_kinds_of_file(run: Run, tmp_path: Path) -> None:
    done = run(roster, "import", licences(tmp_path, "ANN ADAMS", "BO BROWN"), "--json")
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert (told["kind"], told["new"], told["invalid"]) == ("licences", 2, 0)
    contacts = tmp_path / "contacts.csv"
    contacts.write_text(f"licence,dea\nCSP.0000001,{make_dea(1)}\n")
    done = run(roster, "import", str(contacts), "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["kind"] == "contacts"
    assert Licence.get(code="CSP.0000001").dea == make_dea(1)


def test_a_dry_run_changes_nothing(run: Run, tmp_path: Path) -> None:
    done = run(roster, "import", licences(tmp_path, "ANN ADAMS"), "--dry-run")
    assert done.exit_code == 0
    assert done.stdout.startswith("1 new, 0 changed")
    assert Licence.select().count() == 0


def test_rows_that_were_not_used_make_exit_code_1(run: Run, tmp_path: Path) -> None:
    done = run(roster, "import", licences(tmp_path, "ANN ADAMS", ""))
    assert done.exit_code == 1
    assert "row 3: Credential 2 has no Name." in done.stderr
    assert Licence.select().count() == 1


def test_a_file_of_something_else_is_refused_in_one_line(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    done = run(roster, "import", str(path))
    assert done.exit_code == 1
    assert done.stderr.startswith("other.csv is not a roster file")
    assert len(done.stderr.splitlines()) == 1


def test_a_preview_is_applied_by_its_number_and_undone(
    run: Run, tmp_path: Path
) -> None:
    told = run(roster, "preview", licences(tmp_path, "ANN ADAMS", "BO BROWN"))
    assert told.exit_code == 0
    assert "new: CSP.0000001 ANN ADAMS" in told.stdout
    assert "To apply it: roster import 1" in told.stdout
    assert Licence.select().count() == 0

    assert "Import 1 is applied." in run(roster, "import", "1").stdout
    assert Licence.select().count() == 2
    again = run(roster, "import", "1")
    assert (again.exit_code, again.stderr) == (1, "Import 1 is applied by now.\n")
    assert run(roster, "import", "7").stderr == "There is no roster import 7.\n"

    assert run(roster, "undo", "1").exit_code == 2  # a reason is wanted
    undone = run(roster, "undo", "1", "--reason", "the wrong file")
    assert undone.stdout == "Import 1 is undone.\n"
    assert Licence.select().count() == 0
    listed = run(roster, "list").stdout
    assert listed.startswith("1\tlicences\tundone\t")
    assert "2 new, 0 changed, 0 gone, 0 invalid" in listed


def test_every_change_is_written_to_a_table(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "changes.csv"
    run(roster, "import", licences(tmp_path, "ANN ADAMS", "=BO", "BAD"))
    path = licences(tmp_path, "ANN NEW", "=BO", "")
    told = run(roster, "preview", path, "--csv", str(table))
    assert "changed: CSP.0000001 ANN NEW: name “ANN ADAMS” → “ANN NEW”" in told.stdout
    text = table.read_text(encoding="utf-8-sig").replace('"', "")
    assert "changed,2,1,CSP.0000001 ANN NEW,name,ANN ADAMS,ANN NEW" in text
    assert "invalid,4,,,Name,,,Credential 3 has no Name." in text


def test_an_import_says_that_users_licences_wait_for_staff(
    run: Run, tmp_path: Path
) -> None:
    run(roster, "import", licences(tmp_path, "ANN ADAMS", "BO BROWN"))
    make_user(licence=Licence.get(code="CSP.0000002"))
    told = run(roster, "import", licences(tmp_path, "ANN ADAMS"))
    assert "Users' licences that wait for staff: 1" in told.stdout


def test_no_file_is_a_wrong_call(run: Run) -> None:
    assert run(roster, "import", "/nowhere.csv").exit_code == 2


def test_user_create_shows_a_secret_that_works_once(run: Run) -> None:
    words = ("--username", "first.admin", "--role", "administrator")
    done = run(user, "create", *words)
    assert done.exit_code == 0
    [secret] = re.findall(r": ((?:\w{4}-){3}\w{4})", done.stdout)
    assert secret not in str(list(Credential.select().dicts()))
    assert secret not in str(list(AuditEvent.select().dicts()))
    letter = accounts.check_letter(
        username="first.admin",
        secret=secret,
        code="",
        address="192.0.2.1",
        at=clock.now(),
    )
    assert letter.user.role == Role.ADMINISTRATOR
    again = run(user, "create", *words)
    assert again.exit_code == 1
    assert "taken" in again.stderr
    assert run(user, "create", "--username", "x", "--role", "king").exit_code == 2


def test_user_list_suspend_unlock(run: Run) -> None:
    make_user(username="dr.adams", password_hash="of an own password")
    assert run(user, "suspend", "dr.adams").exit_code == 0
    assert User.get().status == UserStatus.SUSPENDED
    assert "dr.adams\tstaff\tsuspended\tnever" in run(user, "list").stdout
    assert run(user, "unlock", "DR.ADAMS").exit_code == 0
    assert User.get().status == UserStatus.ACTIVE
    User.update(password_hash=None).execute()  # one who never came in
    run(user, "suspend", "dr.adams")
    run(user, "unlock", "dr.adams")
    assert User.get().status == UserStatus.AWAITING_FIRST_SIGN_IN
    nobody = run(user, "suspend", "nobody")
    assert nobody.exit_code == 1
    assert nobody.stderr == "There is no user called nobody.\n"
