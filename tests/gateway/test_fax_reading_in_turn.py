"""Faxes are read some at once and no more; what was not their fault comes again."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from gateway import fax_reading, lanes, reading_apart, tasks
from gateway.confined import BusyError, DiedError, UnableError
from models import FaxStatus, InboundFax, TicketAttachment
from pmp import database, faxes
from pmp.fax_parts import Sheet
from pmp.faxes import fax_sheets, inbound_media
from pmp.tickets import faxed_papers
from tests.conftest import NOW
from tests.factories import make_application, make_ticket
from tests.faxes import now as row
from tests.faxes import page, receive, tiff
from tests.gateway.conftest import Clock, work

pytestmark = [pytest.mark.each_engine, pytest.mark.usefixtures("db")]


def keep(name: str) -> InboundFax:
    return faxes.receive(
        body=b"II*\x00" + name.encode(),
        media_type="image/tiff",
        from_number="",
        source="test",
        source_reference=name,
        at=NOW,
    )


def failing(monkeypatch: pytest.MonkeyPatch, fault: UnableError) -> None:
    def fail(_: bytes) -> bytes:
        raise fault

    monkeypatch.setattr(reading_apart, "_reading", fail)


@pytest.mark.parametrize("fault", [BusyError("x"), DiedError("x")])
def test_a_fax_that_nobody_could_read_now_is_read_by_the_sweep(
    monkeypatch: pytest.MonkeyPatch, now: Clock, fault: UnableError
) -> None:
    fax = keep("one")
    with monkeypatch.context() as patched:
        failing(patched, fault)
        tasks.read_fax.call_local(fax.id)

    assert row(fax).status == FaxStatus.RECEIVED
    now.at += timedelta(minutes=6)
    assert inbound_media.unread(at=now.at) == [fax.id]


def test_a_file_that_kills_its_reader_each_time_is_left_to_staff(
    monkeypatch: pytest.MonkeyPatch, now: Clock
) -> None:
    fax = keep("one")
    now.at += timedelta(minutes=21)
    failing(monkeypatch, BusyError("x"))
    tasks.read_fax.call_local(fax.id)
    assert row(fax).status == FaxStatus.RECEIVED  # nobody has looked at it yet

    failing(monkeypatch, DiedError("x"))
    tasks.read_fax.call_local(fax.id)

    assert (row(fax).status, row(fax).note) == ("unreadable", fax_reading.BROKE)


def test_a_part_whose_pages_nobody_could_cut_now_is_cut_by_the_sweep(
    monkeypatch: pytest.MonkeyPatch, now: Clock
) -> None:
    ticket, application = make_ticket(), make_application()
    code = faxed_papers.code_of(ticket)
    with monkeypatch.context() as patched:

        def fail(*_: object) -> bytes:
            raise reading_apart.NotReadNowError(died=True)

        patched.setattr(reading_apart, "cut", fail)
        whole = receive(tiff([page(application.code), page(code)]))
    _, part = fax_sheets.parts_of(whole)
    assert part.status == FaxStatus.RECEIVED

    tasks.read_fax.call_local(part.id)

    assert row(part).status == FaxStatus.FILED
    assert [each.ticket for each in TicketAttachment.select()] == [ticket]


def test_what_is_being_read_is_not_waiting() -> None:
    longest = timedelta(seconds=reading_apart.SECONDS + reading_apart.WAIT_SECONDS)

    assert longest < inbound_media.READING_GRACE


# --- Some at once


class Slow:
    """A reader that reads when it is told to."""

    def __init__(self) -> None:
        self.goes_on, self.begun = threading.Event(), threading.Semaphore(0)
        self.read: list[bytes] = []

    def sheets(self, body: bytes, _media_type: str) -> list[Sheet]:
        self.read.append(body)
        self.begun.release()
        self.goes_on.wait(30)
        return [Sheet(1)]


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    reader = Slow()
    monkeypatch.setattr(reading_apart, "sheets", reader.sheets)
    lanes.divide(4)
    yield reader
    reader.goes_on.set()
    lanes.divide(1)


def start(fax: InboundFax) -> threading.Thread:
    def read() -> None:
        with database.connected():
            fax_reading.read_in_turn(fax.id)

    thread = threading.Thread(target=read)
    thread.start()
    return thread


def test_no_more_than_half_of_the_threads_read_and_none_reads_what_another_does(
    now: Clock, slow: Slow
) -> None:
    first, second, third = (keep(name) for name in ("one", "two", "three"))
    busy = [start(first)]
    assert slow.begun.acquire(timeout=30)
    tasks.read_fax.call_local(first.id)
    busy.append(start(second))
    assert slow.begun.acquire(timeout=30)

    tasks.read_fax.call_local(third.id)  # and not wait

    assert slow.read == [b"II*\x00one", b"II*\x00two"]
    assert row(third).status == FaxStatus.RECEIVED
    slow.goes_on.set()
    for thread in busy:
        thread.join(30)
    assert row(first).status == row(second).status == FaxStatus.UNMATCHED


def test_who_has_read_a_fax_goes_on_with_the_next(now: Clock, slow: Slow) -> None:
    slow.goes_on.set()
    waiting = [keep(name) for name in ("one", "two", "three")]

    tasks.nudge(tasks.read_fax, waiting[0].id)
    work()

    assert {row(each).status for each in waiting} == {FaxStatus.UNMATCHED}
