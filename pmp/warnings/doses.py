"""Amounts a day: MME, methadone, acetaminophen.

Pure. Each check looks at a picture whose early refills are carried forward, so that a
refill fetched a day early does not count twice. Sources: CDC guidelines of 2016 (90
MME, graded factors of methadone) and 2022 (50 MME).
"""

from bisect import bisect_left
from collections.abc import Iterator
from decimal import Decimal

from pmp import drug_classes
from pmp.chart import us
from pmp.fills import Fill
from pmp.mme import plain, reaches, rule_set, shown
from pmp.warnings.arithmetic import amounts_on, mme_on, most_on_a_day
from pmp.warnings.concerns import Code, PatientWarning, Picture, in_days, row_codes

GRADED = "cdc-2016"
"""The rule set whose bands of methadone are named beside its dose."""


def mme(picture: Picture) -> Iterator[PatientWarning]:
    """Warn of a day whose opioids reach the limits of MME."""
    limits, mme = picture.limits, picture.mme
    if mme.peak_on is None or not reaches(mme.peak, limits.mme_caution):
        return
    high = reaches(mme.peak, limits.mme_high)
    limit = limits.mme_high if high else limits.mme_caution
    at_least = "at least " if mme.at_least else ""
    counted = picture.counted_in_mme()
    over = [run for run in mme.runs if reaches(run.value, limit)]
    ends = [run.last for run in over]
    rows = [
        fill
        for fill in counted
        for place in [bisect_left(ends, fill.first)]
        if place < len(over) and over[place].first <= fill.last
    ]
    yield PatientWarning(
        Code.MME_HIGH if high else Code.MME_CAUTION,
        f"Possible overdose risk: {limit:g} MME a day or more",
        f"Opioids reached {at_least}{shown(mme.peak)} MME a day on {us(mme.peak_on)};"
        f" {in_days(sum(run.days for run in over))} at {limit:g} or more since"
        f" {us(picture.since)}; {at_least if mme.today_at_least else ''}"
        f"{shown(mme.today)} today.",
        row_codes(rows),
        arithmetic=mme_on(mme.peak_on, counted),
    )


def methadone(picture: Picture) -> Iterator[PatientWarning]:
    """Warn of methadone over the limit, all strengths of a day together."""
    limit = picture.limits.methadone_mg
    fills = [
        fill
        for fill in picture.of("opioid")
        if "methadone" in drug_classes.words_of(fill.ingredient)
    ]
    most = most_on_a_day(fills, _milligrams)
    if most is None or most[1] <= limit:
        return
    day, total = most
    yield PatientWarning(
        Code.METHADONE,
        f"Possible overdose risk: methadone over {limit:g} mg a day",
        f"Methadone reached {shown(total)} mg a day on {us(day)}; its effect on"
        " breathing and on heart rhythm grows faster than its dose.",
        row_codes(fill for fill in fills if fill.covers(day)),
        arithmetic=(*amounts_on(day, fills, _milligrams, "mg a day"), _band(total)),
    )


def _milligrams(fill: Fill) -> Decimal | None:
    return fill.daily_mg


def _band(milligrams: Decimal) -> str:
    """Say in which clinical band a dose of methadone lies: above is excluded below."""
    rules = rule_set(GRADED)
    bands = rules.bands["methadone"]
    lower = Decimal(0)
    for upper, _ in bands:
        if upper is None or milligrams <= upper:
            break
        lower = upper
    ends = f" to {plain(upper)}" if upper is not None else ""
    factor = rules.factor("methadone", milligrams) or Decimal(0)
    return (
        f"{plain(milligrams, to='0.1')} mg lies in the band over {plain(lower)}{ends}"
        f" mg of {rules.title.partition(',')[0]}, whose factor is {plain(factor)}"
    )


def acetaminophen(picture: Picture) -> Iterator[PatientWarning]:
    """Warn of acetaminophen that adds up over the limit, from combination products."""
    limit = picture.limits.acetaminophen_mg
    fills = [fill for fill in picture.carried if fill.daily_acetaminophen_mg]
    most = most_on_a_day(fills, _acetaminophen)
    if most is None or most[1] <= limit:
        return
    day, total = most
    yield PatientWarning(
        Code.ACETAMINOPHEN,
        f"Possible liver harm: acetaminophen over {limit / 1000:g} g a day",
        f"Combination products add up to {shown(total / 1000)} g of acetaminophen a"
        f" day on {us(day)}. What is bought without a prescription comes on top.",
        row_codes(fill for fill in fills if fill.covers(day)),
        arithmetic=amounts_on(day, fills, _acetaminophen, "mg of acetaminophen a day"),
    )


def _acetaminophen(fill: Fill) -> Decimal | None:
    return fill.daily_acetaminophen_mg
