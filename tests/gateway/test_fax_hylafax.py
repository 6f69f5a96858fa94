"""Faxes through hfaxd's protocol over a real line, with a server that misbehaves.

What a real HylaFAX does with them, tests/fax_rig shows.
"""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from gateway import documents, hylafax_in, messages, schedule, tasks
from gateway.channels import fax_hylafax
from gateway.hylafax_errors import error_class_of
from gateway.message import Message
from gateway.queue import huey
from models import (
    Delivery,
    DeliveryAttempt,
    DeliveryState,
    ErrorClass,
    FaxStatus,
    InboundFax,
)
from pmp import settings
from pmp.deliveries import carrier_copies
from tests.conftest import NOW
from tests.gateway.conftest import PAGE, Clock, fresh, make_delivery, work
from tests.servers.fax_server import FaxServer, Job

pytestmark = pytest.mark.usefixtures("db", "fixed_message", "now")

LOG = "log/xferfaxlog"


@pytest.fixture
def server() -> Iterator[FaxServer]:
    fax_hylafax._checked.clear()
    with (
        FaxServer() as running,
        settings.changed(fax_url=running.url, channel_timeout_seconds=1),
    ):
        yield running


def send(delivery: Delivery) -> Delivery:
    tasks.send_delivery.call_local(delivery.id)
    return fresh(delivery)


def sweep() -> None:
    schedule.sweep_leases()
    schedule.sweep_deliveries()
    work()


def a_fax() -> bytes:
    written = io.BytesIO()
    Image.new("1", (1728, 1078), 1).save(written, "TIFF", compression="group4")
    return written.getvalue()


def test_a_fax_is_submitted_once_as_dots_under_a_tag_of_ours(server: FaxServer) -> None:
    delivery = make_delivery()

    send(delivery)
    send(delivery)

    [job] = server.submitted()
    assert fresh(delivery).state == DeliveryState.SUBMITTED
    [attempt] = DeliveryAttempt.select()
    digits = (attempt.media_sha256 or "")[:24]
    tag = f"{delivery.id}-1.{digits}"
    assert attempt.carrier_reference == f"1:{tag}"
    wanted = {
        "JOBINFO": tag,
        "DIALSTRING": "+18605550123",
        "MODEM": "ttySM0",
        "NOTIFY": "none",
        "VRES": "196",
        "LASTTIME": "030000",
        "DOCUMENT": "/tmp/doc1.tif",  # noqa: S108 - the server's word
    }
    assert wanted.items() <= job.parameters.items()
    [document] = server.documents.values()
    with Image.open(io.BytesIO(document)) as dots:
        assert (dots.format, dots.mode, dots.width) == ("TIFF", "1", 1728)
        assert dots.info["compression"] == "group4"


def test_hylafax_gives_up_when_the_delivery_does(server: FaxServer) -> None:
    delivery = make_delivery()
    until = NOW + timedelta(hours=1, minutes=30)
    Delivery.update(deadline_at=until).execute()

    send(delivery)

    assert server.jobs[0].parameters["LASTTIME"] == "000130"


@pytest.mark.parametrize(
    ("step", "error_class", "state"),
    [
        ("refuse-user", ErrorClass.CONFIGURATION, DeliveryState.QUEUED),
        ("hang", ErrorClass.CARRIER_DOWN, DeliveryState.QUEUED),
        ("drip", ErrorClass.CARRIER_DOWN, DeliveryState.QUEUED),
        ("cut-store", ErrorClass.CARRIER_DOWN, DeliveryState.QUEUED),
        ("refuse-number", ErrorClass.REJECTED, DeliveryState.FAILED),
        ("submit-cut", ErrorClass.IN_DOUBT, DeliveryState.IN_DOUBT),
        ("submit-hang", ErrorClass.IN_DOUBT, DeliveryState.IN_DOUBT),
        ("submit-460", ErrorClass.IN_DOUBT, DeliveryState.IN_DOUBT),
        ("unsubmitted", ErrorClass.IN_DOUBT, DeliveryState.IN_DOUBT),
    ],
)
def test_what_goes_wrong_decides_what_follows(
    server: FaxServer, step: str, error_class: ErrorClass, state: DeliveryState
) -> None:
    server.step = step

    after = send(make_delivery())

    assert (after.error_class, after.state) == (error_class, state)


@pytest.mark.parametrize("step", ["submit-cut", "submit-hang", "submit-460"])
def test_a_fax_in_doubt_is_found_by_its_tag_and_not_sent_again(
    server: FaxServer, now: Clock, step: str
) -> None:
    other = make_delivery()
    send(other)
    server.step = step
    delivery = make_delivery()
    send(delivery)
    server.step = "ok"

    now.go_on(minutes=2)
    sweep()

    assert fresh(delivery).state == DeliveryState.SUBMITTED
    assert len(server.submitted()) == 2
    assert not fresh(delivery).possible_duplicate


def test_a_job_that_was_never_submitted_is_removed_and_the_fax_sent(
    server: FaxServer, now: Clock
) -> None:
    server.step = "unsubmitted"
    delivery = make_delivery()
    send(delivery)
    server.step = "ok"

    now.go_on(minutes=2)
    sweep()
    now.go_on(minutes=2)
    sweep()

    assert fresh(delivery).state == DeliveryState.SUBMITTED
    [job] = server.jobs
    assert job.submitted


def test_a_fax_that_is_gone_from_queues_and_log_is_only_sent_again_in_time(
    server: FaxServer, now: Clock
) -> None:
    """HylaFAX forgets after fifteen minutes: without its log nobody can tell then."""
    server.files[LOG] = None
    server.step = "submit-cut"
    early, late = make_delivery(), make_delivery()
    send(early)
    send(late)
    server.step = "ok"
    server.jobs.clear()
    Delivery.update(due_at=NOW + timedelta(hours=1)).where(
        Delivery.id == late.id
    ).execute()

    now.go_on(minutes=2)
    sweep()
    assert fresh(early).state == DeliveryState.QUEUED  # surely not there
    now.go_on(minutes=70)
    sweep()
    assert fresh(late).state == DeliveryState.IN_DOUBT
    now.go_on(hours=6)
    sweep()

    after = fresh(late)
    assert (after.state, after.needs_staff) == (DeliveryState.HELD, True)
    tags = [job.parameters["JOBINFO"] for job in server.submitted()]
    assert not [tag for tag in tags if tag.startswith(f"{late.id}-")]


def test_a_job_that_has_been_cleaned_away_is_found_in_a_log_of_this_machine(
    server: FaxServer, now: Clock, tmp_path: Path
) -> None:
    delivery = make_delivery()
    send(delivery)
    tag = server.jobs.pop().parameters["JOBINFO"]
    call = ["11/23/26 15:15", "SEND", "7", "ttySM0", "1", f'"{tag}"', "x", '"+1860"']
    call += ['"PRACTICE"', "1", "2", "0:01:00", "0:00:50", '""', '""', '""']
    noise = [*call]
    noise[5], noise[13] = '"9-1.0123456789abcdef01234567"', '"Busy signal detected"'
    log = tmp_path / "xferfaxlog"
    log.write_text("\t".join(call) + "\n" + "\t".join(noise) + "\nRECV\n")

    now.go_on(minutes=3)
    with settings.changed(fax_url=f"{server.url}?log={log}"):
        sweep()

    assert fresh(delivery).state == DeliveryState.DELIVERED
    [attempt] = DeliveryAttempt.select()
    assert (attempt.pages_sent, attempt.station) == (2, "PRACTICE")


def test_a_fax_that_was_cut_and_gone_on_with_is_whole(
    server: FaxServer, now: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = documents.drawn("test", PAGE + "<pdf:nextpage/><p>Page</p>" * 3)
    message = Message("+18605550123", pdf=pages)
    monkeypatch.setattr(messages, "compose", lambda *_: message)
    delivery = make_delivery()
    send(delivery)
    tag = server.jobs.pop().parameters["JOBINFO"]
    log = tmp_path / "xferfaxlog"
    log.write_text(_sent(tag, 3, "Lost carrier") + _sent("9-1.x", 9) + _sent(tag, 1))

    now.go_on(minutes=40)
    with settings.changed(fax_url=f"{server.url}?log={log}"):
        sweep()

    assert fresh(delivery).state == DeliveryState.DELIVERED
    assert DeliveryAttempt.get().pages_sent == 4


def _sent(tag: str, pages: int, reason: str = "") -> str:
    """Write a line of HylaFAX's log: a call that sends."""
    call = ["11/23/26 15:15", "SEND", "7", "ttySM0", "1", f'"{tag}"', "x", '"+1860"']
    call += ['"PRACTICE"', "1", f"{pages}", "0:01:00", "0:00:50", f'"{reason}"']
    return "\t".join([*call, '""', '""']) + "\n"


@pytest.mark.parametrize("letter", ["P", "S", "B", "W", "R"])
def test_a_job_that_waits_or_runs_is_on_its_way(
    server: FaxServer, now: Clock, letter: str
) -> None:
    delivery = make_delivery()
    send(delivery)
    server.jobs[0].state = letter
    server.jobs[0].status = "Blocked by concurrent calls"

    now.go_on(minutes=3)
    sweep()

    after = fresh(delivery)
    assert (after.state, after.error_class) == (DeliveryState.SUBMITTED, None)


def test_a_job_that_failed_says_how_far_it_came(server: FaxServer, now: Clock) -> None:
    delivery = make_delivery()
    send(delivery)
    server.jobs[0].state, server.jobs[0].pages = "F", 1
    server.jobs[0].status = "Unspecified Transmit Phase C error; too many attempts"

    now.go_on(minutes=3)
    sweep()

    after = fresh(delivery)
    assert after.error_class == ErrorClass.LINE_DROPPED
    assert after.state == DeliveryState.QUEUED
    [attempt] = DeliveryAttempt.select()
    assert (attempt.pages_sent, attempt.station) == (1, "PRACTICE")


@pytest.mark.parametrize(
    ("status", "error_class"),
    [
        ("Busy signal detected; too many attempts to dial", ErrorClass.BUSY),
        ("No answer from remote", ErrorClass.NO_ANSWER),
        ("Ringback detected, no answer without CED", ErrorClass.NO_ANSWER),
        ("No answer (T.30 T1 timeout)", ErrorClass.NOT_A_FAX),
        ("No carrier detected", ErrorClass.NOT_A_FAX),
        ("Carrier established, but Phase A failure", ErrorClass.NOT_A_FAX),
        ("No local dialtone", ErrorClass.CARRIER_DOWN),
        ("Unable to setup modem on /dev/ttyS0", ErrorClass.CARRIER_DOWN),
        ("Failure to receive silence (synchronization failure).", "line_dropped"),
        ("No response to PPS repeated 3 times.", ErrorClass.LINE_DROPPED),
        ("RSPREC error/got DCN (receiver abort)", ErrorClass.LINE_DROPPED),
        ("Unable to transmit page (giving up after RTN)", ErrorClass.LINE_DROPPED),
        ("Unable to convert dial string to canonical format", ErrorClass.REJECTED),
        ("Rejected document in corrupt job request", ErrorClass.REJECTED),
        ("Too many pages in submission; max 4", ErrorClass.DOCUMENT),
        ("Kill time expired", ErrorClass.UNKNOWN),
        ("Something that no version has said yet", ErrorClass.UNKNOWN),
    ],
)
def test_hylafaxs_own_words_are_told_apart(status: str, error_class: str) -> None:
    assert error_class_of(status) == error_class


@pytest.mark.parametrize(
    ("config", "sent"),
    [
        (b"MaxBatchJobs: 1\n", 1),
        (b'maxbatchjobs:  "1"\n', 1),
        (b"#MaxBatchJobs: 1\n", 0),
        (b"MaxBatchJobs: 1\nMaxBatchJobs: 12\n", 0),
        (b"CountryCode: 1\n", 0),  # 64 by default
        (None, 1),  # not for us: said by fax check and in the log
    ],
)
def test_no_two_faxes_may_share_a_call(
    server: FaxServer, config: bytes | None, sent: int
) -> None:
    server.files["etc/config"] = config

    after = send(make_delivery())

    assert len(server.submitted()) == sent
    if not sent:
        assert after.error_class == ErrorClass.CONFIGURATION
        assert "MaxBatchJobs" in after.error_text


def test_what_is_cancelled_is_killed_at_once_and_its_pages_are_deleted(
    server: FaxServer, now: Clock
) -> None:
    kept, cancelled = make_delivery(), make_delivery()
    send(kept)
    send(cancelled)
    for delivery, state in ((kept, "delivered"), (cancelled, "cancelled")):
        Delivery.update(state=state, final_at=NOW).where(
            Delivery.id == delivery.id
        ).execute()

    schedule.sweep_rest()
    work()
    assert [job.number for job in server.jobs] == [1]
    assert {"JKILL 2", "JDELE 2", "DELE docq/doc2.tif"} <= set(server.asked)

    now.go_on(minutes=11)
    server.jobs[0].state = "D"
    schedule.sweep_rest()
    work()
    assert server.jobs == []
    assert "JKILL 1" not in server.asked
    assert carrier_copies.to_forget(carrier="hylafax", at=now()) == []


def test_received_faxes_are_fetched_kept_and_then_deleted(server: FaxServer) -> None:
    server.received = {
        "fax000000001.tif": (a_fax(), " |8605550111|PRACTICE"),
        "fax000000002.tif": (b"", "*|0||"),  # still coming in
        "fax000000003.tif": (b"no fax at all", " ||"),
    }

    for _ in range(2):
        schedule.sweep_hylafax()
        assert huey.pending_count() == 1  # in a task: the timer waits for nobody
        tasks.collect_faxes.call_local()
        huey.flush()

    fax, other = InboundFax.select().order_by(InboundFax.id)
    assert (fax.from_number, fax.station) == ("+18605550111", "PRACTICE")
    assert (fax.source, fax.status) == ("hylafax", FaxStatus.RECEIVED)
    assert list(server.received) == ["fax000000002.tif"]
    assert (other.status, other.note) == (
        FaxStatus.UNREADABLE,
        "The file is not a PDF, TIFF or PNG.",
    )


@pytest.mark.parametrize("sizes", [True, False])
def test_a_fax_that_is_too_large_stays_and_those_after_it_are_fetched(
    server: FaxServer, monkeypatch: pytest.MonkeyPatch, *, sizes: bool
) -> None:
    server.sizes = sizes
    monkeypatch.setattr("gateway.pages.LARGEST_FILE", 100_000)
    server.received = {
        "fax000000001.tif": (a_fax() + b"x" * 9_000_000, " ||"),
        "fax000000002.tif": (a_fax(), " |8605550111|PRACTICE"),
    }

    assert len(hylafax_in.collect()) == 1

    assert list(server.received) == ["fax000000001.tif"]
    assert InboundFax.get().from_number == "+18605550111"
    # Where its size is told it is not even fetched, at no sweep.
    assert ("RETR recvq/fax000000001.tif" in server.asked) is not sizes
    said = " ".join(each.text for each in fax_hylafax.check())
    assert ("fax000000001.tif in recvq is larger" in said) is sizes


def test_a_fax_that_could_not_be_kept_stays_at_hylafax(
    server: FaxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.received = {"fax000000001.tif": (a_fax(), " ||")}

    def fail(*_: object, **__: object) -> None:
        raise OSError("no space")

    with monkeypatch.context() as full:
        full.setattr("gateway.inbound.receive_file", fail)
        with pytest.raises(OSError, match="no space"):
            hylafax_in.collect()

    assert list(server.received) == ["fax000000001.tif"]
    assert hylafax_in.collect()
    assert not server.received


def test_a_hylafax_that_is_away_stops_nothing(server: FaxServer) -> None:
    server.step = "hang"

    assert hylafax_in.collect() == []


def test_the_check_says_what_is_lacking(server: FaxServer) -> None:
    server.admin, server.files[LOG] = False, None
    server.files["etc/config"] = None
    server.jobs.append(Job(9, state="R"))

    found = list(fax_hylafax.check())

    assert [each.is_good for each in found] == [True, None, False, False]
    said = " ".join(each.text for each in found)
    for word in ("1 faxes", "MaxBatchJobs: 1", "?admin=password", "?log="):
        assert word in said


def test_no_password_is_in_what_is_told(
    server: FaxServer, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("gateway", "pmp", "ftplib"):
        caplog.set_level("DEBUG", logger=name)
    for step in ("refuse-user", "hang", "submit-cut", "ok"):
        server.step = step
        after = send(make_delivery())
        assert "wire" not in after.error_text

    assert "wire" not in caplog.text
    assert "5550123" not in caplog.text
    account = fax_hylafax.account()
    assert "wire" not in repr(account)
