"""How recent each pharmacy's reports are, as a reader of a report is told."""

from datetime import date

from models import Role
from pmp.reporting import freshness
from pmp.settings import Settings
from tests.conftest import NOW
from tests.factories import make_pharmacy, make_reported_day, make_user

TODAY = date(2026, 11, 23)
MISSING = "11/01/2026 to 11/15/2026"


def test_late_pharmacies_stand_first_with_the_days_that_may_be_missing(
    db: Settings,
) -> None:
    late, current, foreign = (
        make_pharmacy(name=name, reports_since=date(2026, 10, 16))
        for name in ("Elm", "Cedar", "Away")
    )
    for each in (late, current):
        make_user(Role.PHARMACY, pharmacy=each)
    make_reported_day(late, date(2026, 10, 31))
    for day in (date(2026, 10, 31), date(2026, 11, 15)):
        make_reported_day(current, day, came=NOW)
    make_reported_day(foreign, date(2026, 1, 5))
    make_user(Role.PHARMACY, pharmacy=make_pharmacy(reports_since=TODAY))  # noise

    found = freshness.of([late.id, current.id, foreign.id], today=TODAY)

    assert [(each.name, each.is_late) for each in found] == [
        ("ELM", True),
        ("AWAY", False),
        ("CEDAR", False),
    ]
    assert [each.words for each in found] == [
        f"last reported 11/01/2026, due 11/20/2026, late: {MISSING} may be incomplete",
        "last reported 01/06/2026",
        "last reported 11/23/2026, next due 12/05/2026",
    ]


def test_a_pharmacy_that_never_reported_is_said_so(db: Settings) -> None:
    silent = make_pharmacy(name="Silent")

    assert [each.words for each in freshness.of([silent.id], today=TODAY)] == [
        "has not reported yet"
    ]
    assert freshness.of([], today=TODAY) == []
