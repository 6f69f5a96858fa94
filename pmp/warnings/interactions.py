"""Drugs that cover the same days: what each combination may do.

Pure. Each check looks at a picture and gives its warnings, mostly one or none. Sources:
FDA boxed warning of 2016-08-31 (opioids with benzodiazepines) and FDA's communication
of 2019-12-19 (gabapentinoids).
"""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import combinations

from pmp import drug_classes
from pmp.chart import us
from pmp.fills import Fill, covered, touching
from pmp.mme import ZERO, shown
from pmp.warnings.concerns import (
    Code,
    Level,
    PatientWarning,
    Picture,
    in_words,
    row_codes,
)

_WATCHED_TWICE = ("opioid", "benzodiazepine", "stimulant")


def _shared(one: Sequence[Fill], other: Sequence[Fill]) -> set[date]:
    return covered(one) & covered(other)


def opioid_benzodiazepine(picture: Picture) -> Iterator[PatientWarning]:
    """Warn of an opioid and a benzodiazepine on the same days."""
    opioids = picture.of("opioid", "buprenorphine")
    benzodiazepines = picture.of("benzodiazepine")
    days = _shared(opioids, benzodiazepines)
    if not days:
        return
    strength = next(
        (f", {least} days or more" for least in (30, 7) if len(days) >= least), ""
    )
    yield PatientWarning(
        Code.OPIOID_BENZODIAZEPINE,
        f"Possible drug interaction: opioid with benzodiazepine{strength}",
        f"An opioid and a benzodiazepine cover the same days: {in_words(days)}."
        " Together they can stop breathing (FDA boxed warning, 08/31/2016).",
        row_codes(touching([*opioids, *benzodiazepines], days)),
    )


def trio(picture: Picture) -> Iterator[PatientWarning]:
    """Warn of an opioid, a benzodiazepine and carisoprodol or a Z-drug together."""
    opioids = picture.of("opioid", "buprenorphine")
    benzodiazepines = picture.of("benzodiazepine")
    sedatives = [
        fill
        for fill in picture.of("sedative")
        if drug_classes.words_of(fill.ingredient) & drug_classes.TRIO_SEDATIVES
    ]
    days = _shared(opioids, benzodiazepines) & covered(sedatives)
    if days:
        named = " and ".join(sorted({fill.drug for fill in touching(sedatives, days)}))
        yield PatientWarning(
            Code.OPIOID_BENZODIAZEPINE_SEDATIVE,
            "Possible drug interaction: opioid, benzodiazepine and a third sedative",
            f"An opioid, a benzodiazepine and {named} cover the same days:"
            f" {in_words(days)}. Each adds to slowed breathing.",
            row_codes(touching([*opioids, *benzodiazepines, *sedatives], days)),
        )


def same_kind(picture: Picture) -> Iterator[PatientWarning]:
    """Warn of two long-acting opioids, benzodiazepines or stimulants together."""
    for kind in _WATCHED_TWICE:
        fills = [f for f in picture.of(kind) if f.long_acting or kind != "opioid"]
        ingredients = sorted({fill.ingredient for fill in fills})
        for one, other in combinations(ingredients, 2):
            pair = [fill for fill in fills if fill.ingredient in {one, other}]
            days = _shared(
                [fill for fill in pair if fill.ingredient == one],
                [fill for fill in pair if fill.ingredient == other],
            )
            if len(days) > picture.limits.same_kind_days:
                words = "long-acting opioids" if kind == "opioid" else f"{kind}s"
                yield PatientWarning(
                    Code.SAME_KIND,
                    f"Possible duplication: two {words}",
                    f"{one.title()} and {other.title()} cover the same days:"
                    f" {in_words(days)}.",
                    row_codes(touching(pair, days)),
                )


def gabapentinoid(picture: Picture) -> Iterator[PatientWarning]:
    """Warn of a gabapentinoid with an opioid (FDA 2019-12-19)."""
    opioids = picture.of("opioid", "buprenorphine")
    gabapentinoids = picture.of("gabapentinoid")
    days = _shared(opioids, gabapentinoids)
    if days:
        yield PatientWarning(
            Code.GABAPENTINOID,
            "Possible drug interaction: opioid with gabapentinoid",
            f"An opioid and a gabapentinoid cover the same days: {in_words(days)}."
            " Together they can slow breathing (FDA, 12/19/2019).",
            row_codes(touching([*opioids, *gabapentinoids], days)),
        )


def buprenorphine(picture: Picture) -> Iterator[PatientWarning]:
    """Tell of active buprenorphine; warn of it with a full agonist."""
    buprenorphine, opioids = picture.of("buprenorphine"), picture.of("opioid")
    days = _shared(buprenorphine, opioids)
    if days:
        yield PatientWarning(
            Code.BUPRENORPHINE_OPIOID,
            "Possible drug interaction: buprenorphine with another opioid",
            f"Buprenorphine and another opioid cover the same days: {in_words(days)}."
            " It can bring on withdrawal, or block the other's effect.",
            row_codes(touching([*buprenorphine, *opioids], days)),
        )
    active = [fill for fill in buprenorphine if fill.covers(picture.today)]
    if active:
        doses = [fill.daily_mg for fill in active if fill.daily_mg is not None]
        dose = f", {shown(sum(doses, ZERO))} mg a day" if doses else ""
        yield PatientWarning(
            Code.BUPRENORPHINE,
            "Buprenorphine is active",
            f"{active[-1].drug}{dose}, supply to {us(max(f.last for f in active))}. It"
            " has no MME. It often treats opioid use disorder: stopping it raises the"
            " risk of overdose.",
            row_codes(active),
            Level.INFORMATION,
        )


def acetaminophen(picture: Picture) -> Iterator[PatientWarning]:
    """Warn of acetaminophen that adds up over the limit on a day that a fill begins."""
    limit = picture.limits.acetaminophen_mg
    fills = [fill for fill in picture.fills if fill.daily_acetaminophen_mg]
    totals = {
        day: sum(
            (f.daily_acetaminophen_mg or ZERO for f in fills if f.covers(day)), ZERO
        )
        for day in {fill.first for fill in fills}
    }
    if totals and (most := max(totals.values())) > limit:
        day = min(day for day, total in totals.items() if total == most)
        yield PatientWarning(
            Code.ACETAMINOPHEN,
            f"Possible liver harm: acetaminophen over {limit / 1000:g} g a day",
            f"Combination products add up to {shown(most / 1000)} g of acetaminophen a"
            f" day on {us(day)}.",
            row_codes(fill for fill in fills if fill.covers(day)),
        )
