from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pmp.thresholds.crossings import Crossing, Fill, Numbers, crossings

START = date(2026, 1, 1)
THREE_AND_THREE = Numbers(3, 3, both=True, days=90)


def fills(*days_and_people: tuple[int, int, int]) -> list[Fill]:
    """Make fills of (day, prescriber, pharmacy); day 0 is January 1."""
    return [
        Fill(number, START + timedelta(days=day), prescriber, pharmacy, "CII")
        for number, (day, prescriber, pharmacy) in enumerate(days_and_people, start=1)
    ]


def day_by_day(history: list[Fill], numbers: Numbers) -> list[Crossing]:
    """Look at the window of every single day: slow, and plainly right."""
    counted = [fill for fill in history if numbers.counts(fill)]
    found: list[tuple[date, set[Fill]]] = []
    above = False
    for number in range(-1, 120):
        day = START + timedelta(days=number)
        first = day - timedelta(days=numbers.days - 1)
        window = {fill for fill in counted if first <= fill.filled_on <= day}
        reached = numbers.reached(
            len({fill.prescriber for fill in window}),
            len({fill.pharmacy for fill in window}),
        )
        if reached and not above:
            found.append((day, window))
        elif reached:
            found[-1][1].update(window)
        above = reached
    order = {fill: number for number, fill in enumerate(counted)}
    return [
        Crossing(day, tuple(sorted(run, key=lambda fill: order[fill])))
        for day, run in found
    ]


def test_the_third_of_both_is_the_crossing_and_no_fill_before_it() -> None:
    history = fills((0, 1, 1), (10, 2, 2), (20, 3, 3))

    [crossing] = crossings(history, THREE_AND_THREE)

    assert crossing.crossed_on == START + timedelta(days=20)
    assert (crossing.prescribers, crossing.pharmacies) == (3, 3)
    assert crossing.fills == tuple(history)
    assert crossings(history[:2], THREE_AND_THREE) == []


def test_and_asks_for_both_numbers_and_or_for_either() -> None:
    history = fills((0, 1, 1), (10, 2, 1), (20, 3, 1))

    assert crossings(history, THREE_AND_THREE) == []
    assert len(crossings(history, Numbers(3, 3, both=False, days=90))) == 1


def test_a_window_of_ninety_days_holds_ninety_days_and_not_one_more() -> None:
    assert len(crossings(fills((0, 1, 1), (1, 2, 2), (89, 3, 3)), THREE_AND_THREE)) == 1
    assert crossings(fills((0, 1, 1), (1, 2, 2), (90, 3, 3)), THREE_AND_THREE) == []


def test_later_fills_belong_to_the_crossing_while_the_window_stays_above() -> None:
    history = fills((0, 1, 1), (1, 2, 2), (2, 3, 3), (30, 1, 1), (60, 4, 4))

    [crossing] = crossings(history, THREE_AND_THREE)

    assert crossing.fills == tuple(history)
    assert (crossing.prescribers, crossing.pharmacies) == (4, 4)


def test_a_new_crossing_needs_the_window_to_fall_below_first() -> None:
    first = [(0, 1, 1), (1, 2, 2), (2, 3, 3)]
    # On day 92 the first fills have left the window; three again on that same day.
    again = [(92, 1, 1), (92, 2, 2), (92, 3, 3)]

    days = [
        each.crossed_on for each in crossings(fills(*first, *again), THREE_AND_THREE)
    ]

    assert days == [START + timedelta(days=2), START + timedelta(days=92)]


def test_only_the_schedules_of_the_rule_count_and_unscheduled_drugs_never() -> None:
    history = fills((0, 1, 1), (1, 2, 2), (2, 3, 3))
    history[1] = history[1]._replace(schedule="CV")
    history.append(history[0]._replace(id=9, schedule="", prescriber=8, pharmacy=8))
    narrow = Numbers(3, 3, both=True, days=90, schedules=frozenset({"CII", "CIII"}))

    assert crossings(history, narrow) == []
    assert len(crossings(history, THREE_AND_THREE)) == 1


def test_only_the_classes_of_the_rule_count() -> None:
    history = [
        each._replace(drug_class="opioid") for each in fills((0, 1, 1), (1, 2, 2))
    ]
    third = fills((2, 3, 3))[0]._replace(id=3)
    opioids = replace(THREE_AND_THREE, drug_classes=frozenset({"opioid"}))

    stimulant = [*history, third._replace(drug_class="stimulant")]
    assert crossings(stimulant, opioids) == []
    assert len(crossings(stimulant, THREE_AND_THREE)) == 1
    assert len(crossings([*history, third._replace(drug_class="opioid")], opioids)) == 1


def test_a_rule_with_a_least_number_of_fills_waits_for_them() -> None:
    history = fills((0, 1, 1), (10, 2, 2), (20, 3, 3), (30, 1, 1), (40, 1, 2))
    four = replace(THREE_AND_THREE, minimum_fills=4)

    [crossing] = crossings(history, four)

    assert crossings(history[:3], four) == []
    assert crossing.crossed_on == START + timedelta(days=30)
    assert len(crossing.fills) == 5


def test_prescribers_of_one_practice_count_once_if_the_rule_says_so() -> None:
    history = [
        each._replace(practice=practice)
        for each, practice in zip(
            fills((0, 1, 1), (1, 2, 2), (2, 3, 3), (3, 4, 3)), (1, 1, 3, 4), strict=True
        )
    ]
    once = replace(THREE_AND_THREE, practices_once=True)

    [crossing] = crossings(history, once)

    assert crossings(history[:3], once) == []
    assert (crossing.prescribers, crossing.pharmacies) == (3, 3)
    assert len(crossing.fills) == 4
    [every] = crossings(history, THREE_AND_THREE)
    assert (every.crossed_on, every.prescribers) == (START + timedelta(days=2), 4)


def test_what_was_for_hospice_or_cancer_is_not_counted_where_a_rule_leaves_it_out() -> (
    None
):
    history = fills((0, 1, 1), (1, 2, 2), (2, 3, 3))
    history[1] = history[1]._replace(care=frozenset({"cancer", "hospice"}))
    without = replace(THREE_AND_THREE, exclusions=frozenset({"cancer"}))

    assert crossings(history, without) == []
    assert len(crossings(history, THREE_AND_THREE)) == 1


@given(
    st.lists(
        st.tuples(
            st.integers(0, 60),
            st.integers(1, 4),
            st.integers(1, 4),
            st.sampled_from(["CII", "CV", ""]),
        ),
        max_size=14,
    ),
    st.integers(1, 3),
    st.integers(1, 3),
    st.booleans(),
    st.integers(1, 20),
)
def test_two_pointers_find_what_looking_at_every_day_finds(
    rows: list[tuple[int, int, int, str]],
    prescribers: int,
    pharmacies: int,
    both: bool,  # noqa: FBT001 - given by hypothesis
    days: int,
) -> None:
    history = [
        Fill(number, START + timedelta(days=day), prescriber, pharmacy, schedule)
        for number, (day, prescriber, pharmacy, schedule) in enumerate(sorted(rows))
    ]
    numbers = Numbers(prescribers, pharmacies, both=both, days=days)

    assert crossings(history, numbers) == day_by_day(history, numbers)
