"""The patient report's page beside the smallest page of the same server.

A real `serve` process on an empty program with one user and two patients, of 90 and of
900 fills; eight clients ask at once, each as soon as it has its answer.  The limit is
the user's own account page, from the same process: session, database and frame as each
page has them.  Opening a report also writes the disclosure and the audit record.
"""

import http.client
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from time import monotonic, perf_counter, sleep

from bench import Measure
from bench._engines import each_engine
from bench._patients import NAMES, look_up, make_patient, make_user, program
from models import User
from pmp import clock
from pmp.accounts import sessions
from portal import create_app

PART = "report"
FILLS, MANY = 90, 900
CLIENTS = 8
REQUESTS = 240
ROUNDS = 2
TARGET = 1 / 5
MOST_MS = 100.0
MOST_GROWTH = 1.1
PATIENCE_SECONDS = 30
Ask = Callable[[str], float]


def run(scale: float) -> list[Measure]:
    """Measure SQLite, and Postgres where one answers."""
    requests = max(4 * CLIENTS, round(REQUESTS * scale))
    return [
        measure
        for engine, url in each_engine()
        for measure in _measured(engine, url, requests)
    ]


def _measured(engine: str, url: str, requests: int) -> list[Measure]:
    with program(url) as given:
        user = make_user()
        pages = []
        for last, fills in zip(NAMES, (FILLS, MANY), strict=False):
            make_patient(last, fills)
            token = look_up(last, by=user).token
            pages.append(f"/reports/{token}")
        with _served(given, _cookie(user)) as ask:
            hello: list[float] = []
            report: list[float] = []
            waits: list[float] = []
            for _ in range(ROUNDS):
                hello.append(_per_second(ask, "/account", requests)[0])
                rate, times = _per_second(ask, pages[0], requests)
                report.append(rate)
                waits.append(sorted(times)[int(len(times) * 0.95)] * 1000)
            alone = [min(ask(page) for _ in range(5)) for page in pages]
    best, limit, p95 = max(report), max(hello), min(waits)
    each = [
        seconds * 1e6 / fills
        for seconds, fills in zip(alone, (FILLS, MANY), strict=True)
    ]
    rows = (
        (f"{FILLS} fills, {engine}", best, limit, TARGET, "pages/s"),
        (f"95 of 100 waits, {engine}", p95, MOST_MS, -1.0, "ms"),
        (f"fill of {MANY} by {FILLS}, {engine}", each[1], each[0], -MOST_GROWTH, "us"),
    )
    return [
        Measure(PART, name, result, bound, result / bound, target, unit)
        for name, result, bound, target, unit in rows
    ]


def _per_second(ask: Ask, page: str, requests: int) -> tuple[float, list[float]]:
    """Give requests a second under all clients, and how long each waited."""
    start = perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        times = list(clients.map(ask, [page] * requests))
    return requests / (perf_counter() - start), times


@contextmanager
def _served(given: dict[str, str], cookie: str) -> Iterator[Ask]:
    """Start a portal of its own; give what asks it for a page and tells the seconds."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "flask",
                "--app",
                "wsgi",
                "serve",
                "--port",
                str(port),
            ],
            cwd=Path(__file__).parent.parent,
            env={"PATH": os.environ["PATH"], "PMP_DATA_DIR": folder, **given},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

        kept = {"Cookie": cookie}

        def ask(page: str) -> float:
            start = perf_counter()
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            client.request("GET", page, headers=kept)
            answer = client.getresponse()
            answer.read()
            client.close()
            if answer.status != 200:
                raise AssertionError(f"{page}: {answer.status}")
            if given := answer.getheader("Set-Cookie"):  # as a browser keeps it
                kept["Cookie"] = given.partition(";")[0]
            return perf_counter() - start

        try:
            _wait_for(ask)
            yield ask
        finally:
            server.terminate()
            server.wait(timeout=PATIENCE_SECONDS)


def _wait_for(ask: Ask) -> None:
    deadline = monotonic() + PATIENCE_SECONDS
    while True:
        try:
            ask("/healthz")
        except OSError:
            if monotonic() > deadline:
                raise
            sleep(0.1)
        else:
            return


def _cookie(user: User) -> str:
    """Give the cookie of a browser in which the user has signed in."""
    token = sessions.begin(
        user=user, address="127.0.0.1", browser="bench", at=clock.now()
    )
    app = create_app()
    serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    return (
        f"{app.config['SESSION_COOKIE_NAME']}={serializer.dumps({'_user_id': token})}"
    )
