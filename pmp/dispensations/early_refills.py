"""Early refills among a pharmacy's own fills, found by the database itself.

The same sense as `pmp.warnings`: the same patient, ingredient, strength and form,
filled while more than a part and at least some days of the supply right before it are
left.
"""

from datetime import date, timedelta
from typing import Any

from peewee import Value, Window, fn

from models import (
    Dispensation,
    DispensationStatus,
    Pharmacy,
    ReportedIdentity,
    Species,
)
from pmp import database, settings
from pmp.warnings import limits_of

LOOK_BACK_DAYS = 120
"""How long before a period its fills are compared with: hardly a supply is longer."""

FIRST: Any = fn.COALESCE(Dispensation.sold_on, Dispensation.filled_on)
"""The day from which a fill is taken: sold, else filled."""

# As `pmp.fills.Fill.product`, but that the database compares.
PRODUCT: tuple[Any, ...] = (
    fn.COALESCE(fn.NULLIF(Dispensation.ingredient, ""), Dispensation.drug_name),
    Dispensation.strength,
    Dispensation.strength_unit,
    Dispensation.form,
)


def early_refills(pharmacy: Pharmacy, since: date | None, until: date | None) -> Any:
    """Give the subquery of early refills filled in a period: id, patient_id, days_left.

    Animals' fills are left out, as everywhere that supplies are compared.
    """
    pair = _with_the_one_before(pharmacy, since, until)
    between = days_between(pair.c.before_first, pair.c.first)
    left = pair.c.before_days - between
    limits = limits_of(settings.current())
    part, whole = limits.early_part.as_integer_ratio()
    query = (
        pair.select_from(pair.c.id, pair.c.patient_id, left.alias("days_left"))
        .join(ReportedIdentity, on=(ReportedIdentity.id == pair.c.identity_id))
        .where(between > 0)  # one supply in two packages is none
        .where(left >= limits.early_days)
        .where(left * whole > pair.c.before_days * part)
        .where(ReportedIdentity.species == Species.HUMAN)
    )
    if since:
        query = query.where(pair.c.filled_on >= since)
    return query


def early_ids(pharmacy: Pharmacy, since: date | None, until: date | None) -> list[int]:
    """Give the ids alone, to narrow a list of dispensations."""
    return [row[0] for row in early_refills(pharmacy, since, until).tuples()]


def days_between(earlier: Any, later: Any) -> Any:
    """Give the expression for a number of days, in either engine's own way."""
    if database.is_sqlite():
        return (fn.julianday(later) - fn.julianday(earlier)).cast("INTEGER")
    return later - earlier


def day(value: date) -> Any:
    """Give a day as an expression that `days_between` can take."""
    if database.is_sqlite():
        return Value(value.isoformat())
    return Value(value, converter=False).cast("DATE")


def _with_the_one_before(
    pharmacy: Pharmacy, since: date | None, until: date | None
) -> Any:
    # Named, so that the database sorts once for both columns.
    window = Window(
        partition_by=[Dispensation.patient, *PRODUCT], order_by=[FIRST, Dispensation.id]
    )
    query: Any = (
        Dispensation.select(
            Dispensation.id.alias("id"),
            Dispensation.patient.alias("patient_id"),
            Dispensation.identity.alias("identity_id"),
            Dispensation.filled_on.alias("filled_on"),
            FIRST.alias("first"),
            fn.LAG(FIRST).over(window).alias("before_first"),
            fn.LAG(Dispensation.days_supply).over(window).alias("before_days"),
        )
        .where(Dispensation.pharmacy == pharmacy)
        .where(Dispensation.status == DispensationStatus.CURRENT)
    )
    if since:
        first = since - timedelta(days=LOOK_BACK_DAYS)
        query = query.where(Dispensation.filled_on >= first)
    if until:
        query = query.where(Dispensation.filled_on <= until)
    return query.window(window).alias("pair")
