"""Public pages as everybody reads them, and as administrators change them."""

import io
import re

import pypdf
import pytest

from gateway import documents, layout_check
from models import PageText, Role, User
from pmp import public_pages, settings
from pmp.errors import RuleError
from pmp.public_pages import PublicPage, Text, versions
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import make_user

PAGES = list(public_pages.NAMES)
EDIT = "/staff/public-pages/contact"
TYPED = {
    "title": "Whom to call",
    "summary": "In one line",
    "body": "# By telephone\r\n\r\nCall **{program_phone}**.",
    "note": "Shorter",
}


@pytest.fixture
def chief(db: settings.Settings) -> User:
    return make_user(Role.ADMINISTRATOR, username="admin.chief")


def with_body(body: str) -> PublicPage:
    return public_pages.shown("contact", Text("Title", "Line", body))


# --- Everybody


def test_everybody_reads_every_page_and_comes_to_it_from_the_home_page(
    browser: Browser,
) -> None:
    home = browser.get("/").get_data(as_text=True)
    for page in public_pages.every():
        assert f'href="/about/{page.name}"' in home
        browser.get(f"/about/{page.name}")
        assert page.summary in browser.text()
    browser.get("/about")
    assert all(page.title in browser.text() for page in public_pages.every())
    browser.get("/about/nobody", status=404)
    browser.get("/about/nobody.pdf", status=404)


@pytest.mark.parametrize("name", PAGES)
def test_each_page_has_a_pdf_of_a_sheet_or_two_that_may_leave_the_house(
    browser: Browser, name: str
) -> None:
    answer = browser.get(f"/about/{name}.pdf")

    assert answer.mimetype == "application/pdf"
    assert documents.page_count(answer.data) <= 2
    assert layout_check.problems(answer.data) == []
    sheets = pypdf.PdfReader(io.BytesIO(answer.data)).pages
    text = " ".join(" ".join(sheet.extract_text().split()) for sheet in sheets)
    assert public_pages.page(name).title in text
    assert "CONFIDENTIAL" not in text
    assert "{" not in text


def test_every_link_of_the_texts_leads_to_a_page(browser: Browser) -> None:
    targets = {
        target
        for page in public_pages.every()
        for target in re.findall(r'href="(/[^"]*)"', page.body)
    }

    assert {"/register", "/verify", "/leaflets/disposal"} <= targets
    for target in sorted(targets):
        browser.get(target)


def test_pages_name_the_facts_of_the_brochure(browser: Browser) -> None:
    said = {
        "registering": ["(860) 713-7242", "about five minutes", "30 days"],
        "threshold-reports": ["reached or exceeded", "(860) 713-6073", "/verify"],
        "pharmacists": ["twice a month", "zero report", "(866) 683-3246"],
        "privacy": ["20-570 to 20-630", "minimum necessary", "21a-254"],
        "contact": ["ctrxreport@otech.com", "165 Capitol Avenue", "www.ct.gov/dcp"],
        "counseling": ["naloxone", "1-800-662-4357"],
        "accessibility": ["WCAG"],
    }
    for name, words in said.items():
        browser.get(f"/about/{name}")
        for each in words:
            assert each in browser.get(f"/about/{name}").get_data(as_text=True)


# --- Administrators


def test_an_administrator_sees_a_text_before_it_is_on_the_page(
    browser: Browser, chief: User
) -> None:
    browser.sign_in_as(chief)
    browser.get("/staff/public-pages")
    assert "The program's own" in browser.text().replace("&#39;", "'")
    browser.get(EDIT)
    browser.submit(TYPED, status=200)

    page = browser.text()
    assert "Nothing is changed yet" in page
    assert "Call (860) 713-6073 ." in page
    assert "What changes" in page
    assert PageText.select().count() == 0

    browser.submit({"confirm": "yes"})
    browser.follow()
    assert "The page says this from now on." in browser.text()
    assert "Version 1" in browser.text()
    row = PageText.get()
    assert (row.body, row.written_by) == (
        "# By telephone\n\nCall **{program_phone}**.",
        "admin.chief",
    )
    browser.get("/about/contact")
    assert "By telephone" in browser.text()
    browser.get("/staff/public-pages")
    assert "Changed here" in browser.text()


def test_what_was_changed_after_the_preview_is_shown_once_more(
    browser: Browser, chief: User
) -> None:
    browser.sign_in_as(chief)
    browser.get(EDIT)
    browser.submit({**TYPED, "confirm": "yes"}, status=200)
    browser.submit({"title": "Another", "confirm": "yes"}, status=200)
    assert PageText.select().count() == 0
    browser.submit({"confirm": "yes"})
    assert PageText.get().title == "Another"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"title": ""}, "Write something here."),
        ({"body": "Call {nobody}."}, "Nothing is called {nobody}."),
        ({"body": "[x](javascript:alert(1))"}, "leads nowhere"),
        ({"body": "[x](/about/nobody-at-all/x)"}, "no page at /about/nobody-at-all/x"),
        ({"body": "A line.\n\n" * 200}, "Shorten it until it fits on 2."),
    ],
)
def test_a_text_that_will_not_do_comes_back_with_what_is_wrong(
    browser: Browser, chief: User, typed: dict[str, str], said: str
) -> None:
    browser.sign_in_as(chief)
    browser.get(EDIT)
    answer = browser.submit({**TYPED, **typed}, status=422)

    assert said in browser.text()
    page = answer.get_data(as_text=True)
    assert 'value="Shorter"' in page
    assert 'name="confirm"' not in page
    assert "<a href=javascript" not in page


def test_a_reason_is_asked_for_before_it_is_kept(browser: Browser, chief: User) -> None:
    browser.sign_in_as(chief)
    browser.get(EDIT)
    browser.submit({**TYPED, "note": ""}, status=200)
    browser.submit({"confirm": "yes"}, status=422)
    assert "Say what changed, and why." in browser.text()


def test_of_two_who_write_the_second_sees_both_texts_and_may_go_on(
    browser: Browser, chief: User
) -> None:
    browser.sign_in_as(chief)
    browser.get(EDIT)
    browser.submit(TYPED, status=200)
    theirs = Text("Theirs", "A line of theirs", "What the other wrote.")
    other = make_user(Role.ADMINISTRATOR, username="admin.other")
    versions.write("contact", theirs, note="Other", replaces=0, by=other, at=NOW)

    browser.submit({"confirm": "yes"}, status=409)

    page = browser.text()
    assert "Somebody else has put another text on this page" in page
    assert "What the page says now, from admin.other" in page
    assert "What the other wrote." in page
    assert "In one line" in page
    assert public_pages.text_of("contact") == theirs
    browser.submit({"confirm": "yes"})
    assert public_pages.text_of("contact").title == "Whom to call"


def test_an_earlier_version_is_compared_and_put_back(
    browser: Browser, chief: User
) -> None:
    browser.sign_in_as(chief)
    text = Text("Ours", "A line", "Our words.")
    versions.write("contact", text, note="First", replaces=0, by=chief, at=NOW)
    browser.get(f"{EDIT}/versions/1")
    assert "This is what the page says now." in browser.text()

    browser.get(f"{EDIT}/versions/0")
    assert "What would change" in browser.text()
    browser.submit()
    browser.follow()
    assert "The page says this again." in browser.text()
    assert public_pages.text_of("contact") == public_pages.own("contact")
    browser.get(f"{EDIT}/versions/7", status=404)


def test_a_put_back_after_somebody_else_s_change_shows_what_changed(
    browser: Browser, chief: User
) -> None:
    browser.sign_in_as(chief)
    text = Text("Ours", "A line", "Our words.")
    versions.write("contact", text, note="First", replaces=0, by=chief, at=NOW)
    browser.get(f"{EDIT}/versions/0")
    changed = Text("Ours", "A line", "Newest words.")
    versions.write("contact", changed, note="Second", replaces=1, by=chief, at=NOW)

    browser.submit()
    browser.follow()

    assert "Somebody else has changed the page meanwhile" in browser.text()
    assert "Newest" in browser.text()
    assert public_pages.text_of("contact") == changed


@pytest.mark.parametrize(
    "role", [Role.STAFF, Role.PHARMACY, Role.PRACTITIONER, Role.AUDITOR, Role.ANALYST]
)
def test_nobody_else_changes_pages(browser: Browser, role: Role) -> None:
    browser.sign_in_as(make_user(role))
    browser.get("/about/contact")
    assert "Change this page" not in browser.text()
    for path in ("/staff/public-pages", EDIT, f"{EDIT}/versions/0"):
        browser.get(path, status=404)
    browser.get("/account")
    token = {"csrf_token": browser.token()}
    browser.post(EDIT, {**TYPED, **token, "confirm": "yes"}, status=404)
    browser.post(f"{EDIT}/versions/0/back", {**token, "replaces": "0"}, status=404)
    assert PageText.select().count() == 0


def test_markup_that_a_browser_could_run_is_shown_as_typed(
    browser: Browser, chief: User
) -> None:
    browser.sign_in_as(chief)
    browser.get(EDIT)
    evil = "<script>alert(1)</script>\n\n<img src=x onerror=alert(1)>"
    answer = browser.submit({**TYPED, "body": evil}, status=200)

    page = answer.get_data(as_text=True)
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_text_is_tried_on_paper_before_it_is_taken(db: settings.Settings) -> None:
    documents.require_leaflet(with_body("# Fine\n\n- a\n- b"))
    with pytest.raises(RuleError, match="Shorten"):
        documents.require_leaflet(with_body("\n\n".join(["Line"] * 150)))
