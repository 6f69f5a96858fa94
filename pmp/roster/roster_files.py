"""Reads the roster's files as they are downloaded, row by row: CSV or tab-separated.

The Department's file has two million rows, so nothing here keeps more than one.
"""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pmp.errors import RuleError

BATCH = 500
LONGEST = 255
Row = dict[str, str]
_LICENCE_COLUMNS = (
    *("CredentialId", "Name", "FullCredentialCode", "Credential", "Status"),
    *("Active", "ExpirationDate", "Address", "City", "State", "Zip"),
)


class FileKind(StrEnum):
    """The two kinds of file, told apart by their header."""

    LICENCES = "licences"
    CONTACTS = "contacts"


class RowError(Exception):
    """A row that cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class RowProblem:
    """A row that was not used; the header is row 1, as in a spreadsheet."""

    row: int
    message: str


@dataclass
class Outcome:
    """What a file would change, or has changed; rows of other credentials skipped."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    skipped: int = 0
    problems: list[RowProblem] = field(default_factory=list)

    @property
    def invalid(self) -> int:
        """How many rows could not be used."""
        return len(self.problems)


def kind_of(path: Path) -> FileKind:
    """Tell by its header which kind a file is; RuleError if it is neither."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as sheet:
        names = {_plain(name) for name in _header(sheet.readline())}
    missing = [name for name in _LICENCE_COLUMNS if _plain(name) not in names]
    if not missing:
        return FileKind.LICENCES
    if {"licence", "license"} & names:
        return FileKind.CONTACTS
    raise RuleError(
        f"{path.name} is not a roster file. The Department's file also has the columns"
        f" {', '.join(missing)}; the file of contacts has a column licence."
    )


def rows(path: Path) -> Iterator[tuple[int, Row | RowError]]:
    """Read a file's rows with their numbers; column names without case or blanks.

    Blanks around values and doubled ones inside are taken out. A row with a wrong
    number of cells, or that is not UTF-8, comes as a RowError.
    """
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as sheet:
        tabs = "\t" in sheet.readline()
        sheet.seek(0)
        reader = csv.reader(sheet, delimiter="\t" if tabs else ",")
        names = [_plain(name) for name in next(reader, [])]
        for number, cells in enumerate(_cells(reader), start=2):
            if cells:
                yield number, _row(names, cells)


def sha256(path: Path) -> str:
    """Give a file's SHA-256."""
    with path.open("rb") as body:
        return hashlib.file_digest(body, "sha256").hexdigest()


def _cells(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as fault:
            raise RuleError(f"The file cannot be read: {fault}.") from fault


def _row(names: list[str], cells: list[str]) -> Row | RowError:
    if len(cells) != len(names):
        return RowError(
            f"The row has {len(cells)} cells; {len(names)} are expected. A value with"
            " a comma must stand in quotes."
        )
    if any(len(cell) > LONGEST for cell in cells):
        return RowError(f"The row has a value longer than {LONGEST} characters.")
    if any("\ufffd" in cell for cell in cells):
        return RowError("The row has signs that are not UTF-8. Save the file as UTF-8.")
    return {
        name: " ".join(cell.split()) for name, cell in zip(names, cells, strict=True)
    }


def _header(line: str) -> list[str]:
    return next(csv.reader([line], delimiter="\t" if "\t" in line else ","), [])


def _plain(name: str) -> str:
    return "".join(sign for sign in name.lower() if sign.isalnum())
