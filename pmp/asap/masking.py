"""Hides what looks like a Social Security number in the raw bytes of a submission."""

import re

_NINE = rb"\0?".join([rb"\d"] * 9)
_PARTED = rb"\d{3}[-\s]\d{2}[-\s]\d{4}"
_NUMBER = re.compile(rb"(?<!\d)(?:" + _PARTED + rb"|" + _NINE + rb")(?!\d)")
# The nine digits of a ZIP code, an NDC's part or a control number stand in these.
_WITHOUT = {b"TH", b"IS", b"PHA", b"DSP", b"PRE", b"CDI", b"TP", b"TT"}
_SEGMENT = re.compile(
    rb"(?<![A-Za-z0-9])(TH|IS|PHA|PAT|DSP|PRE|CDI|AIR|TP|TT)[^\w\s]", re.IGNORECASE
)
# An identifier (PAT03, PAT06, AIR05) that its qualifier says is one: 07.
_QUALIFIED = tuple(
    re.compile(
        rb"(?<![A-Za-z0-9])"
        + segment
        + rb"([^\w\s])"
        + rb"(?:(?:(?!\1)[^\r\n]){0,60}\1){"
        + str(before).encode()
        + rb"}[ \t]*0?7[ \t]*\1(?P<number>(?:(?!\1)[^~\r\n]){1,40})",
        re.IGNORECASE,
    )
    for segment, before in ((rb"PAT", 1), (rb"PAT", 4), (rb"AIR", 3))
)


def masked(raw: bytes) -> bytes:
    """Give the bytes, as many as before, with Social Security numbers as asterisks.

    Hidden are numbers written 123-45-6789, nine digits in a row where a patient or a
    person who picks up may stand, and whatever has the qualifier 07 (PAT02, PAT05,
    AIR04: Social Security number).  Nine digits of a ZIP code go with them.
    """
    hidden = bytearray(raw)
    segments = [(found.start(), found[1].upper()) for found in _SEGMENT.finditer(raw)]
    for number in _NUMBER.finditer(raw):
        parted = b"-" in number[0]
        if parted or _segment_at(segments, number.start()) not in _WITHOUT:
            _hide(hidden, *number.span())
    for pattern in _QUALIFIED:
        for found in pattern.finditer(raw):
            _hide(hidden, *found.span("number"))
    return bytes(hidden)


def _segment_at(segments: list[tuple[int, bytes]], at: int) -> bytes:
    before = (name for begin, name in reversed(segments) if begin <= at)
    return next(before, b"")


def _hide(hidden: bytearray, begin: int, end: int) -> None:
    for at in range(begin, end):
        if chr(hidden[at]).isalnum():
            hidden[at] = ord("*")
