"""What a technician is told of a record that the tables, not its text, gave rise to.

The sentences about what stands already.  Those about what the registers say are in
`register`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from models import Severity
from pmp.wording import amount, us_date


@dataclass(frozen=True)
class Remark:
    """What a technician should know about an outcome, and what to do."""

    code: str
    message: str
    fix: str = ""
    element: str = ""
    value: str = ""
    severity: Severity = Severity.WARNING


def counted_once() -> Remark:
    """Say that a record equals one that stands."""
    return Remark("P01", "This fill was reported before. It is counted once.")


def conflict(names: str) -> Remark:
    """Say that a record differs from the same fill that stands; in what."""
    return Remark(
        "P02",
        f"This fill was reported before with another {names}. The first stands.",
        "If this record is right, send it as a revision (DSP01 is 01).",
    )


def revised_nothing(*, several: bool) -> Remark:
    """Say that a revision was taken for a new fill."""
    why = "several records" if several else "no record"
    return Remark(
        "P03",
        f"The revision fits {why} of this prescription and fill number, so it was"
        " stored as a new fill.",
        "If it should have replaced another record, void that one.",
    )


def voided_nothing(near: Sequence[Any], *, wait_hours: int) -> Remark:
    """Say that a void fits nothing, what stands near it, and that it waits."""
    waits = ""
    if wait_hours:
        waits = (
            f" For {wait_hours} hours it waits for a record that was written before it."
        )
    if not near:
        message = "No record of this prescription stands that could be voided."
        return Remark("P04", message + waits, "Check prescription number and pharmacy.")
    nearest = "; ".join(
        f"filled {us_date(row['filled_on'])}, fill {row['fill_number']},"
        f" quantity {_plain(row['quantity'])}"
        for row in near[:3]
    )
    return Remark(
        "P04",
        f"The void fits no record. Of this prescription stand: {nearest}.{waits}",
        "Send the void with the day, fill number and quantity as they were reported.",
    )


def voided_before(when: datetime | None, record: int) -> Remark:
    """Say that a void's fill is voided: since when, or by which record of its file."""
    if when:
        how = f"on {us_date(when)}"
    else:
        how = f"by record {record} of this file" if record else "before"
    return Remark(
        "P08",
        f"This fill was voided already, {how}. The void is counted once.",
        "Nothing need be done. To report the fill again, send it as new.",
        "DSP01",
    )


def found_later(submission: int, record: int) -> Remark:
    """Say, of a void, that its record came after it."""
    return Remark(
        "P09",
        f"The void came before its record. That came later, as record {record} of"
        f" submission {submission}, and was voided then.",
        "Nothing need be done.",
        "DSP01",
    )


def void_had_come(submission: int, record: int) -> Remark:
    """Say, of a record, that its void was there before it."""
    return Remark(
        "P10",
        f"The void of this fill came before it, as record {record} of submission"
        f" {submission}, and waited for it: the fill was stored and voided at once.",
        "If the fill should stand, send it again as new (DSP01 is 00).",
        "DSP01",
    )


def void_may_have_come(submission: int, record: int) -> Remark:
    """Say, of a record, that a void fits it but may mean an earlier one."""
    return Remark(
        "P11",
        f"Record {record} of submission {submission} is a void that fits this fill and"
        " came before it. It is not certain that this fill is the one it meant, so the"
        " fill stands.",
        "If this fill was meant, send the void again. If it replaces the one that was"
        " voided, nothing need be done.",
        "DSP01",
    )


def revised_voided(when: datetime | None) -> Remark:
    """Say that a revision's fill is voided, so that it was stored as a new one."""
    since = f" on {us_date(when)}" if when else ""
    return Remark(
        "P12",
        f"The fill that is revised was voided{since}, so the revision was stored as a"
        " new fill.",
        "If the fill should stay voided, send a void of this one.",
        "DSP01",
    )


def zero_beside_records(days: int, first: Any) -> Remark:
    """Say that a zero report names days on which fills are reported."""
    count = "a day" if days == 1 else f"{days} days"
    return Remark(
        "P13",
        f"Nothing was dispensed, says the report, but fills of {count} in it stand,"
        f" the first of {us_date(first)}. The fills count.",
        "If the fills are wrong, void them. Else nothing need be done.",
        "IS03",
    )


def _plain(quantity: Any) -> str:
    return amount(quantity) if isinstance(quantity, Decimal) else str(quantity)


def not_covered(name: str, number: str) -> Remark:
    """Say that the account may not report for a pharmacy, known by “dea” and number."""
    return Remark(
        "F09",
        f"Your account may not report for the pharmacy with {name.upper()} {number}.",
        "Correct the pharmacy's number, or call to have the pharmacy added.",
        {"dea": "PHA03", "ncpdp": "PHA02", "npi": "PHA01"}[name],
        number,
    )
