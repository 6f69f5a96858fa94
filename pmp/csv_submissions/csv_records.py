"""Rows of a spreadsheet to records of the standard, each row exactly one.

What cannot be understood stays as it is, so that the rules hold the record, and is
named with the row and the heading of the user's own file.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from models import User
from pmp.asap import plain
from pmp.csv_submissions.columns import PATIENT_NAME, PHARMACY_NUMBERS
from pmp.csv_submissions.csv_reader import LONGEST_CELL, Row, Sheet
from pmp.drugs import product_search
from pmp.entry import pharmacies, prescriber_search
from pmp.entry.reading import PHARMACY
from pmp.errors import RuleError

_SERIAL = re.compile(r"[1-6]\d{4}(?:\.\d+)?", re.ASCII)
# A spreadsheet counts days from here (and wrongly had a 29 February 1900).
_FIRST_DAY = date(1899, 12, 30)
_USUAL = {"DSP01": "00", "DSP07": "01", "PAT20": "01"}


@dataclass(frozen=True)
class RowProblem:
    """What is wrong in a row: the heading of its column, the value, words, a fix."""

    row: int
    heading: str
    value: str
    words: str


@dataclass(frozen=True)
class Layout:
    """What a spreadsheet's columns mean, and what all of its rows share.

    `columns`: heading → element or “”; `fixed`: element → text, used where the row has
    nothing; under PHARMACY the pharmacy's number.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)

    @property
    def given(self) -> list[str]:
        """The elements that columns or fixed texts give."""
        fixed = [name for name, text in self.fixed.items() if text]
        return [*filter(None, self.columns.values()), *fixed]

    def heading(self, element: str) -> str:
        """Give the heading of the column that an element comes from, or “”."""
        wanted = {element}
        if element in {"PAT07", "PAT08"}:
            wanted.add(PATIENT_NAME)
        for heading, meant in self.columns.items():
            if meant in wanted:
                return heading
        return ""


def records(
    sheet: Sheet, layout: Layout, *, by: User, today: date
) -> tuple[list[dict[str, str]], list[RowProblem]]:
    """Give a record for each row in their order, and what was not understood."""
    problems: list[RowProblem] = []
    made = []
    whole = product_search.whole_ndcs(_short_ndcs(sheet, layout))
    places = [
        (place, heading, element)
        for place, heading in enumerate(sheet.headings)
        if (element := layout.columns.get(heading, ""))
    ]
    dispensers = _Dispensers(by, layout.fixed.get(PHARMACY, ""))
    for row in sheet.rows:
        cells = {
            element: (heading, row.cells[place]) for place, heading, element in places
        }
        record = _record(row, cells, layout, today, problems)
        _name_product(record, row, layout, whole, problems)
        made.append(dispensers.complete(record))
    _name_prescribers(made)
    return made, problems


def _record(
    row: Row,
    cells: Mapping[str, tuple[str, str]],
    layout: Layout,
    today: date,
    problems: list[RowProblem],
) -> dict[str, str]:
    record = dict(_USUAL)
    texts = {
        element: ("", text)
        for element, text in layout.fixed.items()
        if text and element != PHARMACY
    }
    texts |= {element: cell for element, cell in cells.items() if cell[1]}
    for element, (heading, text) in texts.items():
        try:
            record |= _value(element, text, today)
        except ValueError as fault:
            problems.append(RowProblem(row.number, heading, text, str(fault)))
            record[element] = text[:LONGEST_CELL]
    return record


def _value(element: str, text: str, today: date) -> dict[str, str]:
    """Read a cell; ValueError with words for what cannot be understood."""
    if len(text) > LONGEST_CELL:
        words = f"The cell has more than {LONGEST_CELL} characters. Shorten it."
        raise ValueError(words)
    if element == PATIENT_NAME:
        return _names(text)
    if element in plain.DATES and _SERIAL.fullmatch(text):
        day = _FIRST_DAY + timedelta(days=int(float(text)))
        return {element: f"{day:%Y%m%d}"}
    return {element: plain.read(element, text, today=today)}


def _names(text: str) -> dict[str, str]:
    """Part “LAST, FIRST MIDDLE”, or “First Last” where there is no comma."""
    last, comma, given = text.partition(",")
    if not comma:
        given, _, last = text.rpartition(" ")
    first, _, middle = given.strip().partition(" ")
    if not first or not last.strip():
        raise ValueError(f"“{text[:40]}” is not a whole name. Write it as LAST, FIRST.")
    return {"PAT07": last.strip(), "PAT08": first, "PAT09": middle.strip()}


def _short_ndcs(sheet: Sheet, layout: Layout) -> Iterable[str]:
    for place, heading in enumerate(sheet.headings):
        if layout.columns.get(heading) == "DSP08":
            return {row.cells[place].removesuffix(".0") for row in sheet.rows}
    return ()


def _name_product(
    record: dict[str, str],
    row: Row,
    layout: Layout,
    whole: Mapping[str, Sequence[str]],
    problems: list[RowProblem],
) -> None:
    """Give an NDC back the zeros that a spreadsheet took, where one product fits."""
    code = record.get("DSP08", "")
    if code not in whole:
        return
    found = whole[code]
    if len(found) == 1:
        record["DSP08"] = found[0]
        return
    told = f"can be {len(found)} products" if found else "fits no product that we know"
    problems.append(
        RowProblem(
            row.number,
            layout.heading("DSP08"),
            code,
            f"The NDC {code} has {len(code)} digits and {told}. Spreadsheets take"
            " leading zeros away: format the column as Text and give all 11 digits.",
        )
    )


class _Dispensers:
    """The pharmacies of a user by each of their numbers, and the one for all rows."""

    def __init__(self, by: User, number: str) -> None:
        self._known = {
            text: dispenser.elements
            for dispenser in pharmacies.of(by)
            for name, text in dispenser.elements.items()
            if name in PHARMACY_NUMBERS
        }
        try:
            self._usual = pharmacies.named(number, by=by).elements if number else {}
        except RuleError:
            self._usual = {}

    def complete(self, record: dict[str, str]) -> dict[str, str]:
        """Put the whole PHA segment to a record; a strange number stays alone."""
        numbers = [record[name] for name in PHARMACY_NUMBERS if record.get(name)]
        known = next((self._known[each] for each in numbers if each in self._known), {})
        return {**record, **(known if numbers else self._usual)}


def _name_prescribers(made: Iterable[dict[str, str]]) -> None:
    """Fill in the names of known prescribers where the file has none."""
    found: dict[str, Mapping[str, str]] = {}
    for record in made:
        dea = record.get("PRE02", "")
        if not dea or record.get("PRE05") or record.get("PRE03"):
            continue
        if dea not in found:
            known = prescriber_search.named(dea)
            found[dea] = known.elements if known else {}
        for name, text in found[dea].items():
            if text:
                record.setdefault(name, text)
