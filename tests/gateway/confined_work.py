"""Work for processes of their own that goes wrong in every way."""

import os
import signal
import sys
import time
from pathlib import Path

from gateway.confined import UnableError


def work(given: bytes) -> bytes:
    """Do what the first word says, else give back what is given."""
    word = given.split()[0].decode()
    return _WAYS.get(word, bytes)(given)


def _pid(_: bytes) -> bytes:
    return str(os.getpid()).encode()


def _refuse(_: bytes) -> bytes:
    raise UnableError("line 3: no such picture")


def _raise(given: bytes) -> bytes:
    raise ValueError(given)


def _print(given: bytes) -> bytes:
    sys.stdout.write("Canaryquist" * 9)
    sys.stdout.flush()
    return _pid(given)


def _hang(given: bytes) -> bytes:
    time.sleep(60)
    return given


def _spin(given: bytes) -> bytes:
    while given:
        pass
    return given


def _write(given: bytes) -> bytes:
    Path(given.split()[1].decode()).write_bytes(given)
    return given


def _die(given: bytes) -> bytes:
    os.kill(os.getpid(), signal.SIGKILL)
    return given


def _eat(_: bytes) -> bytes:
    return bytes(2**33)


_WAYS = {
    "pid": _pid,
    "refuse": _refuse,
    "raise": _raise,
    "print": _print,
    "hang": _hang,
    "spin": _spin,
    "write": _write,
    "die": _die,
    "eat": _eat,
}
