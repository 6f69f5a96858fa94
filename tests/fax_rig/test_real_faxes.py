"""Real faxes: modulated, negotiated, received, over a line that is cut or busy.

The short form of the rig, which CI runs; the long one is `python -m bench fax`.  One
engine is enough: what differs here is the line.
"""

import io
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageDraw

import models
from gateway import (
    asking,
    barcodes,
    documents,
    fax_pages,
    messages,
    schedule,
    sending,
    tasks,
)
from gateway.channels import fax_hylafax
from gateway.message import Message
from models import (
    ApplicationStatus,
    CaseRecipient,
    ChannelName,
    Delivery,
    DeliveryAttempt,
    DeliveryKind,
    DeliveryState,
    ErrorClass,
    FaxStatus,
    InboundFax,
)
from pmp import clock, database, deliveries, registration, settings
from pmp import documents as kept_documents
from pmp.deliveries import Route, callbacks, doubts, outbox
from pmp.thresholds import threshold_copies
from tests.conftest import missing
from tests.factories import make_application, make_crossing, make_patient
from tests.fax_rig import rig as fax_rig
from tests.fax_rig.rig import BUSY, DOCTOR, Rig
from tests.gateway.conftest import work

pytestmark = pytest.mark.fax

PAPER = 255
STRIP = tuple(
    round(edge * 98 / 25.4) for edge in (fax_pages.LINE_TOP, fax_pages.LINE_BOTTOM)
)


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    if lacking := fax_rig.lacking():
        missing(lacking)
    with Rig(speed=8) as running:
        yield running


@pytest.fixture
def db(
    rig: Rig, sqlite_with_tables: Path, tmp_path: Path, program: settings.Settings
) -> Iterator[settings.Settings]:
    shutil.copy(sqlite_with_tables, tmp_path / "pmp.db")
    with settings.changed(
        fax_url=f"{rig.url}?log={rig.spool}/log/xferfaxlog",
        fax_quality="standard",
        fax_hours="0-24",  # it has no clock but the real one
    ) as chosen:
        database.begin_use()
        with models.database.connection_context():
            yield chosen
        models.database.close_all()


@pytest.fixture
def three_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose three full pages instead of what the delivery is about."""
    text = "Words that fill a page, so that a call is cut in the middle of it. " * 55
    letter = "<style>@page { size: letter; margin: 20mm }</style>"
    body = documents.drawn(
        "test", letter + "<pdf:nextpage/>".join([f"<p>{text}</p>"] * 3)
    )

    def compose(delivery: Delivery, _attempt: Any) -> Message:
        pdf = fax_pages.stamped(body, delivery_id=delivery.id)
        return Message(delivery.address, pdf=pdf)

    monkeypatch.setattr(messages, "compose", compose)


def requested(number: str, *, subject_id: int = 1, kind: str = "") -> Delivery:
    return deliveries.request(
        kind=DeliveryKind(kind or "ticket_notice"),
        subject_id=subject_id,
        routes=[Route(ChannelName.FAX, f"+1{number}")],
        dedupe_key=f"{kind}:{number}",
        at=clock.now(),
    )


def fresh(delivery: Delivery) -> Delivery:
    row: Delivery = Delivery.get_by_id(delivery.id)
    return row


def last_attempt(delivery: Delivery) -> DeliveryAttempt:
    attempt = outbox.last_attempt(delivery)
    assert attempt is not None
    return attempt


def until(happened: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.3)


def ask_until_over(delivery: Delivery) -> Delivery:
    """Ask HylaFAX about a fax as the worker does, until it knows the end."""

    def over() -> bool:
        asking.about_silence(delivery.id)
        return fresh(delivery).state != DeliveryState.SUBMITTED

    until(over)
    return fresh(delivery)


def sheets(body: bytes) -> list[Image.Image]:
    with Image.open(io.BytesIO(body), formats=["TIFF"]) as source:
        found = []
        for number in range(getattr(source, "n_frames", 1)):
            source.seek(number)
            found.append(source.convert("L"))
    return found


def strip(sheet: Image.Image) -> Image.Image:
    return sheet.crop((0, STRIP[0], sheet.width, STRIP[1]))


def in_queues(rig: Rig) -> list[Path]:
    """Give the jobs and the documents that HylaFAX holds."""
    return sorted([*rig.spool.glob("docq/doc*"), *rig.spool.glob("[sd]*q/q*")])


def is_same(one: Image.Image, other: Image.Image) -> bool:
    """Tell whether two pages have every dot alike."""
    return one.size == other.size and not ImageChops.difference(one, other).getbbox()


def signed(pdf: bytes, place: Path) -> Path:
    """Sign a page, and put it on the doctor's machine."""
    [sheet] = sheets(fax_pages.as_tiff(pdf, quality="standard"))
    pen = ImageDraw.Draw(sheet)
    pen.line([(300, 760), (420, 700), (500, 775), (640, 705)], fill=0, width=4)
    sheet.convert("1").save(place, "TIFF", compression="group4", dpi=(204, 98))
    return place


def test_a_threshold_report_comes_out_of_the_doctors_machine(
    rig: Rig, db: settings.Settings
) -> None:
    recipient: CaseRecipient = CaseRecipient.get(
        case=make_crossing(make_patient(last_name="CANARYQUIST"))
    )
    delivery = requested(DOCTOR, subject_id=recipient.id, kind="threshold_report")

    sending.attempt(delivery.id)
    assert fresh(delivery).state == DeliveryState.SUBMITTED
    over = ask_until_over(delivery)

    assert over.state == DeliveryState.DELIVERED
    chart = threshold_copies.copy(
        CaseRecipient.get_by_id(recipient.id),
        draw=documents.threshold_report,
        at=clock.now(),
    )
    assert over.document is not None
    sent = kept_documents.read(over.document)
    assert sent == fax_pages.stamped(chart, delivery_id=delivery.id)
    received = rig.papers()[-1].read_bytes()
    arrived, right = (
        sheets(received),
        sheets(fax_pages.as_tiff(sent, quality="standard")),
    )
    bare = sheets(fax_pages.as_tiff(chart, quality="standard"))
    assert len(arrived) == len(right) == len(bare) > 3
    for page, expected, without in zip(arrived, right, bare, strict=True):
        assert is_same(page, expected)
        assert strip(page).getextrema() == (0, PAPER)  # the line is there,
        assert strip(without).getextrema() == (PAPER, PAPER)  # and alone there
    *_, reply = barcodes.read_codes(received, "image/tiff")
    assert reply.codes == (recipient.reply_code,)
    attempt = last_attempt(over)
    assert (attempt.pages_sent, attempt.station) == (len(arrived), DOCTOR)

    fax_hylafax.forget(attempt.carrier_reference or "")

    assert in_queues(rig) == []


def test_a_signed_page_that_is_faxed_in_finds_its_registration(
    rig: Rig, db: settings.Settings, tmp_path: Path
) -> None:
    application = make_application()
    make_application(first_name="NOISE")
    page = documents.faxable_pdf(
        "confirmation_page", application.code, **registration.confirmation(application)
    )

    rig.fax_in(signed(page, rig.folder / "signed.tif"))
    until(lambda: bool([*rig.drop.glob("*.tif")]))
    tasks.collect_faxes.call_local()
    work()

    [fax] = InboundFax.select()
    assert (fax.status, fax.application) == (FaxStatus.MATCHED, application)
    assert (fax.from_number, fax.station) == (f"+1{DOCTOR}", DOCTOR)
    assert fax.source == "hylafax"
    now = registration.by_code(application.code)
    assert now is not None
    assert now.status == ApplicationStatus.CONFIRMATION_RECEIVED
    assert not [*rig.spool.glob("recvq/fax*")]

    # The hook has put the same fax into the folder: it is the same one.
    shutil.move(rig.drop, tmp_path / "faxes-in")
    until(lambda: not [*(tmp_path / "faxes-in").iterdir()] or bool(_picked_up()))
    assert InboundFax.select().count() == 1
    assert not [*(tmp_path / "faxes-in").iterdir()]


def _picked_up() -> bool:
    schedule.pick_up_faxes()
    work()
    return False


@pytest.mark.usefixtures("db", "three_pages")
def test_a_busy_number_is_tried_again_later(rig: Rig) -> None:
    delivery = requested(BUSY)

    sending.attempt(delivery.id)
    over = ask_until_over(delivery)

    assert (over.state, over.error_class) == (DeliveryState.QUEUED, ErrorClass.BUSY)
    assert over.due_at > clock.now()
    assert last_attempt(over).pages_sent == 0
    assert rig.dialled()[-1] == f"1{BUSY}"


@pytest.mark.usefixtures("db", "three_pages")
def test_a_call_that_is_cut_goes_on_with_the_page_that_broke(rig: Rig) -> None:
    before = len(rig.papers())
    delivery = requested(DOCTOR)
    rig.say(f"cut {DOCTOR} 1")

    sending.attempt(delivery.id)
    over = ask_until_over(delivery)

    assert over.state == DeliveryState.DELIVERED
    assert last_attempt(over).pages_sent == 3
    assert over.document is not None
    sent = kept_documents.read(over.document)
    right = sheets(fax_pages.as_tiff(sent, quality="standard"))
    first, second = (sheets(each.read_bytes()) for each in rig.papers()[before:])
    assert is_same(first[0], right[0])
    assert len(second) == 2  # no page twice, and no cover sheet before these
    for page, expected in zip(second, right[1:], strict=True):
        assert is_same(page, expected)
        assert strip(page).getextrema() == (0, PAPER)


@pytest.mark.usefixtures("db", "three_pages")
def test_a_fax_that_was_submitted_before_the_worker_died_is_found_not_sent_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(rig.dialled())
    delivery = requested(DOCTOR)
    with monkeypatch.context() as killed:
        killed.setattr(deliveries, "mark_submitted", lambda *_, **__: None)
        sending.attempt(delivery.id)
    assert fresh(delivery).state == DeliveryState.SENDING
    assert last_attempt(delivery).carrier_reference is None

    Delivery.update(lease_until=clock.now()).execute()
    doubts.end_leases(repeatable=frozenset(), at=clock.now())
    asking.about_doubt(delivery.id)

    assert fresh(delivery).state == DeliveryState.SUBMITTED
    over = ask_until_over(delivery)
    assert over.state == DeliveryState.DELIVERED
    assert not over.possible_duplicate
    assert len(rig.dialled()) == before + 1
    assert over.attempts == 1

    # Cleaned out of the queues, it is found in the log of calls.
    attempt = last_attempt(over)
    fax_hylafax.forget(attempt.carrier_reference or "")
    found = fax_hylafax.find(over.address, attempt.media_sha256 or "")
    assert found is not None
    assert found.progress == callbacks.Progress.DELIVERED
    assert (found.reference, found.pages) == (attempt.carrier_reference, 3)
    assert found.station == DOCTOR


@pytest.mark.usefixtures("db", "three_pages")
def test_a_fax_that_hylafax_never_had_is_surely_not_there(rig: Rig) -> None:
    assert fax_hylafax.find("+18605550123", "0" * 64) is None


@pytest.mark.usefixtures("db", "three_pages")
def test_a_fax_that_is_forgotten_before_its_call_never_leaves(rig: Rig) -> None:
    before, others = len(rig.dialled()), in_queues(rig)
    delivery = requested(DOCTOR)
    sending.attempt(delivery.id)

    fax_hylafax.forget(last_attempt(delivery).carrier_reference or "")

    assert in_queues(rig) == others
    rig.wait_until_idle()
    assert len(rig.dialled()) == before


@pytest.mark.usefixtures("db", "three_pages")
def test_a_server_that_would_put_two_faxes_into_one_call_is_refused(rig: Rig) -> None:
    assert [found.is_good for found in fax_hylafax.check()] == [True] * 4
    config = rig.spool / "etc" / "config"
    right = config.read_text()
    config.write_text(right.replace("MaxBatchJobs: 1", "MaxBatchJobs: 8"))
    fax_hylafax._checked.clear()
    before = len(rig.dialled())
    delivery = requested(DOCTOR)

    sending.attempt(delivery.id)
    [problem] = [found.text for found in fax_hylafax.check() if not found.is_good]
    config.write_text(right)

    assert "MaxBatchJobs is 8" in problem
    assert fresh(delivery).error_class == ErrorClass.CONFIGURATION
    assert problem.startswith(fresh(delivery).error_text[:40])
    assert len(rig.dialled()) == before
