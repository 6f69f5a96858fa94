"""Early refills among a pharmacy's own fills, found by the database itself.

The same sense as `pmp.warnings.sources.early_pairs`: the same patient, ingredient,
strength and form, filled while more than a part and at least some days are left of the
supply that ends last of those before it. Supplies of other pharmacies do not count.
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

_DAY_ZERO = date(1970, 1, 1)
_MOST_DAYS = 9_999  # a supply has three digits; more would not fit an integer

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
    pair = _with_the_longest_before(pharmacy, since, until)
    end = pair.c.longest / (_MOST_DAYS + 1)  # whole numbers in both engines
    days = end * (_MOST_DAYS + 1) + _MOST_DAYS - pair.c.longest
    left = end - pair.c.first
    limits = limits_of(settings.current())
    part, whole = limits.early_part.as_integer_ratio()
    query = (
        pair.select_from(pair.c.id, pair.c.patient_id, left.alias("days_left"))
        .where(left < days)  # one supply in two packages is none
        .where(left >= limits.early_days)
        .where(left * whole > days * part)
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


def _with_the_longest_before(
    pharmacy: Pharmacy, since: date | None, until: date | None
) -> Any:
    """Give the subquery of fills with the supply before them that ends last.

    `first` is a day's number; `longest` holds the number of the day after the supply,
    and in its last digits how many days it is short of _MOST_DAYS, so that the greatest
    is the one that ends last, and of two the one that began later.
    """
    window = Window(
        partition_by=[Dispensation.patient, *PRODUCT],
        order_by=[FIRST, Dispensation.id],
        start=Window.preceding(),
        end=Window.preceding(1),
    )
    first: Any = days_between(day(_DAY_ZERO), FIRST)
    days: Any = Dispensation.days_supply
    ends = (first + days) * (_MOST_DAYS + 1) + (_MOST_DAYS - days)
    query: Any = (
        Dispensation.select(
            Dispensation.id.alias("id"),
            Dispensation.patient.alias("patient_id"),
            Dispensation.filled_on.alias("filled_on"),
            first.alias("first"),
            fn.MAX(ends).over(window).alias("longest"),
        )
        .join(ReportedIdentity)
        .where(Dispensation.pharmacy == pharmacy)
        .where(Dispensation.status == DispensationStatus.CURRENT)
        .where(ReportedIdentity.species == Species.HUMAN)
    )
    if since:
        first = since - timedelta(days=LOOK_BACK_DAYS)
        query = query.where(Dispensation.filled_on >= first)
    if until:
        query = query.where(Dispensation.filled_on <= until)
    return query.window(window).alias("pair")
