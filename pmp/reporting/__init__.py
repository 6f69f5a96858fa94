"""Reporting: who must report which days by when, who did, and what they are told.

How often is policy, kept as rows (`schedules`); the arithmetic is in `calendars`, where
a pharmacy stands in `standing`. See docs/decisions/0015.
"""

from datetime import date, timedelta

from models import DispenserKind, Pharmacy
from pmp.reporting import schedules, standing
from pmp.reporting.banner import Due, next_due
from pmp.reporting.calendars import Period
from pmp.reporting.zeros import report_zero, zero_reports

__all__ = [
    "Due",
    "Period",
    "has_reported",
    "next_due",
    "period_before",
    "period_of",
    "report_zero",
    "zero_reports",
]


def period_of(day: date, kind: DispenserKind = DispenserKind.PHARMACY) -> Period:
    """Give the reporting period that a day falls into, by the policy in force."""
    return schedules.calendar().period_of(day, kind)


def period_before(
    period: Period, kind: DispenserKind = DispenserKind.PHARMACY
) -> Period:
    """Give the period that ended just before another began."""
    return period_of(period.first - timedelta(days=1), kind)


def has_reported(pharmacy: Pharmacy, period: Period, *, today: date) -> bool:
    """Tell whether a pharmacy has reported a period, by records or as empty."""
    log = standing.logs([pharmacy], since=period.first, whole=True)[pharmacy.id]
    found = standing.judge(log, period, today=today)
    return found.state in {standing.State.REPORTED, standing.State.ZERO}
