"""Accounting of disclosures: what about a patient left the program, when, to whom, why.

45 CFR 164.528 asks for the date, the recipient and address, what was disclosed and the
purpose. A disclosure is written down before it happens: one that then fails is one row
too many, never one too few.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from models import Disclosure, LookUp, Patient
from pmp import audit, database
from pmp.matching import whereabouts
from pmp.prepared import Given, prepared


def record(  # noqa: PLR0913 - what 164.528 asks for
    *,
    patient: Patient,
    recipient: str,
    what: str,
    purpose: str,
    at: datetime,
    address: str = "",
    actor: str = "system",
    look_up: LookUp | None = None,
    suspended_until: date | None = None,
    also: Sequence[audit.Entry] = (),
) -> Disclosure:
    """Write a disclosure down; `recipient` is a name, `address` where it went.

    The patient is not told of one that is suspended before its day (164.528(a)(2)).
    `also` are further rows of the audit record, of the act that discloses.
    """
    with database.together():
        facts = {
            "patient": patient.id,
            "at": at,
            "recipient": recipient,
            "address": address,
            "what": what,
            "purpose": purpose,
            "look_up": look_up.id if look_up else None,
            "suspended_until": suspended_until,
        }
        disclosure = Disclosure(id=_write.add(**facts), **facts)
        disclosed = audit.Entry(
            audit.Event.DISCLOSED,
            actor=actor,
            subject=f"patient:{patient.id}",
            at=at,
            detail={"disclosure": disclosure.id, "what": what, "purpose": purpose},
        )
        audit.record_all([disclosed, *also])
    return disclosure


@prepared
def _write() -> Any:
    return Disclosure.insert(
        patient=Given("patient"),
        at=Given("at", into=Disclosure.at),
        recipient=Given("recipient"),
        address=Given("address"),
        what=Given("what"),
        purpose=Given("purpose"),
        look_up=Given("look_up"),
        suspended_until=Given("suspended_until", into=Disclosure.suspended_until),
    )


def hold(patient: Patient) -> None:
    """Keep a patient from being changed until this transaction ends.

    First of all where a disclosure comes after other rows: whoever changes a patient
    takes it before cases, recipients and the audit record.
    """
    if not database.is_sqlite():  # its transactions are IMMEDIATE
        row: Any = Patient.select(Patient.id).where(Patient.id == patient.id)
        list(row.for_update("FOR SHARE").tuples())


def record_once(
    *,
    patient: Patient,
    recipient: str,
    what: str,
    purpose: str,
    at: datetime,
    address: str,
) -> Disclosure:
    """Write a sending down, unless it is already: one message may take many tries."""
    known: Disclosure | None = (
        Disclosure.select()
        .where(Disclosure.patient == patient)
        .where(Disclosure.recipient == recipient)
        .where(Disclosure.address == address)
        .where(Disclosure.what == what)
        .first()
    )
    return known or record(
        patient=patient,
        recipient=recipient,
        what=what,
        purpose=purpose,
        at=at,
        address=address,
    )


def accounting(patient_id: int, *, told_on: date | None = None) -> list[Disclosure]:
    """Give every disclosure about a person, newest first.

    Also those made under another patient's number while one of this person's reported
    identities was with that patient: before staff joined or split them. With `told_on`
    those alone of which the patient may be told on that day.
    """
    stayed = whereabouts.stays_of(patient_id)
    query = Disclosure.select().where(
        whereabouts.whose(stayed, Disclosure.patient, Disclosure.at)
    )
    if told_on is not None:
        query = query.where(may_be_told(told_on))
    return list(query.order_by(Disclosure.at.desc(), Disclosure.id.desc()))


def may_be_told(day: date) -> Any:
    """Give the condition that the patient may be told of a disclosure on a day."""
    until = Disclosure.suspended_until
    return until.is_null() | (until <= day)
