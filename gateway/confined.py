"""Work that could hang, crash or eat the memory, in processes of its own with limits.

Drawing and decoding libraries are fed names and files of strangers. A `Workshop` keeps
a few child processes that do one kind of work, bytes in and bytes out over pipes; one
that takes too long or too much memory is killed, and the worker or the portal goes on.
What is worked on is never on a command line, in the environment or in a file.
"""

import atexit
import gc
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parent.parent
MOST_JOBS = 500  # of one process before it is replaced: libraries leak
_HEAD = 8
_CHUNK = 1 << 16
_DONE, _UNABLE = b"+", b"-"
_GRACE_SECONDS = 5


class UnableError(Exception):
    """The work was not done. Its text says why, and nothing of what was worked on."""


class TooLongError(UnableError):
    """The work was ended when its time was over."""


class PassingError(UnableError):
    """It may go well another time: nothing was found wrong with what was given."""


class BusyError(PassingError):
    """No process was free: nobody has looked at it."""


class DiedError(PassingError):
    """The process died: of what it was given, or because the machine was short."""


class Workshop:
    """Processes that each do one piece of work at a time; safe to share by threads.

    `task` is "module:function", a function from bytes to bytes, which raises
    UnableError with a text that may be shown; of any other error the name alone is
    told. At most `most` processes, started when they are needed, and for one piece
    of work `seconds` of time and `megabytes` of memory. A process does `jobs` pieces of
    work and no more: one, where what a stranger sent must not meet what another did.
    Who finds none free waits for `wait` seconds, else for `seconds`.
    """

    def __init__(
        self,
        task: str,
        *,
        seconds: float,
        megabytes: int,
        most: int = 2,
        jobs: int = MOST_JOBS,
        wait: float | None = None,
    ) -> None:
        self._task, self._seconds, self._megabytes = task, seconds, megabytes
        self._most, self._jobs = most, jobs
        self._wait = seconds if wait is None else wait
        self._idle: list[_Child] = []
        self._begin()
        os.register_at_fork(after_in_child=self._begin)
        atexit.register(self.close)

    def __call__(self, given: bytes) -> bytes:
        """Do one piece of work; UnableError where it cannot be, or not in time.

        Its kinds BusyError and DiedError may pass.
        """
        if not self._free.acquire(timeout=self._wait):
            raise BusyError("all processes were busy")
        try:
            return self._done(given)
        finally:
            self._free.release()

    def close(self) -> None:
        """End the processes that are idle; others may be started again."""
        with self._lock:
            idle, self._idle = self._idle, []
        for child in idle:
            child.end()

    def _begin(self) -> None:
        """Have no processes: at first, and in a fork, which must not share them."""
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(self._most)
        self._idle = []

    def _done(self, given: bytes) -> bytes:
        child = self._idle_one() or _Child(self._task, self._seconds, self._megabytes)
        try:
            answer = child.work(given)
        except BaseException:
            child.end()
            raise
        if child.jobs < self._jobs:
            with self._lock:
                self._idle.append(child)
        else:
            child.end()
        if answer[:1] == _UNABLE:
            raise UnableError(answer[1:].decode("utf-8", "replace"))
        return answer[1:]

    def _idle_one(self) -> "_Child | None":
        """Take the process that worked last: its memory is warm."""
        with self._lock:
            while self._idle:
                child = self._idle.pop()
                if child.is_alive():
                    return child
                child.end()
        return None


class _Child:
    def __init__(self, task: str, seconds: float, megabytes: int) -> None:
        self.jobs, self._seconds = 0, seconds
        self._process = subprocess.Popen(  # noqa: S603 - a module of ours
            [
                sys.executable,
                "-m",
                "gateway.confined",
                task,
                str(seconds),
                str(megabytes),
            ],
            cwd=ROOT,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a traceback may quote what was worked on
        )
        assert self._process.stdin is not None  # noqa: S101 - for the types: a pipe
        assert self._process.stdout is not None  # noqa: S101
        self._to, self._from = self._process.stdin, self._process.stdout
        os.set_blocking(self._to.fileno(), False)
        os.set_blocking(self._from.fileno(), False)

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def work(self, given: bytes) -> bytes:
        self.jobs += 1
        until = time.monotonic() + self._seconds
        try:
            self._send(len(given).to_bytes(_HEAD) + given, until)
            return self._receive(int.from_bytes(self._receive(_HEAD, until)), until)
        except OSError as error:
            raise DiedError("its process died") from error

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        for pipe in (self._to, self._from):
            with suppress(OSError):
                pipe.close()
        self._process.wait()

    def _send(self, body: bytes, until: float) -> None:
        left = memoryview(body)
        while left:
            _wait_for(self._to.fileno(), select.POLLOUT, until)
            with suppress(BlockingIOError):
                left = left[os.write(self._to.fileno(), left[:_CHUNK]) :]

    def _receive(self, size: int, until: float) -> bytes:
        body = bytearray()
        while len(body) < size:
            _wait_for(self._from.fileno(), select.POLLIN, until)
            part = os.read(self._from.fileno(), size - len(body))
            if not part:
                raise DiedError("its process died: out of memory or time, or a crash")
            body += part
        return bytes(body)


def _wait_for(handle: int, event: int, until: float) -> None:
    poll = select.poll()
    poll.register(handle, event)
    if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
        raise TooLongError("it took too long")


def serve(task: str, seconds: float, megabytes: int) -> None:
    """Do the work of a child process, until its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent says when to stop
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump would hold patient data
    given, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):  # what a library prints must not be taken for an answer
        os.dup2(nowhere, standard)
    module, _, name = task.partition(":")
    function: Callable[[bytes], bytes] = getattr(import_module(module), name)
    most = megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    for nothing in (resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC):  # no file, no child
        resource.setrlimit(nothing, (0, 0))
    # To look for garbage in what still grows would make long documents slower
    # by the page: it is done while nobody waits, after one piece and before the next.
    gc.disable()
    gc.freeze()
    while head := given.read(_HEAD):
        _limit_processor_time(seconds)
        answer = _answer(function, given.read(int.from_bytes(head)))
        answers.write(len(answer).to_bytes(_HEAD) + answer)
        answers.flush()
        del answer
        gc.collect()


def _answer(function: Callable[[bytes], bytes], body: bytes) -> bytes:
    try:
        return _DONE + function(body)
    except UnableError as error:
        return _UNABLE + str(error).encode()
    except Exception as error:  # noqa: BLE001 - whatever it is, its name is told
        return _UNABLE + type(error).__name__.encode()


def _limit_processor_time(seconds: float) -> None:
    """Have the system end this process where nobody is left who would."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime + seconds) + _GRACE_SECONDS
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (most, hard))


if __name__ == "__main__":
    # By its full name: the task must raise the UnableError that is caught here.
    import_module("gateway.confined").serve(
        sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    )
