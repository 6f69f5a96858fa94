"""Strangers' files are opened in a process of their own, with little of everything.

A damaged TIFF or PDF may make a library loop, fill the memory or crash. Whatever it
does there, the worker goes on and the fax stands in the tray as unreadable. The process
is given the file and none of the program's keys, and no other stranger's file.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from gateway import pages
from gateway.confined import (
    BusyError,
    PassingError,
    TooLongError,
    UnableError,
    Workshop,
)
from gateway.pages import UnreadableFax
from pmp.fax_parts import Sheet

SECONDS = 180
MEGABYTES = 2048
# For a process that is free: who waits holds a thread of the worker.
WAIT_SECONDS = 2
SHOWING_SECONDS = 20
SHOWING_MEGABYTES = 1024
_REFUSED = "refused: "

_reading = Workshop(
    "gateway.reading_apart:work",
    seconds=SECONDS,
    megabytes=MEGABYTES,
    jobs=1,
    wait=WAIT_SECONDS,
)


# One page for a person who waits for it at the screen, several of whom may.
_showing = Workshop(
    "gateway.reading_apart:work",
    seconds=SHOWING_SECONDS,
    megabytes=SHOWING_MEGABYTES,
    jobs=1,
)


class NotReadNowError(Exception):
    """The file was not read this time; nothing is known to be wrong with it.

    `died`: a process had begun, and died of it or because the machine was short.
    """

    def __init__(self, *, died: bool) -> None:
        super().__init__("its process died" if died else "all processes were busy")
        self.died = died


def sheets(body: bytes, media_type: str) -> list[Sheet]:
    """Read every page of a file.

    UnreadableFax, with a sentence for the fax desk; NotReadNowError to try again.
    """
    answer = _apart({"what": "sheets", "media_type": media_type}, body)
    try:
        return [_sheet(line) for line in answer.splitlines()]
    except (ValueError, TypeError, KeyError):
        raise UnreadableFax("The file broke the reader.") from None


def cut(body: bytes, media_type: str, numbers: Sequence[int]) -> bytes:
    """Give a file of some of another's pages; UnreadableFax if that cannot be.

    NotReadNowError to try again.
    """
    wanted = {"what": "cut", "media_type": media_type, "numbers": list(numbers)}
    return _apart(wanted, body)


def page_png(
    body: bytes, media_type: str, number: int, *, turn: int = 0, large: bool = False
) -> bytes:
    """Draw one page (the first is 1) for the screen; as for `cut` where it cannot be.

    Within twenty seconds, and with nobody who reads whole faxes to wait for. `turn` and
    `large` are as for pages.page_png.
    """
    shown = {"number": number, "turn": turn, "large": large}
    wanted = {"what": "page", "media_type": media_type, **shown}
    return _apart(wanted, body, by=_showing)


def pictured(body: bytes, media_type: str, *, label: str, most: int) -> bytes:
    """Give a paper's pages as pictures in a PDF; see `gateway.scanned_papers.sheets`.

    UnreadableFax where it cannot be opened, NotReadNowError to try again.
    """
    wanted = {"what": "pictures", "media_type": media_type, "label": label}
    return _apart({**wanted, "most": most}, body)


def every_code(body: bytes) -> list[str]:
    """Read all codes of a scan of several things; as for `cut` where it cannot be."""
    return [str(each) for each in json.loads(_apart({"what": "codes"}, body))]


def work(given: bytes) -> bytes:
    """Do in the process of its own what the first line asks with the file after it."""
    line, _, body = given.partition(b"\n")
    wanted = json.loads(line)
    try:
        return _WORK[wanted["what"]](body, wanted)
    except UnreadableFax as refusal:
        raise UnableError(f"{_REFUSED}{refusal}") from None
    except MemoryError:
        text = f"{_REFUSED}The file needs too much memory to open."
        raise UnableError(text) from None


# What a child process imports it imports within its limits, and only that.


def _read_sheets(body: bytes, wanted: Mapping[str, Any]) -> bytes:
    from gateway import fax_sheets  # noqa: PLC0415

    found = list(fax_sheets.read(body, wanted["media_type"]))
    return "\n".join(json.dumps(asdict(sheet)) for sheet in found).encode()


def _cut(body: bytes, wanted: Mapping[str, Any]) -> bytes:
    from gateway import cut_pages  # noqa: PLC0415

    return cut_pages.cut(body, wanted["media_type"], wanted["numbers"])


def _page(body: bytes, wanted: Mapping[str, Any]) -> bytes:
    turn, large = wanted["turn"], wanted["large"]
    media_type, number = wanted["media_type"], wanted["number"]
    return pages.page_png(body, media_type, number, turn=turn, large=large)


def _pictures(body: bytes, wanted: Mapping[str, Any]) -> bytes:
    from gateway import scanned_papers  # noqa: PLC0415

    return scanned_papers.sheets(
        body, wanted["media_type"], label=wanted["label"], most=wanted["most"]
    )


def _codes(body: bytes, _wanted: Mapping[str, Any]) -> bytes:
    from gateway import barcodes  # noqa: PLC0415

    return json.dumps(barcodes.every_code(body)).encode()


_WORK: dict[str, Callable[[bytes, Mapping[str, Any]], bytes]] = {
    "sheets": _read_sheets,
    "cut": _cut,
    "page": _page,
    "pictures": _pictures,
    "codes": _codes,
}


def _apart(
    wanted: Mapping[str, object], body: bytes, *, by: Workshop | None = None
) -> bytes:
    try:
        return (by or _reading)(json.dumps(wanted).encode() + b"\n" + body)
    except TooLongError:
        raise UnreadableFax("The file took too long to open.") from None
    except PassingError as error:
        raise NotReadNowError(died=not isinstance(error, BusyError)) from None
    except UnableError as error:
        text = str(error)
        told = text.removeprefix(_REFUSED) if text.startswith(_REFUSED) else ""
        raise UnreadableFax(told or "The file broke the reader.") from None


def _sheet(line: bytes) -> Sheet:
    found = json.loads(line)
    return Sheet(
        int(found["number"]),
        tuple(map(str, found["codes"])),
        bool(found["blank"]),
        str(found["look"]),
    )
