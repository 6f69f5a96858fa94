"""Zero reports of a batch: kept for their pharmacies and days.

Fills win: a zero report is no reason to refuse one that comes later, and where fills of
its days stand already it is kept all the same, with a warning.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from models import Dispensation, ZeroReport
from pmp import asap, bulk, reporters
from pmp.reporters import PharmacyKey
from pmp.uploads.remarks import Remark, zero_beside_records
from pmp.uploads.standing import STANDS


def remarks(zeros: Sequence[asap.ZeroReport]) -> list[Remark | None]:
    """Give, for each zero report, a warning if fills of its days stand."""
    if not zeros:
        return []
    ids = reporters.pharmacy_ids(_pharmacies(zeros), make=False)
    days = _days_with_fills(zeros, list(ids.values()))
    found: list[Remark | None] = []
    for zero in zeros:
        pharmacy = ids.get(reporters.pharmacy_key(zero.pharmacy), 0)
        own = [day for day in days.get(pharmacy, ()) if zero.since <= day <= zero.until]
        found.append(zero_beside_records(len(own), min(own)) if own else None)
    return found


def store(
    zeros: Sequence[asap.ZeroReport], *, submission: int, by: str, at: datetime
) -> None:
    """Keep zero reports; the same days again are kept once."""
    pharmacies = reporters.pharmacy_ids(_pharmacies(zeros), make=True)
    rows = [
        {
            "pharmacy": pharmacies[reporters.pharmacy_key(zero.pharmacy)],
            "first_day": zero.since,
            "last_day": zero.until,
            "submission": submission,
            "reported_by": by,
            "reported_at": at,
        }
        for zero in zeros
    ]
    bulk.insert(ZeroReport, rows, unless=["pharmacy", "first_day", "last_day"])


def _pharmacies(
    zeros: Sequence[asap.ZeroReport],
) -> Mapping[PharmacyKey, asap.Pharmacy]:
    return {reporters.pharmacy_key(zero.pharmacy): zero.pharmacy for zero in zeros}


def _days_with_fills(
    zeros: Sequence[asap.ZeroReport], pharmacies: Sequence[int]
) -> dict[int, list[date]]:
    """Give the days on which fills stand, by pharmacy; days of all reports alike."""
    first, last = min(each.since for each in zeros), max(each.until for each in zeros)
    query: Any = (
        Dispensation.select(Dispensation.pharmacy, Dispensation.filled_on)
        .where(
            Dispensation.pharmacy.in_(pharmacies),
            Dispensation.filled_on.between(first, last),
            STANDS,
        )
        .distinct()
        .tuples()
    )
    found: dict[int, list[date]] = {}
    for pharmacy, day in query:
        found.setdefault(pharmacy, []).append(day)
    return found
