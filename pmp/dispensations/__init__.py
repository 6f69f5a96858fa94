"""A dispensation: voided, restored, corrected, found by the code said on the phone.

What it said before each change is kept as a `DispensationVersion`; a change recomputes
the thresholds of the patients it concerns and is on the audit record.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from peewee import IntegrityError

from models import (
    Dispensation,
    DispensationStatus,
    DispensationVersion,
    Prescriber,
    ReportedIdentity,
    TicketOutcome,
    User,
)
from pmp import audit, database, drugs, readers, reporters, thresholds
from pmp.dispensations.row_codes import row_number
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.matching.turns import hold_links
from pmp.permissions import Permission, can
from pmp.wording import ndc as written_ndc

CORRECTABLE = frozenset(
    {
        "identity",
        "prescriber",
        "prescription_number",
        "filled_on",
        "fill_number",
        "partial",
        "product_code",
        "written_on",
        "sold_on",
        "quantity",
        "days_supply",
        "units",
        "refills_authorized",
        "payment",
    }
)
"""Fields that `correct` may change; the patient follows from the identity."""

NOT_KEPT = frozenset({"id", "row_code", "version", "corrected", "stored_at"})


def find_by_row_code(typed: str) -> Dispensation:
    """Give the dispensation that a code names, however typed; else NotFoundError."""
    try:
        found = Dispensation.get_or_none(Dispensation.id == row_number(typed))
    except ValueError as problem:
        raise NotFoundError(f"{problem}.", field="row_code") from problem
    if found is None:
        raise NotFoundError("No entry has this row code.", field="row_code")
    dispensation: Dispensation = found
    return dispensation


def void(dispensation: Dispensation, *, reason: str, by: User, at: datetime) -> None:
    """Take a dispensation out of every report; its history stays.

    Raises RuleError for another pharmacy's entry or one that is voided already, and
    ConflictError if it changed since it was read.
    """
    changes = {"status": DispensationStatus.VOIDED.value}
    event = audit.Event.DISPENSATION_VOIDED
    _require_standing(dispensation, by)
    _change(dispensation, changes, event=event, reason=reason, by=by, at=at)


def restore(dispensation: Dispensation, *, reason: str, by: User, at: datetime) -> None:
    """Let a voided dispensation stand again: its void was a mistake.

    Who was told that it was removed is told that it stands. Raises RuleError for
    another pharmacy's entry, for one that stands, for one that program staff removed
    (unless they restore it), and where its prescription and fill stand already.
    """
    if dispensation.status is not DispensationStatus.VOIDED:
        raise RuleError("This entry is not removed.")
    _require_own(dispensation, by)
    if not can(by.role, Permission.TICKET_WORK) and _removed_by_staff(dispensation):
        raise RuleError("Program staff removed this entry. Call them to have it back.")
    if (same := _standing_like(dispensation)) is not None:
        raise RuleError(
            f"Entry {same.row_code} of the same prescription and fill stands in its"
            " place. Correct or remove that one first."
        )
    changes = {"status": DispensationStatus.CURRENT.value}
    event = audit.Event.DISPENSATION_RESTORED
    _change(dispensation, changes, event=event, reason=reason, by=by, at=at)


def correct(
    dispensation: Dispensation,
    *,
    changes: Mapping[str, object],
    reason: str,
    by: User,
    at: datetime,
) -> None:
    """Change what a dispensation says; `changes` maps names of CORRECTABLE to values.

    A new `product_code` (11 digits) freezes that product's facts; a new `identity` (a
    ReportedIdentity) moves it to that identity's patient.  Raises RuleError as `void`,
    for an unknown product, and where the same fill stands already.
    """
    if unknown := changes.keys() - CORRECTABLE:
        raise ValueError(f"not correctable: {', '.join(sorted(unknown))}")
    columns = {"corrected": True}
    for name, value in changes.items():
        columns |= _columns(name, value)
    event = audit.Event.DISPENSATION_CORRECTED
    _require_standing(dispensation, by)
    _change(dispensation, columns, event=event, reason=reason, by=by, at=at)


def versions_of(dispensation: Dispensation) -> list[DispensationVersion]:
    """List what a dispensation said before, the oldest first."""
    return list(
        DispensationVersion.select()
        .where(DispensationVersion.dispensation == dispensation)
        .order_by(DispensationVersion.version)
    )


def content_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give a row's content as a version keeps it: field names to JSON values."""
    return {
        name: str(value) if isinstance(value, date | Decimal) else value
        for name, value in row.items()
        if name not in NOT_KEPT
    }


def frozen(facts: drugs.ProductFacts | None, code: str) -> dict[str, Any]:
    """Give the product's facts as columns of a dispensation.

    Those of an unknown product are empty, so that no dose is computed from them: it
    reads as unknown, never as zero. What not everyone may see is withheld: from every
    report, look-up and threshold.
    """
    if facts is None:
        name = f"Unknown product {written_ndc(code)}"
        return {**_NO_FACTS, "drug_name": name}
    audience = drugs.audience_of(facts)
    everyone = audience is drugs.Audience.EVERYONE
    return {
        **{name: getattr(facts, name) for name in FACTS},
        "withheld": None if everyone else audience.value,
    }


_NO_FACTS: dict[str, Any] = {
    "drug_name": "",
    "ingredient": "",
    "strength": None,
    "strength_unit": "",
    "form": "",
    "schedule": "",
    "drug_class": "other",
    "long_acting": False,
    "mme_key": "",
    "acetaminophen_mg": None,
    "withheld": None,
}
FACTS = tuple(name for name in _NO_FACTS if name != "withheld")
"""Columns that are frozen from the product; what it is withheld for follows."""


def _columns(name: str, value: Any) -> dict[str, Any]:
    if name == "product_code":
        facts = drugs.facts_for([value]).get(value)
        if facts is None:
            message = "The drug table has no product with this NDC."
            raise RuleError(message, field="product_code")
        return {
            "product_code": value,
            "product_qualifier": "01",
            **frozen(facts, value),
        }
    if name == "identity":
        identity: ReportedIdentity = value
        return {"identity": identity.id}  # its patient is read when nobody moves it
    if isinstance(value, Prescriber):
        return {name: value.id}
    return {name: value}


def _change(
    dispensation: Dispensation,
    columns: Mapping[str, Any],
    *,
    event: audit.Event,
    reason: str,
    by: User,
    at: datetime,
) -> None:
    if not reason.strip():
        raise RuleError("Say why.", field="reason")
    try:
        with database.atomic():
            hold_links()
            before = _row(dispensation)
            shown = readers.find([dispensation.id], at=at)
            columns = _with_patient(columns)
            _apply(dispensation, columns)
            _keep_version(dispensation, before, reason=reason, by=by, at=at)
            # Patients before the audit record, as everyone takes them: no deadlock.
            patients = {before["patient"], dispensation.patient.id}
            thresholds.evaluate(patients, at=at)
            audit.record(
                event,
                actor=by.username,
                subject=f"dispensation:{dispensation.id}",
                at=at,
                detail={"reason": reason, "fields": sorted(columns)},
            )
            if event is audit.Event.DISPENSATION_RESTORED:
                thresholds.tell_restored(dispensation, at=at)
            outcome = _outcome(before, dispensation)
            readers.tell(shown, {dispensation.id: outcome}, at=at, but=by)
    except IntegrityError as same:
        message = "The pharmacy has another record of the same fill."
        raise RuleError(message) from same


def _outcome(before: Mapping[str, Any], now: Dispensation) -> TicketOutcome:
    """Say what a change is to who had been shown the entry."""
    if now.status is DispensationStatus.VOIDED:
        return TicketOutcome.VOIDED
    moved = before["patient"] != now.patient.id
    return TicketOutcome.IDENTITY_FIXED if moved else TicketOutcome.CORRECTED


def _with_patient(columns: Mapping[str, Any]) -> Mapping[str, Any]:
    if "identity" not in columns:
        return columns
    identity = ReportedIdentity.get_by_id(columns["identity"])
    return {**columns, "patient": identity.patient.id}


def _require_own(dispensation: Dispensation, by: User) -> None:
    is_own = dispensation.pharmacy in reporters.pharmacies_of(by)
    if not is_own and not can(by.role, Permission.TICKET_WORK):
        raise RuleError("Only the pharmacy that reported this entry may change it.")


def _removed_by_staff(dispensation: Dispensation) -> bool:
    """Tell whether the void of a voided entry was made by program staff."""
    last = versions_of(dispensation)[-1:]
    who = User.get_or_none(User.username == last[0].changed_by) if last else None
    return who is not None and can(who.role, Permission.TICKET_WORK)


def _standing_like(dispensation: Dispensation) -> Dispensation | None:
    same = ("pharmacy", "prescription_number", "fill_number", "partial")
    query = Dispensation.select().where(
        Dispensation.status == DispensationStatus.CURRENT
    )
    for name in same:
        query = query.where(getattr(Dispensation, name) == getattr(dispensation, name))
    found: Dispensation | None = query.order_by(Dispensation.id).first()
    return found


def _require_standing(dispensation: Dispensation, by: User) -> None:
    _require_own(dispensation, by)
    if dispensation.status is DispensationStatus.VOIDED:
        raise RuleError("This entry is voided already.")


def _row(dispensation: Dispensation) -> dict[str, Any]:
    query: Any = Dispensation.select().where(Dispensation.id == dispensation.id)
    row: dict[str, Any] = query.dicts().get()
    return row


def _keep_version(
    dispensation: Dispensation,
    before: Mapping[str, Any],
    *,
    reason: str,
    by: User,
    at: datetime,
) -> None:
    DispensationVersion.create(
        dispensation=dispensation,
        version=before["version"],
        content=content_of(before),
        changed_by=by.username,
        changed_at=at,
        reason=reason,
    )


def _apply(dispensation: Dispensation, columns: Mapping[str, Any]) -> None:
    changed = (
        Dispensation.update(
            **{**columns, "version": dispensation.version + 1},
        )
        .where(
            Dispensation.id == dispensation.id,
            Dispensation.version == dispensation.version,
        )
        .execute()
    )
    if not changed:
        raise ConflictError("Someone else changed this entry. Look at it again.")
    fresh = Dispensation.get_by_id(dispensation.id)
    dispensation.__data__.update(fresh.__data__)
    dispensation.__rel__.clear()
