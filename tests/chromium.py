"""Debian's Chromium for tests: how it is started, looked at and held to WCAG."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pypdfium2
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# The shell is the same engine without the window around it, which takes a second of
# processor time to open and to close.
_NAMES = ("chromium-headless-shell", "chromium")
EXECUTABLE = next(filter(None, map(shutil.which, _NAMES)), "chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def arrived(page: Page) -> Page:
    """Wait until a page that was asked for is here with its styles.

    A click comes back as soon as the next page's first byte is here: on a busy machine
    it then has no body yet, or no style, and is measured as that.
    """
    page.wait_for_load_state("load")
    return page


def axe(page: Page) -> None:
    """Assert that axe-core finds no violation on the page as it is shown now."""
    arrived(page)
    rules = {"type": "tag", "values": RULES}
    # What axe found to be well is not told: to write that down takes half of its time.
    options = {"runOnly": rules, "resultTypes": ["violations"]}
    # axe is put into the page by the debugger's protocol, which the CSP does not stop.
    results: Any = Axe().run(page, options=options)
    assert not results.response["violations"], results.generate_report()


def fits(page: Page) -> None:
    """Assert that nobody must scroll sideways (WCAG 1.4.10)."""
    wide = arrived(page).evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 0, f"{page.url} is {wide} pixels too wide"


def targets_are_large(page: Page, least: int = 24) -> None:
    """Assert that what is pressed is at least so many pixels (WCAG 2.5.8)."""
    pressed = "button, input:not([type=hidden]), select, summary, nav a, .actions a"
    small = arrived(page).evaluate(
        """([pressed, least]) => [...document.querySelectorAll(pressed)]
        .filter(e => e.checkVisibility())
        // A box or button that is ticked is pressed by its words as well.
        .map(e => [e, /radio|checkbox/.test(e.type) && e.labels?.[0] || e])
        .map(([e, part]) => [e.outerHTML.slice(0, 80), part.getBoundingClientRect()])
        .filter(([, box]) => box.width < least || box.height < least)
        .map(([html]) => html)""",
        [pressed, least],
    )
    assert not small, small


def screenshot(page: Page, path: Path) -> Path:
    """Keep a picture of the whole page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrived(page).screenshot(path=path, full_page=True)
    return path


def printed(page: Page, path: Path) -> list[Path]:
    """Print the page to PDF on US Letter; give a PNG of each sheet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrived(page).pdf(path=path, format="Letter", print_background=False)
    sheets = []
    with pypdfium2.PdfDocument(path) as document:
        for number, sheet in enumerate(document):
            picture = path.with_name(f"{path.stem}-{number + 1}.png")
            sheet.render(scale=1.2).to_pil().save(picture)
            sheets.append(picture)
    return sheets


def is_installed() -> bool:
    """Tell whether Chromium is here and starts."""
    if shutil.which(EXECUTABLE) is None:
        return False
    return subprocess.run([EXECUTABLE, "--version"], check=False).returncode == 0
