"""What a patient report is made from: one query for its fills, two for their marks."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, cast

from peewee import fn

from models import (
    Dispensation,
    DispensationStatus,
    DispensationVersion,
    Pharmacy,
    Prescriber,
    ReportedIdentity,
    Ticket,
    TicketIdentity,
)
from pmp import database, withheld

# What an entry is made of; the others cost time in a report of hundreds of rows.
_COLUMNS = (
    "id",
    "row_code",
    "version",
    "stored_at",
    "corrected",
    "prescription_number",
    "filled_on",
    "written_on",
    "sold_on",
    "fill_number",
    "partial",
    "refills_authorized",
    "payment",
    "product_qualifier",
    "quantity",
    "days_supply",
    "units",
    "drug_name",
    "ingredient",
    "strength",
    "strength_unit",
    "form",
    "schedule",
    "drug_class",
    "long_acting",
    "mme_key",
    "acetaminophen_mg",
)


_LONGEST_SUPPLY = timedelta(days=366)
_LATE_START = 31
"""Days from the fill to the day sold, and to which a refill is carried forward."""


def of_patient(patient_id: int, since: date, until: date) -> Iterable[dict[str, Any]]:
    """Give the fills that stand, the newest first, with their people.

    Those filled on these days, and those filled before whose supply may run into them.
    """
    rows: Any = (
        Dispensation.select(
            *(getattr(Dispensation, name) for name in _COLUMNS),
            Dispensation.prescriber.alias("prescriber_id"),
            Dispensation.pharmacy.alias("pharmacy_id"),
            ReportedIdentity.last_name,
            ReportedIdentity.first_name,
            ReportedIdentity.species,
            Prescriber.last_name.alias("prescriber_last"),
            Prescriber.first_name.alias("prescriber_first"),
            Prescriber.dea.alias("prescriber_dea"),
            Prescriber.phone.alias("prescriber_phone"),
            Prescriber.fax.alias("prescriber_fax"),
            Pharmacy.name.alias("pharmacy_name"),
            Pharmacy.dea.alias("pharmacy_dea"),
            Pharmacy.city.alias("pharmacy_city"),
            Pharmacy.state.alias("pharmacy_state"),
            Pharmacy.phone.alias("pharmacy_phone"),
            Pharmacy.fax.alias("pharmacy_fax"),
        )
        .join(ReportedIdentity)
        .switch(Dispensation)
        .join(Prescriber)
        .switch(Dispensation)
        .join(Pharmacy)
        .where(
            (Dispensation.patient == patient_id)
            & (Dispensation.status == DispensationStatus.CURRENT)
            & Dispensation.filled_on.between(since - _LONGEST_SUPPLY, until)
            & _may_reach(since)
            & withheld.shown()
        )
        .order_by(Dispensation.filled_on.desc(), Dispensation.id.desc())
        .dicts()
    )
    return cast("Iterable[dict[str, Any]]", rows)


def disputed_since(patient_id: int) -> dict[int, datetime]:
    """Give since when a ticket about a dispensation of the patient has been open.

    It is about the entry, or says that its reported identity is somebody else.
    """
    opened = fn.MIN(Ticket.opened_at)
    about_entry: Any = (
        Ticket.select(Ticket.dispensation, opened)
        .join(Dispensation)
        .where((Dispensation.patient == patient_id) & Ticket.resolved_at.is_null())
        .group_by(Ticket.dispensation)
        .tuples()
    )
    about_person: Any = (
        Dispensation.select(Dispensation.id, opened)
        .join(TicketIdentity, on=(TicketIdentity.identity == Dispensation.identity))
        .join(Ticket)
        .where((Dispensation.patient == patient_id) & Ticket.resolved_at.is_null())
        .group_by(Dispensation.id)
        .tuples()
    )
    return dict(about_person) | dict(about_entry)


def corrected_at(patient_id: int) -> dict[int, datetime]:
    """Give when each corrected dispensation of the patient was last changed."""
    version = DispensationVersion
    query: Any = (
        version.select(version.dispensation, fn.MAX(version.changed_at))
        .join(Dispensation)
        .where((Dispensation.patient == patient_id) & Dispensation.corrected)
        .group_by(version.dispensation)
        .tuples()
    )
    return dict(query)


def _may_reach(day: date) -> Any:
    """Give the condition that a supply ends on a day or later, or may do so."""
    filled, days = Dispensation.filled_on, Dispensation.days_supply + _LATE_START
    if database.is_sqlite():
        return fn.JULIANDAY(filled) + days >= fn.JULIANDAY(day.isoformat())
    return filled + days >= day
