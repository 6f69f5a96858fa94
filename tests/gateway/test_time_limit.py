"""A call ends, however slowly its carrier talks."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from gateway import tasks
from gateway.message import DeliveryError
from gateway.time_limit import within_limit
from models import ChannelName, DeliveryState, ErrorClass
from pmp import settings
from tests.gateway.conftest import Clock, fresh, make_delivery


class Dripping:
    """A mail relay that sends one byte of its greeting now and then, for ever."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.closed = threading.Event()
        self.stop = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self.server.accept()
        with connection:
            while not self.stop.wait(0.05):
                try:
                    connection.sendall(b"2")
                except OSError:
                    self.closed.set()
                    return


@pytest.fixture
def dripping() -> Iterator[Dripping]:
    relay = Dripping()
    yield relay
    relay.stop.set()
    relay.server.close()


@pytest.mark.usefixtures("db", "fixed_message")
def test_a_relay_that_drips_is_left_before_the_lease_is_over(
    now: Clock, dripping: Dripping
) -> None:
    with settings.changed(
        mail_url=f"smtp://127.0.0.1:{dripping.port}?tls=none",
        channel_timeout_seconds=1,
        lease_seconds=2,
    ):
        delivery = make_delivery(ChannelName.EMAIL)
        started = time.monotonic()
        tasks.send_delivery.call_local(delivery.id)

    assert time.monotonic() - started < 2
    after = fresh(delivery)
    assert after.state == DeliveryState.IN_DOUBT
    assert after.error_text == "the carrier did not end the call in time"
    assert dripping.closed.wait(30)  # nobody is left behind who listens


def test_a_call_gives_its_answer_and_its_error(db: settings.Settings) -> None:
    def refuse() -> None:
        raise DeliveryError(ErrorClass.BUSY, "busy")

    assert within_limit(lambda: 7, otherwise=ErrorClass.IN_DOUBT) == 7
    with pytest.raises(DeliveryError, match="busy"):
        within_limit(refuse, otherwise=ErrorClass.IN_DOUBT)


@pytest.mark.parametrize(("timeout", "lease"), [(1, 2), (30, 300), (119, 120)])
def test_a_call_is_shorter_than_its_lease_whatever_the_settings(
    program: settings.Settings, timeout: int, lease: int
) -> None:
    with settings.changed(channel_timeout_seconds=timeout, lease_seconds=lease) as ours:
        assert ours.most_call_seconds < lease
