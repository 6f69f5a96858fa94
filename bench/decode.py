"""Reading the code on our own papers after a standard-resolution fax.

The real papers by their real templates, each through `bench._fax_noise` and the reader
of incoming faxes.  Of a normal line 99.5 in a hundred must be read, of a harsh one 98,
and never may a code be read that is not on the page.
"""

import os
import secrets
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from time import process_time
from types import SimpleNamespace

import pypdfium2
from PIL import Image

from bench import Measure
from bench._fax_noise import DRAWN_DOTS_PER_INCH, HARSH, NORMAL, faxed
from gateway import barcodes, documents
from models import Application, NoticeKind, Profession, Ticket
from pmp import registration, settings
from pmp.dispensations.row_codes import SIGNS, check_sign
from pmp.reaching import page_codes
from pmp.registration import registration_codes
from pmp.reporting import notices
from pmp.thresholds import reply_codes
from pmp.tickets import faxed_papers

PART = "decode"
PAGES = 1000
CODES = 20
"""Different codes of a paper, and so different drawings of it."""
LINES = {"normal": (NORMAL, 99.5), "harsh": (HARSH, 98.0)}
MOST_MS = 250.0
SIGNS_OF = {"CTR": 10, "RPL": 10, "DUE": 10, "TKT": 10, "FXT": 8}
"""How many signs follow the prefix; the last one checks the others."""
DAY = datetime(2026, 11, 23, 12, tzinfo=UTC)
PORTAL = "https://pmp.example.org"


@dataclass(frozen=True)
class Tally:
    """What came of some pages; `seconds` are of the reader alone."""

    pages: int
    read: int
    wrong: int
    seconds: float
    missed: tuple[int, ...]


def run(scale: float) -> list[Measure]:
    """Measure each paper on each line; prints which seeds were not read."""
    count = max(CODES, round(PAGES * scale))
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        measures: list[Measure] = []
        for paper in PAPERS:
            for name, (_, target) in LINES.items():
                jobs = [
                    pool.submit(tally, paper, name, range(first, count, CODES))
                    for first in range(CODES)
                ]
                found = [job.result() for job in jobs]
                measures += _measures(f"{paper}, {name}", found, target)
    return measures


def tally(paper: str, line: str, seeds: range) -> Tally:
    """Fax one drawing of a paper once for each seed and read it."""
    code, sheet = drawn(paper, seeds.start)
    read, wrong, seconds, missed = 0, 0, 0.0, []
    for seed in seeds:
        body = faxed(sheet, LINES[line][0], seed=seed)
        start = process_time()
        [page] = barcodes.read_codes(body, "image/tiff")
        seconds += process_time() - start
        read += code in page.codes
        wrong += any(counts_as_code(text) for text in page.codes if text != code)
        if code not in page.codes:
            missed.append(seed)
    return Tally(len(seeds), read, wrong, seconds, tuple(missed))


def drawn(paper: str, number: int) -> tuple[str, Image.Image]:
    """Draw a paper with a code of its own; give the code and the sheet, 300 an inch."""
    keys = ("PMP_SECRET_KEY", "PMP_DOCUMENT_KEY")
    settings.use(settings.load({key: secrets.token_hex(32) for key in keys}))
    code, body = PAPERS[paper](number)
    with pypdfium2.PdfDocument(body) as document:
        scale = DRAWN_DOTS_PER_INCH / 72
        last = document[len(document) - 1]
        sheet: Image.Image = last.render(scale=scale, grayscale=True).to_pil()
    return code, sheet


def counts_as_code(text: str) -> bool:
    """Tell whether a text that is not on the page would be taken for a code."""
    prefix, _, rest = text.partition("-")
    signs = rest.replace("-", "")
    return (
        len(signs) == SIGNS_OF.get(prefix)
        and not set(signs) - set(SIGNS)
        and check_sign(signs[:-1]) == signs[-1]
    )


def _measures(name: str, found: list[Tally], target: float) -> Iterator[Measure]:
    pages, read, wrong = (
        sum(getattr(each, what) for each in found)
        for what in ("pages", "read", "wrong")
    )
    seeds = sorted(seed for each in found for seed in each.missed)
    print(f"{name}: {read} of {pages} read, {wrong} wrong, missed {seeds}", flush=True)
    rate = 100 * read / pages
    yield Measure(PART, f"{name}: read", rate, 100.0, rate / 100, target / 100, "%")
    yield Measure(PART, f"{name}: wrong", wrong, 1.0, float(wrong), -0.5, "pages")
    spent = sum(each.seconds for each in found) / pages * 1000
    yield Measure(PART, f"{name}: time", spent, MOST_MS, spent / MOST_MS, -1.0, "ms")


def _confirmation(number: int) -> tuple[str, bytes]:
    row = Application(
        code=registration_codes.new_code(),
        profession=Profession.PRACTITIONER,
        last_name="Rodkin",
        first_name="Semyon",
        degree="MD",
        licence_number=f"CSP.{number:07}",
        dea="BR1234563",
        street="77 Record Road",
        city="Hartford",
        state="CT",
        zip="06106",
        phone="8605550124",
        fax="8605550125",
        submitted_at=DAY,
    )
    body = documents.pdf("confirmation_page", **registration.confirmation(row))
    return row.code, body


def _reply(number: int) -> tuple[str, bytes]:
    code = reply_codes.new_code()
    report = SimpleNamespace(
        reply_code=code, to_name=f"RODKIN, SEMYON {number}", code="PTR-7K3Q9-XW4MT"
    )
    return code, documents.pdf("threshold_reply", report=report)


def _question(number: int) -> tuple[str, bytes]:
    code = faxed_papers.code_of(Ticket(id=number + 1))
    letter = SimpleNamespace(
        number=f"T261123-{number}",
        paper_code=code,
        text="Was the quantity 30, or 90 as the entry says?",
        due_at=DAY,
        row_code="D-7K3Q9XT",
        prescription_number=f"{7000 + number}",
        filled_on=DAY.date(),
        to_lines=["ELM DRUGS", "1 ELM STREET", "HARTFORD CT 06106"],
        to_fax="+18605550143",
    )
    link = f"{PORTAL}/questions/1"
    body = documents.pdf("ticket_question", letter=letter, made_at=DAY, link=link)
    return code, body


def _notice(number: int) -> tuple[str, bytes]:
    notice = SimpleNamespace(reply_code=notices.new_code(), due_on=DAY.date())
    body = documents.pdf(
        "reporting_notice",
        notice=notice,
        kind=NoticeKind.LATE.value,
        name=f"ELM STREET DRUG {number}",
        to_lines=["ELM STREET DRUG", "1 ELM ST", "HARTFORD CT 06106"],
        days=["11/16/2026 to 11/18/2026", "11/20/2026"],
        link=f"{PORTAL}/submissions/zero",
        portal=PORTAL,
        at=DAY,
    )
    return notice.reply_code, body


def _test_page(number: int) -> tuple[str, bytes]:
    check = SimpleNamespace(
        code=page_codes.new_code(), address="+18605550121", expires_at=DAY
    )
    name = f"ELM STREET DRUG {number}"
    body = documents.pdf("fax_test_page", check=check, name=name, is_user=True, at=DAY)
    return check.code, body


PAPERS = {
    "confirmation page": _confirmation,
    "reply page": _reply,
    "reporting notice": _notice,
    "ticket question": _question,
    "fax test page": _test_page,
}
"""The last page of each is the one that comes back."""
