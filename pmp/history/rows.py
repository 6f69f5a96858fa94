"""What a patient report is made from: one query for its fills, two for their marks."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

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
from pmp.prepared import Given, Question, prepared

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


def of_patient(patient_id: int, since: date, until: date) -> Sequence[dict[str, Any]]:
    """Give the fills that stand, the newest first, with their people.

    Those filled on these days, and those filled before whose supply may run into them.
    """
    return _standing(**_reaching(patient_id, since, until))


def asked(patient_id: int, since: date, until: date) -> list[Question]:
    """Give what a report asks here, for `pmp.prepared.ahead`."""
    return [
        _standing.asked(**_reaching(patient_id, since, until)),
        _with_disputed_person.asked(patient=patient_id),
        _disputed.asked(patient=patient_id),
    ]


def _reaching(patient_id: int, since: date, until: date) -> dict[str, Any]:
    return {
        "patient": patient_id,
        "since": since,
        "earliest": since - _LONGEST_SUPPLY,
        "until": until,
    }


def disputed_since(patient_id: int) -> dict[int, datetime]:
    """Give since when a ticket about a dispensation of the patient has been open.

    It is about the entry, or says that its reported identity is somebody else.
    """
    about_person = _with_disputed_person(patient=patient_id)
    return dict(about_person) | dict(_disputed(patient=patient_id))


def corrected_at(patient_id: int) -> dict[int, datetime]:
    """Give when each corrected dispensation of the patient was last changed."""
    return dict(_corrected(patient=patient_id))


@prepared
def _standing() -> Any:
    return (
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
            (Dispensation.patient == Given("patient"))
            & (Dispensation.status == DispensationStatus.CURRENT)
            & Dispensation.filled_on.between(Given("earliest"), Given("until"))
            & _may_reach(Given("since"))
            & withheld.shown()
        )
        .order_by(Dispensation.filled_on.desc(), Dispensation.id.desc())
        .dicts()
    )


@prepared
def _disputed() -> Any:
    mine = Dispensation.patient == Given("patient")
    return (
        Ticket.select(Ticket.dispensation, fn.MIN(Ticket.opened_at))
        .join(Dispensation)
        .where(mine & Ticket.resolved_at.is_null())
        .group_by(Ticket.dispensation)
        .tuples()
    )


@prepared
def _with_disputed_person() -> Any:
    mine = Dispensation.patient == Given("patient")
    return (
        Dispensation.select(Dispensation.id, fn.MIN(Ticket.opened_at))
        .join(TicketIdentity, on=(TicketIdentity.identity == Dispensation.identity))
        .join(Ticket)
        .where(mine & Ticket.resolved_at.is_null())
        .group_by(Dispensation.id)
        .tuples()
    )


@prepared
def _corrected() -> Any:
    version = DispensationVersion
    return (
        version.select(version.dispensation, fn.MAX(version.changed_at))
        .join(Dispensation)
        .where((Dispensation.patient == Given("patient")) & Dispensation.corrected)
        .group_by(version.dispensation)
        .tuples()
    )


def _may_reach(day: Any) -> Any:
    """Give the condition that a supply ends on a day or later, or may do so."""
    filled, days = Dispensation.filled_on, Dispensation.days_supply + _LATE_START
    if database.is_sqlite():
        return fn.JULIANDAY(filled) + days >= fn.JULIANDAY(day)
    return filled + days >= day
