"""Reads a spreadsheet that was saved as CSV: bytes to headings and rows. Pure.

As Excel and its like write them: UTF-8 with or without a mark, Windows-1252, UTF-16;
commas, semicolons, tabs or bars; quoted cells with line breaks; empty lines and columns
at the end.  Whatever the bytes are, it gives a sheet or raises RuleError with what to
do.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pmp.asap import plain
from pmp.errors import RuleError

MOST_ROWS = 20_000
MOST_COLUMNS = 200
LONGEST_CELL = 300
LONGEST_READ = 1_000
LONGEST_HEADING = 80

_DELIMITERS = ",;\t|"
_FIRST_ROWS = 20
_NAMED = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)
_LOOKS_LIKE = (
    (b"PK\x03\x04", "an Excel workbook"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook"),
    (b"%PDF", "a PDF"),
    (b"{\\rtf", "a Word document"),
)
_ASAP = re.compile(r"\s*TH([^\w\s])[345]\.\d", re.IGNORECASE)
_VALUE = re.compile(r"\d{6,}|\d{1,4}([-/.])\d{1,2}\1\d{1,4}(?: .*)?|[A-Z]{2}\d{7}")


@dataclass(frozen=True)
class Row:
    """A row that is not empty; `number` is the one that a spreadsheet shows."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """A spreadsheet: its headings, each once, and the rows under them.

    `empty`: numbers of the empty rows between them.
    """

    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    empty: tuple[int, ...] = ()

    def samples(self, column: int, count: int = 3) -> list[str]:
        """Give the first values of a column that are not empty."""
        values = (row.cells[column] for row in self.rows)
        found = []
        for value in values:
            if value:
                found.append(value)
            if len(found) == count:
                break
        return found


def read(body: bytes) -> Sheet:
    """Read a file; RuleError (field “file”) for what is no spreadsheet of records."""
    text = _text(body)
    delimiter, text = _delimiter(text)
    rows = list(_rows(text, delimiter))
    if not rows:
        raise _refusal("The file has no rows. Fill it in and save it again.")
    return _sheet(rows)


def _text(body: bytes) -> str:
    for start, words in _LOOKS_LIKE:
        if body.startswith(start):
            raise _refusal(
                f"This is {words}, not CSV. Open it in Excel, choose File, Save As, and"
                " the type “CSV UTF-8”. Then send that file."
            )
    text = _decoded(body)
    if _ASAP.match(text):
        raise _refusal("This is an ASAP file. Send it under “Submit a file”.")
    return text.replace("\0", "")


def _decoded(body: bytes) -> str:
    """Decode by the mark, or else as UTF-16 with its NULs, UTF-8, Windows-1252."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", errors="replace")
    head = body[:1000]
    if len(head) > 3 and head[1::2].count(0) > len(head) // 4:
        return body.decode("utf-16-le", errors="replace")
    if len(head) > 3 and head[::2].count(0) > len(head) // 4:
        return body.decode("utf-16-be", errors="replace")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", errors="replace")


def _delimiter(text: str) -> tuple[str, str]:
    """Give what parts the cells, and the text without Excel's line that names it."""
    named = _NAMED.match(text[:10])
    if named and named[1] in _DELIMITERS:
        return named[1], text[named.end() :]
    best = max(_DELIMITERS, key=lambda sign: _width(text, sign))
    return best, text


def _width(text: str, delimiter: str) -> int:
    """Give how many cells most of the first rows have if this is what parts them."""
    widths = []
    for row in _rows(text[:100_000], delimiter, careful=False):
        widths.append(len(row.cells))
        if len(widths) == _FIRST_ROWS:
            break
    return sorted(widths)[len(widths) // 2] if widths else 0


def _rows(text: str, delimiter: str, *, careful: bool = True) -> Iterator[Row]:
    """Give the rows that are not empty; `careful`: RuleError for what is too much."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    number = kept = 0
    cells: list[str] = []
    try:
        for number, cells in enumerate(reader, start=1):
            shown = _shown(cells)
            kept += bool(shown)
            if careful:
                _require_room(kept, len(shown))
            if shown:
                yield Row(number, shown)
    except csv.Error as fault:
        if careful:
            raise _never_closed(number + 1) from fault
    broken = any("\n" in cell or "\r" in cell for cell in cells)
    if careful and broken and text.count('"') % 2:
        raise _never_closed(number)


def _never_closed(number: int) -> RuleError:
    return _refusal(
        f"Row {number} cannot be read: a quotation mark is opened and never closed, or"
        " a cell holds more than 130,000 characters. Mend it and save again."
    )


def _shown(cells: list[str]) -> tuple[str, ...]:
    """Give the cells as people see them, without empty ones at the end."""
    shown = [plain.tidy(cell[:LONGEST_READ]) for cell in cells]
    while shown and not shown[-1]:
        shown.pop()
    return tuple(shown)


def _require_room(rows: int, columns: int) -> None:
    if rows > MOST_ROWS + 1:
        raise _refusal(
            f"The file has more than {MOST_ROWS:,} rows. Send it in parts, or have your"
            " software write ASAP."
        )
    if columns > MOST_COLUMNS:
        raise _refusal(
            f"A row has {columns:,} columns; at most {MOST_COLUMNS} are read. Delete"
            " the columns that are not needed."
        )


def _sheet(rows: list[Row]) -> Sheet:
    """Part headings from rows: titles above them are left out."""
    widest = max(len(row.cells) for row in rows)
    least = min(3, widest)
    start = next(
        place
        for place, row in enumerate(rows)
        if sum(1 for cell in row.cells if cell) >= least or place == len(rows) - 1
    )
    head, body = rows[start], rows[start + 1 :]
    cells = head.cells
    if sum(1 for cell in cells if _VALUE.fullmatch(cell)) > 1:
        body, cells = rows[start:], ()  # it begins with a record
    if not body:
        raise _refusal("There is no row under the headings. Fill it in and save again.")
    width = max(len(cells), *(len(row.cells) for row in body))
    first, last = body[0].number, body[-1].number
    present = {row.number for row in body}
    return Sheet(
        headings=_unique([*cells, *[""] * (width - len(cells))]),
        rows=tuple(
            Row(row.number, (*row.cells, *[""] * (width - len(row.cells))))
            for row in body
        ),
        empty=tuple(n for n in range(first, last) if n not in present),
    )


def _unique(cells: list[str]) -> tuple[str, ...]:
    """Name each column once: an empty heading by its letter, a second one by (2)."""
    found: list[str] = []
    for place, cell in enumerate(cells):
        heading = cell[:LONGEST_HEADING] or f"Column {_letters(place)}"
        name, nth = heading, 2
        while name in found:
            name, nth = f"{heading} ({nth})", nth + 1
        found.append(name)
    return tuple(found)


def _letters(place: int) -> str:
    """Give a column's letters as a spreadsheet does: A … Z, AA …."""
    first, second = divmod(place, 26)
    return (chr(64 + first) if first else "") + chr(65 + second)


def _refusal(words: str) -> RuleError:
    return RuleError(words, field="file")
