"""A list of patients as people have it: names and birth dates in any usual order.

Pure: text in, lines out, each as it was read or with what is wrong with it.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from pmp.lookup import birth_dates
from pmp.lookup.criteria import FEWEST_LETTERS
from pmp.matching.identities import GENERATIONS, name_key

LONGEST_LINE = 300
LONGEST_NAME = 100
_HEADINGS = {
    "last": ("last", "lastname", "surname", "familyname", "patientlastname"),
    "first": ("first", "firstname", "givenname", "patientfirstname"),
    "name": ("name", "patient", "patientname", "fullname"),
    "born": ("dob", "born", "birthdate", "dateofbirth", "birthday", "patientdob"),
}
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_DATE = re.compile(
    r"(?<![\w/.\-])(?:"
    r"\d{4}[/.\-]\d{1,2}[/.\-]\d{1,2}"
    r"|\d{1,2}[/.\-]\d{1,2}[/.\-](?:\d{4}|\d{2})"
    r"|\d{8}"
    rf"|{_DAY}[ \-]{_MONTH}\.?,?[ \-]\d{{2,4}}"
    rf"|{_MONTH}\.?[ \-]{_DAY},?[ \-]\d{{2,4}}"
    r")(?![\w/\-])",
    re.IGNORECASE | re.ASCII,
)
_TIME = re.compile(
    r"(?<!\w)\d{1,2}:\d{2}(?::\d{2})?(?:\s*[ap]\.?m\.?)?(?!\w)", re.IGNORECASE
)
_LABEL = re.compile(r"(?<!\w)(?:dob|d\.o\.b\.|born|birth date)\s*:?", re.IGNORECASE)
_EDGES = " \t,;|\"'()[]-\u2013"
_CELLS = re.compile(r"\s*[\t;|]\s*|\s{3,}")
_PARTICLES = frozenset(
    [
        "DA",
        "DAS",
        "DE",
        "DEL",
        "DELA",
        "DELLA",
        "DEN",
        "DER",
        "DES",
        "DI",
        "DO",
        "DOS",
        "DU",
        "EL",
        "LA",
        "LAS",
        "LE",
        "LOS",
        "MAC",
        "MC",
        "SAN",
        "SANTA",
        "ST",
        "TEN",
        "TER",
        "VAN",
        "VON",
    ]
)


NO_DATE = "There is no birth date. Add it, such as 04/28/1971."
TWO_DATES = "There are two dates. Leave the date of birth alone."
NO_NAMES = "There is no first and last name. Add what is missing."
LONG_NAME = f"This name is too long. Shorten it to {LONGEST_NAME} letters."


@dataclass(frozen=True)
class Line:
    """A line of the list: who was read from it, or `problem`, a sentence.

    `number` counts the lines of the text from 1.
    """

    number: int
    text: str
    first_name: str = ""
    last_name: str = ""
    birth_date: date | None = None
    problem: str = ""


def read(text: str, *, last_first: bool, today: date) -> list[Line]:
    """Read every line that is not empty.

    With `last_first` a name without a comma begins with the last name. A first line of
    column headings tells what the columns are. A person who stands there twice is read
    once.
    """
    lines = [
        (number, line.strip())
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip(_EDGES)
    ]
    if lines and (columns := _columns(lines[0][1])):
        mark = _mark(lines[0][1])
        read_lines = [
            _by_columns(n, line, columns, mark, today) for n, line in lines[1:]
        ]
    else:
        read_lines = [_free(n, line, last_first, today) for n, line in lines]
    return list(_once(read_lines))


def _mark(line: str) -> str:
    return max("\t;,|", key=line.count)


def _columns(line: str) -> Mapping[str, int]:
    """Give the places of known headings; nothing where the line has none."""
    cells = _parted(line, _mark(line))
    plain = [re.sub(r"[^a-z]", "", cell.lower()) for cell in cells]
    found = {
        name: plain.index(known[0])
        for name, words in _HEADINGS.items()
        if (known := [word for word in words if word in plain])
    }
    named = "name" in found or {"last", "first"} <= found.keys()
    return found if named and "born" in found else {}


def _parted(line: str, mark: str) -> list[str]:
    return next(csv.reader([line], delimiter=mark, skipinitialspace=True), [])


def _by_columns(
    number: int, text: str, columns: Mapping[str, int], mark: str, today: date
) -> Line:
    cells = _parted(text, mark)
    if len(cells) <= max(columns.values()):
        return Line(number, text, problem="This line has fewer columns than the first.")
    born = cells[columns["born"]]
    if "last" in columns and "first" in columns:
        names = cells[columns["first"]].strip(), cells[columns["last"]].strip()
    else:
        names = _names(cells[columns["name"]], last_first=False)
    return _line(number, text, names, born, today)


def _free(number: int, text: str, last_first: bool, today: date) -> Line:  # noqa: FBT001
    if len(text) > LONGEST_LINE:
        return Line(number, text[:LONGEST_LINE], problem="This line is too long.")
    rest = _TIME.sub(" ", _LABEL.sub(" ", text))
    dates = _DATE.findall(rest)
    if len(dates) != 1:
        problem = TWO_DATES if dates else NO_DATE
        return Line(number, text, problem=problem)
    names = _names(_DATE.sub("\t", rest), last_first=last_first)
    return _line(number, text, names, dates[0], today)


def _line(
    number: int, text: str, names: tuple[str, str], born: str, today: date
) -> Line:
    first, last = names
    line = Line(number, text, first_name=first, last_name=last)
    if min(len(name_key(first)), len(name_key(last))) < FEWEST_LETTERS:
        return replace(line, problem=NO_NAMES)
    if max(len(first), len(last)) > LONGEST_NAME:
        return replace(line, problem=LONG_NAME)
    try:
        return replace(line, birth_date=birth_dates.parse(born, today=today))
    except ValueError as refused:
        return replace(line, problem=f"{str(refused).rstrip('.')}.")


def _names(text: str, *, last_first: bool) -> tuple[str, str]:
    """Part a name into first and last: “KOWALSKI, ANNA M”, “Anna van der Berg”."""
    cells = [cell.strip(_EDGES) for cell in _CELLS.split(text)]
    cells = [cell for cell in cells if any(map(str.isalpha, cell))]
    if len(cells) == 1 and "," in cells[0]:
        last, _, first = cells[0].partition(",")
        return _first(first.strip(_EDGES)), last.strip(_EDGES)
    if len(cells) == 2:
        first, last = reversed(cells) if last_first else cells
        return _first(first), last
    words = [word for word in " ".join(cells).replace(",", " ").split() if _says(word)]
    if len(words) < 2:
        return "", " ".join(words)
    if last_first:
        return words[1], words[0]
    return words[0], " ".join(_last(words[1:]))


def _says(word: str) -> bool:
    """Tell a word of a name from a number, and from Jr."""
    return any(map(str.isalpha, word)) and name_key(word) not in GENERATIONS


def _first(text: str) -> str:
    """Leave out a middle initial: “ANNA M” is ANNA, “MARY ANN” stays."""
    words = [word for word in text.replace(",", " ").split() if _says(word)]
    kept = [word for word in words[1:] if len(name_key(word)) > 1]
    return " ".join([*words[:1], *kept])


def _last(words: Sequence[str]) -> Sequence[str]:
    """Give the last word with the particles before it."""
    start = len(words) - 1
    while start > 0 and name_key(words[start - 1]) in _PARTICLES:
        start -= 1
    return words[start:]


def _once(lines: Iterable[Line]) -> Iterator[Line]:
    seen: dict[tuple[str, str, date | None], int] = {}
    for line in lines:
        if line.problem:
            yield line
            continue
        key = name_key(line.first_name), name_key(line.last_name), line.birth_date
        if key in seen:
            problem = f"The same person as in line {seen[key]}."
            yield replace(line, problem=problem)
        else:
            seen[key] = line.number
            yield line
