"""The Department's licence file: who holds which credential, and the address of record.

Read as downloaded ("State Licenses and Credentials", 21 columns); only the credentials
that the settings name are kept. It says nothing of contacts and touches none.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import islice
from typing import Any

from models import Licence, Profession, RosterTarget, RosterWhat
from pmp import bulk, settings
from pmp.errors import RuleError
from pmp.identifiers import zip_problem
from pmp.roster.differences import Change, Columns, Step, differing, plain
from pmp.roster.roster_files import (
    BATCH,
    LICENCE_COLUMNS,
    Cells,
    Row,
    RowError,
    Sheet,
)

GONE = "NOT IN THE FILE"
MOST_KINDS = 20_000
"""So many cells of Credential are remembered; there are some 500."""
_ACTIVE = frozenset({"1", "Y", "YES", "TRUE", "ACTIVE"})
_COLUMNS = tuple(name.lower() for name in (*LICENCE_COLUMNS, "BusinessName", "DBA"))
Entry = dict[str, Any]
Numbered = tuple[int, Entry]


def steps(sheet: Sheet) -> Iterator[Step]:
    """Give what the file would change, 500 licences at a time; last what is gone.

    A licence whose row cannot be used is not gone.  RuleError for a file without any
    of the credentials that are kept.
    """
    seen: set[str] = set()
    kept = kept_credentials()
    step, entries = Step(), list[Numbered]()
    for number, row in sheet.rows(wanted=_wanted(sheet, kept), columns=_COLUMNS):
        if row is not None:
            try:
                entries.append((number, _entry(row, kept, seen)))
            except RowError as fault:
                step.refuse(number, fault)
        if row is None or len(entries) >= BATCH:
            step.skipped = sheet.passed()
            yield _compared(step, entries)
            step, entries = Step(), []
    step.skipped = sheet.passed()
    yield _compared(step, entries)
    if not seen:
        raise RuleError(
            f"{sheet.name} has none of the credentials that the program keeps:"
            f" {', '.join(kept)}."
        )
    yield from _gone(seen)


def kept_credentials() -> dict[str, Profession]:
    """Give the credential types that are kept, as the settings name them."""
    chosen = settings.current()
    named = {
        Profession.PRACTITIONER: chosen.roster_practitioner_credentials,
        Profession.PHARMACY: chosen.roster_pharmacy_credentials,
    }
    return {
        name.strip().upper(): profession
        for profession, names in named.items()
        for name in names.split(";" if ";" in names else ",")
        if name.strip()
    }


def _wanted(sheet: Sheet, kept: Iterable[str]) -> Callable[[Cells], bool]:
    """Tell by one cell whether a row is kept; most of two million are not."""
    place, known = sheet.place("credential"), dict[str, bool]()
    names = frozenset(kept)

    def wanted(cells: Cells) -> bool:
        cell = cells[place]
        verdict = known.get(cell)
        if verdict is None:
            verdict = " ".join(cell.upper().split()) in names
            if len(known) < MOST_KINDS:
                known[cell] = verdict
        return verdict

    return wanted


def _entry(row: Row | RowError, kept: dict[str, Profession], seen: set[str]) -> Entry:
    """Give a row as a licence's columns."""
    if isinstance(row, RowError):
        seen.update({row.key} - {""})
        raise row
    key = row["credentialid"]
    if not key:
        raise RowError("The row has no CredentialId.", column="CredentialId")
    if key in seen:
        raise RowError(
            f"CredentialId {key} is in the file twice; the first counts.",
            column="CredentialId",
            value=key,
        )
    # Whatever else is wrong with the row, its licence is not gone.
    seen.add(key)
    if not row["fullcredentialcode"]:
        raise RowError(
            f"Credential {key} has no FullCredentialCode.", column="FullCredentialCode"
        )
    profession = kept[row["credential"].upper()]
    return {
        "credential_id": key,
        "code": row["fullcredentialcode"].upper(),
        "profession": profession,
        "name": _name(row, profession),
        "status": row["status"].upper(),
        "active": row["active"].upper() in _ACTIVE,
        "expires_on": _day(row["expirationdate"]),
        "street": row["address"],
        "city": row["city"],
        "state": row["state"].upper(),
        "zip": _zip(row["zip"]),
    }


def _name(row: Row, profession: Profession) -> str:
    business = (row.get("businessname", ""), row.get("dba", ""))
    names = (row["name"], *(business if profession == Profession.PHARMACY else ()))
    chosen = next((name for name in names if name), "")
    if not chosen:
        raise RowError(f"Credential {row['credentialid']} has no Name.", column="Name")
    return chosen


def _day(text: str) -> date | None:
    if not text:
        return None
    month, _, rest = text.partition(" ")[0].partition("/")
    day, _, year = rest.partition("/")
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise RowError(
            f"“{text}” is not a date: ExpirationDate is written as MM/DD/YYYY.",
            column="ExpirationDate",
            value=text,
        ) from None


def _zip(text: str) -> str:
    """Give five or nine digits; a spreadsheet takes leading zeros away."""
    digits = text.replace("-", "")
    if digits.isdigit() and len(digits) in {4, 8}:
        digits = f"0{digits}"
    if digits and (problem := zip_problem(digits)):
        raise RowError(zip_problem(text) or problem, column="Zip", value=text)
    return digits


def _compared(step: Step, entries: list[Numbered]) -> Step:
    """Set rows beside the licences that there are."""
    keys = [entry["credential_id"] for _, entry in entries]
    query = Licence.select().where(bulk.among(Licence.credential_id, keys))
    known = {licence.credential_id: licence for licence in query} if keys else {}
    for number, entry in entries:
        licence = known.get(entry["credential_id"])
        if licence is None:
            after = {name: plain(value) for name, value in entry.items()}
            step.changes.append(_change(RosterWhat.NEW, entry, {}, after, row=number))
            continue
        before, after = differing(licence, entry)
        if not after:
            step.unchanged += 1
            continue
        step.changes.append(
            _change(
                RosterWhat.CHANGED, entry, before, after, row=number, id_=licence.id
            )
        )
    return step


def _gone(seen: set[str]) -> Iterator[Step]:
    query = Licence.select().where(Licence.status != GONE).order_by(Licence.id)
    # Read to its end first: on SQLite nothing may be written while it is read.
    gone = [
        (each.id, each.status, each.active, each.credential_id, each.code, each.name)
        for each in query.iterator()
        if each.credential_id not in seen
    ]
    left = iter(gone)
    while batch := list(islice(left, BATCH)):
        yield Step(
            changes=[
                _change(
                    RosterWhat.GONE,
                    {"credential_id": key, "code": code, "name": name},
                    {"status": status, "active": active},
                    {"status": GONE, "active": False},
                    id_=number,
                )
                for number, status, active, key, code, name in batch
            ]
        )


def _change(
    what: RosterWhat,
    entry: Entry,
    before: Columns,
    after: Columns,
    *,
    row: int | None = None,
    id_: int | None = None,
) -> Change:
    return Change(
        what=what,
        target=RosterTarget.LICENCE,
        key=entry["credential_id"],
        label=f"{entry['code']} {entry['name']}"[:255],
        before=before,
        after=after,
        target_id=id_,
        row=row,
    )
