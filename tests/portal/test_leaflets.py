"""Leaflets for patients: open to everyone, one page each, printed with a report."""

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pypdf
import pytest
from playwright.sync_api import BrowserContext

from gateway import documents
from models import ReportCopy, Role
from pmp import clock, leaflets, settings
from pmp.errors import NotFoundError
from tests.browser import Browser
from tests.chromium import axe, fits, printed, targets_are_large
from tests.factories import make_dispensation, make_patient, make_user

OURS = ["patients", "parents", "disposal", "treatment"]


def pages(body: bytes) -> list[str]:
    sheets = pypdf.PdfReader(io.BytesIO(body)).pages
    return [" ".join(sheet.extract_text().split()) for sheet in sheets]


@pytest.mark.parametrize("name", OURS)
def test_each_is_one_printed_page_with_the_helpline(name: str) -> None:
    [text] = pages(documents.leaflet_pdf(leaflets.leaflet(name)))

    assert "1-800-662-4357" in text
    assert leaflets.leaflet(name).title in text
    assert "CONFIDENTIAL" not in text


def test_they_tell_what_the_program_promises_to_tell() -> None:
    words = {
        each.name: " ".join(point for _, points in each.parts for point in points)
        for each in leaflets.every()
    }

    assert list(words) == OURS
    for said in ("Alcohol", "Never share", "Lock it up", "naloxone", "take leftovers"):
        assert said in words["patients"]
    assert "Talk" in [heading for heading, _ in leaflets.leaflet("parents").parts]
    assert "drop box" in words["disposal"]
    assert "buprenorphine" in words["treatment"]


@pytest.mark.parametrize("name", ["nobody", "../settings", "patients.txt", "", "A"])
def test_nothing_else_is_a_leaflet(name: str) -> None:
    with pytest.raises(NotFoundError):
        leaflets.leaflet(name)


def test_a_state_s_own_text_comes_first(tmp_path: Path) -> None:
    (tmp_path / "disposal.txt").write_text("Ours\n\n# Here\n- Room 145\n")
    (tmp_path / "veterans.txt").write_text("For veterans\nA line\n# Call\n- Us\n")
    with settings.changed(leaflets_dir=str(tmp_path)):
        assert leaflets.leaflet("disposal").parts == (("Here", ("Room 145",)),)
        assert [each.name for each in leaflets.every()] == [*OURS, "veterans"]
        assert leaflets.leaflet("veterans").subtitle == "A line"


@pytest.mark.parametrize("text", ["", "# Heading first", "Title\nline\nstray line"])
def test_a_text_that_is_no_leaflet_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="x:"):
        leaflets.read("x", text)


def test_everybody_can_read_and_download_them(browser: Browser) -> None:
    browser.get("/leaflets")
    for name in OURS:
        assert leaflets.leaflet(name).title in browser.text()
    browser.get("/leaflets/treatment")
    assert "1-800-662-4357" in browser.text()
    assert browser.get("/leaflets/treatment.pdf").mimetype == "application/pdf"
    browser.get("/leaflets/nobody", status=404)


def test_a_report_brings_them_along_when_asked_and_its_copy_does_not(
    browser: Browser,
) -> None:
    patient = make_patient(first_name="MARIA", last_name="DELGADO")
    make_dispensation(patient=patient, filled_on=clock.today() - timedelta(days=5))
    browser.sign_in_as(make_user(Role.PRACTITIONER))
    browser.get("/look-up")
    browser.submit(
        {"first_name": "Maria", "last_name": "Delgado", "birth_date": "04/28/1971"}
    )
    browser.follow()
    assert browser.page is not None
    path = browser.page.request.path

    sheets = pages(browser.get(f"{path}.pdf?leaflets=1").data)

    copy = ReportCopy.get()
    titles = [each.title for each in leaflets.every()]
    handouts = [page for page in sheets if page and copy.code not in page]
    assert len(handouts) == len(titles)
    assert all(title in page for title, page in zip(titles, handouts, strict=True))
    assert not any("DELGADO" in page for page in handouts)
    kept = pages(documents_of(copy))
    assert len(kept) == copy.pages
    assert all(copy.code in page for page in kept)


def documents_of(copy: ReportCopy) -> bytes:
    from pmp import documents as kept  # noqa: PLC0415 - gateway's has the same name

    return kept.read(copy.document)


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 375])
def test_they_fit_any_screen_and_one_sheet(
    open_context: Callable[..., BrowserContext], width: int, tmp_path: Path
) -> None:
    page = open_context(width).new_page()
    for path in ("/leaflets", *(f"/leaflets/{name}" for name in OURS)):
        page.goto(path)
        axe(page)
        fits(page)
        targets_are_large(page)
    assert len(printed(page, tmp_path / "leaflet.pdf")) == 1
