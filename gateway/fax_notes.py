"""What HylaFAX says of a fax in the drop folder: a JSON file beside it.

gateway/hylafax/FaxDispatch writes it: who called, how the machine called itself, which
call. It helps staff and proves nothing: a caller can send any number and any name.
"""

import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

ENDING = ".json"
LARGEST = 4096
# A note whose fax never came, or was taken in before its note could be deleted.
ORPHANED = timedelta(hours=1)
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_UNPRINTED = re.compile(r"[^\x20-\x7e]")


@dataclass(frozen=True)
class Note:
    """`caller` as digits with perhaps a +, `station` as printable ASCII."""

    caller: str = ""
    station: str = ""


def is_note(path: Path) -> bool:
    """Tell whether a file in the folder is a note and no fax."""
    return path.suffix == ENDING


def place(fax: Path) -> Path:
    """Give where the note of a fax lies, if it has one."""
    return fax.with_suffix(ENDING)


def beside(fax: Path) -> Note | None:
    """Read the note of a fax; None if it has none that can be read."""
    try:
        handle = os.open(place(fax), _FLAGS)
        with os.fdopen(handle, "rb") as stream:
            told = json.loads(stream.read(LARGEST))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    caller = re.sub(r"[^0-9+]", "", _text(told, "caller"))
    return Note(caller=caller[:20], station=_text(told, "station")[:60])


def drop_orphans(folder: Path, *, at: datetime) -> None:
    """Delete notes whose fax has not been there for an hour."""
    oldest = (at - ORPHANED).timestamp()
    for note in [path for path in folder.iterdir() if is_note(path)]:
        with suppress(OSError):
            fax_is_here = any(each != note for each in folder.glob(f"{note.stem}.*"))
            if not fax_is_here and note.lstat().st_mtime < oldest:
                note.unlink()


def _text(told: dict[str, Any], name: str) -> str:
    given = told.get(name)
    return _UNPRINTED.sub("", given).strip() if isinstance(given, str) else ""
