"""Workers that are killed again and again lose nothing and repeat nothing unmarked."""

import os
from collections.abc import Iterator

import pytest

from bench._kills import trial
from gateway.queue import huey
from pmp import settings

pytestmark = pytest.mark.each_engine


@pytest.fixture
def beside(db: settings.Settings) -> Iterator[None]:
    """Have the queue where an installation on this engine has it."""
    postgres = db.database_url.startswith("postgresql")
    with settings.changed(queue_url=db.database_url if postgres else ""):
        yield
        huey.close()


@pytest.mark.usefixtures("beside")
def test_killed_workers_lose_no_message_and_send_none_twice_unmarked() -> None:
    seed = int.from_bytes(os.urandom(2), "big")

    outcome = trial(kills=3, messages=20, seed=seed)

    assert (outcome.lost, outcome.unmarked) == (0, 0), f"{outcome}, seed {seed}"
    assert outcome.messages == 20
