"""MME of one fill and of a patient's days, against examples worked by others.

tests/data/mme_examples.csv holds published worked examples: CDC's own of 2016 and 2018,
and the asserted results of independent calculators, each under the set it was made for.
"""

import csv
import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pmp import drug_classes, mme
from pmp.mme import Course, Dose, Mme, Outcome

DATA = Path(__file__).parent.parent / "data"
EXAMPLES = DATA / "mme_examples.csv"
DATED: list[dict[str, Any]] = json.loads(
    (DATA / "mme_dated_examples.json").read_text("utf-8")
)
WITHIN = Decimal("0.05")  # sources print to 0.1


def examples() -> list[dict[str, str]]:
    with EXAMPLES.open(newline="") as file:
        return list(csv.DictReader(file))


def daily(
    ingredient: str = "oxycodone",
    form: str = "oral tablet",
    *,
    strength: str | None = "10",
    unit: str = "mg",
    quantity: str | None = "120",
    days: int | None = 30,
    rules: str = mme.DEFAULT_RULE_SET,
) -> Mme:
    kind = drug_classes.kind_of(ingredient, form)
    dose = Dose(
        key=kind.mme_key,
        drug_class=kind.drug_class,
        strength=None if strength is None else Decimal(strength),
        strength_unit=unit,
        quantity=None if quantity is None else Decimal(quantity),
        days=days,
    )
    return mme.daily(dose, mme.rule_set(rules))


def course(
    first: str, days: int, value: str | None, *, product: str = "oxycodone 10"
) -> Course:
    amount = (
        Mme(Outcome.NOT_CALCULATED, reason="unknown")
        if value is None
        else Mme(Outcome.CALCULATED, Decimal(value))
    )
    return Course(date.fromisoformat(first), days, amount, product)


def total_on(courses: list[Course], day: str) -> Decimal:
    on = date.fromisoformat(day)
    return mme.steps(courses, since=on, until=on)[0].value


@pytest.mark.parametrize("row", examples(), ids=lambda row: "-".join(row.values()))
def test_daily_agrees_with_worked_examples(row: dict[str, str]) -> None:
    result = daily(
        row["ingredient"],
        row["form"],
        strength=row["strength"],
        unit=row["unit"],
        quantity=row["quantity"],
        days=int(row["days"]),
        rules=row["rule_set"],
    )

    if not row["mme"]:
        assert result.outcome is Outcome.NOT_APPLICABLE
        return
    assert result.value is not None
    assert abs(result.value - Decimal(row["mme"])) <= WITHIN


@pytest.mark.parametrize("example", DATED, ids=lambda each: each["name"])
def test_totals_by_day_agree_with_worked_examples(example: dict[str, Any]) -> None:
    courses = [
        Course(
            date.fromisoformat(first),
            days,
            daily(name, strength=strength, unit=unit, quantity=quantity, days=days),
            (name, strength),
        )
        for first, name, strength, unit, quantity, days in example["fills"]
    ]
    peak_on = date.fromisoformat(example["peak_on"])

    found = mme.summary(
        courses,
        since=peak_on - timedelta(days=100),
        today=peak_on + timedelta(days=100),
    )

    totals = {day: total_on(courses, day) for day in example["totals"]}
    assert totals == {day: Decimal(text) for day, text in example["totals"].items()}
    assert (found.peak, found.peak_on) == (Decimal(example["peak"]), peak_on)
    covered = mme.steps(courses, since=peak_on, until=peak_on + timedelta(days=100))
    assert sum(run.days for run in covered if run.value) == example["days"]
    assert found.days_at_caution == (example["days"] if found.peak >= 50 else 0)
    assert found.days_at_high == (example["days"] if found.peak >= 90 else 0)


def test_methadone_differs_by_rule_set() -> None:
    found = {
        name: daily("methadone", quantity="90", rules=name).value
        for name in ("cdc-2022", "cdc-2018", "cdc-2016")
    }

    assert found == {"cdc-2022": 141, "cdc-2018": 90, "cdc-2016": 240}


def test_graded_methadone_has_no_gap_between_its_bands() -> None:
    half = daily("methadone", strength="20.5", quantity="30", rules="cdc-2016")

    assert half.value == 164


@pytest.mark.parametrize("name", ["CDC 2022", "cdc2022", "CDC2022-clinical"])
def test_rule_set_answers_to_its_other_names(name: str) -> None:
    assert mme.rule_set(name).name == "cdc-2022"


def test_rule_set_of_no_known_name_is_refused() -> None:
    with pytest.raises(KeyError):
        mme.rule_set("cdc-1999")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"strength": None}, "strength"),
        ({"unit": "furlong"}, "strength"),
        ({"unit": "mg/hr"}, "strength"),
        ({"quantity": None}, "quantity"),
        ({"quantity": "0"}, "quantity"),
        ({"days": None}, "days supply"),
        ({"days": 0}, "days supply"),
        ({"days": -3}, "days supply"),
    ],
)
def test_what_cannot_be_known_is_not_calculated_rather_than_zero(
    change: dict[str, str | None], reason: str
) -> None:
    result = daily(**change)  # type: ignore[arg-type]

    assert result.outcome is Outcome.NOT_CALCULATED
    assert result.value is None
    assert reason in result.reason


def test_an_unknown_product_is_not_calculated() -> None:
    unknown = Dose("", "", Decimal(1), "mg", Decimal(1), 1)

    result = mme.daily(unknown, mme.rule_set())

    assert result.outcome is Outcome.NOT_CALCULATED


@pytest.mark.parametrize(
    ("ingredient", "form"),
    [
        ("morphine sulfate", "INJECTION, SOLUTION INTRAVENOUS"),
        ("PROMETHAZINE HYDROCHLORIDE; CODEINE PHOSPHATE", "SYRUP ORAL"),
        ("oxycodone", "POWDER"),
        ("butorphanol", "INJECTION"),
    ],
)
def test_an_opioid_form_without_factor_is_not_calculated(
    ingredient: str, form: str
) -> None:
    assert daily(ingredient, form).outcome is Outcome.NOT_CALCULATED


@pytest.mark.parametrize("ingredient", ["buprenorphine; naloxone", "alprazolam"])
def test_buprenorphine_and_other_classes_have_no_mme(ingredient: str) -> None:
    assert daily(ingredient).outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("unit", "strength"),
    [("mg", "0.5"), ("mg/mL", "0.5"), ("mg/15mL", "7.5"), ("g/100mL", "0.05")],
)
def test_solutions_count_millilitres(unit: str, strength: str) -> None:
    result = daily(
        "hydrocodone", "SOLUTION", strength=strength, unit=unit, quantity="473", days=8
    )

    assert result.value == Decimal("29.5625")


@pytest.mark.parametrize("unit", ["mcg/hr", "ug/h", "ug/1"])
@pytest.mark.parametrize(
    ("patches", "days", "value", "note"),
    [
        ("10", 30, 60, ""),
        ("10", 20, 90, ""),  # every 48 hours
        ("10", 10, 60, "computed for 30 days, 3 for each patch; 10 were reported"),
        ("10", 31, 60, "computed for 30 days, 3 for each patch; 31 were reported"),
    ],
)
def test_fentanyl_patches_last_two_or_three_days(
    unit: str, patches: str, days: int, value: int, note: str
) -> None:
    result = daily(
        "fentanyl", "PATCH", strength="25", unit=unit, quantity=patches, days=days
    )

    assert result.value == value
    assert result.note == note


@pytest.mark.parametrize(
    ("ingredient", "unit", "strength", "quantity", "days", "counted", "words"),
    [
        (
            *("oxycodone", "mg", "10", "60", 15, "tablets"),
            "60 tablets × 10 mg ÷ 15 days × 1.5 = 60 MME/day",  # noqa: RUF001
        ),
        (
            *("hydrocodone", "mg/15mL", "7.5", "473", 8, "mL"),
            "473 mL × 0.5 mg ÷ 8 days × 1 = 29.6 MME/day",  # noqa: RUF001
        ),
        (
            *("morphine", "mg", "15", "2", 1, ""),
            "2 × 15 mg ÷ 1 day × 1 = 30 MME/day",  # noqa: RUF001
        ),
    ],
)
def test_arithmetic_of_a_fill_in_one_line(  # noqa: PLR0917
    ingredient: str,
    unit: str,
    strength: str,
    quantity: str,
    days: int,
    counted: str,
    words: str,
) -> None:
    dose = Dose(
        ingredient,
        "opioid",
        Decimal(strength),
        unit,
        Decimal(quantity),
        days,
        counted,
    )

    assert mme.daily(dose, mme.rule_set()).arithmetic == words


def test_arithmetic_of_patches_counts_the_days_that_were_computed_with() -> None:
    words = daily(
        "fentanyl", "PATCH", strength="25", unit="ug/1", quantity="10", days=9
    )

    assert words.arithmetic == (
        "10 × 25 mcg/hr ÷ 30 days × 7.2 = 60 MME/day"  # noqa: RUF001
    )


def test_shown_to_a_tenth_and_compared_at_a_hundredth() -> None:
    assert mme.shown(Decimal("5.8333")) == "5.8"
    assert mme.shown(Decimal("0.05")) == "0.1"
    assert mme.reaches(Decimal(50), mme.LIMITS[0])
    assert mme.reaches(Decimal("49.995"), mme.LIMITS[0])
    assert not mme.reaches(Decimal("49.994"), mme.LIMITS[0])


def test_a_fill_covers_its_days_and_not_the_day_after() -> None:
    leap = [course("2028-02-28", 5, "30")]

    assert total_on(leap, "2028-02-27") == 0
    assert total_on(leap, "2028-02-29") == 30
    assert total_on(leap, "2028-03-03") == 30
    assert total_on(leap, "2028-03-04") == 0


def test_fills_of_one_day_add_up() -> None:
    fills = [
        course("2026-05-01", 30, "45", product="morphine 15"),
        course("2026-05-01", 30, "60", product="morphine 30"),
        course("2026-05-31", 30, "60", product="morphine 30"),  # noise: the day after
    ]

    assert total_on(fills, "2026-05-30") == 105


def test_a_fill_that_was_not_calculated_makes_the_total_at_least() -> None:
    fills = [course("2026-05-01", 10, "20"), course("2026-05-04", 2, None, product="?")]

    runs = mme.steps(fills, since=date(2026, 5, 1), until=date(2026, 5, 10))

    assert [(run.days, run.at_least) for run in runs] == [
        (3, False),
        (2, True),
        (5, False),
    ]
    assert {run.value for run in runs} == {Decimal(20)}


def test_a_refill_a_day_early_does_not_double_the_dose() -> None:
    fills = [course("2026-03-01", 30, "60"), course("2026-03-30", 30, "60")]

    carried = mme.carry_forward(fills)

    assert total_on(fills, "2026-03-30") == 120
    assert total_on(carried, "2026-03-30") == 60
    assert carried[1].first == date(2026, 3, 31)


def test_a_year_of_refills_two_days_early_stays_level() -> None:
    start = date(2026, 1, 1)
    fills = [
        course((start + timedelta(days=28 * n)).isoformat(), 30, "60")
        for n in range(12)
    ]

    runs = mme.steps(
        mme.carry_forward(fills), since=start, until=start + timedelta(days=335)
    )

    assert {run.value for run in runs} == {Decimal(60)}


def test_a_refill_seven_days_early_is_the_earliest_that_is_carried() -> None:
    first = course("2026-03-01", 30, "60")

    carried = mme.carry_forward([first, course("2026-03-24", 30, "60")])

    assert carried[1].first == date(2026, 3, 31)


def test_two_short_fills_of_one_day_are_both_counted_that_day() -> None:
    fills = [course("2026-03-01", 5, "60"), course("2026-03-01", 5, "60")]

    assert total_on(mme.carry_forward(fills), "2026-03-01") == 120


@pytest.mark.parametrize(
    "second",
    [
        course("2026-03-23", 30, "60"),  # eight days early
        course("2026-03-30", 30, "60", product="oxycodone 20"),  # another strength
        course("2026-03-01", 30, "60"),  # the same day: no refill
    ],
)
def test_other_overlaps_are_counted_as_reported(second: Course) -> None:
    carried = mme.carry_forward([course("2026-03-01", 30, "60"), second])

    assert carried[1].first == second.first


@pytest.mark.parametrize(
    ("value", "at_50", "at_90"), [("49.99", 0, 0), ("50", 30, 0), ("90", 30, 30)]
)
def test_summary_counts_days_at_the_limits_exactly(
    value: str, at_50: int, at_90: int
) -> None:
    found = mme.summary(
        [course("2026-04-01", 30, value)],
        since=date(2026, 1, 1),
        today=date(2026, 6, 1),
    )

    assert (found.days_at_caution, found.days_at_high) == (at_50, at_90)


def test_summary_counts_days_at_the_limits_of_the_programme() -> None:
    found = mme.summary(
        [course("2026-04-01", 30, "85")],
        since=date(2026, 1, 1),
        today=date(2026, 6, 1),
        limits=(Decimal(80), Decimal(86)),
    )

    assert (found.days_at_caution, found.days_at_high) == (30, 0)


def test_summary_gives_today_average_and_first_day_of_the_peak() -> None:
    fills = [
        course("2026-03-01", 30, "30"),
        course("2026-03-10", 5, "60", product="hydrocodone"),
        course("2026-03-20", 5, "60", product="hydrocodone"),
    ]

    found = mme.summary(fills, since=date(2026, 2, 1), today=date(2026, 3, 30))

    assert found.today == 30
    assert found.average == 50
    assert found.peak == 90
    assert found.peak_on == date(2026, 3, 10)
    assert not found.at_least


def test_summary_of_nothing_has_no_peak() -> None:
    found = mme.summary([], since=date(2026, 1, 1), today=date(2026, 3, 1))

    assert found.today == found.peak == 0
    assert found.peak_on is None
