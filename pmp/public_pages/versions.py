"""Texts of public pages as administrators write them: each change is a new version.

No version is ever changed. Version 0 is the program's own text, which no row holds: so
a page that went back to it gets what a new release of the program says.
"""

from datetime import datetime
from typing import Any

from peewee import IntegrityError

from models import PageText, User
from pmp import audit, database, public_pages, sorting
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.public_pages import PublicPage, Text, facts, markup

LONGEST = {"title": 100, "summary": 200, "body": 12_000}
CHANGED = (
    "Somebody else has put another text on this page meanwhile. Nothing of yours is"
    " kept yet: compare the two, change yours where needed, and put it there again."
)

SORTS: dict[str, Any] = {
    "page": lambda row: row[0].title.casefold(),
    "whose": lambda row: row[1] is None or row[1].is_own,
    "changed": lambda row: row[1].written_at if row[1] else None,
}


def number_now(name: str) -> int:
    """Give the number of the version in force; 0: nobody ever wrote another."""
    row = public_pages.newest(name)
    return row.version if row else 0


def every(name: str) -> list[PageText]:
    """List a page's versions, the newest first."""
    public_pages.require(name)
    rows = PageText.select().where(PageText.name == name)
    return list(rows.order_by(PageText.version.desc()))


def last_changes() -> dict[str, PageText]:
    """Give the newest version of each page that has any, by its name."""
    rows = PageText.select().order_by(PageText.version)
    return {row.name: row for row in rows}


def listed(sort: str) -> list[tuple[PublicPage, PageText | None]]:
    """List the pages with their newest version, in the order that is wanted.

    `sort` is one of SORTS, a minus before it turns it round; else in their own order.
    """
    last = last_changes()
    rows = [(page, last.get(page.name)) for page in public_pages.every()]
    if not sorting.known(sort, SORTS, otherwise=""):
        return rows
    return sorting.rows_in_order(rows, sort, SORTS)


def text(name: str, version: int) -> Text:
    """Give what a version says; 0 is the program's own. NotFoundError if none."""
    public_pages.require(name)
    if version == 0:
        return public_pages.own(name)
    return public_pages.said_by(_row(name, version))


def require_sound(wanted: Text) -> None:
    """Raise RuleError, with the field, for a text that no page could have."""
    for field, most in LONGEST.items():
        words = getattr(wanted, field)
        if not words.strip():
            raise RuleError("Write something here.", field=field)
        if len(words) > most:
            message = f"These are {len(words):,} characters. Write at most {most:,}."
            raise RuleError(message, field=field)
        # Only the body is markup: of the others only the names in braces count.
        read = words if field == "body" else _names_in(words)
        for problem in markup.problems(read, facts.facts(markup.signs(read))):
            raise RuleError(problem, field=field)


def write(
    name: str, wanted: Text, *, note: str, replaces: int, by: User, at: datetime
) -> PageText:
    """Put a text on a page as its next version.

    `replaces` is the number of the version that its writer saw: ConflictError if
    another is in force by now. RuleError for a text that will not do, one without a
    note of what changed, and one that changes nothing.
    """
    require_sound(wanted)
    if wanted == public_pages.text_of(name):
        raise RuleError("This is what the page says already.", field="body")
    return _put(name, wanted, note=note, replaces=replaces, by=by, at=at)


def put_back(
    name: str, version: int, *, replaces: int, by: User, at: datetime
) -> PageText:
    """Put an earlier version in force again, as a new one; 0 is the program's own."""
    wanted = text(name, version)
    if wanted == public_pages.text_of(name):
        raise RuleError("This is what the page says already.")
    is_own = version == 0 or _row(name, version).is_own
    note = f"Back to version {version}" if version else "Back to the program's own text"
    return _put(
        name, None if is_own else wanted, note=note, replaces=replaces, by=by, at=at
    )


def _put(
    name: str, wanted: Text | None, *, note: str, replaces: int, by: User, at: datetime
) -> PageText:
    if not note.strip():
        raise RuleError("Say what changed, and why.", field="note")
    said = wanted or Text("", "", "")
    try:
        with database.together():
            if number_now(name) != replaces:
                raise ConflictError(CHANGED)
            row: PageText = PageText.create(
                name=name,
                version=replaces + 1,
                is_own=wanted is None,
                title=said.title,
                summary=said.summary,
                body=said.body,
                note=note,
                written_by=by.username,
                written_at=at,
            )
            audit.record(
                audit.Event.PUBLIC_PAGE_WRITTEN,
                actor=by.username,
                subject=f"public_page:{name}",
                at=at,
                detail={"version": row.version, "own": row.is_own, "note": note},
            )
    except IntegrityError as clash:
        raise ConflictError(CHANGED) from clash
    return row


def _row(name: str, version: int) -> PageText:
    row: PageText | None = PageText.get_or_none(
        (PageText.name == name) & (PageText.version == version)
    )
    if row is None:
        raise NotFoundError("This page has no such version.")
    return row


def _names_in(words: str) -> str:
    return " ".join(f"{{{name}}}" for name in sorted(markup.signs(words)))
