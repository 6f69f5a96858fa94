"""The portal on waitress: slow clients do not stall it, and bodies stay in memory.

Processes that share a socket share the work: who comes first is served first.
"""

from time import monotonic
from typing import Any

from flask import Flask
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from pmp import settings

THREADS = 8
AT_ONCE = 1
"""Pages that a process makes at the same time. Two would take turns at one interpreter,
and the one whose turn it is at the audit record would wait for the other."""
LONG_SECONDS = 0.25
"""What takes longer, as a paper does, is not counted: nobody waits for its end."""
_ARRIVING_SECONDS = 0.02
_LOOK_SECONDS = 0.05
MEGABYTE = 1024 * 1024


class _Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that knows when it came, and when its page was asked for."""

    def __init__(self, *given: Any, **named: Any) -> None:
        self.came_at = self.asked_at = monotonic()
        super().__init__(*given, **named)

    def counts(self, now: float) -> bool:
        """Tell whether a page is being made for it, or is about to be.

        Not while it is still being asked for: an upload may take minutes to come in.
        """
        if self.requests:
            return bool(now - self.asked_at < LONG_SECONDS)
        has_said_nothing = self.last_activity == self.creation_time
        return bool(has_said_nothing and now - self.came_at < _ARRIVING_SECONDS)


class _Server(TcpWSGIServer):  # type: ignore[misc]
    """Takes no connection that it cannot begin with while another process could.

    Waitress takes whatever comes: one process then has six pages to make and the other
    none. Here they wait in the system's queue, in their order, for whoever is free.
    """

    channel_class = _Channel

    def add_task(self, task: _Channel) -> None:
        task.asked_at = monotonic()
        super().add_task(task)

    def readable(self) -> bool:
        return bool(super().readable()) and self._has_room()

    def _has_room(self) -> bool:
        now = monotonic()
        channels = list(self.active_channels.values())
        at_work = sum(bool(each.requests) for each in channels)
        counted = sum(each.counts(now) for each in channels)
        return counted < AT_ONCE and at_work < int(self.adj.threads)


def make_server(app: Flask, listening: Any, *, threads: int = THREADS) -> Any:
    """Make the server on a socket that listens, which others may share; run() blocks.

    Waitress spools large bodies to temporary files: its limits lie above ours, so that
    no patient data is written there. Only the proxy that the settings name is believed
    when it says who asks.
    """
    chosen = settings.current()
    largest = chosen.most_upload_megabytes + 1
    in_memory = 2 * largest * MEGABYTE
    adjustments = Adjustments(
        sockets=[listening],
        threads=threads,
        ident=None,
        max_request_body_size=largest * MEGABYTE,
        inbuf_overflow=in_memory,
        outbuf_overflow=in_memory,
        **_proxy(chosen.trusted_proxy),
    )
    adjustments.asyncore_loop_timeout = _LOOK_SECONDS  # as an option: whole seconds
    dispatcher = ThreadedTaskDispatcher()
    dispatcher.set_thread_count(threads)
    named = (listening.family, listening.type, listening.proto, listening.getsockname())
    return _Server(
        app,
        {},
        _sock=listening,
        dispatcher=dispatcher,
        adj=adjustments,
        sockinfo=named,
        bind_socket=False,
    )


def _proxy(address: str) -> dict[str, Any]:
    if not address:
        return {"clear_untrusted_proxy_headers": True}
    return {
        "trusted_proxy": address,
        "trusted_proxy_count": 1,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"},
        "clear_untrusted_proxy_headers": True,
    }
