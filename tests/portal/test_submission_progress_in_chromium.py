"""Files sent together, and how far they are, in a real browser."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from models import Role, Submission, SubmissionStatus, User
from pmp import clock, settings, uploads
from tests.chromium import axe, fits
from tests.factories import make_pharmacy, make_product, make_user
from tests.submission_files import ELM, OXYCODONE, fill, submission

pytestmark = pytest.mark.browser


@pytest.fixture
def elm(live: str) -> User:
    make_product(ndc=OXYCODONE)
    return make_user(Role.PHARMACY, pharmacy=make_pharmacy(dea=ELM[2], name=ELM[3]))


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Write a good file, an empty one, and one that is cut."""
    bodies = {
        "good.dat": submission((ELM, [fill("1"), fill("2")])),
        "empty.dat": b"",
        "cut.dat": submission((ELM, [fill("3")]))[:-60],
    }
    for name, body in bodies.items():
        (tmp_path / name).write_bytes(body)
    return [tmp_path / name for name in bodies]


def waiting(by: User, name: str = "long.dat") -> Submission:
    body = submission((ELM, [fill(str(n)) for n in range(8)]))
    return uploads.receive(filename=name, body=body, by=by, at=clock.now())


def stand_at(sent: Submission, **columns: Any) -> None:
    """Have a submission stand where a worker would have brought it."""
    Submission.update(**columns).where(Submission.id == sent.id).execute()


def test_progress_is_shown_in_place_and_ends_at_the_result(
    open_context: Callable[..., BrowserContext], elm: User
) -> None:
    sent = waiting(elm)
    page: Page = open_context(user=elm).new_page()
    loads: list[str] = []
    page.on("domcontentloaded", lambda at: loads.append(at.url))
    page.goto(f"/submissions/{sent.id}")
    status = page.get_by_role("status").last
    expect(status).to_contain_text("Received")
    stand_at(sent, bytes_read=sent.document.size // 2)
    expect(status).to_contain_text("Reading and checking")
    stand_at(sent, status=SubmissionStatus.READING, records=8000, progress=3200)
    expect(page.get_by_text("3,200 of 8,000 records")).to_be_visible()
    bar = page.get_by_role("progressbar")
    assert bar.evaluate("bar => bar.value / bar.max") == pytest.approx(0.4)
    expect(page.locator("[aria-current=step]")).to_have_text("Storing")
    stand_at(sent, progress=8000)
    expect(status).to_contain_text("crossings")
    axe(page)
    # However long it takes, the page was not loaded again.
    page.wait_for_timeout(2500)
    assert len(loads) == 1

    stand_at(sent, status=SubmissionStatus.RECEIVED, progress=0, records=0)
    uploads.process(sent.id, at=clock.now())
    expect(page.get_by_text("records in the file")).to_be_visible()
    assert page.url.endswith(f"/submissions/{sent.id}")


def test_progress_survives_a_reload_and_needs_no_scripts(
    open_context: Callable[..., BrowserContext], elm: User
) -> None:
    sent = waiting(elm)
    stand_at(sent, status=SubmissionStatus.READING, records=8000, progress=3200)
    page: Page = open_context(scripts=False, user=elm).new_page()
    page.goto(f"/submissions/{sent.id}")
    expect(page.get_by_text("3,200 of 8,000 records")).to_be_visible()
    stand_at(sent, progress=6400)
    expect(page.get_by_text("6,400 of 8,000 records")).to_be_visible()
    page.reload()
    expect(page.get_by_text("6,400 of 8,000 records")).to_be_visible()
    stand_at(sent, status=SubmissionStatus.RECEIVED, progress=0, records=0)
    uploads.process(sent.id, at=clock.now())
    expect(page.get_by_text("records in the file")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 375])
def test_dropped_files_are_listed_sent_and_each_told_of(
    open_context: Callable[..., BrowserContext],
    elm: User,
    files: list[Path],
    width: int,
) -> None:
    page: Page = open_context(width, user=elm).new_page()
    page.goto("/submissions/new")
    bodies = [[path.name, path.read_text()] for path in files]
    transfer = page.evaluate_handle(
        """bodies => {
          const transfer = new DataTransfer();
          for (const [name, body] of bodies) transfer.items.add(new File([body], name));
          return transfer;
        }""",
        bodies,
    )
    place = page.locator("[data-drop]")
    place.dispatch_event("dragover", {"dataTransfer": transfer})
    place.dispatch_event("drop", {"dataTransfer": transfer})
    expect(page.get_by_text("good.dat: 1 kB")).to_be_visible()
    expect(page.get_by_text("empty.dat: empty")).to_be_visible()
    axe(page)
    page.get_by_role("button", name="Submit the files").click()

    rows = page.locator("tbody tr")
    expect(rows.filter(has_text="good.dat")).to_contain_text("Received")
    expect(rows.filter(has_text="empty.dat")).to_contain_text("Not received")
    expect(page.get_by_role("alert")).to_contain_text("empty.dat: The file is empty")
    axe(page)
    fits(page)
    page.get_by_role("link", name="See how far").click()
    expect(page.get_by_role("progressbar")).to_have_count(2)
    axe(page)
    fits(page)
    for each in Submission.select():
        uploads.process(each.id, at=clock.now())
    # In place: the files are done, and the page is at rest.
    expect(page.get_by_text("Accepted")).to_be_visible()
    expect(page.get_by_text("Refused")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    page.get_by_role("link", name="cut.dat").click()
    expect(page.get_by_role("heading", name="Where the file breaks")).to_be_visible()
    expect(page.locator("mark")).to_have_text("end of the file")
    axe(page)
    fits(page)


def test_several_files_are_sent_without_scripts(
    open_context: Callable[..., BrowserContext], elm: User, files: list[Path]
) -> None:
    page: Page = open_context(scripts=False, user=elm).new_page()
    page.goto("/submissions/new")
    expect(page.get_by_text("Or drop")).to_be_hidden()
    page.get_by_label("Files", exact=True).set_input_files([files[0], files[2]])
    page.get_by_role("button", name="Submit the files").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("together")
    for each in Submission.select():
        uploads.process(each.id, at=clock.now())
    expect(page.get_by_text("Accepted")).to_be_visible()
    expect(page.get_by_text("Refused")).to_be_visible()


def test_files_that_are_too_large_together_are_not_sent_in_vain(
    open_context: Callable[..., BrowserContext], elm: User, tmp_path: Path
) -> None:
    files = [tmp_path / "a.dat", tmp_path / "b.dat"]
    for path in files:
        path.write_bytes(b"x" * 700_000)
    page: Page = open_context(user=elm).new_page()
    with settings.changed(upload_megabytes=1, uploads_together_megabytes=1):
        page.goto("/submissions/new")
    page.get_by_label("Files", exact=True).set_input_files(files)
    expect(page.get_by_text("Together more than 1 MB")).to_be_visible()
    button = page.get_by_role("button", name="Submit the files")
    button.click()
    expect(page.get_by_label("Files", exact=True)).to_be_focused()
    assert Submission.select().count() == 0

    page.get_by_label("Files", exact=True).set_input_files(files[:1])
    button.click()
    expect(page.get_by_role("status").last).to_contain_text("Received")
    assert Submission.select().count() == 1
