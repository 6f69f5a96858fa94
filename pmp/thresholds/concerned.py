"""Whom a case concerns: who wrote or dispensed one of its entries not long ago."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from models import CaseEntry, CaseRecipient, Dispensation, ThresholdCase

# What happened longer ago is kept as a case, but nobody is written to about it: the
# first load of ten years of records must not print ten years of letters.
PAST = timedelta(days=182)
People = tuple[Sequence[int], Sequence[int]]
"""Ids of prescribers and of pharmacies."""
NOBODY: People = ((), ())


def of_case(case: ThresholdCase) -> tuple[list[int], list[int]]:
    """Give the ids of the prescribers and pharmacies whom a case concerns today."""
    return counted(case, since=first_day(case.window_last, case.rule.window_days))


def is_concerned(recipient: CaseRecipient) -> bool:
    """Tell whether a case still concerns a recipient, or named them by mistake."""
    gone = besides(people_of([recipient]), of_case(recipient.case))
    return not any(gone)


def first_day(last: date, window_days: int) -> date:
    """Give the day from which the fills say whom a report concerns.

    `last` is the day of the last fill. Whoever treated the patient years before, at the
    beginning of a long stretch, has no business with what goes on today.
    """
    return last - max(timedelta(days=window_days), PAST)


def counted(
    case: ThresholdCase, *, since: date = date.min
) -> tuple[list[int], list[int]]:
    """Give the ids of the counted prescribers and pharmacies, in order of fills.

    Only those of fills from the day `since` on.
    """
    rows: Any = list(
        Dispensation.select(Dispensation.prescriber, Dispensation.pharmacy)
        .join(CaseEntry)
        .where(CaseEntry.case == case)
        .where(Dispensation.filled_on >= since)
        .order_by(Dispensation.filled_on, Dispensation.id)
        .tuples()
    )
    return list(dict(rows)), list(dict(row[::-1] for row in rows))


def besides(everybody: People, *others: People) -> People:
    """Give people without others."""
    prescribers = {each for known in others for each in known[0]}
    pharmacies = {each for known in others for each in known[1]}
    return (
        [each for each in everybody[0] if each not in prescribers],
        [each for each in everybody[1] if each not in pharmacies],
    )


def people_of(recipients: Iterable[CaseRecipient]) -> People:
    """Give who recipients are: ids."""
    rows = [each.__data__ for each in recipients]
    return (
        [row["prescriber"] for row in rows if row["prescriber"]],
        [row["pharmacy"] for row in rows if row["pharmacy"]],
    )
