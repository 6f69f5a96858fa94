"""A library that hangs or crashes on what it is given takes nothing else with it."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.confined import BusyError, DiedError, UnableError, Workshop

TASK = "tests.gateway.confined_work:work"


@pytest.fixture
def workshop() -> Iterator[Workshop]:
    made = Workshop(TASK, seconds=30, megabytes=1024)
    yield made
    made.close()


@pytest.fixture
def hasty() -> Iterator[Workshop]:
    made = Workshop(TASK, seconds=2, megabytes=1024)
    yield made
    made.close()


def is_there(process: int) -> bool:
    """Tell whether a process runs; one that only waits to be buried does not."""
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_work_of_any_size_comes_back_whole(workshop: Workshop) -> None:
    large = b"back " + os.urandom(3_000_000)

    assert workshop(large) == large
    assert workshop(b"back 0") == b"back 0"


def test_a_process_is_used_again(workshop: Workshop) -> None:
    assert workshop(b"pid") == workshop(b"pid")
    assert int(workshop(b"pid")) != os.getpid()


def test_a_process_for_strangers_is_used_once() -> None:
    careful = Workshop(TASK, seconds=30, megabytes=1024, jobs=1)

    first, second = int(careful(b"pid")), int(careful(b"pid"))

    assert first != second
    assert not is_there(first)
    assert not is_there(second)


def test_nothing_is_written_to_a_file(workshop: Workshop, tmp_path: Path) -> None:
    file = tmp_path / "kept"

    with pytest.raises(UnableError, match="OSError"):
        workshop(b"write " + str(file).encode())

    assert not file.exists() or file.read_bytes() == b""


def test_two_pieces_of_work_are_done_at_once_and_no_more(workshop: Workshop) -> None:
    with ThreadPoolExecutor(6) as threads:
        used = set(threads.map(workshop, [b"pid"] * 30))

    assert 1 <= len(used) <= 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (b"refuse", "line 3: no such picture"),
        (b"raise", "ValueError"),
        (b"eat", "MemoryError"),
        (b"die", "its process died: out of memory or time, or a crash"),
    ],
)
def test_what_went_wrong_is_told_without_what_was_worked_on(
    workshop: Workshop, given: bytes, said: str
) -> None:
    with pytest.raises(UnableError) as error:
        workshop(given + b" Canaryquist")

    assert str(error.value) == said
    assert workshop(b"back 1") == b"back 1"


def test_a_process_that_dies_may_do_it_another_time(workshop: Workshop) -> None:
    with pytest.raises(DiedError):
        workshop(b"die")


def test_who_finds_all_processes_busy_may_come_again() -> None:
    taken = Workshop(TASK, seconds=0.01, megabytes=1024, most=0)

    with pytest.raises(BusyError, match="busy"):
        taken(b"pid")


def test_what_a_library_prints_is_no_answer(
    workshop: Workshop, capfd: pytest.CaptureFixture[str]
) -> None:
    assert int(workshop(b"print")) > 1
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("given", [b"hang", b"spin"])
def test_what_takes_too_long_is_ended(hasty: Workshop, given: bytes) -> None:
    process = int(hasty(b"pid"))

    with pytest.raises(UnableError, match="too long"):
        hasty(given)

    assert not is_there(process)
    assert int(hasty(b"pid")) != process


def test_what_was_worked_on_is_not_for_others_to_read(workshop: Workshop) -> None:
    process = int(workshop(b"pid Canaryquist"))

    for part in ("cmdline", "environ"):
        assert b"Canary" not in Path(f"/proc/{process}/{part}").read_bytes()


def test_a_process_that_was_killed_meanwhile_is_replaced(workshop: Workshop) -> None:
    process = int(workshop(b"pid"))
    os.kill(process, signal.SIGKILL)
    while is_there(process):
        time.sleep(0.01)

    assert int(workshop(b"pid")) != process


def test_a_fork_shares_no_process_with_its_parent(workshop: Workshop) -> None:
    process = int(workshop(b"pid"))
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, workshop(b"pid"))
        workshop.close()
        os._exit(0)
    os.waitpid(child, 0)

    assert int(os.read(reading, 20)) != process
    assert int(workshop(b"pid")) == process
    os.close(reading)
    os.close(writing)


def test_a_process_ends_with_its_parent() -> None:
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, Workshop(TASK, seconds=30, megabytes=1024)(b"pid"))
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    process = int(os.read(reading, 20))

    until = time.monotonic() + 10
    while is_there(process) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_there(process)
    os.close(reading)
    os.close(writing)
