"""Real faxes over good and bad lines: the long form of tests/fax_rig.

Ten calls in a row, both resolutions, more and more noise, and each way in which a call
comes to nothing.  Needs HylaFAX, libspandsp and root; without them nothing is measured.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from bench import Measure
from gateway import documents, fax_pages
from gateway.channels import fax_hylafax
from gateway.message import DeliveryError, Message
from models import ErrorClass
from pmp import settings
from pmp.deliveries.callbacks import CarrierReport, Progress
from tests.fax_rig import rig as fax_rig
from tests.fax_rig.rig import BUSY, DOCTOR, NO_TONE, UNANSWERED, VOICE, Rig

PART = "fax"
SPEED = 6
CALLS = 10
LONGEST_SECONDS = 600
QUIET, LOUD = (0, -60, -50), (-45, -40, -38)  # dBm0; 0: none
ENDS = {
    BUSY: ErrorClass.BUSY,
    UNANSWERED: ErrorClass.NO_ANSWER,
    NO_TONE: ErrorClass.CARRIER_DOWN,
    VOICE: ErrorClass.NOT_A_FAX,
}
LETTER = "<style>@page { size: letter; margin: 20mm }</style>"
TEXT = "Words that fill a page of a fax from its first line to its last one. " * 50


def run(scale: float) -> list[Measure]:
    """Measure on a rig of its own: no database has a part in it."""
    if lacking := fax_rig.lacking():
        print(f"{PART}: {lacking}")
        return []
    with Rig(speed=SPEED) as rig, _program(rig):
        return [
            _calls(max(round(CALLS * scale), 1)),
            *_resolutions(),
            *_noise(rig),
            _ends(),
        ]


@contextmanager
def _program(rig: Rig) -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        settings.use(
            settings.load(
                {
                    "PMP_DATA_DIR": folder,
                    "PMP_SECRET_KEY": "s" * 32,
                    "PMP_DOCUMENT_KEY": "d" * 32,
                    "PMP_FAX_URL": f"{rig.url}?log={rig.spool}/log/xferfaxlog",
                    "PMP_FAX_QUALITY": "standard",
                }
            )
        )
        yield


def _calls(count: int) -> Measure:
    arrived = sum(_is_delivered(_sent(DOCTOR, 1)) for _ in range(count))
    name = f"{count} calls on a clean line"
    return Measure(PART, name, arrived, count, arrived / count, 1.0, "arrived")


def _resolutions() -> Iterator[Measure]:
    """Give the seconds of three pages, dialling and all, at line speed times SPEED."""
    seconds = {}
    for quality in ("standard", "fine"):
        with settings.changed(fax_quality=quality):
            began = time.monotonic()
            _sent(DOCTOR, 3)
            seconds[quality] = time.monotonic() - began
        ratio = seconds[quality] / seconds["standard"]
        limit = seconds["standard"]
        yield Measure(
            PART, f"3 pages, {quality}", seconds[quality], limit, ratio, 0, "s"
        )


def _noise(rig: Rig) -> Iterator[Measure]:
    for level in (*QUIET, *LOUD):
        rig.say(f"noise {level}")
        report = _sent(DOCTOR, 1)
        arrived = float(_is_delivered(report))
        words = f"noise {level} dBm0" if level else "no noise"
        target = 1.0 if level in QUIET else 0.0
        name = f"{words}: {report.text or 'arrived'}"[:34]
        yield Measure(PART, name, arrived, 1, arrived, target, "arrived")
    rig.say("noise 0")


def _ends() -> Measure:
    """Count the failures that are told for what they are."""
    found = {number: _sent(number, 1).error_class for number in ENDS}
    right = sum(found[number] is wanted for number, wanted in ENDS.items())
    name, count = "failures told apart", len(ENDS)
    return Measure(PART, name, right, count, right / count, 1.0, "right")


def _sent(number: str, pages: int) -> CarrierReport:
    """Send a fax and wait for its end; its copy is destroyed."""
    body = documents.drawn(
        "bench", LETTER + "<pdf:nextpage/>".join([f"<p>{TEXT}</p>"] * pages)
    )
    reference = fax_hylafax.send(
        Message(
            address=f"+1{number}",
            pdf=fax_pages.stamped(body, delivery_id=1),
            key="1-1",
            media_url=f"https://pmp.example.org/media/{time.monotonic_ns()}",
        )
    )
    end = time.monotonic() + LONGEST_SECONDS
    report = fax_hylafax.look(reference)
    while report.progress is Progress.UNDERWAY and time.monotonic() < end:
        time.sleep(0.5)
        report = fax_hylafax.look(reference)
    with suppress(DeliveryError):  # on a busy machine; the spool is thrown away
        fax_hylafax.forget(reference)
    return report


def _is_delivered(report: CarrierReport) -> bool:
    return report.progress is Progress.DELIVERED
