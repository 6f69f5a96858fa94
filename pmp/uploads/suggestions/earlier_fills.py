"""What the same pharmacy reported before: of the prescription, and of the patient.

No other pharmacy's patients are ever asked for.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from peewee import fn

from models import Dispensation, Prescriber, ReportedIdentity
from pmp import identifiers, reporters
from pmp.asap.draft import parse_day
from pmp.asap.remedies import Guess
from pmp.registration.names import name_key
from pmp.uploads.checking import Checker
from pmp.uploads.standing import STANDS
from pmp.wording import us_date

ASKED = frozenset(
    {"PAT07", "PAT08", "PAT18", "PAT19", "DSP03", "DSP04", "DSP08", "DSP10", "PRE02"}
)
MOST_FILLS = 20
MOST_PEOPLE = 50
Elements = Mapping[str, str]


def guesses(element: str, elements: Elements, *, checker: Checker) -> Iterator[Guess]:
    """Give what earlier records of the pharmacy say for an element."""
    if element not in ASKED:
        return
    pharmacy = _pharmacy(elements, checker)
    if pharmacy is None:
        return
    for fill in _fills(pharmacy, elements):
        if value := _of_fill(element, fill, elements):
            why = f"as in fill {fill.fill_number} of Rx {fill.prescription_number}"
            yield Guess(value, f"{why}, {us_date(fill.filled_on)}", "earlier fill")
    for person in _people(pharmacy, element, elements):
        if value := _of_person(element, person):
            who = f"{person.last_name}, {person.first_name}".upper()
            why = f"{who}, born {us_date(person.birth_date)}, reported by you before"
            yield Guess(value, why, "earlier patient")


def _pharmacy(elements: Elements, checker: Checker) -> int | None:
    """Find the record's pharmacy, if the user may report for it."""
    reported = checker.check(elements).pharmacy
    if not checker.coverage.covers(reported):
        return None
    key = reporters.pharmacy_key(reported)
    return reporters.pharmacy_ids({key: reported}, make=False).get(key)


def _fills(pharmacy: int, elements: Elements) -> list[Dispensation]:
    number = elements.get("DSP02", "").strip().upper()
    if not number:
        return []
    query = (
        Dispensation.select(Dispensation, ReportedIdentity, Prescriber)
        .join(ReportedIdentity)
        .switch(Dispensation)
        .join(Prescriber)
        .where(
            Dispensation.pharmacy == pharmacy,
            Dispensation.prescription_number == number,
            STANDS,
        )
        .order_by(Dispensation.filled_on.desc())
        .limit(MOST_FILLS)
    )
    return [fill for fill in query if _same_patient(fill.identity, elements)]


def _same_patient(person: ReportedIdentity, elements: Elements) -> bool:
    """Whether what the record tells of its patient is this person's."""
    told = (
        (name_key(elements.get("PAT07", "")), person.last_key),
        (name_key(elements.get("PAT08", "")), person.first_key),
        (_day(elements), f"{person.birth_date:%Y%m%d}"),
    )
    agree = [one == other for one, other in told if one]
    # One of the three may be what is wrong.
    return sum(agree) >= max(1, len(agree) - 1)


def _day(elements: Elements) -> str:
    text = elements.get("PAT18", "")
    return text if parse_day(text) else ""


def _of_fill(element: str, fill: Dispensation, elements: Elements) -> str:
    if element.startswith("PAT"):
        return _of_person(element, fill.identity)
    if element == "DSP03":
        return f"{fill.written_on:%Y%m%d}" if fill.written_on else ""
    if element == "DSP04":
        return str(fill.refills_authorized)
    if element == "DSP08":
        return str(fill.product_code)
    if element == "DSP10":
        return str(fill.days_supply) if _same_supply(fill, elements) else ""
    suffix = fill.prescriber.dea_suffix
    return "" if suffix != elements.get("PRE03", "") else str(fill.prescriber.dea)


def _same_supply(fill: Dispensation, elements: Elements) -> bool:
    """Whether product and quantity are the same: then it lasts as many days."""
    try:
        quantity = Decimal(elements.get("DSP09", ""))
        ndc = identifiers.parse_ndc(elements.get("DSP08", ""))
    except (InvalidOperation, ValueError):
        return False
    return bool(fill.quantity == quantity and fill.product_code == ndc)


def _people(
    pharmacy: int, element: str, elements: Elements
) -> Iterable[ReportedIdentity]:
    """Find people whom the pharmacy reported with the other two of name and birth."""
    person = ReportedIdentity
    last, first = (name_key(elements.get(name, "")) for name in ("PAT07", "PAT08"))
    born = parse_day(elements.get("PAT18", ""))
    if element == "PAT18" and last and first:
        query = _those(person.last_key == last, person.first_key == first)
    elif element == "PAT07" and first and born:
        query = _those(person.birth_date == born, person.first_key == first)
    elif element == "PAT08" and last and born:
        query = _those(person.birth_date == born, person.last_key == last)
    else:
        return []
    here = Dispensation.select(Dispensation.id).where(
        Dispensation.identity == person.id, Dispensation.pharmacy == pharmacy
    )
    found: Iterable[ReportedIdentity] = query.where(fn.EXISTS(here))
    return found


def _those(*conditions: Any) -> Any:
    return (
        ReportedIdentity.select()
        .where(*conditions)
        .order_by(ReportedIdentity.id.desc())
        .limit(MOST_PEOPLE)
    )


def _of_person(element: str, person: ReportedIdentity) -> str:
    if element == "PAT18":
        return f"{person.birth_date:%Y%m%d}"
    columns = {"PAT07": "last_name", "PAT08": "first_name", "PAT19": "sex"}
    return str(getattr(person, columns[element]))
