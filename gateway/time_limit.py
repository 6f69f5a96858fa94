"""A limit on a whole call: one that sends a byte now and then meets no read's time-out.

The call runs in a thread of its own. When its time is over the caller goes on and the
thread is told to end: it does so at the next byte that comes, or at its own time-out.
"""

import ctypes
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from gateway.message import DeliveryError
from models import ErrorClass
from pmp import database, settings

Answer = TypeVar("Answer")


class _OutOfTimeError(TimeoutError):
    """Ends the thread of a call; libraries close their sockets as at any time-out."""


def within_limit(call: Callable[[], Answer], *, otherwise: ErrorClass) -> Answer:
    """Make a call and give its answer, or raise as it does.

    DeliveryError with the class `otherwise` where it takes longer than the settings'
    `most_call_seconds`, which is less than the lease.
    """
    answers: list[Answer] = []
    errors: list[Exception] = []
    thread = threading.Thread(
        target=_run, args=(call, answers, errors), name="call", daemon=True
    )
    thread.start()
    thread.join(settings.current().most_call_seconds)
    if thread.is_alive():
        _end(thread)
        raise DeliveryError(otherwise, "the carrier did not end the call in time")
    if errors:
        raise errors[0]
    return answers[0]


def _run(call: Callable[[], Any], answers: list[Any], errors: list[Exception]) -> None:
    try:
        with database.connected():  # a channel may look something up
            answers.append(call())
    except Exception as error:  # noqa: BLE001 - raised again where it is waited for
        errors.append(error)


def _end(thread: threading.Thread) -> None:
    number = ctypes.c_ulong(thread.ident or 0)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        number, ctypes.py_object(_OutOfTimeError)
    )
