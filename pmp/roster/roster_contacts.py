"""The second file of the roster: DEA, NPI and NCPDP numbers, fax, email, by licence.

It fills and corrects; it never touches a licence's status or address of record, and a
contact that a person has changed meanwhile stays theirs.
"""

from collections.abc import Callable
from datetime import datetime
from itertools import islice
from pathlib import Path

from models import Licence, Pharmacy, Prescriber, Profession
from pmp import audit, database, identifiers
from pmp.registration import answers
from pmp.registration.names import split_person
from pmp.roster.roster_files import BATCH, Outcome, Row, RowError, RowProblem, rows

COLUMNS = ("dea", "npi", "ncpdp", "phone", "fax", "email", "preferred_channel")
CONTACT = ("npi", "phone", "fax", "email")
_CHECKS: dict[str, Callable[[str], str | None]] = {
    "dea": identifiers.dea_problem,
    "npi": identifiers.npi_problem,
    "ncpdp": identifiers.ncpdp_problem,
    "phone": answers.phone_problem,
    "fax": answers.phone_problem,
    "email": answers.email_problem,
    "preferred_channel": answers.channel_problem,
}


def preview(path: Path) -> Outcome:
    """Tell what a file would change; nothing is written in the end."""
    return _walk(path, keep=False)


def apply(path: Path, *, by: str, at: datetime) -> Outcome:
    """Fill the licences that a file names, and the prescribers and pharmacies they are.

    `new` counts prescribers and pharmacies that nobody had reported yet, `changed` and
    `unchanged` licences. Written in batches of at most 500 rows; running it again
    changes nothing more. `by` is a user name or "system".
    """
    outcome = _walk(path, keep=True)
    audit.record(
        audit.Event.ROSTER_CONTACTS_IMPORTED,
        actor=by,
        subject="roster:contacts",
        at=at,
        detail={
            "new": outcome.new,
            "changed": outcome.changed,
            "invalid": outcome.invalid,
        },
    )
    return outcome


def _walk(path: Path, *, keep: bool) -> Outcome:
    outcome = Outcome()
    left = rows(path)
    while batch := list(islice(left, BATCH)):
        with database.atomic() as whole:
            for number, row in batch:
                try:
                    _take(row, outcome)
                except RowError as fault:
                    outcome.problems.append(RowProblem(number, str(fault)))
            if not keep:
                whole.rollback()
    return outcome


def _take(row: Row | RowError, outcome: Outcome) -> None:
    if isinstance(row, RowError):
        raise row
    given = _given(row)
    licence = _licence(row.get("licence") or row.get("license") or "")
    person = _person(given["dea"], licence) if given["dea"] else None
    before = {name: getattr(licence, name) for name in COLUMNS}
    changes = {k: v for k, v in given.items() if v and v != before[k]}
    if changes:
        Licence.update(**changes).where(Licence.id == licence.id).execute()
    outcome.changed += bool(changes)
    outcome.unchanged += not changes
    if given["dea"]:
        outcome.new += person is None
        _join(person or _made(given["dea"], licence), licence, given, before)


def _given(row: Row) -> dict[str, str]:
    given = {name: row.get(name.replace("_", ""), "") for name in COLUMNS}
    given["dea"] = given["dea"].upper()
    given["preferred_channel"] = given["preferred_channel"].lower()
    for name, value in given.items():
        if value and (problem := _CHECKS[name](value)):
            raise RowError(problem)
    for name in ("phone", "fax"):
        given[name] = identifiers.e164(given[name]) or ""
    return given


def _licence(code: str) -> Licence:
    """Find the one licence with a code; the active one where a code was used again."""
    if not code:
        raise RowError("The row names no licence.")
    found = list(Licence.select().where(Licence.code == code.upper()))
    active = [licence for licence in found if licence.active]
    if not found:
        raise RowError(f"The roster has no licence {code}. Import its file first.")
    if len(active) > 1 or (not active and len(found) > 1):
        raise RowError(f"The roster has more than one licence {code}.")
    licence: Licence = (active or found)[0]
    return licence


def _person(dea: str, licence: Licence) -> Prescriber | Pharmacy | None:
    """Find who is known under a DEA number; RowError if that is another licence's."""
    person: Prescriber | Pharmacy | None
    if licence.profession == Profession.PHARMACY:
        person = Pharmacy.get_or_none(Pharmacy.dea == dea)
    else:
        person = Prescriber.get_or_none(
            (Prescriber.dea == dea) & (Prescriber.dea_suffix == "")
        )
    holder = person.licence if person else None
    if holder and holder != licence and holder.active:
        raise RowError(f"The DEA number {dea} belongs to licence {holder.code}.")
    return person


def _made(dea: str, licence: Licence) -> Prescriber | Pharmacy:
    if licence.profession == Profession.PHARMACY:
        pharmacy: Pharmacy = Pharmacy.create(dea=dea)
        return pharmacy
    prescriber: Prescriber = Prescriber.create(dea=dea)
    return prescriber


def _join(
    person: Prescriber | Pharmacy,
    licence: Licence,
    given: dict[str, str],
    before: dict[str, str | None],
) -> None:
    person.licence = licence
    for name in CONTACT:
        # What differs from the last file was changed by the person: it stays.
        if given[name] and getattr(person, name) in {None, "", before[name]}:
            setattr(person, name, given[name])
    if isinstance(person, Pharmacy):
        person.ncpdp = given["ncpdp"] or person.ncpdp
        person.name = person.name or licence.name.upper()
        if not person.street:
            person.street, person.city = licence.street, licence.city
            person.state, person.zip = licence.state, licence.zip
    elif not person.last_name:
        person.last_name, person.first_name = split_person(licence.name.upper())
    person.save()
