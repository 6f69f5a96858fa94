"""What the foot of the staff console says of the machine."""

import os
from datetime import timedelta

import pytest

from models import ScheduledRun
from pmp import settings, system_health
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("db")


def part(name: str) -> system_health.Part:
    [found] = [each for each in system_health.parts(at=NOW) if each.name == name]
    return found


def test_a_worker_that_was_never_seen_is_bad() -> None:
    assert part("Worker").bad


@pytest.mark.parametrize(
    ("seconds", "words", "bad"),
    [(7, "runs, seen 7 seconds ago", False), (3600, "does not run", True)],
)
def test_the_worker_was_seen_so_long_ago(
    seconds: int,
    words: str,
    bad: bool,  # noqa: FBT001
) -> None:
    ScheduledRun.create(
        job="sweep", period="1", started_at=NOW - timedelta(seconds=seconds)
    )
    found = part("Worker")
    assert words in found.words
    assert found.bad == bad


def test_queue_database_and_disk_are_said_in_words() -> None:
    assert part("Queue").words == "0 messages to send, 0 files to read"
    assert "answers" in part("Database").words
    assert "GB free" in part("Disk").words


def test_a_back_up_is_known_by_its_mark_and_is_bad_when_old() -> None:
    assert part("Back-up") == system_health.Part("Back-up", "not known here")
    mark = settings.current().data_dir / system_health.BACK_UP_MARK
    mark.touch()
    for hours, bad in ((25, False), (27, True)):
        made = (NOW - timedelta(hours=hours)).timestamp()
        os.utime(mark, (made, made))
        assert part("Back-up").bad == bad
