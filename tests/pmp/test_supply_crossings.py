from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import RuleKind
from pmp.fills import Fill as Supply
from pmp.mme import Mme, Outcome
from pmp.thresholds import supply_crossings
from pmp.thresholds.crossings import Crossing, Fill, Numbers, crossings

START = date(2026, 1, 1)
DAILY_MME = Numbers(1, 1, both=True, days=90, kind=RuleKind.DAILY_MME, amount=90)
TOGETHER = replace(DAILY_MME, kind=RuleKind.OPIOID_BENZODIAZEPINE, amount=7, days=30)
LONG_USE = replace(DAILY_MME, kind=RuleKind.LONG_OPIOID_USE, amount=90, days=1)
METHADONE = replace(DAILY_MME, kind=RuleKind.METHADONE, amount=41)
NO_MME = Mme(Outcome.NOT_APPLICABLE)


def fill(day: int, days: int = 30, **facts: Any) -> Fill:
    """Make a fill of an opioid on a day (0 is January 1), 60 MME a day."""
    number = facts.pop("number", day + 1)
    care = facts.pop("care", frozenset())
    mme = facts.pop("mme", 60)
    given: dict[str, Any] = {
        "drug_class": "opioid",
        "ingredient": "oxycodone hydrochloride",
        "product": facts.get("ingredient", f"product {number}"),
        "daily_mg": Decimal(40),
    }
    supply = Supply(
        row_code=f"D-{number}",
        first=START + timedelta(days=facts.pop("sold", day)),
        days=days,
        drug="A drug",
        long_acting=False,
        mme=Mme(Outcome.CALCULATED, Decimal(mme)) if mme is not None else NO_MME,
        daily_acetaminophen_mg=None,
        prescriber=number,
        pharmacy=number,
        **(given | facts),
    )
    filled_on = START + timedelta(days=day)
    return Fill(number, filled_on, number, number, "CII", care=care, supply=supply)


def benzodiazepine(day: int, days: int = 30, **facts: Any) -> Fill:
    own: dict[str, Any] = {"drug_class": "benzodiazepine", "ingredient": "lorazepam"}
    return fill(day, days, mme=None, **(own | facts))


def methadone(day: int, milligrams: int, **facts: Any) -> Fill:
    given: dict[str, Any] = {
        "ingredient": "methadone hydrochloride",
        "daily_mg": Decimal(milligrams),
    }
    return fill(day, **(given | facts))


def on(day: int) -> date:
    return START + timedelta(days=day)


def ids(crossing: Crossing) -> list[int]:
    return [each.id for each in crossing.fills]


def test_mme_of_all_fills_of_a_day_add_up_and_one_less_is_none() -> None:
    noise = benzodiazepine(5)
    low = [fill(0), fill(10, mme=29), noise]

    [crossing] = crossings([*low, fill(12, mme=1)], DAILY_MME)

    assert crossings(low, DAILY_MME) == []
    assert crossing.crossed_on == on(12)
    assert ids(crossing) == [1, 11, 13]
    assert (crossing.reached, crossing.reached_on) == (Decimal(90), on(12))


def test_the_most_of_a_crossing_is_told_with_its_first_day() -> None:
    history = [fill(0, 60, mme=90), fill(20, 10, mme=22), fill(40, 10, mme=5)]

    [crossing] = crossings(history, DAILY_MME)

    assert crossing.crossed_on == on(0)
    assert (crossing.reached, crossing.reached_on) == (Decimal(112), on(20))
    assert ids(crossing) == [1, 21, 41]


def test_an_early_refill_is_carried_forward_and_is_no_double_dose() -> None:
    history = [
        fill(0, product="oxycodone 10 mg tablet"),
        fill(27, product="oxycodone 10 mg tablet"),
    ]

    assert crossings(history, DAILY_MME) == []
    none_is_early = replace(DAILY_MME, carry_forward_days=0)
    assert len(crossings(history, none_is_early)) == 1


def test_a_high_dose_is_a_new_crossing_once_a_window_was_below() -> None:
    def days_of(second: int) -> list[date]:
        found = crossings([fill(0, mme=90), fill(second, mme=90)], DAILY_MME)
        return [each.crossed_on for each in found]

    # The first ends on day 29; the window of 90 days after that holds it up to day 118.
    assert days_of(119) == [on(0)]
    assert days_of(120) == [on(0), on(120)]


def test_a_dose_counts_from_the_fill_that_brings_it_also_for_days_to_come() -> None:
    later = fill(10, sold=10, mme=90)

    [crossing] = crossings([fill(0, mme=20), later], DAILY_MME)

    assert crossing.crossed_on == on(10)


def test_two_stretches_that_one_fill_brings_are_one_crossing() -> None:
    # Both were filled on one day; one was sold, and so taken, half a year later.
    history = [
        fill(0, 10, mme=90, number=1),
        fill(0, 10, mme=95, number=2, sold=200),
    ]

    [crossing] = crossings(history, DAILY_MME)

    assert ids(crossing) == [1, 2]
    assert (crossing.reached, crossing.reached_on) == (Decimal(95), on(200))


def test_opioid_and_benzodiazepine_count_by_the_days_that_both_cover() -> None:
    six = [fill(0), benzodiazepine(24)]  # days 24 to 29
    noise = fill(24, drug_class="stimulant", mme=None, number=90)

    [crossing] = crossings([fill(0), benzodiazepine(23), noise], TOGETHER)

    assert crossings([*six, noise], TOGETHER) == []
    assert crossing.crossed_on == on(23)
    assert ids(crossing) == [1, 24]
    assert (crossing.reached, crossing.reached_on) == (Decimal(7), on(23))


def test_days_together_add_up_within_the_window_alone() -> None:
    opioid = fill(0, 200)
    apart = [benzodiazepine(0, 4), benzodiazepine(27, 3)]  # days 0 to 3, 27 to 29
    too_far = [benzodiazepine(0, 4), benzodiazepine(28, 3)]

    assert len(crossings([opioid, *apart], TOGETHER)) == 1
    assert crossings([opioid, *too_far], TOGETHER) == []


def test_buprenorphine_counts_with_a_benzodiazepine_but_not_as_long_use() -> None:
    history = [fill(0, 100, drug_class="buprenorphine", mme=None), benzodiazepine(0)]

    assert len(crossings(history, TOGETHER)) == 1
    assert crossings(history, LONG_USE) == []


def test_long_use_is_reached_by_the_fill_that_brings_the_ninetieth_day() -> None:
    # Each begins when the one before has ended.
    history = [fill(0, 30), fill(30, 30), fill(60, 30), fill(90, 30)]

    [crossing] = crossings(history, LONG_USE)

    assert crossings(history[:2], LONG_USE) == []
    assert crossing.crossed_on == on(60)
    assert ids(crossing) == [1, 31, 61, 91]
    assert (crossing.reached, crossing.reached_on) == (Decimal(120), on(0))


def test_a_day_without_supply_ends_long_use_unless_the_rule_allows_a_gap() -> None:
    history = [fill(0, 30), fill(32, 30), fill(62, 30)]
    by_gap = {
        gap: crossings(history, replace(LONG_USE, gap_days=gap)) for gap in (1, 2)
    }

    assert crossings(history, LONG_USE) == []
    assert by_gap[1] == []
    [crossing] = by_gap[2]
    assert crossing.reached == 90  # days without supply are no days of use


def test_methadone_of_all_strengths_adds_up_and_other_opioids_do_not_count() -> None:
    history = [methadone(0, 30), fill(0, number=50), methadone(5, 10)]

    [crossing] = crossings([*history, methadone(6, 1)], METHADONE)

    assert crossings(history, METHADONE) == []
    assert crossing.crossed_on == on(6)
    assert ids(crossing) == [1, 6, 7]
    assert crossing.reached == 41


@pytest.mark.parametrize("numbers", [DAILY_MME, TOGETHER, LONG_USE, METHADONE])
def test_what_is_left_out_is_in_no_sum(numbers: Numbers) -> None:
    cancer, hospice = frozenset({"cancer"}), frozenset({"hospice"})
    history = [methadone(0, 60, days=120, mme=120, care=cancer), benzodiazepine(0)]
    both = replace(numbers, exclusions=cancer | hospice)

    assert len(crossings(history, numbers)) == 1
    assert len(crossings(history, replace(numbers, exclusions=hospice))) == 1
    assert crossings(history, both) == []


def test_what_has_no_known_amount_adds_nothing() -> None:
    unknown = fill(0, mme=None, daily_mg=None, drug_class="")

    for numbers in (DAILY_MME, TOGETHER, LONG_USE, METHADONE):
        assert crossings([unknown, unknown._replace(id=9, supply=None)], numbers) == []


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 60),
            st.integers(1, 40),
            st.sampled_from(["opioid", "benzodiazepine"]),
            st.sampled_from([30, 60, 100]),
            st.sampled_from(["one", "other"]),
        ),
        max_size=8,
    ),
    st.sampled_from([DAILY_MME, TOGETHER, LONG_USE]),
    st.integers(1, 40),
)
def test_crossings_have_days_of_their_own_and_fills_that_come_before_the_day(
    rows: list[tuple[int, int, str, int, str]], numbers: Numbers, days: int
) -> None:
    history = [
        fill(day, length, drug_class=kind, mme=mme, product=product, number=number)
        for number, (day, length, kind, mme, product) in enumerate(sorted(rows), 1)
    ]
    numbers = replace(numbers, days=days, amount=min(numbers.amount, 30))

    found = crossings(history, numbers)

    crossed = [each.crossed_on for each in found]
    assert crossed == sorted(set(crossed))
    for each in found:
        assert each.crossed_on in {own.filled_on for own in each.fills}
        assert list(each.fills) == sorted(each.fills, key=lambda own: own.filled_on)
        # What was filled up to that day reaches it as well, and not before.
        early = [own for own in history if own.filled_on <= each.crossed_on]
        assert each.crossed_on in {own.crossed_on for own in crossings(early, numbers)}


def test_amounts_that_round_below_the_limit_in_another_order_are_no_error() -> None:
    known_by = supply_crossings._known_by
    shares = [(START + timedelta(days=n), Decimal(10) / 3) for n in range(3)]

    assert known_by(shares, Decimal(10) + Decimal("0.1")) == shares[-1][0]
    assert known_by(shares, Decimal(6)) == shares[1][0]
