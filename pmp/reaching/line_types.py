"""What kind of line a fax number is, as the carriers' register says: kept, once asked.

A mobile answers no fax. It is only a warning: numbers are ported, registers err.
"""

from datetime import datetime, timedelta

from models import FaxNumber
from pmp import database
from pmp.reaching import fax_numbers

GOOD_FOR = timedelta(days=180)
MOBILE = "mobile"
UNKNOWN = "unknown"


def known(number: str, *, at: datetime) -> str:
    """Give the line type that was asked for lately; empty if it was not."""
    row: FaxNumber | None = FaxNumber.get_or_none(FaxNumber.number == number)
    if row is None or row.line_asked_at is None or row.line_asked_at < at - GOOD_FOR:
        return ""
    return str(row.line_type)


def keep(number: str, line_type: str, *, at: datetime) -> None:
    """Keep what the register said, empty for nothing."""
    with database.atomic():
        row = fax_numbers.row_of(number)
        row.line_type, row.line_asked_at = line_type or UNKNOWN, at
        row.save(only=[FaxNumber.line_type, FaxNumber.line_asked_at])
