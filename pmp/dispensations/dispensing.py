"""What a pharmacy dispensed, for its own review."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from operator import or_
from typing import Any

from peewee import fn

from models import Dispensation, DrugClass, Prescriber, ReportedIdentity, User
from pmp import audit, reporters
from pmp.uploads.standing import STANDS
from pmp.uploads.submissions import Page, page_of

PAGE = 50


@dataclass(frozen=True)
class Wanted:
    """What to show: days filled, a class, words of name, drug or number."""

    since: date | None = None
    until: date | None = None
    drug_class: str = ""
    text: str = ""


@dataclass(frozen=True)
class Dispensed:
    """A page of dispensations, and how many people the whole selection is about."""

    page: Page
    patients: int
    prescribers: int


def own(wanted: Wanted, *, number: int, by: User, at: datetime) -> Dispensed:
    """Show a user's own pharmacy's standing dispensations, the latest fill first.

    On the audit record before it is shown.  Nothing for a user without a pharmacy.
    """
    pharmacy = reporters.own_pharmacy(by)
    if pharmacy is None:
        return Dispensed(Page([], 1, 1, 0), 0, 0)
    query = _query(wanted).where(Dispensation.pharmacy == pharmacy)
    patients, prescribers = _people(query)
    order = (Dispensation.filled_on.desc(), Dispensation.id.desc())
    page = page_of(query.order_by(*order), number=number, size=PAGE)
    audit.record(
        audit.Event.DISPENSING_VIEWED,
        actor=by.username,
        subject=f"pharmacy:{pharmacy.id}",
        at=at,
        detail={
            "since": str(wanted.since or ""),
            "until": str(wanted.until or ""),
            "drug_class": wanted.drug_class,
            "page": page.number,
            "dispensations": [row.id for row in page.rows],
        },
    )
    return Dispensed(page, patients, prescribers)


def _query(wanted: Wanted) -> Any:
    query: Any = (
        Dispensation.select(Dispensation, ReportedIdentity, Prescriber)
        .join(ReportedIdentity)
        .switch(Dispensation)
        .join(Prescriber)
        .where(STANDS)
    )
    if wanted.since:
        query = query.where(Dispensation.filled_on >= wanted.since)
    if wanted.until:
        query = query.where(Dispensation.filled_on <= wanted.until)
    if wanted.drug_class in {word.value for word in DrugClass}:
        query = query.where(Dispensation.drug_class == wanted.drug_class)
    for word in wanted.text.split():
        query = query.where(_holds(word))
    return query


def _holds(word: str) -> Any:
    columns = (
        ReportedIdentity.last_name,
        ReportedIdentity.first_name,
        Dispensation.drug_name,
        Dispensation.prescription_number,
        Prescriber.last_name,
    )
    return reduce(or_, (column.contains(word) for column in columns))


def _people(query: Any) -> tuple[int, int]:
    counted = query.select(
        fn.COUNT(Dispensation.patient.distinct()),
        fn.COUNT(Dispensation.prescriber.distinct()),
    )
    patients, prescribers = counted.tuples().get()
    return int(patients), int(prescribers)
