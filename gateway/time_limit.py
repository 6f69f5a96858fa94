"""A limit to how long a whole conversation with a server may last.

A socket's own time-out begins anew with each byte: a server that drips one every few
seconds would hold a worker for ever. When the time is over the connection is shut down
under whoever reads it, who sees a line that was cut.
"""

import contextlib
import os
import socket
import threading
from typing import Self


class TimeLimit:
    """Use as a context manager around the conversation; `watch` each connection."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._watched: list[socket.socket] = []
        self._over = self._ended = False
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            self._ended = True
            for each in self._watched:
                each.close()

    @property
    def is_over(self) -> bool:
        """Tell whether the time ran out before the conversation did."""
        return self._over

    def watch(self, connection: socket.socket) -> None:
        """Cut this connection too when the time is over, or now if it is.

        A second handle of our own: TLS replaces the socket, and a handle that was
        closed and given out anew would cut somebody else's connection.
        """
        own = socket.socket(fileno=os.dup(connection.fileno()))
        with self._lock:
            if self._ended:
                own.close()
                return
            self._watched.append(own)
            if self._over:
                _shut(own)

    def let_go(self) -> None:
        """Close our handle of the connection watched last: its owner hangs up on it.

        As long as we hold it the other side is not told, and goes on sending.
        """
        with self._lock:
            if self._watched:
                self._watched.pop().close()

    def _cut(self) -> None:
        with self._lock:
            if self._ended:
                return
            self._over = True
            for each in self._watched:
                _shut(each)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side was quicker
        connection.shutdown(socket.SHUT_RDWR)
