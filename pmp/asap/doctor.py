"""Where a file breaks: the bytes around a fault, marked, and what was expected there.

Pure: bytes, the code of a fatal problem and its byte offset in; rows to show out.
Little but what is near the fault is looked at, however large the file is.
"""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass

from pmp.asap.delimiters import is_header, looks_like
from pmp.asap.excerpts import (
    REACH,
    WIDTH,
    Kind,
    Row,
    hidden,
    line_of,
    rows_around,
    signs,
)

_MOST_MARKED = 48
_LONGEST_SEGMENT = 16 * 1024
_NOISE = b" \t\r\n\0\x1a\x0b\x0c"
_SEGMENTS = b"TH|IS|PHA|PAT|DSP|PRE|CDI|AIR|TP|TT"
_HEADER = re.compile(rb"(?<![A-Za-z0-9])[Tt][Hh][^\w\s\x80-\xff]")
# What an element of a header or a trailer does not hold.
_END_OF_ELEMENT = re.compile(rb"[^\w\s./:+-]|[\r\n]")
_UTF16 = {
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
    b"T\0": "utf-16-le",
    b"\0T": "utf-16-be",
}
_BLANKS = {9: "a tab", 10: "a line break", 13: "a line break", 32: "a blank"}


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The rows around a fault; `offset` and `line` are where the marked place begins.

    `found` and `expected` say what stands there and what should.  `converted`: the file
    is UTF-16, and offsets are of its text in UTF-8.
    """

    offset: int
    line: int
    rows: tuple[Row, ...]
    expected: str
    found: str
    converted: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """Marked bytes, from `begin` up to `end`; the end of the file where both are it."""

    begin: int
    end: int
    expected: str
    found: str


def examine(body: bytes, *, code: str, offset: int | None) -> Excerpt:
    """Show where a file breaks: the place of a fatal problem of `body`.

    `offset` is the problem's, which for a UTF-16 file is of the UTF-8 form; a byte
    order mark of UTF-8 counts.  A code that is not known marks what stands there.
    """
    text, converted = _as_utf8(body)
    at = min(max(offset or 0, 0), len(text))
    place = _FINDERS.get(code, _something)(text, at)
    return Excerpt(
        offset=place.begin,
        line=line_of(text, place.begin),
        rows=rows_around(text, place.begin, place.end),
        expected=place.expected,
        found=place.found,
        converted=converted,
    )


def _as_utf8(body: bytes) -> tuple[bytes, bool]:
    name = _UTF16.get(body[:2])
    if name is None:
        return body, False
    text = body.decode(name, errors="replace").removeprefix("\ufeff")
    return text.encode(errors="replace"), True


# --- What each code is about: where the fault is, what is there, what should be


def _empty(text: bytes, _at: int) -> _Place:
    found = f"{len(text):,} bytes of blanks, line breaks or padding, and nothing else"
    return _Place(
        0,
        min(len(text), _MOST_MARKED),
        "A header: TH, the character that parts elements, the version, as in TH*4.2B*",
        found if text else "Nothing: the file has no byte",
    )


def _no_asap(text: bytes, at: int) -> _Place:
    what, end = looks_like(text[at : at + REACH]), _end_of_run(text, at, 16)
    found = f"The start of {what}"
    if what == "something else":
        readable = all(kind is Kind.TEXT for _, kind, _ in signs(text[at:end]))
        found = _quoted(text, at, end) if readable else "Bytes that are no text"
    return _Place(
        at,
        end,
        "TH and the character that parts elements, as in TH*4.2B*, before all else",
        found,
    )


def _version(text: bytes, at: int) -> _Place:
    end = _end_of_element(text, at)
    return _Place(
        at,
        max(end, at + 1),
        "A version of the standard that is accepted here, as TH01",
        _quoted(text, at, end),
    )


def _terminator(text: bytes, at: int) -> _Place:
    header = _header_before(text, at)
    mark = _terminator_of(text, header)
    if not mark or at < text.find(b"IS", header):
        return _header_without_end(text, at)
    named = f"“{mark.decode('latin-1')}”"
    delimiter = re.escape(text[header + 2 : header + 3])
    lost = re.compile(rb"\s*(" + _SEGMENTS + rb")\s*" + delimiter, re.IGNORECASE).match(
        text, at
    )
    if not lost:
        start = _skip_noise(text, at)
        return _Place(
            start,
            _end_of_run(text, start, _MOST_MARKED),
            f"{named} within {_LONGEST_SEGMENT:,} characters",
            "A segment that does not end",
        )
    used = text[at - 1 : at]
    if not (used.isalnum() or used in {mark, text[header + 2 : header + 3]}):
        found = used.decode("latin-1")
        return _Place(
            at - 1,
            at,
            f"{named}, the character that ends segments in the header (TH09)",
            f"“{found}”: the segments that follow end with another character",
        )
    segment = lost[1].decode("latin-1").upper()
    return _Place(
        at,
        lost.end(1),
        f"{named} before the {segment} segment",
        f"A line break, then {segment}: two segments run together",
    )


def _header_without_end(text: bytes, at: int) -> _Place:
    end = _skip_noise(text, at)
    begin = at if end < len(text) else len(text)
    return _Place(
        begin,
        end,
        "The character that ends segments, such as ~: as element 9 of TH, and again"
        " after it",
        _quoted(text, begin, end),
    )


def _no_pharmacy(text: bytes, at: int) -> _Place:
    header = _header_before(text, at)
    delimiter = _delimiter(text, header)
    places = (
        text.find(segment + delimiter, header, at + 3)
        for segment in (b"PAT", b"DSP", b"TP", b"TT")
    )
    begin = min((place for place in places if place >= 0), default=at)
    end = begin + len(_segment_id(text, begin))
    return _Place(
        begin,
        end,
        "A pharmacy (PHA segment) after IS, before the first patient",
        f"{text[begin:end].decode('latin-1')}, with no PHA segment before it",
    )


def _cut_off(text: bytes, at: int) -> _Place:
    start = _skip_noise(text, at)
    if is_header(text[start : start + 3]):
        return _Place(
            start,
            start + 2,
            "TT, the trailer of the transaction before",
            "TH, the header of another one",
        )
    end = len(text)
    mark = _terminator_of(text, _header_before(text, at))
    if not mark or text.rstrip(_NOISE).endswith(mark):
        words = "TT, the trailer, which says how many segments there are"
        return _Place(end, end, words, "The end of the file")
    begun = _skip_noise(text, text.rindex(mark) + 1)
    segment = _segment_id(text, begun).decode("latin-1")
    return _Place(
        end,
        end,
        f"The rest of the segment that begins with “{segment}”, the character that"
        " ends it, and all that follows up to TT",
        "The end of the file",
    )


def _control_number(text: bytes, at: int) -> _Place:
    end = _end_of_element(text, at)
    first, last = _element(text, _header_before(text, at), 2)
    return _Place(
        at,
        max(end, at + 1),
        f"The control number of the header (TH02): {_quoted(text, first, last)}",
        _quoted(text, at, end),
    )


def _reply(text: bytes, at: int) -> _Place:
    end = _end_of_element(text, at)
    return _Place(
        at,
        max(end, at + 1),
        "01, a submission, as TH03; other numbers are replies to one",
        _quoted(text, at, end),
    )


def _after_the_trailer(text: bytes, at: int) -> _Place:
    start = _skip_noise(text, at)
    end = _end_of_run(text, start, _MOST_MARKED)
    return _Place(
        start,
        end,
        "The end of the file, or TH with which another transaction begins",
        _quoted(text, start, end),
    )


def _something(text: bytes, at: int) -> _Place:
    start = _skip_noise(text, at)
    end = max(start + len(_segment_id(text, start)), min(start + 1, len(text)))
    return _Place(start, end, "", _quoted(text, start, end))


_FINDERS: dict[str, Callable[[bytes, int], _Place]] = {
    "F01": _empty,
    "F02": _no_asap,
    "F03": _version,
    "F04": _terminator,
    "F05": _no_pharmacy,
    "F06": _cut_off,
    "F07": _control_number,
    "F11": _reply,
    "F12": _after_the_trailer,
}


# --- Finding one's way in the bytes


def _skip_noise(text: bytes, at: int) -> int:
    while at < len(text) and text[at] in _NOISE:
        at += 1
    return at


def _segment_id(text: bytes, at: int) -> bytes:
    found = re.compile(rb"[A-Za-z]{1,3}").match(text, at)
    return found[0] if found else text[at : at + 1]


def _delimiter(text: bytes, at: int) -> bytes:
    """Give the byte after the id of the segment that begins at `at`."""
    end = at + len(_segment_id(text, at))
    return text[end : end + 1] or b"*"


def _element(text: bytes, at: int, number: int) -> tuple[int, int]:
    """Give where an element of the segment at `at` begins and ends."""
    delimiter, begin = _delimiter(text, at), at
    for _ in range(number):
        place = text.find(delimiter, begin, begin + _LONGEST_SEGMENT)
        if place < 0:
            return begin, begin
        begin = place + 1
    return begin, _end_of_element(text, begin)


def _end_of_element(text: bytes, begin: int) -> int:
    """Give where the element that begins there ends: at what no such element holds."""
    stop = _END_OF_ELEMENT.search(text, begin, begin + REACH)
    return stop.start() if stop else min(begin + WIDTH, len(text))


def _terminator_of(text: bytes, header: int) -> bytes:
    """Give what ends the segments of a transaction: it stands before IS; else b""."""
    delimiter = re.escape(text[header + 2 : header + 3])
    found = re.compile(rb"([^\w\s])\s*IS" + delimiter, re.IGNORECASE).search(
        text, header, header + _LONGEST_SEGMENT
    )
    return found[1] if found else b""


def _header_before(text: bytes, at: int) -> int:
    """Give where the last header at or before `at` begins; 0 if none is found."""
    last = 3 if text.startswith(codecs.BOM_UTF8) else 0
    for found in _HEADER.finditer(text, 0, min(at + 3, len(text))):
        last = found.start()
    return last


def _end_of_run(text: bytes, at: int, most: int) -> int:
    """Give the end of the line at `at`, at most so many bytes further."""
    found = re.compile(rb"[\r\n]").search(text, at + 1, at + most)
    return found.start() if found else min(at + most, len(text))


def _quoted(text: bytes, begin: int, end: int) -> str:
    """Write what stands in some bytes, for a sentence."""
    if begin >= len(text):
        return "The end of the file"
    if begin == end:
        return "Nothing"
    part = hidden(text, begin, end).strip()
    if not part:
        return _BLANKS.get(text[begin], "A blank").capitalize()
    return f"“{''.join(sign for sign, _, _ in signs(part))}”"
