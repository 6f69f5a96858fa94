"""The header of a transaction: its version, and what is odd about it."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pmp.asap import elements
from pmp.asap.delimiters import Delimiters
from pmp.asap.draft import parse_day

_SPELLING = re.compile(r"(?:ASAP)?V?(?:ER(?:SION)?)?0?(\d)[.,]?(\d)[.-]?([A-Z]?)")
_KINDS = {"", "01", "02", "03", "04"}
_REPLIES = {"02": "an acknowledgment", "03": "an error report"}


class Told(NamedTuple):
    """A problem of the header: code, words of its sentence, element, value."""

    code: str
    words: tuple[str, ...]
    at: str
    value: str = ""


def version_of(head: bytes, element: bytes) -> tuple[str, str]:
    """Give TH01 as it is written, and the version that is meant, “” if none is known.

    “4.2 B”, “42B” and “v4.2b” all mean 4.2B.
    """
    fields = head.split(element, 2)
    written = fields[1].strip().decode("latin-1")[:20] if len(fields) > 1 else ""
    found = _SPELLING.fullmatch(re.sub(r"\s", "", written).upper())
    if not found:
        return written, ""
    return written, f"{found[1]}.{found[2]}{found[3]}"


def faults_of(
    given: Mapping[str, str], marks: Delimiters, version: str
) -> Iterator[Told]:
    """Say what is odd about a TH segment, given by its elements."""
    file_type = given.get("TH07", "").upper()
    if file_type == "T":
        yield Told("W07", (), "TH07", "T")
    elif file_type != "P":
        yield _unexpected(given, "TH07", "P (production) or T (test)")
    if parse_day(given.get("TH05", "")) is None:
        yield _unexpected(given, "TH05", "a date such as 20260131")
    kind = given.get("TH03", "")
    if kind.zfill(2) in _REPLIES:
        yield Told("F11", (_REPLIES[kind.zfill(2)], kind), "TH03", kind)
    elif kind and kind.zfill(2) not in _KINDS:
        yield _unexpected(given, "TH03", "01 (send)")
    if marks.named != marks.terminator and version != "4.0":
        named, used = (
            marks.named.decode("latin-1"),
            marks.terminator.decode("latin-1"),
        )
        words = f"“{named}”" if named else "nothing", f"“{used}”"
        yield Told("W03", words, "TH09")


def misspelt(written: str, version: str) -> Told:
    """Say that a version is written in another way than the standard's."""
    words = (elements.label("TH01"), "TH01", f"“{written}”", version)
    return Told("W12", words, "TH01", written)


def created(given: Mapping[str, str]) -> str:
    """Give TH05 and TH06 as CCYYMMDDHHMMSS; a time without seconds, or none, is 00."""
    day, time = given.get("TH05", ""), given.get("TH06", "").rstrip("Zz")
    if parse_day(day) is None or not (time.isdecimal() or not time):
        return ""
    return (day + time[:6]).ljust(14, "0")


def _unexpected(given: Mapping[str, str], at: str, expected: str) -> Told:
    text = given.get(at, "")
    shown = f"“{text}”" if text else "empty"
    return Told("W12", (elements.label(at), at, shown, expected), at, text)
