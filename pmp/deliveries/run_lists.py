"""Print runs, as a list: narrowed, sorted, and as a file."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from models import DeliveryKind, PrintRun, User
from pmp import clock, downloads, sorting
from pmp.deliveries import print_runs
from pmp.deliveries.print_runs import Letter
from pmp.downloads import Listing
from pmp.paging import Page, page_of
from pmp.wording import us_date, us_time, words

PAGE_SIZE = 25
OPEN_FIRST = "-stands"
SORTS: dict[str, Any] = {
    "run": PrintRun.id,
    "opened": PrintRun.opened_at,
    "mailed": PrintRun.mailed_on,
    "stands": PrintRun.closed_at.is_null(),
}
HEADINGS = (
    "Run",
    "Letters of",
    "Opened",
    "Opened by",
    "Letters",
    "Sheets",
    "Where it stands",
    "Taken to the post",
    "By",
)
FILE = Listing("print_runs", "print runs", "Choose fewer days.")


@dataclass(frozen=True)
class Wanted:
    """Which runs to list; an empty part does not narrow.

    `is_open`: something of it is still to be done. The days, inclusive, are those on
    which it was opened. `sort` is one of SORTS, a minus before it turns it round; else
    those that are open come first, then the last ones.
    """

    is_open: bool | None = None
    opened_by: str = ""
    since: date | None = None
    until: date | None = None
    sort: str = ""

    @property
    def order(self) -> str:
        return sorting.known(self.sort, SORTS, otherwise=OPEN_FIRST)


@dataclass(frozen=True)
class Row:
    """A run with its letters, from the top of the pile."""

    run: PrintRun
    found: list[Letter]

    @property
    def letters(self) -> int:
        return sum(each.is_in for each in self.found)

    @property
    def sheets(self) -> int:
        return sum(each.row.sheets for each in self.found if each.is_in)

    @property
    def kind(self) -> str:
        """Whose letters it was opened for."""
        return words(DeliveryKind(self.run.kind)) if self.run.kind else "All kinds"

    @property
    def stage(self) -> str:
        return print_runs.stage(self.found)


def listed(wanted: Wanted, *, page: int) -> Page:
    """Give a page of runs, each a Row, in the order that is wanted."""
    found = page_of(_query(wanted), number=page, size=PAGE_SIZE)
    return replace(found, rows=_rows(found.rows))


def rows_of(wanted: Wanted, *, by: User, at: datetime) -> list[list[Any]]:
    """Give the list as lines of a file, under HEADINGS; kept on record.

    RuleError if it is longer than a file may be.
    """
    runs = downloads.rows_of(_query(wanted), FILE, by=by, at=at)
    return [
        _line(row)
        for start in range(0, len(runs), PAGE_SIZE)
        for row in _rows(runs[start : start + PAGE_SIZE])
    ]


def _rows(runs: list[PrintRun]) -> list[Row]:
    letters = print_runs.contents_of(runs)
    return [Row(run, letters[run.id]) for run in runs]


def _line(row: Row) -> list[Any]:
    run = row.run
    return [
        run.id,
        row.kind,
        us_time(run.opened_at),
        run.opened_by,
        row.letters,
        row.sheets,
        row.stage,
        us_date(run.mailed_on),
        run.mailed_by,
    ]


def _query(wanted: Wanted) -> Any:
    query: Any = PrintRun.select()
    if wanted.is_open is not None:
        query = query.where(PrintRun.closed_at.is_null(is_null=wanted.is_open))
    if wanted.opened_by:
        query = query.where(PrintRun.opened_by.contains(wanted.opened_by))
    if wanted.since:
        query = query.where(PrintRun.opened_at >= clock.start_of(wanted.since))
    if wanted.until:
        end = clock.start_of(wanted.until + timedelta(days=1))
        query = query.where(PrintRun.opened_at < end)
    return sorting.in_order(query, wanted.order, SORTS, then=PrintRun.id)
