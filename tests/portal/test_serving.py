"""Processes on one socket share the work: none takes what it cannot begin with."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection
from time import monotonic, sleep
from typing import Any

import pytest
from flask import Flask, Response
from waitress import wasyncore

from portal import processes, serving

MANY = 12


class Desk:
    """A server of its own on a socket that it may share; `slow` ends when told."""

    def __init__(self, name: str, listening: socket.socket) -> None:
        self.begun, self.end = threading.Semaphore(0), threading.Event()
        app = Flask(name)
        app.add_url_rule("/quick", "quick", lambda: name)
        app.add_url_rule("/slow", "slow", self._slow)
        app.add_url_rule("/long", "long", self._long)
        self.server = serving.make_server(app, listening, threads=4)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()

    def _slow(self) -> str:
        self.begun.release()
        assert self.end.wait(20)
        return "slow"

    def _long(self) -> Response:
        """Send a part now and then, as a long file is sent."""

        def parts() -> Iterator[str]:
            self.begun.release()
            for _ in range(200):
                yield "part\n"
                if self.end.wait(0.05):
                    return

        return Response(parts())

    def stop(self) -> None:
        """End the work, then let the server's own thread close every connection."""
        self.end.set()
        self.server.task_dispatcher.shutdown(timeout=5)
        open_ones = self.server._map
        # A page that has just ended may wake it first: it closes what is pulled here.
        with suppress(OSError):
            self.server.trigger.pull_trigger(lambda: wasyncore.close_all(open_ones))
        self.thread.join(5)
        assert not self.thread.is_alive()


@pytest.fixture
def clients() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(MANY) as pool:
        yield pool


@pytest.fixture
def opened(clients: ThreadPoolExecutor) -> Iterator[Callable[..., Desk]]:
    """Open desks; they close before their clients' threads are waited for."""
    listening = processes.listen("127.0.0.1", 0)
    desks: list[Desk] = []

    def open_desk(name: str) -> Desk:
        desks.append(Desk(name, listening.dup()))
        return desks[-1]

    yield open_desk
    for desk in desks:
        desk.stop()
    listening.close()


def ask(desk: Desk, path: str) -> str:
    line = HTTPConnection("127.0.0.1", desk.server.effective_port, timeout=20)
    line.request("GET", path, headers={"Connection": "close"})
    answer = line.getresponse().read().decode()
    line.close()
    return answer


def occupied(
    desk: Desk, clients: ThreadPoolExecutor, pages: int, path: str = "/slow"
) -> list[Future[str]]:
    """Have a desk begin with so many pages that do not end."""
    asked = [clients.submit(ask, desk, path) for _ in range(pages)]
    for _ in asked:
        assert desk.begun.acquire(timeout=10)
    return asked


def test_who_has_enough_to_do_leaves_the_rest_to_the_other(
    opened: Callable[..., Desk],
    clients: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serving, "LONG_SECONDS", 60)
    busy = opened("busy")
    waiting = occupied(busy, clients, serving.AT_ONCE)
    opened("free")

    answers = list(clients.map(ask, [busy] * MANY, ["/quick"] * MANY))

    assert answers == ["free"] * MANY
    busy.end.set()
    assert [each.result() for each in waiting] == ["slow"] * serving.AT_ONCE


def test_what_waits_is_taken_when_a_page_is_done(
    opened: Callable[..., Desk],
    clients: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serving, "LONG_SECONDS", 60)
    busy = opened("busy")
    occupied(busy, clients, serving.AT_ONCE)
    quick = clients.submit(ask, busy, "/quick")
    sleep(0.5)
    assert not quick.done()

    busy.end.set()

    assert quick.result() == "busy"


def test_what_takes_long_holds_up_nobody(
    opened: Callable[..., Desk], clients: ThreadPoolExecutor
) -> None:
    busy = opened("busy")
    occupied(busy, clients, serving.AT_ONCE)

    assert ask(busy, "/quick") == "busy"


def test_with_all_threads_at_work_the_other_is_asked(
    opened: Callable[..., Desk],
    clients: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serving, "LONG_SECONDS", 0)
    busy = opened("busy")
    occupied(busy, clients, busy.server.adj.threads)
    opened("free")

    answers = list(clients.map(ask, [busy] * MANY, ["/quick"] * MANY))

    assert answers == ["free"] * MANY


def test_files_that_are_sent_part_by_part_hold_up_nobody(
    opened: Callable[..., Desk], clients: ThreadPoolExecutor
) -> None:
    busy = opened("busy")
    sent = occupied(busy, clients, serving.AT_ONCE, "/long")

    assert ask(busy, "/quick") == "busy"

    assert not any(each.done() for each in sent)


def test_a_connection_that_is_kept_after_its_answer_holds_up_nobody(
    opened: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_ARRIVING_SECONDS", 60)
    desk = opened("free")
    kept = []
    for _ in range(serving.AT_ONCE + 1):
        line = HTTPConnection("127.0.0.1", desk.server.effective_port, timeout=20)
        line.request("GET", "/quick")
        assert line.getresponse().read() == b"free"
        kept.append(line)
    for line in kept:
        line.close()


def test_uploads_that_take_their_time_hold_up_nobody(
    opened: Callable[..., Desk], clients: ThreadPoolExecutor
) -> None:
    desk = opened("busy")
    answered, arriving = threading.Event(), threading.Semaphore(0)

    def upload() -> bool:
        """Send a byte now and then until the other is answered, or nobody is."""
        address = ("127.0.0.1", desk.server.effective_port)
        with socket.create_connection(address) as line:
            line.sendall(b"POST /quick HTTP/1.1\r\nContent-Length: 1000\r\n\r\n")
            for _ in range(200):
                line.sendall(b"x")
                arriving.release()
                if answered.wait(0.05):
                    return True
        return False

    uploads = [clients.submit(upload) for _ in range(serving.AT_ONCE)]
    for _ in range(4 * serving.AT_ONCE):
        assert arriving.acquire(timeout=10)

    assert ask(desk, "/quick") == "busy"

    answered.set()
    assert all(each.result() for each in uploads)


def test_a_browser_that_connects_and_says_nothing_holds_up_nobody(
    opened: Callable[..., Desk],
) -> None:
    desk = opened("busy")
    silent: list[Any] = [
        socket.create_connection(("127.0.0.1", desk.server.effective_port))
        for _ in range(serving.AT_ONCE + 1)
    ]
    began = monotonic()

    assert ask(desk, "/quick") == "busy"

    assert monotonic() - began < 10
    for each in silent:
        each.close()
