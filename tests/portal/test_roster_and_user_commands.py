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
