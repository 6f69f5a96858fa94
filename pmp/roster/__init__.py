"""The Department's licence file: who holds which credential, and the address of record.

Read as downloaded ("State Licenses and Credentials", 21 columns); only the credentials
that the settings name are kept. A preview tells what would change before it does.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from models import Licence, Profession, RosterImport
from pmp import audit, database, settings
from pmp.errors import RuleError
from pmp.identifiers import zip_problem
from pmp.roster.roster_files import (
    BATCH,
    Outcome,
    Row,
    RowError,
    RowProblem,
    rows,
    sha256,
)

GONE = "NOT IN THE FILE"
# More than this share gone looks like half a download.
MOST_GONE = 0.1
FEW = 20
_ACTIVE = frozenset({"1", "Y", "YES", "TRUE", "ACTIVE"})

Entry = dict[str, Any]


def preview(path: Path) -> Outcome:
    """Tell what a file would change; nothing is written."""
    return _walk(path, applied=None)


def apply(path: Path, *, by: str, at: datetime, accept_gone: bool = False) -> Outcome:
    """Take a file over: what is in it, as it says; what is not, no longer active.

    Written in batches of at most 500 rows, each whole, so that nobody waits; a run
    that was cut off is finished by running it again. `by` is a user name or "system".
    Raises RuleError when so many licences would be gone that the file must be a part.
    """
    plan = preview(path)
    known = Licence.select().where(Licence.status != GONE).count()
    if plan.gone > max(FEW, known * MOST_GONE) and not accept_gone:
        raise RuleError(
            f"{plan.gone} of {known} licences are not in {path.name}. Is it whole? If"
            " it is, run the import again with --accept-gone."
        )
    with database.atomic():
        applied = RosterImport.create(
            filename=path.name,
            sha256=sha256(path),
            applied_by=by,
            applied_at=at,
            new=plan.new,
            changed=plan.changed,
            gone=plan.gone,
            invalid=plan.invalid,
        )
        audit.record(
            audit.Event.ROSTER_IMPORTED,
            actor=by,
            subject=f"roster:{applied.id}",
            at=at,
            detail={
                "new": plan.new,
                "changed": plan.changed,
                "gone": plan.gone,
                "invalid": plan.invalid,
            },
        )
    return _walk(path, applied=applied)


def _walk(path: Path, *, applied: RosterImport | None) -> Outcome:
    """Go through a file; write if there is an import to write for."""
    outcome = Outcome()
    seen: set[str] = set()
    entries = _entries(path, outcome, seen)
    while batch := list(islice(entries, BATCH)):
        with database.atomic():
            _take(batch, outcome, applied)
    if not seen:
        raise RuleError(
            f"{path.name} has none of the credentials that the program keeps:"
            f" {', '.join(_kept())}."
        )
    gone = _gone(seen)
    outcome.gone = len(gone)
    if applied:
        _close(gone, applied)
    return outcome


def _entries(path: Path, outcome: Outcome, seen: set[str]) -> Iterator[Entry]:
    kept = _kept()
    for number, row in rows(path):
        try:
            entry = _entry(row, kept, seen)
        except RowError as fault:
            outcome.problems.append(RowProblem(number, str(fault)))
            continue
        if entry is None:
            outcome.skipped += 1
        else:
            yield entry


def _kept() -> dict[str, Profession]:
    chosen = settings.current()
    named = {
        Profession.PRACTITIONER: chosen.roster_practitioner_credentials,
        Profession.PHARMACY: chosen.roster_pharmacy_credentials,
    }
    return {
        name.strip().upper(): profession
        for profession, names in named.items()
        for name in names.split(",")
        if name.strip()
    }


def _entry(
    row: Row | RowError, kept: dict[str, Profession], seen: set[str]
) -> Entry | None:
    """Give a row as a licence's columns; None for a credential that is not kept."""
    if isinstance(row, RowError):
        raise row
    profession = kept.get(row["credential"].upper())
    if profession is None:
        return None
    key = row["credentialid"]
    if not key:
        raise RowError("The row has no CredentialId.")
    if key in seen:
        raise RowError(f"CredentialId {key} is in the file twice; the first counts.")
    # Whatever else is wrong with the row, its licence is not gone.
    seen.add(key)
    if not row["fullcredentialcode"]:
        raise RowError(f"Credential {key} has no FullCredentialCode.")
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
    if not any(names):
        raise RowError(f"Credential {row['credentialid']} has no Name.")
    chosen: str = next(name for name in names if name)
    return chosen


def _day(text: str) -> date | None:
    if not text:
        return None
    month, _, rest = text.partition("/")
    day, _, year = rest.partition("/")
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise RowError(
            f"“{text}” is not a date: ExpirationDate is written as MM/DD/YYYY."
        ) from None


def _zip(text: str) -> str:
    """Give five or nine digits; a spreadsheet takes leading zeros away."""
    digits = text.replace("-", "")
    if digits.isdigit() and len(digits) in {4, 8}:
        digits = f"0{digits}"
    if digits and (problem := zip_problem(digits)):
        raise RowError(problem)
    return digits


def _take(batch: list[Entry], outcome: Outcome, applied: RosterImport | None) -> None:
    keys = [entry["credential_id"] for entry in batch]
    query = Licence.select().where(Licence.credential_id.in_(keys))
    known = {licence.credential_id: licence for licence in query}
    new = [entry for entry in batch if entry["credential_id"] not in known]
    outcome.new += len(new)
    if applied and new:
        Licence.insert_many(
            [entry | {"last_import": applied} for entry in new]
        ).execute()
    for entry in batch:
        licence = known.get(entry["credential_id"])
        if licence is None:
            continue
        changes = {k: v for k, v in entry.items() if getattr(licence, k) != v}
        outcome.changed += bool(changes)
        outcome.unchanged += not changes
        if applied and changes:
            changes["last_import"] = applied
            Licence.update(**changes).where(Licence.id == licence.id).execute()


def _gone(seen: set[str]) -> list[int]:
    query = (
        Licence.select(Licence.id, Licence.credential_id)
        .where(Licence.status != GONE)
        .tuples()
    )
    return [number for number, key in query.iterator() if key not in seen]


def _close(gone: Iterable[int], applied: RosterImport) -> None:
    left = iter(gone)
    while batch := list(islice(left, BATCH)):
        (
            Licence.update(status=GONE, active=False, last_import=applied)
            .where(Licence.id.in_(batch))
            .execute()
        )
