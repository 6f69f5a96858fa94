"""A worker process that is killed in the middle loses nothing and repeats nothing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.queue import huey
from models import ChannelName, Delivery, DeliveryState
from pmp import clock, settings
from tests.gateway.conftest import make_delivery
from tests.servers.carrier import Carrier

pytestmark = pytest.mark.each_engine

ROOT = Path(__file__).parent.parent.parent
FAXES = 10
PATIENCE = 60.0

# The real worker; only what a fax says is fixed, since no rule asked for these.
WORKER = """
from gateway import documents, messages, worker
from gateway.message import Message
from pmp import database

page = documents.drawn("test", "<p>Page</p>")
messages.compose = lambda delivery, attempt: Message(delivery.address, pdf=page)
database.begin_use()
worker.run_worker(threads=2)
"""


def until(reached: Callable[[], bool], *workers: subprocess.Popen[bytes]) -> None:
    """Poll until it is so; a deadline, not a measurement."""
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline, states()
        assert [worker.poll() for worker in workers if worker.poll()] == []
        time.sleep(0.05)


def states() -> dict[int, tuple[str, str]]:
    return {row.id: (row.state.value, row.error_text) for row in Delivery.select()}


@contextmanager
def a_worker(carrier: Carrier) -> Iterator[subprocess.Popen[bytes]]:
    chosen = settings.current()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "PMP_DATA_DIR": str(chosen.data_dir),
        "PMP_DATABASE_URL": chosen.database_url,
        "PMP_QUEUE_URL": chosen.queue_url,
        "PMP_SECRET_KEY": chosen.secret_key.get_secret_value(),
        "PMP_DOCUMENT_KEY": chosen.document_key.get_secret_value(),
        "PMP_FAX_URL": carrier.url,
        "PMP_FAX_HOURS": "0-24",
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


def queue_beside(database_url: str) -> str:
    return database_url if database_url.startswith("postgresql") else ""


@pytest.fixture
def faxes(db: settings.Settings) -> Iterator[list[Delivery]]:
    with settings.changed(queue_url=queue_beside(db.database_url)):
        yield [
            make_delivery(
                ChannelName.FAX, address=f"+1860555{number:04d}", at=clock.now()
            )
            for number in range(100, 100 + FAXES)
        ]
        huey.close()


def all_taken() -> bool:
    done = {DeliveryState.SUBMITTED, DeliveryState.DELIVERED}
    return all(row.state in done for row in Delivery.select())


def check_each_once(carrier: Carrier, faxes: list[Delivery]) -> None:
    numbers = [fax.to for fax in carrier.taken]
    assert {fax.address for fax in faxes} == set(numbers)
    twice = {number for number in numbers if numbers.count(number) > 1}
    marked = {row.address for row in Delivery.select() if row.possible_duplicate}
    assert twice <= marked


@pytest.mark.parametrize("kill_after", [3, 6])
def test_a_killed_worker_loses_no_fax_and_sends_none_twice(
    faxes: list[Delivery], kill_after: int
) -> None:
    # The answer comes a little after the fax was taken: a kill falls in between.
    with Carrier(reports=False) as carrier:
        carrier.answer_delay = 0.2
        with a_worker(carrier) as worker:
            until(lambda: len(carrier.taken) >= kill_after, worker)
            worker.send_signal(signal.SIGKILL)
            worker.wait(30)
        assert not all_taken()

        with a_worker(carrier) as another:
            until(all_taken, another)

        check_each_once(carrier, faxes)


def test_a_worker_told_to_stop_ends_its_faxes_and_leaves_the_rest(
    faxes: list[Delivery],
) -> None:
    with Carrier(reports=False) as carrier:
        carrier.answer_delay = 0.2
        with a_worker(carrier) as worker:
            until(lambda: len(carrier.taken) >= 3, worker)
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(30) == 0
        assert DeliveryState.SENDING not in {row.state for row in Delivery.select()}

        with a_worker(carrier) as another:
            until(all_taken, another)

        assert len(carrier.taken) == FAXES
        check_each_once(carrier, faxes)


def test_two_workers_send_each_fax_once(faxes: list[Delivery]) -> None:
    with Carrier(reports=False) as carrier:
        carrier.answer_delay = 0.1
        with a_worker(carrier) as one, a_worker(carrier) as other:
            until(all_taken, one, other)

        assert len(carrier.taken) == FAXES
        check_each_once(carrier, faxes)
