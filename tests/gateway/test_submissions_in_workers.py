"""Real workers, killed in the middle or two at once, take every dropped file once."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.queue import huey
from models import Dispensation, Role, Submission, SubmissionStatus
from pmp import audit, settings
from tests.factories import make_pharmacy, make_product, make_user
from tests.submission_files import ELM, OXYCODONE, fill, submission

pytestmark = pytest.mark.each_engine

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 90.0
FILES = 12

# The real worker; only that reading a file takes a while, so that a kill falls in it.
WORKER = """
import time
from gateway import submissions_in, worker
from gateway.drop_folder import Folder
from pmp import database

release = Folder.release

def slowly(self, claim):
    time.sleep(0.3)
    release(self, claim)

Folder.release = slowly
submissions_in.SETTLED_SECONDS = 0.5
database.begin_use()
worker.run_worker(threads=2)
"""


@contextmanager
def a_worker() -> Iterator[subprocess.Popen[bytes]]:
    chosen = settings.current()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "PMP_DATA_DIR": str(chosen.data_dir),
        "PMP_DATABASE_URL": chosen.database_url,
        "PMP_QUEUE_URL": chosen.queue_url,
        "PMP_SECRET_KEY": chosen.secret_key.get_secret_value(),
        "PMP_DOCUMENT_KEY": chosen.document_key.get_secret_value(),
        "PMP_LEASE_SECONDS": "4",
        "PMP_CHANNEL_TIMEOUT_SECONDS": "3",
        "PMP_SWEEP_SECONDS": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER], cwd=ROOT, env=environment
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(30)


@pytest.fixture
def box(db: settings.Settings, tmp_path: Path) -> Iterator[Path]:
    """Give a folder with files for real and one for dry runs with one more."""
    make_product(ndc=OXYCODONE)
    make_user(Role.PHARMACY, username="elm", pharmacy=make_pharmacy(dea=ELM[2]))
    made = tmp_path / "submissions-in" / "elm"
    (made / "dry-run").mkdir(parents=True)
    for number in range(FILES):
        name, records = f"{number:02}.dat", [fill(f"{number}"), fill(f"{number}x")]
        (made / name).write_bytes(submission((ELM, records)))
    (made / "dry-run" / "try.dat").write_bytes(submission((ELM, [fill("9999")])))
    queue = db.database_url if db.database_url.startswith("postgresql") else ""
    with settings.changed(queue_url=queue):
        yield made
        huey.close()


def until_answered(box: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while len(list(box.rglob("*.report.json"))) < FILES + 1:
        assert time.monotonic() < deadline, sorted(map(str, box.rglob("*")))
        time.sleep(0.1)


def check_each_once(box: Path) -> None:
    taken = Counter(each.filename for each in Submission.select())
    assert taken == Counter(
        [f"{number:02}.dat" for number in range(FILES)] + ["try.dat"]
    )
    done = {each.status for each in Submission.select()}
    assert done == {SubmissionStatus.PROCESSED}
    assert Dispensation.select().count() == 2 * FILES
    reports = [path.name for path in box.rglob("*.report.txt")]
    assert len(reports) == FILES + 1
    assert list(box.rglob("*.dat")) == []
    assert audit.verify() == []


def test_a_worker_killed_in_the_middle_loses_no_file_and_takes_none_twice(
    box: Path,
) -> None:
    for after in (2, 5, 9):
        with a_worker() as worker:
            deadline = time.monotonic() + PATIENCE
            while Submission.select().count() < after:
                assert worker.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.02)
            worker.send_signal(signal.SIGKILL)
            worker.wait(30)
    assert list(box.rglob("*.dat"))

    with a_worker():
        until_answered(box)
        wait_until_nothing_is_claimed(box)

    check_each_once(box)


def wait_until_nothing_is_claimed(box: Path) -> None:
    """Wait for more: a report can come before its file is gone, after a kill."""
    deadline = time.monotonic() + PATIENCE
    while list(box.rglob("*.dat")):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_two_workers_take_each_file_once(box: Path) -> None:
    with a_worker(), a_worker():
        until_answered(box)
        wait_until_nothing_is_claimed(box)

    check_each_once(box)
