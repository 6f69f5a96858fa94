"""Real workers killed under load: whether a message is lost, or sent twice unmarked.

Worker processes send to a fax carrier and a mail relay on this machine, which write
down what they took. A worker is killed (SIGKILL) once it has sent a few more, wherever
it is then, and another one started, as often as asked. In the end every message is to
be with its carrier, and none there twice that is not marked as a possible duplicate.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from models import ChannelName, Delivery, DeliveryKind, DeliveryState
from pmp import clock, deliveries, settings
from pmp.deliveries import Route
from tests.servers.carrier import Carrier
from tests.servers.relay import Relay

ROOT = Path(__file__).parent.parent
PATIENCE = 120.0
_DONE = (DeliveryState.SUBMITTED, DeliveryState.DELIVERED, DeliveryState.SENT)

# The real worker; only what it sends is fixed, since no rule asked for these.
_WORKER = """
from gateway import documents, messages, worker
from gateway.message import Message
from models import ChannelName
from pmp import database

page = documents.drawn("test", "<p>Page</p>")

def compose(delivery, attempt):
    if delivery.channel == ChannelName.EMAIL:
        return Message(delivery.address, subject="A notice", text="Sign in.")
    return Message(delivery.address, pdf=page)

messages.compose = compose
database.begin_use()
worker.run_worker()
"""


@dataclass(frozen=True)
class Outcome:
    """What became of `messages` when workers were killed `kills` times.

    `lost` are with no carrier; `twice` are there more than once, `unmarked` those of
    them that nobody would know of; `doubted` are all that are marked.
    """

    messages: int
    kills: int
    lost: int
    twice: int
    unmarked: int
    doubted: int
    attempts: int


def trial(*, kills: int, messages: int, seed: int) -> Outcome:
    """Kill workers of the program in use, whose database is empty."""
    draw = random.Random(seed)  # noqa: S311 - when to kill, nothing secret
    with Carrier(reports=False) as carrier, Relay() as relay:
        # The answer comes a little after the fax was taken: a kill falls in between.
        carrier.answer_delay = 0.1
        environment = _environment(carrier.url, relay.url)
        _request(messages)

        def sent() -> int:
            return len(carrier.taken) + len(relay.recipients)

        for left in range(kills, 0, -1):
            each = max(1, (messages - sent()) // (left + 1))
            wanted = sent() + draw.randint(1, each)
            with _worker(environment):
                _until(partial(_has_sent, sent, wanted))
                time.sleep(draw.random() * 0.2)
        with _worker(environment):
            _until(_all_done)
        taken = [fax.to for fax in carrier.taken] + list(relay.recipients)
    return _judged(taken, kills)


def _has_sent(sent: Callable[[], int], wanted: int) -> bool:
    return sent() >= wanted or _all_done()


def _request(count: int) -> None:
    for number in range(count):
        fax = number % 2 == 0
        route = (
            Route(ChannelName.FAX, f"+1860555{number:04d}")
            if fax
            else Route(ChannelName.EMAIL, f"doctor{number}@example.org")
        )
        deliveries.request(
            kind=DeliveryKind.TICKET_NOTICE,
            subject_id=number,
            routes=[route],
            dedupe_key=f"kill:{number}",
            at=clock.now(),
        )


def _judged(taken: list[str], kills: int) -> Outcome:
    rows = list(Delivery.select())
    counts = Counter(taken)
    marked = {row.address for row in rows if row.possible_duplicate}
    twice = {address for address, count in counts.items() if count > 1}
    return Outcome(
        messages=len(rows),
        kills=kills,
        lost=sum(row.address not in counts for row in rows),
        twice=len(twice),
        unmarked=len(twice - marked),
        doubted=len(marked),
        attempts=sum(row.attempts for row in rows),
    )


def _all_done() -> bool:
    # An email in doubt goes again after a minute or so: that is over now.
    (
        Delivery.update(due_at=clock.now())
        .where(Delivery.state == DeliveryState.QUEUED)
        .where(Delivery.due_at > clock.now())
        .execute()
    )
    return not Delivery.select().where(Delivery.state.not_in(_DONE)).exists()


def _until(reached: Callable[[], bool]) -> None:
    """Poll until it is so; a deadline, not a measurement."""
    deadline = time.monotonic() + PATIENCE
    while not reached():
        if time.monotonic() > deadline:
            states = Counter(row.state.value for row in Delivery.select())
            raise TimeoutError(f"still not done: {dict(states)}")
        time.sleep(0.05)


@contextmanager
def _worker(environment: dict[str, str]) -> Iterator[None]:
    """Have a worker work for the block, and kill it wherever it is at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", _WORKER],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(30)


def _environment(fax_url: str, mail_url: str) -> dict[str, str]:
    chosen = settings.current()
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "PMP_DATA_DIR": str(chosen.data_dir),
        "PMP_DATABASE_URL": chosen.database_url,
        "PMP_QUEUE_URL": chosen.queue_url,
        "PMP_SECRET_KEY": chosen.secret_key.get_secret_value(),
        "PMP_DOCUMENT_KEY": chosen.document_key.get_secret_value(),
        "PMP_FAX_URL": fax_url,
        "PMP_FAX_HOURS": "0-24",
        "PMP_MAIL_URL": mail_url,
        "PMP_LEASE_SECONDS": "3",
        "PMP_CHANNEL_TIMEOUT_SECONDS": "2",
        "PMP_SWEEP_SECONDS": "1",
    }
