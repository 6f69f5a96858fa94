"""Drawing a patient report as PDF: linear in its prescriptions, whatever their number.

The real report of a patient in a database, by the real template.  The price of a row
is what more rows cost, so that the first pages, which every report has, do not hide it:
of the rows from 200 to 1,000 beside those from 50 to 200.  Documents are drawn in child
processes: two at once beside one after the other.
"""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

from bench import Measure
from bench._patients import NAMES, look_up, make_patient, make_user, program
from gateway import documents
from models import User
from pmp import clock
from pmp.lookup import report_codes, reports
from pmp.lookup.reports import OpenReport

PART = "pdf"
SIZES = (50, 200, 1000)
ROUNDS = 3
MOST_GROWTH = 1.25
MOST_MS_A_ROW = 5.0
AT_ONCE = 2
DOCUMENTS = 8
LEAST_GAIN = 1.3
"""Of two cores, one of which the benchmark itself needs."""


def run(scale: float) -> list[Measure]:
    """Measure on SQLite: the engine has no part in drawing."""
    sizes = [max(round(size * scale), 10 * step) for step, size in enumerate(SIZES, 1)]
    with (
        tempfile.TemporaryDirectory() as folder,
        program(f"sqlite:///{folder}/pmp.db"),
    ):
        user = make_user()
        opened = [
            _opened(last, size, user) for last, size in zip(NAMES, sizes, strict=True)
        ]
        seconds = [_least(each) for each in opened]
        alone, together = (_per_second(opened[0], threads) for threads in (1, AT_ONCE))
    early, late = (
        (seconds[n + 1] - seconds[n]) / (sizes[n + 1] - sizes[n]) * 1000 for n in (0, 1)
    )
    whole = seconds[-1] / sizes[-1] * 1000
    last = f"{sizes[-1]} rows"
    return [
        Measure(
            PART, f"a row up to {last}", late, early, late / early, -MOST_GROWTH, "ms"
        ),
        Measure(
            PART, last, whole, MOST_MS_A_ROW, whole / MOST_MS_A_ROW, -1.0, "ms a row"
        ),
        Measure(
            PART,
            f"{AT_ONCE} of {sizes[0]} rows at once",
            together,
            alone,
            together / alone,
            LEAST_GAIN,
            "documents/s",
        ),
    ]


def _opened(last: str, size: int, user: User) -> OpenReport:
    make_patient(last, size)
    token = look_up(last, by=user).token
    opened = reports.open_report(token=token, what="PDF", by=user, at=clock.now())
    if len(opened.report.entries) != size:
        raise AssertionError(f"{len(opened.report.entries)} rows, not {size}")
    return opened


def _least(opened: OpenReport) -> float:
    """Give the seconds of the quickest of some drawings."""
    return min(_seconds(opened) for _ in range(ROUNDS))


def _per_second(opened: OpenReport, threads: int) -> float:
    """Give how many documents a second are drawn by so many threads."""
    start = perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(_seconds, [opened] * DOCUMENTS))
    return DOCUMENTS / (perf_counter() - start)


def _seconds(opened: OpenReport) -> float:
    start = perf_counter()
    documents.long_pdf(
        "patient_report",
        code=report_codes.new_code(),
        report=opened.report,
        asked=opened.look_up,
        reader=opened.look_up.user,
        purpose=opened.purpose,
        caveat="",
        freshness={each.pharmacy_id: each for each in opened.freshness},
        last_look=opened.last_look,
        remarks=opened.remarks,
    )
    return perf_counter() - start
