"""What a patient report warns of: each a sentence with its numbers and its rows.

Pure. Never a score and never proof: every warning is *possible*, told from dispensed
controlled substances alone, and names the rows that it was told from and its
arithmetic. All limits can be set. Sources: CDC guideline of 2022 (50 MME); FDA boxed
warnings of 2016-08-31 (opioids with benzodiazepines) and 2019-12-19 (gabapentinoids).
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date

from pmp.fills import Fill, carried
from pmp.mme import Summary
from pmp.warnings import courses, doses, interactions, sources
from pmp.warnings.concerns import (
    Code,
    Level,
    Limits,
    PatientWarning,
    Picture,
    limits_of,
)

__all__ = ["CAVEAT", "Code", "Level", "Limits", "PatientWarning", "find", "limits_of"]

CAVEAT = (
    "Each is a possible concern, told from dispensed controlled substances alone. It is"
    " not proof of misuse and not a full interaction check."
)


def find(
    fills: Iterable[Fill],
    *,
    since: date,
    today: date,
    mme: Summary,
    limits: Limits | None = None,
    birth_date: date | None = None,
) -> list[PatientWarning]:
    """Give the warnings of a report, the gravest first, information last.

    `fills` are those of the period from `since` to `today` that stand; `mme` is their
    summary with early refills carried forward. `birth_date` tells a minor from an
    adult; without it the limits are those of an adult.
    """
    chosen = limits or Limits()
    ordered = sorted(fills, key=lambda fill: fill.first)
    moved = carried(ordered, up_to_days=chosen.carry_forward_days)
    picture = Picture(ordered, moved, since, today, mme, chosen, birth_date)
    found = [warning for check in _CHECKS for warning in check(picture)]
    order = list(Code)
    return sorted(
        found,
        key=lambda each: (each.level is Level.INFORMATION, order.index(each.code)),
    )


_CHECKS: tuple[Callable[[Picture], Iterator[PatientWarning]], ...] = (
    doses.mme,
    interactions.trio,
    interactions.opioid_benzodiazepine,
    sources.many_sources,
    sources.early_refill,
    doses.methadone,
    courses.long_use,
    courses.first_long_acting,
    courses.first_opioid,
    interactions.same_kind,
    doses.acetaminophen,
    interactions.gabapentinoid,
    interactions.buprenorphine,
)
