"""Period arithmetic, as tables: month ends, leap days, closed days, changes."""

from collections.abc import Iterable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import DispenserKind, Frequency
from pmp.reporting.calendars import Calendar, Period, Terms
from pmp.reporting.holidays import federal_holidays

F = Frequency
HOLIDAYS_2026 = frozenset(day for day, _ in federal_holidays(2026))


def calendar(*terms: Terms, closed: Iterable[date] = ()) -> Calendar:
    return Calendar(dict.fromkeys(DispenserKind, terms), frozenset(closed))


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("frequency", "grace", "of", "first", "last", "due"),
    [
        (F.TWICE_MONTHLY, 5, "2026-11-01", "2026-11-01", "2026-11-15", "2026-11-20"),
        (F.TWICE_MONTHLY, 5, "2026-11-15", "2026-11-01", "2026-11-15", "2026-11-20"),
        (F.TWICE_MONTHLY, 5, "2026-11-16", "2026-11-16", "2026-11-30", "2026-12-05"),
        (F.TWICE_MONTHLY, 5, "2026-12-31", "2026-12-16", "2026-12-31", "2027-01-05"),
        (F.TWICE_MONTHLY, 5, "2028-02-29", "2028-02-16", "2028-02-29", "2028-03-05"),
        (F.TWICE_MONTHLY, 5, "2027-02-28", "2027-02-16", "2027-02-28", "2027-03-05"),
        (F.MONTHLY, 5, "2026-12-31", "2026-12-01", "2026-12-31", "2027-01-05"),
        (F.MONTHLY, 0, "2028-02-01", "2028-02-01", "2028-02-29", "2028-02-29"),
        (F.WEEKLY, 3, "2026-11-22", "2026-11-22", "2026-11-28", "2026-12-01"),
        (F.WEEKLY, 3, "2026-11-28", "2026-11-22", "2026-11-28", "2026-12-01"),
        (F.WEEKLY, 3, "2026-12-31", "2026-12-27", "2027-01-02", "2027-01-05"),
        (F.DAILY, 1, "2026-11-23", "2026-11-23", "2026-11-23", "2026-11-24"),
        (F.DAILY, 1, "2028-02-28", "2028-02-28", "2028-02-28", "2028-02-29"),
    ],
)
def test_a_day_falls_into_its_period(
    frequency: Frequency, grace: int, of: str, first: str, last: str, due: str
) -> None:
    found = calendar(Terms(frequency, grace)).period_of(day(of))

    assert found == Period(*map(day, (first, last, due)))


@pytest.mark.parametrize(
    ("frequency", "grace", "of", "due", "why"),
    [
        (F.DAILY, 1, "2026-11-23", "2026-11-24", "Monday → Tuesday"),
        (F.DAILY, 1, "2026-11-20", "2026-11-23", "Friday → Monday"),
        (F.DAILY, 1, "2026-11-21", "2026-11-23", "Saturday → Monday"),
        (F.DAILY, 1, "2026-11-22", "2026-11-23", "Sunday → Monday"),
        (F.DAILY, 1, "2026-11-25", "2026-11-27", "the day before Thanksgiving"),
        (F.DAILY, 1, "2026-11-26", "2026-11-27", "Thanksgiving itself"),
        (F.DAILY, 1, "2026-07-02", "2026-07-06", "July 4 is kept on Friday"),
        (F.DAILY, 0, "2026-11-21", "2026-11-23", "no grace, on a Saturday"),
        (F.DAILY, 0, "2026-11-23", "2026-11-23", "no grace, on a Monday"),
        (F.WEEKLY, 3, "2026-11-21", "2026-11-25", "Sat → Mon, Tue, Wed"),
        (F.WEEKLY, 3, "2026-11-22", "2026-12-02", "Sat → Mon, Tue, Wed"),
        (F.TWICE_MONTHLY, 5, "2026-11-16", "2026-12-07", "five business days"),
    ],
)
def test_grace_in_business_days_skips_weekends_and_closed_days(
    frequency: Frequency, grace: int, of: str, due: str, why: str
) -> None:
    terms = Terms(frequency, grace, business_days=True)

    found = calendar(terms, closed=HOLIDAYS_2026).period_of(day(of))

    assert found.due == day(due), why


def test_without_business_days_a_closed_day_changes_nothing() -> None:
    thanksgiving = calendar(Terms(F.DAILY, 1), closed=HOLIDAYS_2026)

    assert thanksgiving.period_of(day("2026-11-25")).due == day("2026-11-26")


def test_a_change_in_the_middle_of_a_period_cuts_it_short() -> None:
    changed = calendar(
        Terms(F.TWICE_MONTHLY, 5), Terms(F.WEEKLY, 3, starts_on=day("2026-11-10"))
    )

    found = list(changed.periods(day("2026-11-01"), day("2026-11-21")))

    assert [(p.first.day, p.last.day, p.due.day) for p in found] == [
        (1, 9, 14),  # the old terms' grace after the shortened end
        (10, 14, 17),  # Tuesday to Saturday: the week had begun
        (15, 21, 24),
    ]


def test_each_kind_has_its_own_terms() -> None:
    terms = {
        kind: (Terms(F.WEEKLY if kind is DispenserKind.VETERINARIAN else F.DAILY, 1),)
        for kind in DispenserKind
    }
    both = Calendar(terms)

    assert both.period_of(day("2026-11-24")).first == day("2026-11-24")
    vet = both.period_of(day("2026-11-24"), DispenserKind.VETERINARIAN)
    assert (vet.first, vet.last) == (day("2026-11-22"), day("2026-11-28"))


@pytest.mark.parametrize(
    ("terms", "of", "remind"),
    [
        (Terms(F.TWICE_MONTHLY, 5), "2026-11-01", "2026-11-17"),
        (Terms(F.TWICE_MONTHLY, 2), "2026-11-01", "2026-11-16"),  # once it is over
        (Terms(F.MONTHLY, 0), "2026-11-01", "2026-11-30"),
        (Terms(F.WEEKLY, 5), "2026-11-15", "2026-11-23"),
        (Terms(F.DAILY, 1), "2026-11-23", "2026-11-24"),
        (Terms(F.DAILY, 1, business_days=True), "2026-11-20", "2026-11-23"),
        (Terms(F.DAILY, 5), "2026-11-20", "2026-11-25"),
    ],
)
def test_a_reminder_comes_before_the_due_day_and_never_before_the_end(
    terms: Terms, of: str, remind: str
) -> None:
    made = calendar(terms)

    found = made.remind_on(made.period_of(day(of)), DispenserKind.PHARMACY, 3)

    assert found == day(remind)


_days = st.dates(date(2020, 1, 1), date(2040, 1, 1))
_terms = st.builds(
    Terms,
    frequency=st.sampled_from(F),
    grace_days=st.integers(0, 31),
    business_days=st.booleans(),
)


@given(_days, st.lists(st.tuples(_terms, _days), max_size=4), _terms)
def test_every_day_has_one_period_whatever_changes(
    of: date, later: list[tuple[Terms, date]], first: Terms
) -> None:
    starts = {start: terms for terms, start in later}
    made = calendar(
        first,
        *(
            Terms(t.frequency, t.grace_days, t.business_days, start)
            for start, t in sorted(starts.items())
        ),
    )

    period = made.period_of(of)
    before = made.period_before(period)
    after = made.period_of(period.last + timedelta(days=1))

    assert period.first <= of <= period.last <= period.due
    assert before.last == period.first - timedelta(days=1)
    assert after.first == period.last + timedelta(days=1)
    assert {made.period_of(each) for each in (period.first, period.last)} == {period}


@pytest.mark.parametrize(
    ("year", "days"),
    [
        (
            2026,
            "01-01 01-19 02-16 05-25 06-19 07-03 09-07 10-12 11-11 11-26 12-25",
        ),
        # July 4 on a Sunday, Juneteenth and Christmas on a Saturday; New Year's Day of
        # 2028 is a Saturday and so the last of 2027.
        (
            2027,
            "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24 12-31",
        ),
        (2028, "01-17 02-21 05-29 06-19 07-04 09-04 10-09 11-10 11-23 12-25"),
        (2023, "01-02 01-16 02-20 05-29 06-19 07-04 09-04 10-09 11-10 11-23 12-25"),
    ],
)
def test_federal_holidays_are_those_of_the_opm(year: int, days: str) -> None:
    found = [f"{each:%m-%d}" for each, _ in federal_holidays(year)]

    assert found == days.split()


def test_a_holiday_that_is_moved_says_so() -> None:
    names = dict(federal_holidays(2026))

    assert names[date(2026, 7, 3)] == "Independence Day (observed)"
    assert names[date(2026, 11, 26)] == "Thanksgiving Day"
