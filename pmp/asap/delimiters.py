"""Which characters part elements and segments: found in the file, never assumed."""

import re
from dataclasses import dataclass

_HEADER = re.compile(rb"[Tt][Hh]([^\w\s\x80-\xff])")
_LOOKS = (
    (rb"%PDF", "a PDF document"),
    (rb"PK\x03\x04.{,4000}(\[Content_Types\]|word/|xl/)", "a Word or Excel document"),
    (rb"\xd0\xcf\x11\xe0|\{\\rtf", "a Word or Excel document"),
    (rb"PK\x03\x04", "a ZIP archive"),
    (rb"\x1f\x8b", "a gzip archive"),
    (rb"7z\xbc\xaf|Rar!", "a 7z or RAR archive"),
    (rb"-----BEGIN PGP|\x85[\x01\x02]", "an encrypted file (PGP)"),
    (rb"(?i)\s*<(!doctype html|html|head|body)", "a web page"),
    (rb"\s*<", "an XML document"),
    (rb"\s*[{\[]", "a JSON document"),
    (rb"II\*\0|MM\0\*", "a TIFF image"),
    (rb"\xff\xd8\xff|\x89PNG", "an image"),
    (rb"(FHS|BHS|MSH)[|^]", "an HL7 message"),
    (rb"ISA.", "an X12 interchange"),
    (rb"UN[AB][+:]", "an EDIFACT or NCPDP SCRIPT message"),
    (rb"ASB.{6}A2", "the fixed columns of ASAP 1995"),
    # Each part ends where the next begins: a hostile line has one way to be read.
    (rb"([^,\r\n]*,){5}", "a spreadsheet (CSV)"),
)


@dataclass(frozen=True, slots=True)
class Delimiters:
    """`element` parts elements, `terminator` ends segments, both one byte.

    `end` is where the TH segment's text ends and `next` where the segment after it
    begins, both from the start of TH.  `named` is what TH09 says, b"" for nothing.
    """

    element: bytes
    terminator: bytes
    named: bytes
    end: int
    next: int


def detect(head: bytes) -> Delimiters | None:
    """Find the delimiters of a transaction that begins at `head`.

    The byte after TH parts elements.  The terminator is TH09, which the terminator
    of TH itself follows; where TH09 is absent or does not fit, it is the byte before
    the IS segment.  None if `head` does not begin with TH or no terminator is found.
    """
    header = _HEADER.match(head)
    if not header:
        return None
    element = header[1]
    place = _start_of_ninth(head, element)
    named = _mark(head, place).replace(element, b"") if place else b""
    if named:
        again = re.compile(rb"\s*" + re.escape(named)).match(head, place + 1)
        begin = head.index(named, place)
        if again and b"\n" not in head[begin + 1 : again.end() - 1]:
            return Delimiters(element, named, named, begin, again.end())
    before_source = re.compile(
        rb"([^\w\s\x80-\xff])\s*(?=[Ii][Ss]" + re.escape(element) + rb")"
    ).search(head)
    if not before_source or before_source[1] == element:
        return None
    end = before_source.start()
    if named and head.index(named, place) < end:
        end = head.index(named, place)
    else:
        named = b""
    return Delimiters(element, before_source[1], named, end, before_source.end(1))


def is_header(head: bytes) -> bool:
    """Whether the bytes begin a transaction: TH and an element delimiter."""
    return bool(_HEADER.match(head))


def looks_like(head: bytes) -> str:
    """Name what a file is that is not ASAP, as far as its first bytes tell."""
    for pattern, what in _LOOKS:
        if re.compile(pattern, re.DOTALL).match(head):
            return what
    return "something else"


def _start_of_ninth(head: bytes, element: bytes) -> int:
    """Give where TH09 begins; 0 if TH has fewer elements."""
    place = 0
    for _ in range(9):
        place = head.find(element, place) + 1
        if not place:
            return 0
    return place


def _mark(head: bytes, place: int) -> bytes:
    """Give the first byte of TH09 if it can be a terminator."""
    found = re.compile(rb"[ \t]*([^\w\s\x80-\xff]|[\r\n\x1c-\x1f])").match(head, place)
    return found[1] if found else b""
