"""Imports of roster files, as a list: narrowed, sorted, and as a file."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import fn

from models import RosterImport, RosterKind, RosterState, User
from pmp import downloads, sorting
from pmp.downloads import Listing
from pmp.paging import Page, page_of
from pmp.wording import us_time

LATEST = "-import"
KIND_WORDS = {
    RosterKind.LICENCES: "Licences of the Department",
    RosterKind.CONTACTS: "Numbers and contacts by licence",
    RosterKind.NPPES: "CMS providers (NPPES)",
}
STATE_WORDS = {
    RosterState.WAITING: "Waits to be read",
    RosterState.READING: "Being read",
    RosterState.READY: "To decide",
    RosterState.FAILED: "Cannot be read",
    RosterState.DISCARDED: "Dropped",
    RosterState.APPLYING: "Being applied",
    RosterState.APPLIED: "Applied",
    RosterState.UNDOING: "Being undone",
    RosterState.UNDONE: "Undone",
}
SORTS: dict[str, Any] = {
    "import": RosterImport.id,
    "file": fn.LOWER(RosterImport.filename),
    "asked": RosterImport.asked_at,
    "new": RosterImport.new,
    "changed": RosterImport.changed,
    "gone": RosterImport.gone,
    "invalid": RosterImport.invalid,
    "state": RosterImport.state,
}
HEADINGS = (
    "Import",
    "File",
    "What",
    "Asked for",
    "By",
    "New",
    "Changed",
    "Gone",
    "Invalid",
    "Unchanged",
    "State",
    "Applied",
    "Applied by",
    "Undone",
    "Undone by",
)
FILE = Listing("roster_imports", "imports", "Choose what was imported, or a state.")


@dataclass(frozen=True)
class Wanted:
    """Which imports to list; an empty part does not narrow.

    Each word of `text` must be part of the file's name, or the user who asked for it.
    `sort` is one of SORTS, a minus before it turns it round; else the latest is first.
    """

    text: str = ""
    kind: RosterKind | None = None
    state: RosterState | None = None
    sort: str = ""

    @property
    def order(self) -> str:
        return sorting.known(self.sort, SORTS, otherwise=LATEST)


def listed(wanted: Wanted, *, page: int) -> Page:
    """Give a page of imports in the order that is wanted."""
    return page_of(_query(wanted), number=page)


def rows_of(wanted: Wanted, *, by: User, at: datetime) -> list[list[Any]]:
    """Give the list as lines of a file, under HEADINGS; kept on record.

    RuleError if it is longer than a file may be.
    """
    rows = downloads.rows_of(_query(wanted), FILE, by=by, at=at)
    return [_line(row) for row in rows]


def kind_words(batch: RosterImport) -> str:
    """Say what an import's file is."""
    return KIND_WORDS[batch.kind]


def state_words(batch: RosterImport) -> str:
    """Say where an import stands."""
    return STATE_WORDS[batch.state]


def _line(row: RosterImport) -> list[Any]:
    return [
        row.id,
        row.filename,
        kind_words(row),
        us_time(row.asked_at),
        row.asked_by,
        row.new,
        row.changed,
        row.gone,
        row.invalid,
        row.unchanged,
        state_words(row),
        us_time(row.applied_at),
        row.applied_by,
        us_time(row.undone_at),
        row.undone_by,
    ]


def _query(wanted: Wanted) -> Any:
    query: Any = RosterImport.select()
    for word in wanted.text.split():
        query = query.where(
            RosterImport.filename.contains(word) | RosterImport.asked_by.contains(word)
        )
    if wanted.kind:
        query = query.where(RosterImport.kind == wanted.kind)
    if wanted.state:
        query = query.where(RosterImport.state == wanted.state)
    return sorting.in_order(query, wanted.order, SORTS, then=RosterImport.id)
