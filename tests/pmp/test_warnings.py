"""What a report warns of: at which numbers, with which rows, in which words."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from pmp import mme, warnings
from pmp.fills import Fill, runs
from pmp.mme import Mme, Outcome
from pmp.settings import Settings
from pmp.warnings import Code, Level, PatientWarning

SINCE = date(2025, 11, 24)
TODAY = date(2026, 11, 23)
_numbers = count(1)


def fill(first: str, days: int = 30, **fields: Any) -> Fill:
    """Make a fill of oxycodone, 30 MME a day, unless it says otherwise."""
    value = fields.pop("value", "30")
    defaults: dict[str, Any] = {
        "row_code": f"D-{next(_numbers)}",
        "drug": "OXYCODONE HCL 10 MG TAB",
        "drug_class": "opioid",
        "ingredient": "OXYCODONE HYDROCHLORIDE",
        "long_acting": False,
        "mme": Mme(Outcome.CALCULATED, Decimal(value)),
        "daily_mg": Decimal(20),
        "daily_acetaminophen_mg": None,
        "prescriber": 1,
        "pharmacy": 1,
    }
    known = defaults | fields
    known.setdefault("product", known["drug"])
    return Fill(first=date.fromisoformat(first), days=days, **known)


def other(first: str, days: int = 30, **fields: Any) -> Fill:
    """Make a fill that has no MME."""
    nothing = Mme(Outcome.NOT_APPLICABLE, reason="not an opioid")
    return fill(first, days, mme=nothing, **fields)


def alprazolam(first: str, days: int = 30, **fields: Any) -> Fill:
    return other(
        first,
        days,
        drug="ALPRAZOLAM 1 MG TAB",
        ingredient="ALPRAZOLAM",
        drug_class="benzodiazepine",
        **fields,
    )


def buprenorphine(first: str, days: int = 30) -> Fill:
    return other(
        first,
        days,
        drug="BUPRENORPHINE-NALOXONE 8 MG TAB",
        ingredient="BUPRENORPHINE; NALOXONE",
        drug_class="buprenorphine",
        daily_mg=Decimal(16),
    )


def found(
    *fills: Fill, birth_date: date | None = None, **limits: Any
) -> dict[Code, PatientWarning]:
    """Give the warnings; of first opioids only where a test says how long is long."""
    chosen = warnings.Limits(**{"first_adult_days": 365, **limits})
    courses = mme.carry_forward(
        [each.course for each in fills], up_to_days=chosen.carry_forward_days
    )
    summary = mme.summary(courses, since=SINCE, today=TODAY)
    given = warnings.find(
        fills,
        since=SINCE,
        today=TODAY,
        mme=summary,
        limits=chosen,
        birth_date=birth_date,
    )
    return {warning.code: warning for warning in given}


def test_an_ordinary_patient_gets_no_warning() -> None:
    assert found(fill("2026-10-01"), fill("2026-10-31", prescriber=2, pharmacy=2)) == {}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("49.99", None),
        ("50", Code.MME_CAUTION),
        ("89.99", Code.MME_CAUTION),
        ("90", Code.MME_HIGH),
    ],
)
def test_mme_warns_from_exactly_fifty_and_ninety(value: str, code: Code | None) -> None:
    low = fill("2026-03-01", 10, value="10")  # noise: opioid, but far below
    high = fill("2026-05-01", 10, value=value, drug="OTHER")

    given = found(low, high)

    assert list(given) == ([code] if code else [])
    if code:
        assert given[code].rows == (high.row_code,)
        assert "10 days at" in given[code].sentence
        assert "05/01/2026" in given[code].sentence


def test_a_refill_a_day_early_does_not_make_an_mme_warning() -> None:
    given = found(fill("2026-03-01", value="45"), fill("2026-03-30", value="45"))

    assert Code.MME_CAUTION not in given


def test_mme_says_at_least_when_a_fill_was_not_calculated() -> None:
    unknown = Mme(Outcome.NOT_CALCULATED, reason="the strength cannot be read")

    given = found(fill("2026-05-01", value="60"), fill("2026-05-01", mme=unknown))

    assert "at least 60.0 MME" in given[Code.MME_CAUTION].sentence


@pytest.mark.parametrize(
    ("days", "words"),
    [(1, "on 05/30/2026"), (6, "6 days"), (7, ", 7 days"), (30, ", 30 days or more")],
)
def test_opioid_with_benzodiazepine_counts_shared_days(days: int, words: str) -> None:
    opioid = fill("2026-05-01", 30)
    start = date(2026, 5, 31) - timedelta(days=days)
    apart = alprazolam("2026-08-01", 10)  # noise: no opioid then

    given = found(opioid, alprazolam(start.isoformat(), days), apart)

    warning = given[Code.OPIOID_BENZODIAZEPINE]
    assert words in f"{warning.title} {warning.sentence}"
    assert apart.row_code not in warning.rows
    assert opioid.row_code in warning.rows


def test_opioid_that_ends_the_day_before_a_benzodiazepine_is_no_overlap() -> None:
    assert found(fill("2026-05-01", 30), alprazolam("2026-05-31", 10)) == {}


@pytest.mark.parametrize("ingredient", ["CARISOPRODOL", "ZOLPIDEM TARTRATE"])
def test_the_trio_is_warned_of_first(ingredient: str) -> None:
    third = other(
        "2026-05-10", 5, drug="THIRD", ingredient=ingredient, drug_class="sedative"
    )

    given = found(fill("2026-05-01"), alprazolam("2026-05-05"), third)

    assert next(iter(given)) is Code.OPIOID_BENZODIAZEPINE_SEDATIVE
    warning = given[Code.OPIOID_BENZODIAZEPINE_SEDATIVE]
    assert "5 days between 05/10/2026 and 05/14/2026" in warning.sentence
    assert len(warning.rows) == 3


def test_another_sedative_makes_no_trio() -> None:
    third = other("2026-05-10", ingredient="PHENOBARBITAL", drug_class="sedative")

    given = found(fill("2026-05-01"), alprazolam("2026-05-05"), third)

    assert Code.OPIOID_BENZODIAZEPINE_SEDATIVE not in given


@pytest.mark.parametrize(
    ("prescribers", "pharmacies", "warned"), [(5, 1, True), (1, 5, True), (4, 4, False)]
)
def test_many_sources_within_the_window(
    prescribers: int, pharmacies: int, *, warned: bool
) -> None:
    fills = [
        fill(
            (date(2026, 3, 1) + timedelta(days=10 * number)).isoformat(),
            3,
            prescriber=number % prescribers,
            pharmacy=number % pharmacies,
        )
        for number in range(5)
    ]

    given = found(*fills)

    assert (Code.MANY_SOURCES in given) is warned
    if warned:
        sentence = given[Code.MANY_SOURCES].sentence
        assert f"{prescribers} prescribers at {pharmacies} pharmacies" in sentence


@pytest.mark.parametrize(("apart", "warned"), [(89, True), (90, False)])
def test_many_sources_count_days_of_the_window_exactly(
    apart: int, *, warned: bool
) -> None:
    start = date(2026, 3, 1)
    fills = [fill(start.isoformat(), 3, prescriber=number) for number in range(4)]
    last = (start + timedelta(days=apart)).isoformat()

    given = found(*fills, fill(last, 3, prescriber=9))

    assert (Code.MANY_SOURCES in given) is warned


def test_many_sources_outside_one_window_do_not_add_up() -> None:
    fills = [
        fill((SINCE + timedelta(days=60 * n)).isoformat(), 3, prescriber=n, pharmacy=n)
        for n in range(6)
    ]

    assert Code.MANY_SOURCES not in found(*fills)


@pytest.mark.parametrize(
    ("second", "warned"),
    [
        ("2026-05-25", True),  # 6 of 30 days left: 20 %
        ("2026-05-27", False),  # 4 of 30: under 15 %
        ("2026-05-31", False),
    ],
)
def test_early_refill_needs_days_and_part(second: str, *, warned: bool) -> None:
    given = found(fill("2026-05-01"), fill(second, pharmacy=2))

    assert (Code.EARLY_REFILL in given) is warned
    if warned:
        sentence = given[Code.EARLY_REFILL].sentence
        assert "with 6 of 30 days of supply left, from another pharmacy" in sentence
        assert "prescriber" not in sentence


def test_early_refill_of_a_short_supply_needs_three_days() -> None:
    two_left = found(fill("2026-05-01", 5), fill("2026-05-04", 5, prescriber=2))
    three_left = found(fill("2026-05-01", 5), fill("2026-05-03", 5, prescriber=2))

    assert Code.EARLY_REFILL not in two_left
    assert "from another prescriber" in three_left[Code.EARLY_REFILL].sentence


def test_early_refill_looks_at_the_same_product_only() -> None:
    assert (
        found(fill("2026-05-01"), fill("2026-05-10", drug="ANOTHER", value="5")) == {}
    )


@pytest.mark.parametrize(("days", "warned"), [(90, False), (91, True)])
def test_long_use_counts_days_in_a_row(days: int, *, warned: bool) -> None:
    given = found(
        fill("2026-01-10", 20), fill("2026-03-01", days), alprazolam("2026-08-01")
    )

    assert (Code.LONG_OPIOID_USE in given) is warned
    if warned:
        assert "91 days in a row" in given[Code.LONG_OPIOID_USE].sentence


def test_days_of_supply_still_to_come_are_not_long_use() -> None:
    assert Code.LONG_OPIOID_USE not in found(fill("2026-11-01", 120))


@pytest.mark.parametrize(("mg", "warned"), [("40", False), ("40.1", True)])
def test_methadone_over_forty_milligrams(mg: str, *, warned: bool) -> None:
    given = found(
        fill("2026-03-01", ingredient="METHADONE HYDROCHLORIDE", daily_mg=Decimal(mg)),
        fill("2026-06-01", daily_mg=Decimal(200)),  # noise: not methadone
    )

    assert (Code.METHADONE in given) is warned


def test_a_long_acting_opioid_without_any_before_it() -> None:
    first = fill("2026-03-01", long_acting=True, drug="OXYCONTIN 10 MG ER TAB")
    later = fill("2026-03-31", long_acting=True, drug="OXYCONTIN 10 MG ER TAB")

    assert found(first, later)[Code.FIRST_LONG_ACTING].rows == (first.row_code,)
    assert Code.FIRST_LONG_ACTING not in found(fill("2026-02-01"), first, later)


def test_a_period_that_begins_too_late_does_not_tell_who_is_new_to_opioids() -> None:
    assert Code.FIRST_LONG_ACTING not in found(fill("2025-12-20", long_acting=True))


def test_two_benzodiazepines_for_more_than_a_week() -> None:
    second = other("2026-05-10", 8, ingredient="LORAZEPAM", drug_class="benzodiazepine")
    short = other("2026-05-10", 7, ingredient="LORAZEPAM", drug_class="benzodiazepine")

    given = found(alprazolam("2026-05-01"), second)

    assert "8 days" in given[Code.SAME_KIND].sentence
    assert Code.SAME_KIND not in found(alprazolam("2026-05-01"), short)


def test_acetaminophen_adds_up_across_products() -> None:
    one = fill("2026-05-01", daily_acetaminophen_mg=Decimal(2600))
    two = fill(
        "2026-05-10", drug="NORCO", daily_acetaminophen_mg=Decimal(1950), value="1"
    )

    assert "4.6 g" in found(one, two)[Code.ACETAMINOPHEN].sentence
    assert Code.ACETAMINOPHEN not in found(one)


def test_gabapentinoid_with_an_opioid() -> None:
    gabapentin = other(
        "2026-05-10", ingredient="GABAPENTIN", drug_class="gabapentinoid"
    )

    assert found(fill("2026-05-01"), gabapentin)[Code.GABAPENTINOID].rows
    assert found(gabapentin) == {}


def test_active_buprenorphine_is_information_and_never_a_risk() -> None:
    given = found(buprenorphine("2026-11-10"))

    assert list(given) == [Code.BUPRENORPHINE]
    warning = given[Code.BUPRENORPHINE]
    assert warning.level is Level.INFORMATION
    assert "16.0 mg a day, supply to 12/09/2026" in warning.sentence
    assert "ossible" not in warning.title


def test_buprenorphine_with_a_full_agonist_needs_attention() -> None:
    given = found(buprenorphine("2026-05-01"), fill("2026-05-10", 5))

    assert list(given) == [Code.BUPRENORPHINE_OPIOID]
    assert "5 days" in given[Code.BUPRENORPHINE_OPIOID].sentence


def test_every_concern_says_possible_and_names_rows() -> None:
    many = [
        fill(f"2026-0{m}-01", 40, value="95", prescriber=m, pharmacy=m)
        for m in range(1, 8)
    ]

    given = found(*many, alprazolam("2026-03-01", 60))

    assert len(given) >= 5
    for warning in given.values():
        assert warning.title.startswith("Possible")
        assert warning.rows
        assert "score" not in f"{warning.title} {warning.sentence}".lower()
    assert "not proof of misuse" in warnings.CAVEAT


def test_runs_are_unbroken_stretches() -> None:
    days = [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 3)]

    assert list(runs(days)) == [
        (date(2026, 2, 27), date(2026, 3, 1)),
        (date(2026, 3, 3), date(2026, 3, 3)),
    ]


@pytest.mark.parametrize(
    ("days", "born", "warned"),
    [
        (7, None, False),
        (8, None, True),
        (7, date(1980, 1, 1), False),
        (8, date(1980, 1, 1), True),
        (5, date(2008, 3, 2), False),
        (6, date(2008, 3, 2), True),  # eighteen tomorrow
        (6, date(2008, 3, 1), False),  # eighteen on the day
    ],
)
def test_a_first_opioid_for_more_days_than_the_age_allows(
    days: int, born: date | None, *, warned: bool
) -> None:
    given = found(fill("2026-03-01", days), birth_date=born, first_adult_days=7)

    assert (Code.FIRST_OPIOID_DAYS in given) is warned


def test_a_first_opioid_says_the_limit_and_the_days_over_it() -> None:
    child = date(2012, 3, 2)
    later = fill("2026-03-20", 30)  # noise: not the first

    given = found(fill("2026-03-01", 9), later, birth_date=child, first_adult_days=7)

    warning = given[Code.FIRST_OPIOID_DAYS]
    assert "for 9 days, more than 5 for a minor's first opioid" in warning.sentence
    assert len(warning.rows) == 1
    assert warning.arithmetic[0].startswith("12/31/2025 to 02/28/2026: 60 days")
    assert warning.arithmetic[1] == "9 days - 5 = 4 over the limit"


def test_buprenorphine_before_it_means_that_an_opioid_is_not_the_first() -> None:
    given = found(
        buprenorphine("2026-02-10", 10), fill("2026-03-01", 30), first_adult_days=7
    )

    assert Code.FIRST_OPIOID_DAYS not in given


def test_methadone_of_two_strengths_adds_up_and_names_its_band() -> None:
    methadone: dict[str, Any] = {
        "ingredient": "METHADONE HYDROCHLORIDE",
        "value": "1",
    }
    tens = fill("2026-03-01", drug="TENS", daily_mg=Decimal(30), **methadone)
    fives = fill("2026-03-05", drug="FIVES", daily_mg=Decimal(15), **methadone)

    warning = found(tens, fives)[Code.METHADONE]

    assert "45.0 mg a day on 03/05/2026" in warning.sentence
    assert warning.rows == (tens.row_code, fives.row_code)
    assert warning.arithmetic[-2:] == (
        "30 + 15 = 45 mg a day on 03/05/2026",
        "45 mg lies in the band over 40 to 60 mg of CDC 2016, whose factor is 10",
    )


@pytest.mark.parametrize(
    ("mg", "band"),
    [("40.5", "over 40 to 60"), ("60", "over 40 to 60"), ("60.5", "over 60 mg")],
)
def test_bands_of_methadone_have_no_gap(mg: str, band: str) -> None:
    given = found(fill("2026-03-01", ingredient="METHADONE", daily_mg=Decimal(mg)))

    assert band in given[Code.METHADONE].arithmetic[-1]


def test_refills_fetched_a_day_early_double_neither_methadone_nor_acetaminophen() -> (
    None
):
    amounts: dict[str, Any] = {
        "ingredient": "METHADONE",
        "daily_mg": Decimal(30),
        "daily_acetaminophen_mg": Decimal(2600),
    }

    given = found(fill("2026-03-01", **amounts), fill("2026-03-30", **amounts))

    assert Code.METHADONE not in given
    assert Code.ACETAMINOPHEN not in given


@pytest.mark.parametrize(("days", "advice"), [(6, ""), (7, "naloxone"), (30, "taper")])
def test_stronger_words_for_a_week_and_for_a_month_of_both(
    days: int, advice: str
) -> None:
    start = date(2026, 5, 31) - timedelta(days=days)

    given = found(fill("2026-05-01", 30), alprazolam(start.isoformat(), days))

    sentence = given[Code.OPIOID_BENZODIAZEPINE].sentence
    assert advice in sentence
    assert ("naloxone" in sentence) is bool(advice)


def test_overlaps_show_each_span_and_what_they_share() -> None:
    opioid, other_drug = fill("2026-05-01", 30), alprazolam("2026-05-21", 30)

    lines = found(opioid, other_drug)[Code.OPIOID_BENZODIAZEPINE].arithmetic

    assert lines == (
        f"{opioid.row_code} OXYCODONE HCL 10 MG TAB: 05/01/2026 to 05/30/2026, 30 days",
        f"{other_drug.row_code} ALPRAZOLAM 1 MG TAB: 05/21/2026 to 06/19/2026, 30 days",
        "Shared: 10 days between 05/21/2026 and 05/30/2026",
    )


def test_long_overlaps_show_the_latest_rows_and_count_the_others() -> None:
    opioids = [fill(f"2026-0{month}-01", 28) for month in range(1, 9)]

    lines = found(*opioids, alprazolam("2026-01-01", 240))[
        Code.OPIOID_BENZODIAZEPINE
    ].arithmetic

    assert len(lines) == 8
    assert lines[-2] == "and 3 earlier rows"


def test_mme_shows_each_fill_of_the_peak_and_their_sum() -> None:
    sum_of_one = "60 tablets by 10 mg"
    one = fill("2026-05-01", value="60")
    one = replace(one, mme=replace(one.mme, arithmetic=sum_of_one))
    two = fill("2026-05-10", value="45", drug="OTHER")
    unknown = fill(
        "2026-05-10",
        drug="UNKNOWN",
        drug_class="",
        mme=Mme(Outcome.NOT_CALCULATED, reason="the product is not in the drug table"),
    )

    lines = found(one, two, unknown)[Code.MME_HIGH].arithmetic

    assert lines[0] == f"{one.row_code}: {sum_of_one}"
    assert "not calculated: the product is not in the drug table" in lines[2]
    assert lines[-1] == "60 + 45 = ≥ 105 MME/day on 05/10/2026"


def test_one_drug_under_two_salts_is_no_duplication() -> None:
    short = other("2026-05-01", ingredient="CLORAZEPATE", drug_class="benzodiazepine")
    long = other(
        "2026-05-01",
        ingredient="CLORAZEPATE DIPOTASSIUM",
        drug="TRANXENE",
        drug_class="benzodiazepine",
    )

    assert found(short, long) == {}


def test_early_refill_is_told_against_the_supply_that_lasts_the_longest() -> None:
    month, bridge = fill("2026-05-01", 30), fill("2026-05-02", 3)

    warning = found(month, bridge, fill("2026-05-10", 30))[Code.EARLY_REFILL]

    assert "with 21 of 30 days of supply left" in warning.sentence
    assert "21 ÷ 30 = 70 % are left: over 15 %" in warning.arithmetic[-1]


def test_one_supply_in_two_packages_is_no_early_refill() -> None:
    both = fill("2026-05-01"), fill("2026-05-01")

    assert Code.EARLY_REFILL not in found(*both)
    elsewhere = replace(both[1], pharmacy=2)
    assert "another pharmacy" in found(both[0], elsewhere)[Code.EARLY_REFILL].sentence


def test_every_warning_shows_its_arithmetic() -> None:
    gabapentin = other(
        "2026-05-10", ingredient="GABAPENTIN", drug_class="gabapentinoid"
    )
    many = [
        fill(
            f"2026-0{month}-01",
            40,
            value="95",
            prescriber=month,
            pharmacy=month,
            long_acting=True,
            ingredient="METHADONE HYDROCHLORIDE" if month > 5 else "OXYCODONE",
            daily_mg=Decimal(80),
            daily_acetaminophen_mg=Decimal(5000),
        )
        for month in range(2, 8)
    ]
    zolpidem = other(
        "2026-05-01", ingredient="ZOLPIDEM", drug="ZOLPIDEM", drug_class="sedative"
    )

    given = found(
        *many,
        gabapentin,
        zolpidem,
        alprazolam("2026-05-01"),
        buprenorphine("2026-11-10"),
        buprenorphine("2026-05-01"),
        first_adult_days=7,
    )

    assert set(given) == set(Code) - {Code.MME_CAUTION}
    assert [code for code, each in given.items() if not each.arithmetic] == []


def test_each_limit_is_a_setting_whose_default_is_the_limit_itself() -> None:
    chosen = Settings(secret_key="k" * 40, document_key="k" * 40)  # type: ignore[arg-type]

    assert warnings.limits_of(chosen) == warnings.Limits()
    stricter = chosen.model_copy(update={"warn_methadone_mg": 30, "mme_high": 80})
    limits = warnings.limits_of(stricter)
    assert (limits.methadone_mg, limits.mme_high) == (Decimal(30), Decimal(80))
