"""Who must report: pharmacies with an active licence or an active user.

A pharmacy that never reported has no row by itself; it gets one from its licence, so
that it can be late. From which day on each must report is written down once.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from peewee import IntegrityError, fn

from models import (
    CoveredPharmacy,
    DispenserKind,
    Licence,
    Pharmacy,
    Profession,
    ReportedDay,
    Role,
    User,
    UserStatus,
)
from pmp import audit, clock, database, reporters
from pmp.errors import NotFoundError, RuleError
from pmp.prepared import Question, among, prepared

AT_ONCE = 500


def by_id(pharmacy_id: int) -> Pharmacy:
    """Give a pharmacy; NotFoundError if there is none."""
    found: Pharmacy | None = Pharmacy.get_or_none(Pharmacy.id == pharmacy_id)
    if found is None:
        raise NotFoundError("There is no such pharmacy.")
    return found


def of_user(user: User) -> list[Pharmacy]:
    """Give the pharmacies that a user reports for: its own first, then by name.

    Its own may have no row yet and then is not saved; of a chain's others only those
    that have one.
    """
    own = reporters.own_pharmacy(user)
    if own is None:
        licence = user.licence
        name = licence.name if licence else user.name
        own = Pharmacy(name=name, licence=licence, kind=DispenserKind.PHARMACY)
    granted = CoveredPharmacy.select().where(CoveredPharmacy.user == user)
    further = reporters.pharmacies_of_licences(each.licence for each in granted)
    others = {row.id: row for row in further if row.id != own.id}
    return [own, *sorted(others.values(), key=lambda row: (row.name, row.id))]


def own(user: User, pharmacy_id: int | None) -> Pharmacy | None:
    """Give one of a user's pharmacies by its id; None for None.

    NotFoundError for one that it does not report for.
    """
    if pharmacy_id is None:
        return None
    for pharmacy in of_user(user):
        if pharmacy.id == pharmacy_id:
            return pharmacy
    raise NotFoundError("There is no such pharmacy among yours.")


def who_must_report(*, after: int = 0, limit: int | None = None) -> list[Pharmacy]:
    """List the pharmacies that must report, by id; those after an id, in parts."""
    query: Any = (
        Pharmacy.select(Pharmacy, Licence)
        .left_outer_join(Licence)
        .where(_counts() & ~Pharmacy.reports_since.is_null())
        .where(Pharmacy.id > after)
        .order_by(Pharmacy.id)
    )
    return list(query.limit(limit) if limit else query)


def must_report(pharmacy: Pharmacy) -> bool:
    """Tell whether a pharmacy is among those that must report."""
    found: bool = Pharmacy.select().where(_counts(), Pharmacy.id == pharmacy).exists()
    return found


def who_must_report_among(pharmacies: Iterable[int]) -> set[int]:
    """Give those of some pharmacies, by their ids, that must report."""
    return {number for (number,) in _obliged(pharmacies=list(pharmacies))}


def who_must_report_asked(pharmacies: list[int]) -> Question:
    """Give what `who_must_report_among` asks, for `pmp.prepared.ahead`."""
    return _obliged.asked(pharmacies=pharmacies)


@prepared
def _obliged() -> Any:
    return (
        Pharmacy.select(Pharmacy.id)
        .where(_counts() & ~Pharmacy.reports_since.is_null())
        .where(among(Pharmacy.id, "pharmacies"))
        .tuples()
    )


def enrol(*, at: datetime) -> int:
    """Give each pharmacy that must report its row and the day it began; how many.

    That day is its first submission's, or its user's first, or today. A licence
    without any number is left out: no record could ever name it.
    """
    for licence in _licences_without_a_row():
        try:
            with database.atomic():
                reporters.ensure_of_licence(licence)
        except IntegrityError:  # another worker was faster
            continue
    new = Pharmacy.select().where(_counts() & Pharmacy.reports_since.is_null())
    count = 0
    for pharmacy in list(new.order_by(Pharmacy.id)):
        since = _began(pharmacy, today=clock.day_of(at))
        changed = Pharmacy.update(reports_since=since).where(
            Pharmacy.id == pharmacy, Pharmacy.reports_since.is_null()
        )
        count += changed.execute()
    return count


def set_kind(
    pharmacy: Pharmacy, kind: DispenserKind, *, by: User, at: datetime
) -> None:
    """Say what kind of dispenser a pharmacy is: its reporting schedule follows."""
    with database.atomic():
        now = Pharmacy.get_by_id(pharmacy.id)
        if now.kind is kind:
            raise RuleError("It is of this kind already.", field="kind")
        detail = {"from": now.kind.value, "to": kind.value}
        # Other periods than before are asked of it: all of them are judged anew.
        Pharmacy.update(kind=kind, reported_through=None).where(
            Pharmacy.id == pharmacy.id
        ).execute()
        audit.record(
            audit.Event.PHARMACY_KIND_CHANGED,
            actor=by.username,
            subject=f"pharmacy:{pharmacy.id}",
            at=at,
            detail=detail,
        )


def _counts() -> Any:
    active = User.select().where(
        User.status == UserStatus.ACTIVE, User.role == Role.PHARMACY
    )
    users = active.select(User.pharmacy).where(~User.pharmacy.is_null())
    licences = active.select(User.licence).where(
        User.pharmacy.is_null(), ~User.licence.is_null()
    )
    licensed = Licence.select(Licence.id).where(Licence.active)
    return (
        Pharmacy.id.in_(users)
        | Pharmacy.licence.in_(licences)
        | Pharmacy.licence.in_(licensed)
    )


def _licences_without_a_row() -> Iterable[Licence]:
    known = Pharmacy.select(Pharmacy.licence).where(~Pharmacy.licence.is_null())
    query = (
        Licence.select()
        .where(Licence.profession == Profession.PHARMACY)
        .where(Licence.active, ~Licence.id.in_(known))
        .where(
            ~Licence.dea.is_null() | ~Licence.ncpdp.is_null() | ~Licence.npi.is_null()
        )
        .order_by(Licence.id)
    )
    return list(query)


def _began(pharmacy: Pharmacy, *, today: date) -> date:
    first: datetime | None = (
        ReportedDay.select(fn.MIN(ReportedDay.received_at))
        .where(ReportedDay.pharmacy == pharmacy)
        .scalar()
    )
    user = User.select().where(User.pharmacy == pharmacy).order_by(User.id).first()
    known = [clock.day_of(at) for at in (first, user and user.created_at) if at]
    return min([*known, today])
