"""serve in several processes: one that dies is replaced, and all end together."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

import models
from pmp import database
from pmp.settings import Settings
from tests.stories.installation import free_port

ROOT = Path(__file__).parent.parent.parent
PATIENCE_SECONDS = 60
Served = tuple[subprocess.Popen[bytes], int]

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="asks the system who is whose child"
)


@pytest.fixture
def served(program: Settings) -> Iterator[Served]:
    """Start the portal in two processes; give the parent and the port."""
    with _serve(program, "--processes", "2") as (process, port):
        _wait_for(lambda: len(_children(process.pid)) == 2)
        yield process, port


def test_a_process_that_is_killed_is_replaced_while_the_other_answers(
    served: Served,
) -> None:
    process, port = served
    killed, other = _children(process.pid)

    os.kill(killed, signal.SIGKILL)

    for _ in range(20):
        assert _status(port) == 200
    _wait_for(lambda: killed not in _children(process.pid))
    _wait_for(lambda: len(_children(process.pid)) == 2)
    assert other in _children(process.pid)
    assert _status(port) == 200


def test_term_ends_all_of_them(served: Served) -> None:
    process, port = served
    children = _children(process.pid)

    process.terminate()

    assert process.wait(timeout=PATIENCE_SECONDS) == 0
    assert not any(map(_is_there, children))
    with pytest.raises(ConnectionRefusedError):
        _status(port)


def test_none_outlives_a_parent_that_was_killed(served: Served) -> None:
    process, _ = served
    children = _children(process.pid)

    process.kill()

    _wait_for(lambda: not any(map(_is_there, children)))


def test_one_process_answers_by_itself_and_ends_at_term(program: Settings) -> None:
    with _serve(program, "--processes", "1") as (process, port):
        assert _status(port) == 200
        assert _children(process.pid) == []
        process.terminate()
        assert process.wait(timeout=PATIENCE_SECONDS) == 0


def test_a_request_that_has_begun_is_answered_after_term(tmp_path: Path) -> None:
    script = tmp_path / "slow.py"
    script.write_text(
        "import time\n"
        "from waitress.server import create_server\n"
        "from portal import processes\n"
        "def app(environ, start):\n"
        "    print('begun', flush=True)\n"
        "    time.sleep(1.5)\n"
        "    start('200 OK', [('Content-Type', 'text/plain')])\n"
        "    return [b'done']\n"
        "listening = processes.listen('127.0.0.1', 0)\n"
        "print(listening.getsockname()[1], flush=True)\n"
        "make = lambda: create_server(app, sockets=[listening])\n"
        "processes.Processes(make, 2).run()\n"
    )
    with subprocess.Popen(
        [sys.executable, script],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        client = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        client.request("GET", "/")
        assert process.stdout.readline() == b"begun\n"
        process.terminate()
        answer = client.getresponse()
        assert (answer.status, answer.read()) == (200, b"done")
        client.close()
        assert process.wait(timeout=PATIENCE_SECONDS) == 0


@contextmanager
def _serve(program: Settings, *arguments: str) -> Iterator[Served]:
    database.begin_use()
    database.upgrade()
    models.database.obj.close_all()
    port = free_port()
    given = {
        "PATH": os.environ["PATH"],
        "PMP_DATA_DIR": str(program.data_dir),
        "PMP_DATABASE_URL": program.database_url,
        "PMP_SECRET_KEY": program.secret_key.get_secret_value(),
        "PMP_DOCUMENT_KEY": program.document_key.get_secret_value(),
    }
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "serve"]
    process = subprocess.Popen(
        [*command, "--port", str(port), *arguments],
        cwd=ROOT,
        env=given,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(lambda: _answers(port))
        yield process, port
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    with suppress(OSError, HTTPException):
        return _status(port) == 200
    return False


def _status(port: int) -> int:
    client = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        client.request("GET", "/healthz")
        answer = client.getresponse()
        answer.read()
        return answer.status
    finally:
        client.close()


def _children(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(number) for number in listed.split()]


def _is_there(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


def _wait_for(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.05)
