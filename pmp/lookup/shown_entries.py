"""Entries as a report showed them, of which some are another person's since.

What has become of another person's entry after that is not this reader's to know.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from models import Dispensation, DispensationStatus, DispensationVersion
from pmp import withheld


@dataclass(frozen=True)
class ShownEntry:
    """An entry in the version that was shown.

    `is_own` if it is still this patient's; `stands` unless it was voided since, which
    is told of one's own alone.
    """

    row_code: str
    filled_on: date
    drug_name: str
    is_own: bool
    stands: bool


def as_shown(versions: Mapping[str, int], *, patient_id: int) -> list[ShownEntry]:
    """Give entries by row code as their version of then said, the newest first.

    Left out are those withheld since, and those whose version of then is not kept.
    """
    query: Any = (
        Dispensation.select(
            Dispensation.id,
            Dispensation.row_code,
            Dispensation.version,
            Dispensation.patient,
            Dispensation.status,
            Dispensation.filled_on,
            Dispensation.drug_name,
        )
        .where(Dispensation.row_code.in_(sorted(versions)))
        .where(withheld.shown())
        .dicts()
    )
    rows = list(query)
    older = _older(
        row["id"] for row in rows if row["version"] != versions[row["row_code"]]
    )
    found = []
    for row in rows:
        version = versions[row["row_code"]]
        said = row if row["version"] == version else older.get((row["id"], version))
        if said is None:
            continue
        is_own = row["patient"] == patient_id
        voided = is_own and row["status"] is DispensationStatus.VOIDED
        found.append(
            ShownEntry(
                row_code=row["row_code"],
                filled_on=_day(said["filled_on"]),
                drug_name=said["drug_name"],
                is_own=is_own,
                stands=not voided,
            )
        )
    return sorted(found, key=lambda each: (each.filled_on, each.row_code), reverse=True)


def _older(ids: Any) -> dict[tuple[int, int], Any]:
    query: Any = (
        DispensationVersion.select(
            DispensationVersion.dispensation,
            DispensationVersion.version,
            DispensationVersion.content,
        )
        .where(DispensationVersion.dispensation.in_(list(ids)))
        .tuples()
    )
    return {(number, version): content for number, version, content in query}


def _day(said: date | str) -> date:
    return said if isinstance(said, date) else date.fromisoformat(said)
