"""The state's own extracts: DEA, NPI and NCPDP numbers, fax, email, by licence.

They fill and correct; they never touch a licence's status or address of record, and a
contact that a person has changed meanwhile stays theirs.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import islice

from models import Licence
from pmp import bulk, identifiers
from pmp.registration import answers
from pmp.roster.contacts import Filling, Given
from pmp.roster.differences import Step
from pmp.roster.roster_files import BATCH, Row, RowError, Sheet

COLUMNS = ("dea", "npi", "ncpdp", "phone", "fax", "email", "preferred_channel")
_CHECKS: dict[str, Callable[[str], str | None]] = {
    "dea": identifiers.dea_problem,
    "npi": identifiers.npi_problem,
    "ncpdp": identifiers.ncpdp_problem,
    "phone": answers.phone_problem,
    "fax": answers.phone_problem,
    "email": answers.email_problem,
    "preferred_channel": answers.channel_problem,
}


def steps(sheet: Sheet) -> Iterator[Step]:
    """Give what the file would change, 500 rows at a time."""
    filling = Filling()
    left = sheet.rows()
    while batch := list(islice(left, BATCH)):
        yield _step(batch, filling)


def _step(batch: list[tuple[int, Row | RowError | None]], filling: Filling) -> Step:
    step = Step()
    good: list[tuple[int, str, Given]] = []
    for number, row in batch:
        try:
            good.append((number, *_given(row)))
        except RowError as fault:
            step.refuse(number, fault)
    licences = _licences({code for _, code, _ in good})
    filling.know({given.get("dea", "") for *_, given in good})
    for number, code, given in good:
        try:
            licence = _the_one(code, licences[code])
            filling.take(step, number, licence, given, dea=given.get("dea", ""))
        except RowError as fault:
            step.refuse(number, fault)
    return step


def _given(row: Row | RowError | None) -> tuple[str, Given]:
    """Give the licence that a row names, and what it says of it."""
    if isinstance(row, RowError):
        raise row
    row = row or {}
    code = row.get("licence", "").upper()
    if not code:
        raise RowError("The row names no licence.", column="licence")
    given = {name: row.get(name.replace("_", ""), "") for name in COLUMNS}
    given["dea"] = given["dea"].upper()
    given["preferred_channel"] = given["preferred_channel"].lower()
    for name, value in given.items():
        if value and (problem := _CHECKS[name](value)):
            raise RowError(problem, column=name, value=value)
    for name in ("phone", "fax"):
        given[name] = identifiers.e164(given[name]) or ""
    return code, {name: value for name, value in given.items() if value}


def _licences(codes: set[str]) -> defaultdict[str, list[Licence]]:
    found: defaultdict[str, list[Licence]] = defaultdict(list)
    for licence in Licence.select().where(bulk.among(Licence.code, sorted(codes))):
        found[licence.code].append(licence)
    return found


def _the_one(code: str, found: list[Licence]) -> Licence:
    """Give the licence with a code; the active one where a code was used again."""
    active = [licence for licence in found if licence.active]
    if not found:
        raise RowError(
            f"The roster has no licence {code}. Import its file first.",
            column="licence",
            value=code,
        )
    if len(active) > 1 or (not active and len(found) > 1):
        raise RowError(
            f"The roster has more than one licence {code}.",
            column="licence",
            value=code,
        )
    return (active or found)[0]
