"""Reads the roster's files as they are downloaded: which kind, then row by row.

CSV, tab-separated or with semicolons; UTF-8 with or without mark, UTF-16 as a
spreadsheet saves it, or Windows-1252; as it is or zipped. CMS's file has eight million
rows of 330 columns, so nothing here keeps more than one row.
"""

import codecs
import csv
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, Any, cast

from models import RosterKind
from pmp.errors import RuleError

BATCH = 500
ROWS_A_WORD = 20_000
LONGEST = 255
LONGEST_HEADER = 65_536
LARGEST_UNZIPPED = 40_000_000_000
BUFFER = 1 << 20
SHOWN_VALUE = 80
Row = dict[str, str]
Cells = list[str]
Wanted = Callable[[Cells], bool]
LICENCE_COLUMNS = (
    *("CredentialId", "Name", "FullCredentialCode", "Credential", "Status"),
    *("Active", "ExpirationDate", "Address", "City", "State", "Zip"),
)
_NPPES_COLUMNS = {"npi", "entitytypecode", "providerlicensenumber1"}
# Column of an extract → other headings under which states and NCPDP know it.
ALSO_CALLED = {
    "licence": ("license", "licensenumber", "licencenumber", "fullcredentialcode"),
    "dea": ("deanumber", "dearegistrationnumber"),
    "npi": ("npinumber",),
    "ncpdp": ("ncpdpnumber", "ncpdpproviderid", "ncpdpid"),
    "phone": ("phonenumber", "telephone", "telephonenumber"),
    "fax": ("faxnumber",),
    "email": ("emailaddress",),
    "preferredchannel": ("preferredway",),
}
_OURS = {other: name for name, others in ALSO_CALLED.items() for other in others}
_TEXT_ENDINGS = (".csv", ".tsv", ".txt", ".tab")


class RowError(Exception):
    """A row that cannot be used: the text says why and what to do.

    `key` is its CredentialId where that could be read all the same.
    """

    def __init__(
        self, message: str, *, column: str = "", value: str = "", key: str = ""
    ) -> None:
        super().__init__(message)
        self.column = column
        self.value = value[:SHOWN_VALUE]
        self.key = key


@dataclass(frozen=True)
class RowProblem:
    """A row that was not used; the header is row 1, as in a spreadsheet."""

    row: int
    message: str
    column: str = ""
    value: str = ""


class Sheet:
    """An open file: its kind, its columns, and its rows, once."""

    def __init__(self, binary: IO[bytes], *, name: str) -> None:
        self.name = name
        self.read = 0
        """Rows read so far, without the header."""
        self._passed = 0
        self._buffered = io.BufferedReader(cast("io.RawIOBase", binary), BUFFER)
        head = self._buffered.peek(LONGEST_HEADER)[:LONGEST_HEADER]
        encoding = "utf-16" if head[:2] in _UTF16 else "utf-8-sig"
        first = head.decode(encoding, errors=_FALLBACK).splitlines()[:1]
        self._text = io.TextIOWrapper(
            self._buffered, encoding, errors=_FALLBACK, newline=""
        )
        self._reader = csv.reader(
            self._text,
            delimiter=_delimiter(first[0] if first else ""),
        )
        self.names: list[str] = []
        self.kind = RosterKind.LICENCES

    def begin(self) -> None:
        """Read the header; RuleError (field `file`) if it is of no kind we know."""
        self.names = [_plain(cell) for cell in next(self._records(), [])]
        self.kind = self._kind()

    def let_go(self) -> None:
        """Leave the file open for whoever gave it."""
        self._text.detach()
        self._buffered.detach()

    def place(self, name: str) -> int:
        """Give where a column stands; its name without case, blanks and signs."""
        return self.names.index(name)

    def rows(
        self, *, wanted: Wanted | None = None, columns: tuple[str, ...] = ()
    ) -> Iterator[tuple[int, Row | RowError | None]]:
        """Give each row with its number: its cells by column name, tidied.

        Rows that are not wanted are passed, and counted for `passed`; each so many
        (ROWS_A_WORD) give None, so that somebody hears of it. A RowError comes for one
        with a wrong number of cells, one too long, or one whose signs nobody can read.
        `columns` are those that matter; without, all. RuleError where the file itself
        cannot be read.
        """
        width = len(self.names)
        places = [
            (name, place)
            for place, name in enumerate(self.names)
            if not columns or name in columns
        ]
        for number, cells in enumerate(self._records(), start=2):
            if not cells:
                continue
            self.read += 1
            if len(cells) != width:
                yield number, self._too_few(cells)
            elif wanted is not None and not wanted(cells):
                self._passed += 1
                if self._passed % ROWS_A_WORD == 0:
                    yield number, None
            else:
                yield number, _row(places, cells)

    def passed(self) -> int:
        """Count the rows passed since this was last asked."""
        count, self._passed = self._passed, 0
        return count

    def _records(self) -> Iterator[Cells]:
        try:
            yield from self._reader
        except (csv.Error, UnicodeError) as fault:
            line = self._reader.line_num
            raise RuleError(
                f"{self.name} cannot be read at line {line:,}: {fault}. Is a quotation"
                " mark missing?"
            ) from fault
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as fault:
            raise RuleError(
                f"{self.name} is damaged: {fault}. Download it again."
            ) from fault

    def _too_few(self, cells: Cells) -> RowError:
        read = dict(zip(self.names, cells, strict=False))
        return RowError(
            f"The row has {len(cells)} cells; {len(self.names)} are expected. A value"
            " with a comma must stand in quotes.",
            key=read.get("credentialid", "").strip(),
        )

    def _kind(self) -> RosterKind:
        names = set(self.names)
        missing = [name for name in LICENCE_COLUMNS if _plain(name) not in names]
        if not missing:
            return RosterKind.LICENCES
        if names >= _NPPES_COLUMNS:
            return RosterKind.NPPES
        self.names = [_OURS.get(name, name) for name in self.names]
        if "licence" in self.names:
            return RosterKind.CONTACTS
        raise RuleError(
            f"{self.name} is not a roster file. The Department's file also has the"
            f" columns {', '.join(missing)}; CMS's file has NPI and Provider License"
            " Number_1; the file of contacts has a column licence.",
            field="file",
        )


@contextmanager
def opened(binary: IO[bytes], *, name: str) -> Iterator[Sheet]:
    """Open a roster file, zipped or not; RuleError if it is none that we know."""
    start = binary.read(4)
    binary.seek(0)
    if start != b"PK\x03\x04":
        with _sheet(binary, name) as sheet:
            yield sheet
        return
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(binary))
            member = _member(archive, name)
            inside = stack.enter_context(archive.open(member))
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as fault:
            raise RuleError(
                f"{name} cannot be unzipped: {fault}. Give the file inside.",
                field="file",
            ) from fault
        with _sheet(inside, f"{member.filename} in {name}") as sheet:
            yield sheet


@contextmanager
def _sheet(binary: IO[bytes], name: str) -> Iterator[Sheet]:
    sheet = Sheet(binary, name=name)
    try:
        sheet.begin()
        yield sheet
    finally:
        sheet.let_go()


def _member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """Give the largest table in an archive: CMS's has others and their headers too."""
    tables = [
        each
        for each in archive.infolist()
        if each.filename.lower().endswith(_TEXT_ENDINGS)
    ]
    if not tables:
        raise RuleError(f"{name} has no CSV or text file in it.", field="file")
    largest = max(tables, key=lambda each: each.file_size)
    if largest.file_size > LARGEST_UNZIPPED:
        size = largest.file_size // 1_000_000_000
        raise RuleError(f"{largest.filename} has {size} GB: that is no roster.")
    return largest


def _row(places: list[tuple[str, int]], cells: Cells) -> Row | RowError:
    row: Row = {}
    for name, place in places:
        value = " ".join(cells[place].split())
        if len(value) > LONGEST:
            return RowError(
                f"The row has a value longer than {LONGEST} characters.",
                column=name,
                value=value,
            )
        if "\ufffd" in value or "\0" in value:
            return RowError(
                "The row has signs that are not UTF-8. Save the file as UTF-8.",
                column=name,
                value=value.replace("\0", "\ufffd"),
            )
        row[name] = value
    return row


def _delimiter(header: str) -> str:
    return max(("\t", ",", ";", "|"), key=header.count)


def _plain(name: str) -> str:
    return "".join(sign for sign in name.lower() if sign.isalnum())


def _as_windows(fault: UnicodeError) -> tuple[str, int]:
    """Read as Windows-1252 what is not UTF-8: a few states' systems mix both."""
    error: Any = fault
    odd: bytes = error.object[error.start : error.end]
    return odd.decode("cp1252", errors="replace"), error.end


_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_FALLBACK = "pmp-windows-1252"
codecs.register_error(_FALLBACK, _as_windows)
