"""Tables for spreadsheets (CSV) that cannot run as formulas. Pure."""

import csv
import io
from collections.abc import Iterable, Sequence

# What Excel and its like take for the beginning of a formula.
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a table as CSV with CRLF line ends; None is an empty cell.

    A text that a spreadsheet would run is led by an apostrophe, which it shows as text.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return out.getvalue()


def _safe(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.lstrip(" ").startswith(_DANGEROUS) else text
