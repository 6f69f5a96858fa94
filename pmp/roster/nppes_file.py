"""CMS's file of providers (NPPES, npidata_pfile_*.csv): NPI, telephone, fax.

A provider is known by a licence number of this state together with the name: what
providers type as their number lacks its letters and zeros more often than not. Only
numbers that point to one licence are used.  It fills what is empty and corrects
nothing; its fax, often of a practice long left, is kept apart and must be proven.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from models import Licence, Profession
from pmp import identifiers, settings
from pmp.registration.names import same_company, same_person
from pmp.roster import licence_file
from pmp.roster.contacts import Filling, Given
from pmp.roster.differences import Step
from pmp.roster.roster_files import BATCH, Cells, Row, RowError, Sheet

LICENCES = 15
"""So many licences CMS keeps of a provider."""
ROWS_A_STEP = 20_000
NUMBERS = tuple(f"providerlicensenumber{n}" for n in range(1, LICENCES + 1))
STATES = tuple(f"providerlicensenumberstatecode{n}" for n in range(1, LICENCES + 1))
LAST, FIRST = "providerlastnamelegalname", "providerfirstname"
COMPANY = "providerorganizationnamelegalbusinessname"
OTHER_COMPANY = "providerotherorganizationname"
PHONE = "providerbusinesspracticelocationaddresstelephonenumber"
FAX = "providerbusinesspracticelocationaddressfaxnumber"
GONE_ON, BACK_ON = "npideactivationdate", "npireactivationdate"
COLUMNS = (
    *("npi", "entitytypecode", LAST, FIRST, COMPANY, OTHER_COMPANY, PHONE, FAX),
    *(GONE_ON, BACK_ON, *NUMBERS, *STATES),
)
_DIGITS = re.compile(r"0*(\d+)\D*$")


class Known(NamedTuple):
    """As much of a licence as is kept of each of a hundred thousand."""

    id: int
    name: str
    profession: Profession


@dataclass
class Register:
    """The roster's licences by the digits of their number, and by NPI."""

    by_digits: dict[str, list[Known]]
    by_npi: dict[str, str]


def steps(sheet: Sheet) -> Iterator[Step]:
    """Give what the file would change, some hundred providers of the state at a time.

    Skipped are providers of other states and those who are on no licence of ours.
    """
    register, filling = _register(), Filling()
    step, found = Step(), list[tuple[int, int, Given]]()
    for number, row in sheet.rows(wanted=_wanted(sheet, register), columns=COLUMNS):
        try:
            match = _matched(row, register)
        except RowError as fault:
            step.refuse(number, fault)
            continue
        if match is not None:
            found.append((number, *match))
        elif row is not None:
            step.skipped += 1
        if row is None or len(found) >= BATCH or step.skipped >= ROWS_A_STEP:
            step.skipped += sheet.passed()
            yield _filled(step, found, filling)
            step, found = Step(), []
    step.skipped += sheet.passed()
    yield _filled(step, found, filling)


def _register() -> Register:
    by_digits: defaultdict[str, list[Known]] = defaultdict(list)
    by_npi: dict[str, str] = {}
    query = (
        Licence.select(
            Licence.id, Licence.code, Licence.name, Licence.profession, Licence.npi
        )
        .where(Licence.status != licence_file.GONE)
        .tuples()
    )
    for number, code, name, profession, npi in query.iterator():
        if digits := _digits(code):
            by_digits[digits].append(Known(number, name, Profession(profession)))
        if npi:
            by_npi[npi] = code
    return Register(dict(by_digits), by_npi)


def _wanted(sheet: Sheet, register: Register) -> Callable[[Cells], bool]:
    """Tell by a few cells whether a provider may be on the roster."""
    state = settings.current().state_code
    places = [sheet.place(name) for name in STATES if name in sheet.names]
    npi = sheet.place("npi")

    def wanted(cells: Cells) -> bool:
        return cells[npi] in register.by_npi or any(
            cells[place] == state for place in places
        )

    return wanted


def _matched(
    row: Row | RowError | None, register: Register
) -> tuple[int, Given] | None:
    """Give the licence that a provider has, and what the row says; None if none."""
    if row is None:
        return None
    if isinstance(row, RowError):
        raise row
    if row[GONE_ON] and not row.get(BACK_ON):
        if code := register.by_npi.get(row["npi"]):
            raise RowError(
                f"The NPI of licence {code} was deactivated on {row[GONE_ON]}.",
                column="NPI",
                value=row["npi"],
            )
        return None
    mine = _candidates(row, register)
    if len(mine) != 1:
        return None
    if problem := identifiers.npi_problem(row["npi"]):
        raise RowError(problem, column="NPI", value=row["npi"])
    numbers = {"phone": row.get(PHONE, ""), "fax": row.get(FAX, "")}
    reached = {name: identifiers.e164(text) or "" for name, text in numbers.items()}
    given = {
        "npi": row["npi"],
        "phone": reached["phone"],
        "nppes_fax": reached["fax"],
    }
    return mine.pop(), {name: value for name, value in given.items() if value}


def _candidates(row: Row, register: Register) -> set[int]:
    state = settings.current().state_code
    digits = {
        _digits(row.get(number, ""))
        for number, of_state in zip(NUMBERS, STATES, strict=True)
        if row.get(of_state) == state
    }
    return {
        licence.id
        for each in digits - {""}
        for licence in register.by_digits.get(each, ())
        if _is_of(licence, row)
    }


def _is_of(licence: Known, row: Row) -> bool:
    """Tell whether a licence has a provider's name: by entity type, 1 is a person."""
    if licence.profession == Profession.PHARMACY:
        names = (row.get(COMPANY, ""), row.get(OTHER_COMPANY, ""))
        return row["entitytypecode"] == "2" and any(
            same_company(licence.name, name) for name in names if name
        )
    return row["entitytypecode"] == "1" and same_person(
        licence.name, last_name=row.get(LAST, ""), first_name=row.get(FIRST, "")
    )


def _digits(code: str) -> str:
    """Give the digits at the end of a number, without leading zeros."""
    found = _DIGITS.search(code)
    return found[1] if found else ""


def _filled(step: Step, found: list[tuple[int, int, Given]], filling: Filling) -> Step:
    ids = [licence for _, licence, _ in found]
    query = Licence.select().where(Licence.id.in_(ids))
    licences = {licence.id: licence for licence in query} if ids else {}
    # Whoever the licence's DEA number names is reached by what CMS knows, too.
    filling.know({each.dea or "" for each in licences.values()})
    for number, id_, given in found:
        licence = licences[id_]
        try:
            filling.take(
                step, number, licence, _lacking(licence, given), dea=licence.dea or ""
            )
        except RowError as fault:
            step.refuse(number, fault)
    return step


def _lacking(licence: Licence, given: Given) -> Given:
    """Leave out what the roster has; RowError for a provider of another NPI."""
    if licence.npi and licence.npi != given["npi"]:
        raise RowError(
            f"Licence {licence.code} has the NPI {licence.npi} on the roster.",
            column="NPI",
            value=given["npi"],
        )
    phone = licence.phone
    return {k: v for k, v in given.items() if k != "phone" or phone in {None, "", v}}
