"""The submission file of records that were typed or came from a spreadsheet.

A real file of the standard, so that they go the same way as every other submission.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from models import User
from pmp import clock
from pmp.asap import writer
from pmp.uploads.programme import programme

_BEST_FIRST = ("4.2B", "5.0", "4.2A", "4.2", "4.1", "4.0")
_GIVEN_UP = {ord("^"): " ", ord("~"): "-"}
_FLAG_UNTIL = {"4.0", "4.1"}


def version() -> str:
    """Give the version to write: the best of those that the programme accepts."""
    accepted = programme().accepted
    return next((each for each in _BEST_FIRST if each in accepted), _BEST_FIRST[0])


def write(
    records: Sequence[Mapping[str, str]], *, by: User, at: datetime, message: str = ""
) -> bytes:
    """Write records, element id → text of the standard, in their order.

    The same records of the same user and second give the same bytes.  The standard
    cannot escape: where records hold every sign that could part or end segments, two
    that mean nothing in names and numbers become others.
    """
    try:
        return _write(records, by, at, message)
    except ValueError:
        plain = [
            {name: text.translate(_GIVEN_UP) for name, text in record.items()}
            for record in records
        ]
        return _write(plain, by, at, message)


def _write(
    records: Sequence[Mapping[str, str]], by: User, at: datetime, message: str
) -> bytes:
    chosen = version()
    written = clock.local(at)
    return writer.write(
        [_in_version(record, chosen) for record in records],
        version=chosen,
        # Ten characters are all that the oldest version takes.
        control_number=f"P{written:%j%H%M%S}",
        sender_id=f"U{by.id}"[:10],
        sender=_plain(by.name)[:60] or by.username[:60],
        written=written,
        message=message[:60],
    )


def _in_version(record: Mapping[str, str], chosen: str) -> dict[str, str]:
    """Say “not partial” as the version does; element 13 has changed its sense."""
    partial = record.get("DSP13", "") or "0"
    if not partial.isdecimal():
        return dict(record)
    if chosen in _FLAG_UNTIL:
        partial = "01" if int(partial) else "02"
    return {**record, "DSP13": partial.zfill(2)}


def _plain(text: str) -> str:
    """Keep letters, digits and blanks: a name must not use up a delimiter."""
    return " ".join("".join(c if c.isalnum() else " " for c in text).split())
