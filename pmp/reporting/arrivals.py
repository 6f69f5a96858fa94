"""The days of which submissions had records, pharmacy by pharmacy.

Written with each batch of records, so that "has this pharmacy reported?" is answered
from a few rows and not from millions of dispensations.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from models import ReportedDay, Submission
from pmp import clock
from pmp.reporters import PharmacyKey


@dataclass(frozen=True)
class Had:
    """A record of a pharmacy; `day` is its fill's, None where it cannot be read."""

    pharmacy: PharmacyKey
    day: date | None


def note(
    submission: int, had: Iterable[Had], *, pharmacies: Mapping[PharmacyKey, int]
) -> None:
    """Write down the days of a batch of records, in its transaction.

    A day after the submission came is none that can be read. A pharmacy that is not in
    `pharmacies` is left out. The caller holds the pharmacies' turns: nobody else writes
    the same rows meanwhile.
    """
    found = [(pharmacies.get(each.pharmacy), each.day) for each in had]
    if not any(number for number, _ in found):
        return
    received = Submission.get_by_id(submission).received_at
    came = clock.day_of(received)
    counted = Counter(
        (number, day if day and day <= came else None)
        for number, day in found
        if number
    )
    query = ReportedDay.select().where(
        ReportedDay.submission == submission,
        ReportedDay.pharmacy.in_(sorted({number for number, _ in counted})),
    )
    known = {(row.__data__["pharmacy"], row.day): row for row in query}
    for (number, day), records in counted.items():
        row = known.get((number, day)) or ReportedDay(
            submission=submission, pharmacy=number, day=day, received_at=received
        )
        row.records += records
        row.save()
