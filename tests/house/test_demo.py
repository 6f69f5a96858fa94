"""`make demo` shows the main job at work on a machine that has nothing set."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

import models
from models import User
from pmp import database
from portal.cli import demo, demo_state
from tests.factories import make_user
from tests.stories.installation import free_port, wait_for

ROOT = Path(__file__).parents[2]


class Demo:
    """The demo as a process of its own, with a small state."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.log = folder / "demo.log"
        self.arguments = [
            *(sys.executable, "-m", "flask", "--app", "wsgi", "demo"),
            *("--port", str(self.port), "--scale", "0.05"),
            *("--data-dir", str(folder / "state")),
        ]

    def start(self) -> subprocess.Popen[bytes]:
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                self.arguments,
                cwd=ROOT,
                # Whatever is set, a demo keeps to its own records.
                env={"PATH": os.environ["PATH"], "PMP_DATABASE_URL": "postgresql://x"},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_for(lambda: "Ctrl-C stops it" in self.log.read_text(), "the demo's table")
        return process


@pytest.fixture
def shown(tmp_path: Path) -> Demo:
    return Demo(tmp_path)


def test_the_demo_answers_tells_its_accounts_and_stops_when_told(shown: Demo) -> None:
    process = shown.start()
    try:
        page = urlopen(f"http://127.0.0.1:{shown.port}/", timeout=20).read().decode()
        assert "synthetic data" in page
        assert "Register to become a User" in page
        told = shown.log.read_text()
        for name in ("dr.adams", "main.pharmacy", "staff.lee", "admin.chief"):
            assert name in told
        assert demo_state.PASS_PHRASE in told
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=40) == 0
    again = shown.start()
    assert "is there already" in shown.log.read_text()
    again.send_signal(signal.SIGINT)
    assert again.wait(timeout=40) == 0


def test_a_demo_refuses_a_database_that_it_did_not_make(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pmp.db").write_bytes(b"")
    with pytest.raises(SystemExit) as refused:
        demo.demo.callback(
            port=1, reset=False, scale=1, database_url="", data_dir=tmp_path
        )  # type: ignore[misc]
    assert refused.value.code == 1
    assert "is not a demo's database" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [tmp_path / "pmp.db"]


def test_a_demo_refuses_a_database_that_is_in_use_and_leaves_it_alone(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database.use(database_url)
    database.upgrade()
    with database.connected():
        make_user()
    assert "a demo takes an empty one" in refusal(
        capsys, tmp_path / "demo", database_url
    )
    with database.connected():
        assert User.select().count() == 1
    models.database.obj.close()
    if not database.is_sqlite():
        models.database.obj.close_all()


def test_a_demo_refuses_a_database_on_another_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = "postgresql://pmp@db.example.org/pmp"
    assert "on this machine" in refusal(capsys, tmp_path, url)


def refusal(capsys: pytest.CaptureFixture[str], folder: Path, url: str = "") -> str:
    """Try to start a demo; give what it says when it refuses."""
    with pytest.raises(SystemExit) as refused:
        demo.demo.callback(  # type: ignore[misc]
            port=1, reset=False, scale=1, database_url=url, data_dir=folder
        )
    assert refused.value.code == 1
    return capsys.readouterr().err


def test_what_the_readme_lets_a_reader_look_up_is_in_the_demo() -> None:
    from datetime import date  # noqa: PLC0415

    from pmp.demo import cast, stories  # noqa: PLC0415

    people = cast.make(scale=0.05, today=date(2026, 11, 23))
    planted = {
        f"{fill.person.first} {fill.person.last} {fill.person.birth_date:%m/%d/%Y}"
        for fill in stories.planted(people, today=date(2026, 11, 23))
    }
    readme = (ROOT / "README.md").read_text()
    promised = re.findall(
        r"^\| ([A-Z ]+ \d\d/\d\d/\d{4}) \|", readme, flags=re.MULTILINE
    )
    assert len(promised) == 6
    assert set(promised) <= planted
