"""Tables as CSV files that are safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from flask import Response

# A cell that begins with one of these is a formula to a spreadsheet.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_answer(
    filename: str, header: Sequence[str], rows: Iterable[Sequence[Any]]
) -> Response:
    """Give a table as a download; a cell that could be a formula becomes text."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    writer.writerows([cell(value) for value in row] for row in rows)
    # The mark tells spreadsheets that it is UTF-8.
    answer = Response("\ufeff" + text.getvalue(), mimetype="text/csv")
    answer.headers.set("Content-Disposition", "attachment", filename=filename)
    return answer


def cell(value: Any) -> str:
    """Give a value as the text of a cell."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
