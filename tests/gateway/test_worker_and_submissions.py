"""A worker killed while it takes a file in stores nothing twice and loses nothing."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.queue import huey
from models import (
    Dispensation,
    DispensationVersion,
    Role,
    Submission,
    SubmissionProblem,
    SubmissionRecord,
    SubmissionStatus,
    WaitingVoid,
)
from pmp import clock, settings, uploads
from tests.factories import make_pharmacy, make_product, make_user
from tests.submission_files import ELM, OXYCODONE, fill, submission

pytestmark = pytest.mark.each_engine

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 120.0
RECORDS = 1_600
EACH = 100  # of so many records one is held, one a duplicate, one a void of nothing
VOIDED = range(0, RECORDS, 40)
KILLS = (200, 700, 1_200)

# The real worker, in smaller steps, so that it can be killed between many of them.
WORKER = """
from gateway import worker
from pmp import database, uploads

uploads.BATCH = 100
database.begin_use()
worker.run_worker(threads=1)
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


def until(reached: Callable[[], bool], worker: subprocess.Popen[bytes]) -> None:
    """Poll until it is so; a deadline, not a measurement."""
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline
        assert worker.poll() is None
        time.sleep(0.005)


def person(number: int) -> str:
    return f"PERSON{chr(65 + number % 20)}"


def records() -> list[list[str]]:
    """Make fills, and now and then a held record, a duplicate, a void of nothing."""
    made = []
    for number in range(RECORDS):
        made.append(fill(str(number), last=person(number)))
        if number % EACH == 0:
            made += [
                fill(f"H{number}", days="0"),
                fill(str(number + 1), last=person(number + 1)),
                fill(f"V{number}", status="02"),
            ]
    return made


def test_a_worker_killed_again_and_again_takes_each_record_in_once(
    db: settings.Settings,
) -> None:
    make_product(ndc=OXYCODONE)
    user = make_user(Role.PHARMACY, pharmacy=make_pharmacy(dea=ELM[2]))
    voids = [fill(str(number), status="02") for number in VOIDED]
    sent = submission((ELM, voids)).replace(b"20261116*1015", b"20261116*2300")
    first = uploads.receive(filename="v", body=sent, by=user, at=clock.now())
    assert uploads.process(first.id, at=clock.now()).void_not_found == len(VOIDED)
    body = submission((ELM, records()))
    received = uploads.receive(filename="r", body=body, by=user, at=clock.now())

    def now() -> Submission:
        found: Submission = Submission.get_by_id(received.id)
        return found

    def reaches(place: int) -> Callable[[], bool]:
        return lambda: now().progress >= place

    queue = db.database_url if db.database_url.startswith("postgresql") else ""
    with settings.changed(queue_url=queue):
        for place in KILLS:
            with a_worker() as worker:
                until(reaches(place), worker)
                worker.send_signal(signal.SIGKILL)
                worker.wait(30)
            assert now().finished_at is None
        with a_worker() as worker:
            until(lambda: now().finished_at is not None, worker)
        huey.close()

    assert_each_once(received.id)
    assert_voids_met_once(first.id, received.id)


def assert_each_once(number: int) -> None:
    done = Submission.get_by_id(number)
    few = RECORDS // EACH
    assert done.status is SubmissionStatus.PROCESSED_WITH_ERRORS
    assert done.records == done.progress == RECORDS + 3 * few
    assert (done.stored, done.stored_with_warning) == (RECORDS, len(VOIDED))
    assert (done.held, done.duplicate, done.void_not_found) == (few, few, few)
    stored = Counter(row.prescription_number for row in Dispensation.select())
    assert stored == Counter(str(each) for each in range(RECORDS))
    kept = SubmissionRecord.select().where(SubmissionRecord.submission == done)
    assert len({record.number for record in kept}) == kept.count()
    assert kept.count() == 3 * few + len(VOIDED)


def assert_voids_met_once(first: int, received: int) -> None:
    done = Submission.get_by_id(first)
    assert (done.voided, done.void_not_found) == (len(VOIDED), 0)
    gone = Dispensation.select().where(Dispensation.status == "voided")
    assert {row.prescription_number for row in gone} == {str(each) for each in VOIDED}
    assert DispensationVersion.select().count() == len(VOIDED)
    waits = WaitingVoid.select()
    assert waits.where(WaitingVoid.applied_at.is_null(is_null=False)).count() == len(
        VOIDED
    )
    new = waits.where(WaitingVoid.submission == received)
    assert new.count() == RECORDS // EACH
    told = SubmissionProblem.select().where(SubmissionProblem.submission == first)
    assert [problem.code for problem in told] == ["P09"] * len(VOIDED)


@pytest.fixture(autouse=True)
def local_queue() -> Iterator[None]:
    """Leave no connection of the queue behind."""
    yield
    huey.close()
