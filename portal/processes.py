"""Several processes of the portal on one socket: each core serves.

The parent answers nothing. It starts the others, starts another for one that died, and
on TERM has all of them finish. Nothing is shared between them but the socket: sessions,
limits and locks are in the database.
"""

import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

from pmp import logs

logger = logging.getLogger("portal")

STOP_SECONDS = 30
"""How long processes may take to finish before they are killed."""
_FINISH_SECONDS = 20
_GARBAGE = 10_000
_PAUSE_SECONDS = 1
"""Before another is started for one that died: it may die again at once."""
_STOPS = {signal.SIGTERM, signal.SIGINT}


def cores() -> int:
    """Give how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def listen(host: str, port: int) -> socket.socket:
    """Open the socket that all share."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=1024)


def settle() -> None:
    """Say that what is there now stays: it is not searched for garbage any more.

    A page leaves thousands of objects and hardly a cycle; to look for those after each
    few hundred, as Python does, costs a report a twentieth of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE, 20, 20)


def run(server: Any) -> None:
    """Serve until TERM or Ctrl-C, then give what was begun some time to finish."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.run()
    server.task_dispatcher.shutdown(timeout=_FINISH_SECONDS)


class Processes:
    """A number of processes that each run a server; `make` is called within each."""

    def __init__(self, make: Callable[[], Any], count: int) -> None:
        self._make = make
        self._count = count
        self._running: set[int] = set()
        self._stopping = False
        # The others learn from its end that the parent is gone, however it went.
        self._alive, self._parents_end = os.pipe()

    def run(self) -> None:
        """Keep so many running until TERM or Ctrl-C; return when all have ended."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGALRM, self._kill)
        for _ in range(self._count):
            self._start()
        while self._running:
            ended, status = os.wait()
            self._running.discard(ended)
            if not self._stopping:
                fields = {"process": ended, "status": status}
                logger.error("process ended", extra={"fields": fields})
                time.sleep(_PAUSE_SECONDS)
                self._start()
        signal.alarm(0)

    def _start(self) -> None:
        # A signal between the fork and what follows would be taken for the other's.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        if not self._stopping:
            process = os.fork()
            if not process:
                self._serve()
            self._running.add(process)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)

    def _serve(self) -> NoReturn:
        """Be one of them, until the end."""
        status = 1
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all: the
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # parent says TERM
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
            os.close(self._parents_end)
            threading.Thread(target=self._end_with_parent, daemon=True).start()
            run(self._make())
            status = 0
        except SystemExit:
            status = 0
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the last
            where = logs.where(error.__traceback__)
            fields = {"error": type(error).__name__, "where": where}
            logger.error("failure", extra={"fields": fields})  # noqa: TRY400 - no text
        finally:
            os._exit(status)

    def _end_with_parent(self) -> None:
        os.read(self._alive, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True
        signal.alarm(STOP_SECONDS)
        self._tell(signal.SIGTERM)

    def _kill(self, _number: int, _frame: FrameType | None) -> None:
        self._tell(signal.SIGKILL)

    def _tell(self, number: signal.Signals) -> None:
        for process in tuple(self._running):
            with suppress(ProcessLookupError):  # it has ended just now
                os.kill(process, number)
