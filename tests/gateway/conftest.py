"""A carrier, a relay, and deliveries whose message is a fixed one."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from waitress.server import create_server

from gateway import documents, messages, tasks
from gateway.message import Message
from gateway.queue import huey
from models import ChannelName, Delivery, DeliveryKind
from pmp import clock, deliveries, settings
from pmp.deliveries import Route
from tests.conftest import NOW
from tests.portals import portal_for
from tests.servers.carrier import KEY, Carrier

_numbers = count(1)
PAGE = """<style>
@font-face { font-family: page; src: url("DejaVuSansCondensed.ttf"); }
body { font-family: page }
</style><p>Page</p>"""


class Clock:
    """The clock of a test: it stands still until it is told to go on."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at

    def go_on(self, **time: float) -> datetime:
        self.at += timedelta(**time)
        return self.at


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Clock:
    still = Clock()
    monkeypatch.setattr(clock, "now", still)
    return still


@pytest.fixture
def carrier() -> Iterator[Carrier]:
    with Carrier(reports=False) as running, sends_to(running):
        yield running


@pytest.fixture
def portal(db: settings.Settings) -> Flask:
    return portal_for(db)


@pytest.fixture
def address(portal: Flask, now: Clock) -> Iterator[str]:
    """Serve a portal that a carrier reaches; give its address."""
    server = create_server(portal, host="127.0.0.1", port=0, threads=4)

    def serve() -> None:
        with suppress(OSError):  # it may look once more at what is closed
            server.run()

    Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()  # its thread ends by itself within a second


@pytest.fixture
def calling(address: str) -> Iterator[Carrier]:
    """Give a carrier and a portal that reach each other."""
    with Carrier() as carrier, sends_to(carrier, public_url=address):
        yield carrier


def sends_to(carrier: Carrier, **changes: Any) -> Any:
    given = {"channel_timeout_seconds": 2, "fax_hours": "0-24", **changes}
    return settings.changed(fax_url=carrier.url, fax_signing_key=KEY, **given)


@pytest.fixture
def fixed_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose without the rules of any kind: a notice by email, a page by fax."""
    page = documents.drawn("test", PAGE)

    def compose(delivery: Delivery, _attempt: Any) -> Message:
        if delivery.channel == ChannelName.EMAIL:
            return Message(delivery.address, subject="A notice", text="Sign in.\n")
        return Message(delivery.address, pdf=page)

    monkeypatch.setattr(messages, "compose", compose)


@cache  # a drawing says when it was made
def pdf_of(pages: int) -> bytes:
    """Give a PDF of so many pages."""
    return documents.drawn("test", PAGE + "<pdf:nextpage/><p>Page</p>" * (pages - 1))


def compose_pages(monkeypatch: pytest.MonkeyPatch, pages: int) -> None:
    """Have every message be a PDF of so many pages."""
    body = pdf_of(pages)

    def compose(delivery: Delivery, _attempt: Any) -> Message:
        return Message(delivery.address, pdf=body)

    monkeypatch.setattr(messages, "compose", compose)


def make_delivery(channel: ChannelName = ChannelName.FAX, **fields: Any) -> Delivery:
    number = next(_numbers)
    addresses = {
        ChannelName.FAX: "+18605550123",
        ChannelName.EMAIL: "doctor@example.org",
        ChannelName.LETTER: "Dr. A\n1 Main Street\nHartford, CT 06106",
    }
    return deliveries.request(
        kind=DeliveryKind.TICKET_NOTICE,
        subject_id=number,
        routes=[Route(channel, fields.pop("address", addresses[channel]))],
        dedupe_key=f"test:{number}",
        at=fields.pop("at", NOW),
        **fields,
    )


def fresh(delivery: Delivery) -> Delivery:
    row: Delivery = Delivery.get_by_id(delivery.id)
    return row


def work() -> None:
    """Do everything that is in the queue, and what that puts there."""
    while (task := huey.dequeue()) is not None:
        huey.execute(task)


__all__ = ["Clock", "fresh", "make_delivery", "sends_to", "tasks", "work"]
