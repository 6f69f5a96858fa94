"""Print runs and returned mail on staff's screens."""

import io
import re
from datetime import timedelta
from functools import lru_cache

import pypdf
import pytest
from PIL import Image

from gateway import documents, letter_marks, pages
from models import (
    AuditEvent,
    ChannelName,
    Delivery,
    DeliveryState,
    PrintRun,
    PrintRunLetter,
    Role,
)
from pmp import deliveries, settings
from pmp import documents as documents_of_pmp
from pmp.deliveries import delivery_desk
from pmp.deliveries.letter_codes import letter_code
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import make_user
from tests.gateway.test_letters_check import letter as a_letter
from tests.portal.lists import lines, sorted_by
from tests.portal.test_staff_deliveries import ADDRESS, delivery, fresh, state


@lru_cache(maxsize=2)
def paper(*, short: bool) -> bytes:
    """Draw a letter of one page, or of two."""
    whole = a_letter(ADDRESS.splitlines())
    if not short:
        return whole
    first, written = pypdf.PdfWriter(), io.BytesIO()
    first.append(io.BytesIO(whole), pages=(0, 1))
    first.write(written)
    return written.getvalue()


def letter(*, short: bool = False) -> Delivery:
    """Make a letter that waits to be printed."""
    made = delivery(ChannelName.LETTER, ADDRESS)
    claimed = deliveries.claim(made.id, carrier="print", at=NOW)
    assert claimed is not None
    assert deliveries.begin(claimed, pdf=paper(short=short), at=NOW)
    deliveries.mark_submitted(claimed, reference=f"{made.id}-1", at=NOW)
    return fresh(made)


@pytest.fixture
def staff(browser: Browser) -> Browser:
    browser.sign_in_as(make_user(Role.STAFF, username="sandra"))
    return browser


@pytest.fixture
def run(staff: Browser) -> PrintRun:
    """Open a run of two letters on the page, a short one and a long one."""
    letter(short=True)
    letter()
    staff.get("/staff/letters")
    staff.submit(action="/runs")
    opened: PrintRun = PrintRun.get()
    staff.get(f"/staff/letters/runs/{opened.id}")
    return opened


def test_a_run_goes_from_waiting_to_mailed(staff: Browser, run: PrintRun) -> None:
    first, second = Delivery.select().order_by(Delivery.id)
    answer = staff.submit(action="/papers", status=200)

    # One page, a blank one so that the next begins on a sheet of its own, three pages.
    sheets = pypdf.PdfReader(io.BytesIO(answer.data)).pages
    assert len(sheets) == 5
    words = [" ".join(sheet.extract_text().split()) for sheet in sheets]
    assert f"{letter_code(first.id)} sheet 1 of 1" in words[0]
    assert words[1] == ""
    assert f"{letter_code(second.id)} sheet 1 of 2" in words[3]
    assert f"{letter_code(second.id)} sheet 2 of 2" in words[4]
    assert answer.headers["Cache-Control"] == "no-store"
    assert state(first) == DeliveryState.BATCHED

    staff.get(f"/staff/letters/runs/{run.id}")
    staff.submit(action="/printed")
    assert state(first) == state(second) == DeliveryState.PRINTED
    staff.get(f"/staff/letters/runs/{run.id}")
    staff.submit(action="/mailed")

    assert state(first) == state(second) == DeliveryState.MAILED
    staff.get(f"/staff/letters/runs/{run.id}")
    assert "Undo: not mailed" in staff.text()
    staff.submit(action="/not-mailed")
    assert state(first) == DeliveryState.PRINTED


def test_a_letter_drawn_for_another_envelope_is_not_printed(
    staff: Browser, run: PrintRun
) -> None:
    first = Delivery.get()
    with settings.changed(envelope="single10"):
        staff.submit(action="/papers")
        staff.get(f"/staff/letters/runs/{run.id}")

    assert f"{letter_code(first.id)} was drawn for another envelope" in staff.text()


def test_what_jammed_stays_and_is_named(staff: Browser, run: PrintRun) -> None:
    first, second = Delivery.select().order_by(Delivery.id)

    staff.submit({"jammed": [str(second.id)]}, action="/printed")

    assert (state(first), state(second)) == ("printed", "batched")
    staff.get(f"/staff/letters/runs/{run.id}")
    assert "1 letter came out. Print 1 letter again." in staff.text()
    assert "Some to be printed again" in staff.text()


def test_a_wrong_tracking_number_keeps_all_that_was_typed(
    staff: Browser, run: PrintRun
) -> None:
    first, second = Delivery.select().order_by(Delivery.id)
    staff.submit(action="/printed")
    staff.get(f"/staff/letters/runs/{run.id}")
    typed = {
        f"tracking-{first.id}": "9407 1118 9956 0000 0000 01",
        f"tracking-{second.id}": "no number",
        "on": "11/20/2026",
    }

    staff.submit(typed, action="/mailed", status=422)

    page = staff.page
    assert page is not None
    html = page.get_data(as_text=True)
    for text in typed.values():
        assert f'value="{text}"' in html
    assert "“no number” is no tracking number" in staff.text()
    assert state(first) == DeliveryState.PRINTED


def test_a_cancelled_letter_is_to_be_pulled_out_by_its_place(
    staff: Browser, run: PrintRun
) -> None:
    first, second = Delivery.select().order_by(Delivery.id)
    lee = make_user(username="lee")
    delivery_desk.cancel(second.id, reason="moot", by=lee, at=NOW)

    staff.get(f"/staff/letters/runs/{run.id}")

    words = f"Letter 2 of the pile, sheet 2: Dr. Ana Ruiz ({letter_code(second.id)})"
    assert words in staff.text()
    staff.submit(action="/printed")
    staff.get(f"/staff/letters/runs/{run.id}")
    staff.submit(action="/mailed", status=422)
    assert "First pull out the paper" in staff.text()
    staff.submit(action=f"/letters/{second.id}/out")
    staff.get(f"/staff/letters/runs/{run.id}")
    staff.submit(action="/mailed")
    assert (state(first), state(second)) == ("mailed", "cancelled")


def test_a_letter_that_cannot_be_printed_again_says_what_to_do(
    staff: Browser, run: PrintRun
) -> None:
    first, second = Delivery.select().order_by(Delivery.id)
    staff.submit(action="/printed")
    assert first.document is not None
    documents_of_pmp.purge(first.document, at=NOW)

    staff.get(f"/staff/letters/runs/{run.id}")

    assert staff.text().count("cannot be printed again. Mail the paper") == 1
    page = staff.page
    assert page is not None
    html = page.get_data(as_text=True)
    assert f'name="again" value="{first.id}"' not in html
    assert f'name="again" value="{second.id}"' in html


def test_a_letter_that_waits_for_its_old_paper_is_named_with_the_run(
    staff: Browser, run: PrintRun
) -> None:
    first, _ = Delivery.select().order_by(Delivery.id)
    Delivery.update(state=DeliveryState.SUBMITTED).where(
        Delivery.id == first.id
    ).execute()

    staff.get("/staff/letters")

    assert f"{letter_code(first.id)}: run {run.id}" in staff.text()
    staff.get(f"/staff/letters/runs/{run.id}")
    staff.submit(action=f"/letters/{first.id}/out")
    staff.get("/staff/letters")
    assert "old paper" not in staff.text()


def test_the_list_of_a_run_is_a_table_and_a_sheet(
    staff: Browser, run: PrintRun
) -> None:
    first, _ = Delivery.select().order_by(Delivery.id)
    Delivery.update(address="=1+1\n1 Main St\nHartford, CT 06106").where(
        Delivery.id == first.id
    ).execute()

    table = staff.get(f"/staff/letters/runs/{run.id}/manifest.csv").get_data(
        as_text=True
    )

    lines = table.splitlines()
    assert lines[0].lstrip("\ufeff").split(",")[0] == '"Place"'
    assert f'"{letter_code(first.id)}"' in lines[1]
    assert '"\'=1+1"' in lines[1]
    staff.get(f"/staff/letters/runs/{run.id}/manifest")
    assert letter_code(first.id) in staff.text()


def mailed(count: int = 1) -> list[Delivery]:
    rows = [letter() for _ in range(count)]
    Delivery.update(state=DeliveryState.MAILED, final_at=NOW).execute()
    return [fresh(row) for row in rows]


def test_letters_that_came_back_are_scanned_one_after_another(staff: Browser) -> None:
    first, second, noise = mailed(3)
    staff.get("/staff/letters/returned")
    assert "No letter has come back today" in staff.text()

    staff.submit({"code": letter_code(first.id), "why": "Vacant"}, action="/returned")
    staff.get("/staff/letters/returned?why=Vacant")
    staff.submit({"code": letter_code(second.id).lower()}, action="/returned")

    assert state(first) == state(second) == DeliveryState.RETURNED
    assert state(noise) == DeliveryState.MAILED
    staff.get("/staff/letters/returned")
    assert "is marked as returned" in staff.text()
    staff.submit(action=f"/returned/{first.id}/undo")
    assert state(first) == DeliveryState.MAILED


def test_a_code_that_is_none_is_refused_and_kept(staff: Browser) -> None:
    staff.get("/staff/letters/returned")

    staff.submit({"code": "RPL-7K3Q9-XW4MT"}, action="/returned", status=422)

    page = staff.page
    assert page is not None
    assert 'value="RPL-7K3Q9-XW4MT"' in page.get_data(as_text=True)
    assert "under the small square of dots" in staff.text()


def envelopes(rows: list[Delivery]) -> bytes:
    """Lay the windows of letters side by side on one scanned picture."""
    whole = Image.new("L", (1700, 260 * len(rows)), 255)
    for number, row in enumerate(rows):
        page = "<style>@page { size: letter }</style><p>A letter</p>"
        paper = letter_marks.marked(documents.drawn("x", page), row.id)
        [picture] = pages.images(paper, "application/pdf")
        whole.paste(picture.crop((0, 100, 1000, 350)), (300, 260 * number))
    written = io.BytesIO()
    whole.save(written, "JPEG", quality=80)
    return written.getvalue()


def test_one_picture_of_several_envelopes_marks_them_all(staff: Browser) -> None:
    rows = mailed(4)
    staff.get("/staff/letters/returned")

    scan = (io.BytesIO(envelopes(rows[:3])), "envelopes.jpg", "image/jpeg")
    staff.submit({"file": scan}, action="/scan")

    assert [state(row) for row in rows] == ["returned"] * 3 + ["mailed"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not a PDF, TIFF or PNG"),
        (b"\xff\xd8\xff damaged", "The file is damaged"),
        (documents.drawn("x", "<p>no code</p>"), "No code could be read"),
    ],
)
def test_a_picture_without_a_code_says_what_to_do(
    staff: Browser, body: bytes, words: str
) -> None:
    staff.get("/staff/letters/returned")

    scan = (io.BytesIO(body), "scan.pdf", "application/pdf")
    staff.submit({"file": scan}, action="/scan", status=422)

    assert words in staff.text()


def test_no_letter_waits(staff: Browser) -> None:
    staff.get("/staff/letters")
    assert "No letter waits" in staff.text()

    token = staff.token()
    staff.post("/staff/letters/runs", {"csrf_token": token, "most": "5"}, status=422)

    assert "No letter waits to be printed" in staff.text()


@pytest.mark.parametrize(
    "path", ["/staff/letters/runs/1", "/staff/letters/returned", "/staff/letters"]
)
def test_letters_are_staffs_alone(browser: Browser, path: str) -> None:
    browser.get(path, status=303)
    browser.sign_in_as(make_user(Role.PHARMACY))
    browser.get(path, status=404)


@pytest.mark.each_engine
def test_print_runs_are_narrowed_sorted_and_a_file(staff: Browser) -> None:
    """A run of whose letters some wait, one that is over, and one of last week."""
    waits, over, old = (
        PrintRun.create(
            opened_by=by,
            opened_at=NOW - timedelta(days=days),
            closed_at=NOW if is_over else None,
            mailed_on=NOW.date() if is_over else None,
            mailed_by="sandra" if is_over else "",
        )
        for by, days, is_over in (("ben", 1, False), ("ann", 0, True), ("ann", 7, True))
    )
    made = letter()
    PrintRunLetter.create(run=waits, delivery=made, place=1, sheets=2)
    deliveries.outbox.change(made, DeliveryState.BATCHED, source="ben", at=NOW)
    PrintRunLetter.create(
        run=over, delivery=letter(), place=1, sheets=1, taken_out_at=NOW
    )
    path, link = "/staff/letters", "/staff/letters/runs/"

    def numbers(query: str = "") -> list[int]:
        text = staff.get(f"{path}{query}").get_data(as_text=True)
        return [int(each) for each in re.findall(rf'href="{link}(\d+)"', text)]

    assert numbers() == [waits.id, old.id, over.id]
    assert "3 print runs, those to do first" in staff.text()
    assert numbers("?sort=-opened") == [over.id, waits.id, old.id]
    assert sorted_by(staff) == {"Opened": "descending"}
    assert numbers("?state=closed&sort=run") == [over.id, old.id]
    assert numbers("?opened_by=ann&since=11/20/2026") == [over.id]
    staff.get(f"{path}?since=99", status=422)
    assert "Write the date as month, day and year" in staff.text()

    table = lines(staff, f"{link[:-1]}.csv?sort=-opened")

    order = [over.id, waits.id, old.id]
    assert [int(row["Run"]) for row in table] == order
    assert [row["Sheets"] for row in table] == ["0", "2", "0"]
    stands = [row["Where it stands"] for row in table]
    assert stands == ["Done", "To be printed", "Done"]
    event = AuditEvent.get(AuditEvent.event == "list:downloaded")
    assert (event.actor, event.subject) == ("sandra", "print_runs")
