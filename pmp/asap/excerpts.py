"""Bytes of a submission as rows to show: control characters by name, long lines folded.

What looks like a Social Security number is replaced by asterisks, as everywhere.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pmp.asap.masking import masked

WIDTH = 72
"""Signs in a row; a longer line is folded."""

ROWS_AROUND = 4
"""Rows before and after the marked ones."""

REACH = 2048
"""Bytes around a place that are looked at: what a number is, its segment tells."""

_LONGEST_LINE = 16 * 1024
_C0 = (
    *("NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "TAB", "LF", "VT"),
    *("FF", "CR", "SO", "SI", "DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB"),
    *("CAN", "EM", "^Z", "ESC", "FS", "GS", "RS", "US"),
)


class Kind(StrEnum):
    """What a piece of a row is: text, a control character's name, a byte in hex."""

    TEXT = "text"
    CONTROL = "control"
    BYTE = "byte"
    END = "end"  # the end of the file


@dataclass(frozen=True, slots=True)
class Piece:
    """Signs of one kind in a row; `marked` where the fault is."""

    text: str
    kind: Kind
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the file, or a part of one that is too long for a row.

    `line` counts lines from 1; it is 0 for a row that goes on with the line before.
    `offset` is the byte of the file at which the row begins.
    """

    line: int
    offset: int
    pieces: tuple[Piece, ...]

    @property
    def marked(self) -> bool:
        """Whether the fault is in this row."""
        return any(piece.marked for piece in self.pieces)


def hidden(text: bytes, begin: int, end: int) -> bytes:
    """Give bytes with Social Security numbers hidden, told by what is around them."""
    first = max(0, begin - REACH)
    near = masked(text[first : end + REACH])
    return near[begin - first : end - first]


def rows_around(text: bytes, begin: int, end: int) -> tuple[Row, ...]:
    """Give the rows around bytes `begin` to `end`, which are marked.

    Where both are the end of the file, that is marked.  `text` is UTF-8 as far as it
    can be; only what is near the place is looked at.
    """
    if begin < len(text):
        end = max(end, begin + 1)
    first = _beginning(text, max(0, begin - REACH), begin)
    near = hidden(text, first, min(len(text), end + REACH))
    rows = list(_folded(near, first, (begin, end), line_of(text, first)))
    if begin >= len(text):
        rows = _with_end(rows, begin, line_of(text, begin))
    marked = [number for number, row in enumerate(rows) if row.marked]
    top, bottom = (marked[0], marked[-1]) if marked else (0, 0)
    return tuple(rows[max(0, top - ROWS_AROUND) : bottom + ROWS_AROUND + 1])


def _beginning(text: bytes, first: int, place: int) -> int:
    """Give where rows begin: at a line if there is one, never inside a character."""
    if first == 0:
        return 0
    line = re.compile(rb"\r\n|[\r\n]").search(text, first, place)
    if line and line.end() < place:
        return line.end()
    while first < place and text[first] & 0xC0 == 0x80:
        first += 1
    return first


def _with_end(rows: list[Row], at: int, line: int) -> list[Row]:
    """Add the end of the file to the rows, as the place of the fault."""
    end = Piece("end of the file", Kind.END, marked=True)
    if rows and not _ends_line(rows[-1]):
        last = rows[-1]
        return [*rows[:-1], Row(last.line, last.offset, (*last.pieces, end))]
    return [*rows, Row(line, at, (end,))]


def _ends_line(row: Row) -> bool:
    last = row.pieces[-1]
    return last.kind is Kind.CONTROL and last.text in {"LF", "CR"}


def _folded(
    near: bytes, start: int, place: tuple[int, int], line: int
) -> Iterator[Row]:
    """Part bytes, the first of which is byte `start` of the file, into rows."""
    pieces: list[Piece] = []
    width, offset, number = 0, start, line
    at = start
    for sign, kind, size in signs(near):
        marked = place[0] < at + size and at < place[1]  # also a part of it
        _put(pieces, sign, kind, marked=marked)
        width, at = width + len(sign), at + size
        ends = sign == "LF" or (
            sign == "CR" and near[at - start : at - start + 1] != b"\n"
        )
        if ends or width >= WIDTH:
            yield Row(number, offset, tuple(pieces))
            line += ends
            pieces, width, offset, number = [], 0, at, line if ends else 0
    if pieces:
        yield Row(number, offset, tuple(pieces))


def _put(pieces: list[Piece], sign: str, kind: Kind, *, marked: bool) -> None:
    """Add a sign to a row: to its last piece, if that is of the same kind."""
    last = pieces[-1] if pieces else None
    if last and (last.kind, last.marked) == (kind, marked) and kind is Kind.TEXT:
        pieces[-1] = Piece(last.text + sign, kind, marked)
    else:
        pieces.append(Piece(sign, kind, marked))


def signs(near: bytes) -> Iterator[tuple[str, Kind, int]]:
    """Give each character as it is shown, its kind, and its size in bytes."""
    at = 0
    while at < len(near):
        byte = near[at]
        if byte < 0x80:
            yield (*_ascii(byte), 1)
            at += 1
            continue
        size = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
        try:
            sign = near[at : at + size].decode()
        except UnicodeDecodeError:
            yield f"{byte:02X}", Kind.BYTE, 1
            at += 1
            continue
        shown = sign.isprintable()
        yield (
            sign if shown else f"U+{ord(sign):04X}",
            Kind.TEXT if shown else Kind.CONTROL,
            size,
        )
        at += size


def _ascii(byte: int) -> tuple[str, Kind]:
    if byte < len(_C0):
        return _C0[byte], Kind.CONTROL
    return ("DEL", Kind.CONTROL) if byte == 0x7F else (chr(byte), Kind.TEXT)


def line_of(text: bytes, at: int) -> int:
    has_feeds = text.find(b"\n", 0, at + _LONGEST_LINE) >= 0
    mark = b"\n" if has_feeds else b"\r"
    return text.count(mark, 0, at) + 1
