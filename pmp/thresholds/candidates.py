"""Which patients a threshold rule may concern: few of many, found in one pass.

Most patients of a submission end here, so this is what an evaluation costs.  It is
answered from one index alone, and of the fills of each patient only those are read that
can stand in one window with a touched one: the years before cost nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import reduce
from operator import and_, or_
from typing import Any

from peewee import fn

from models import CaseStatus, Dispensation, RuleKind, ThresholdCase
from pmp import bulk
from pmp.thresholds import counted_fills
from pmp.thresholds.crossings import Numbers


def of(
    patient_ids: Sequence[int], rules: Sequence[Numbers], *, since: date | None
) -> set[int]:
    """Give those whom a rule may concern, or whose cases stand.

    `since`: no fill before this day has come, gone or changed since their cases were
    last settled; None: any fill may have.  A crossing that comes or goes by a change
    has its first day on a changed day or later, so its window reaches back no further
    than a window before.
    """
    found = reaching(patient_ids, rules, since=since)
    return found | with_cases(patient_ids)


def reaching(
    patient_ids: Sequence[int], rules: Sequence[Numbers], *, since: date | None = None
) -> set[int]:
    """Give those with enough prescribers and pharmacies for some rule.

    Among their fills from the first that a window with the day `since` in it may
    have; None: among all.  More than those who cross, never less: withheld and voided
    fills count here, and any schedule.  Rules of other kinds look at all fills.
    """
    of_providers = [each for each in rules if each.kind is RuleKind.PROVIDERS]
    found = counted_fills.may_reach(patient_ids, rules)
    if not of_providers:
        return found
    query = (
        Dispensation.select(Dispensation.patient)
        .where(bulk.among(Dispensation.patient, patient_ids))
        .group_by(Dispensation.patient)
        .having(reduce(or_, map(_enough, of_providers)))
    )
    if since is not None:
        query = query.where(Dispensation.filled_on >= _first_day(of_providers, since))
    return found | _ids(query)


def with_cases(patient_ids: Sequence[int]) -> set[int]:
    """Give those who have a standing case."""
    return _ids(
        ThresholdCase.select(ThresholdCase.patient)
        .where(bulk.among(ThresholdCase.patient, patient_ids))
        .where(ThresholdCase.status != CaseStatus.WITHDRAWN)
    )


def _enough(numbers: Numbers) -> Any:
    return (and_ if numbers.both else or_)(
        fn.COUNT(Dispensation.prescriber.distinct()) >= numbers.prescribers,
        fn.COUNT(Dispensation.pharmacy.distinct()) >= numbers.pharmacies,
    )


def _first_day(rules: Iterable[Numbers], since: date) -> date:
    longest = max(numbers.days for numbers in rules)
    return date.fromordinal(max(1, since.toordinal() - longest + 1))


def _ids(query: Any) -> set[int]:
    return {number for (number,) in query.tuples()}
