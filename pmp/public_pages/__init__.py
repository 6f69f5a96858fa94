"""The public pages: what the program says of itself, and to whom one turns.

Each has a text of the program's own (`own/<name>.md`: a title, a line that sums it up,
then the text), until an administrator writes another (pmp.public_pages.versions).
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markupsafe import Markup

from models import PageText
from pmp.errors import NotFoundError
from pmp.public_pages import facts, markup

OWN = Path(__file__).parent / "own"
# In the order of the list; an address is /about/<name>.
NAMES = (
    "program",
    "pharmacists",
    "prescribers",
    "registering",
    "threshold-reports",
    "counseling",
    "privacy",
    "contact",
    "accessibility",
)


@dataclass(frozen=True)
class Text:
    """What a page says, as it is written: markup, with names of facts in braces."""

    title: str
    summary: str
    body: str


@dataclass(frozen=True)
class PublicPage:
    """A page as it is read: facts are put in. `paper` is the body for a PDF."""

    name: str
    title: str
    summary: str
    body: Markup
    paper: Markup


def every() -> list[PublicPage]:
    """Give all pages in their order."""
    rows = _newest()
    return [shown(name, _said_by(rows.get(name), name)) for name in NAMES]


def page(name: str) -> PublicPage:
    """Give a page as it is now; NotFoundError if there is none of this name."""
    return shown(name, text_of(name))


def text_of(name: str) -> Text:
    """Give the text that is in force; NotFoundError if there is no such page."""
    require(name)
    return _said_by(newest(name), name)


def shown(name: str, text: Text) -> PublicPage:
    """Give a text as a page, whether it is in force or not."""
    whole = f"{text.title}\n{text.summary}\n{text.body}"
    known = facts.facts(markup.signs(whole))
    return PublicPage(
        name,
        markup.filled(text.title, known),
        markup.filled(text.summary, known),
        markup.html(text.body, known),
        markup.paper_html(text.body, known),
    )


@cache
def own(name: str) -> Text:
    """Give the program's own text of a page; NotFoundError if there is none."""
    require(name)
    written = (OWN / f"{name}.md").read_text("utf-8")
    title, summary, body = written.split("\n", 2)
    return Text(title.strip(), summary.strip(), body.strip())


def require(name: str) -> None:
    """Raise NotFoundError unless there is a page of this name."""
    if name not in NAMES:
        raise NotFoundError("There is no such page.")


def newest(name: str) -> PageText | None:
    """Give the version in force; None: the program's own text, never changed."""
    found: PageText | None = (
        PageText.select()
        .where(PageText.name == name)
        .order_by(PageText.version.desc())
        .first()
    )
    return found


def said_by(row: PageText) -> Text:
    """Give what a version says: its words, or the program's own text."""
    return own(row.name) if row.is_own else Text(row.title, row.summary, row.body)


def _said_by(row: PageText | None, name: str) -> Text:
    return said_by(row) if row else own(name)


def _newest() -> dict[str, PageText]:
    rows = PageText.select().order_by(PageText.name, PageText.version)
    return {row.name: row for row in rows}
