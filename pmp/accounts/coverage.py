"""Further pharmacies that a pharmacy's user may report for, as staff grant them."""

from datetime import datetime

from peewee import IntegrityError

from models import CoveredPharmacy, Licence, Profession, Role, User
from pmp import audit, database
from pmp.errors import RuleError


def of(user: User) -> list[CoveredPharmacy]:
    """Give the further pharmacies of a user, by name."""
    return list(
        CoveredPharmacy.select(CoveredPharmacy, Licence)
        .join(Licence)
        .where(CoveredPharmacy.user == user)
        .order_by(Licence.name)
    )


def grant(user: User, *, licence: str, by: User | None, at: datetime) -> Licence:
    """Let a pharmacy's user report for the pharmacy with a licence number as well.

    `by` None is the command line. RuleError where the user is no pharmacy's, the
    licence is unknown, inactive or no pharmacy's, its own, or was granted before.
    """
    found = _pharmacy_licence(licence)
    if user.role != Role.PHARMACY:
        raise RuleError(f"{user.username} is not a pharmacy's account.")
    if found == user.licence:
        message = f"{found.name} is its own pharmacy: it may report for it already."
        raise RuleError(message, field="licence")
    try:
        with database.atomic():
            CoveredPharmacy.create(
                user=user, licence=found, granted_by=_name(by), granted_at=at
            )
            _record(user, found, "granted", by=by, at=at)
    except IntegrityError as before:
        message = f"{user.username} may report for {found.name} already."
        raise RuleError(message, field="licence") from before
    return found


def withdraw(user: User, *, licence: str, by: User | None, at: datetime) -> None:
    """Take back what was granted; RuleError if it was not."""
    code = licence.strip().upper()
    granted = (
        CoveredPharmacy.select(CoveredPharmacy, Licence)
        .join(Licence)
        .where((CoveredPharmacy.user == user) & (Licence.code == code))
        .first()
    )
    with database.atomic():
        if granted is None or not granted.delete_instance():
            raise RuleError(f"{user.username} may not report for {code}.")
        _record(user, granted.licence, "withdrawn", by=by, at=at)


def _pharmacy_licence(code: str) -> Licence:
    found: Licence | None = (
        Licence.select()
        .where(Licence.code == code.strip().upper())
        .where(Licence.profession == Profession.PHARMACY)
        .order_by(Licence.active.desc(), Licence.id)
        .first()
    )
    if found is None or not found.active:
        message = (
            f"The roster has no active pharmacy licence {code.strip()}. Compare the "
            "number with the permit."
        )
        raise RuleError(message, field="licence")
    return found


def _name(by: User | None) -> str:
    return by.username if by else "system"


def _record(
    user: User, licence: Licence, what: str, *, by: User | None, at: datetime
) -> None:
    audit.record(
        audit.Event.USER_COVERAGE_CHANGED,
        actor=_name(by),
        subject=f"user:{user.id}",
        at=at,
        detail={"licence": licence.code, "change": what},
    )
