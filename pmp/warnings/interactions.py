"""Drugs that cover the same days: what each combination may do.

Pure. Each check looks at a picture and gives its warnings, mostly one or none. Sources:
FDA boxed warning of 2016-08-31 (opioids with benzodiazepines) and FDA's communication
of 2019-12-19 (gabapentinoids).
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import combinations

from pmp import drug_classes
from pmp.chart import us
from pmp.fills import Fill, buprenorphine_mg_today, covered, touching
from pmp.mme import shown
from pmp.warnings.arithmetic import amounts_on, spans
from pmp.warnings.concerns import (
    Code,
    Level,
    PatientWarning,
    Picture,
    in_words,
    row_codes,
)

_OPIOIDS = ("opioid", "buprenorphine")
_WATCHED_TWICE = ("opioid", "benzodiazepine", "stimulant")


def opioid_benzodiazepine(picture: Picture) -> Iterator[PatientWarning]:
    """Warn of an opioid and a benzodiazepine on the same days."""
    days = picture.days_of(*_OPIOIDS) & picture.days_of("benzodiazepine")
    if not days:
        return
    short, long = picture.limits.together_days, picture.limits.together_long_days
    strength, advice = "", ""
    if len(days) >= long:
        strength = f", {long} days or more"
        advice = (
            " This has become a lasting combination: look for another treatment, taper"
            " one slowly, and offer naloxone."
        )
    elif len(days) >= short:
        strength = f", {short} days or more"
        advice = " Keep doses and days to the least that works, and offer naloxone."
    rows = touching([*picture.of(*_OPIOIDS), *picture.of("benzodiazepine")], days)
    yield PatientWarning(
        Code.OPIOID_BENZODIAZEPINE,
        f"Possible drug interaction: opioid with benzodiazepine{strength}",
        f"An opioid and a benzodiazepine cover the same days: {in_words(days)}."
        f" Together they can stop breathing (FDA boxed warning, 08/31/2016).{advice}",
        row_codes(rows),
        arithmetic=spans(rows, days),
    )


def trio(picture: Picture) -> Iterator[PatientWarning]:
    """Warn of an opioid, a benzodiazepine and carisoprodol or a Z-drug together."""
    two = picture.days_of(*_OPIOIDS) & picture.days_of("benzodiazepine")
    if not two:
        return
    sedatives = [
        fill
        for fill in picture.carried
        if drug_classes.words_of(fill.ingredient) & drug_classes.TRIO_SEDATIVES
    ]
    days = two & covered(sedatives)
    if days:
        both = [*picture.of(*_OPIOIDS), *picture.of("benzodiazepine")]
        named = " and ".join(sorted({fill.drug for fill in touching(sedatives, days)}))
        rows = touching([*both, *sedatives], days)
        yield PatientWarning(
            Code.OPIOID_BENZODIAZEPINE_SEDATIVE,
            "Possible drug interaction: opioid, benzodiazepine and a third sedative",
            f"An opioid, a benzodiazepine and {named} cover the same days:"
            f" {in_words(days)}. Each adds to slowed breathing.",
            row_codes(rows),
            arithmetic=spans(rows, days),
        )


def same_kind(picture: Picture) -> Iterator[PatientWarning]:
    """Warn of two long-acting opioids, benzodiazepines or stimulants together."""
    for kind in _WATCHED_TWICE:
        fills = [f for f in picture.of(kind) if f.long_acting or kind != "opioid"]
        # By drug, not by salt or by how a maker writes it.
        drugs = sorted({drug_classes.names_in(f.ingredient, kind) for f in fills})
        for one, other in combinations(drugs, 2):
            found = [_of_drug(fills, kind, drug) for drug in (one, other)]
            days = covered(found[0]) & covered(found[1])
            if len(days) > picture.limits.same_kind_days:
                words = "long-acting opioids" if kind == "opioid" else f"{kind}s"
                names = " and ".join(", ".join(each).title() for each in (one, other))
                rows = touching([*found[0], *found[1]], days)
                yield PatientWarning(
                    Code.SAME_KIND,
                    f"Possible duplication: two {words}",
                    f"{names} cover the same days: {in_words(days)}.",
                    row_codes(rows),
                    arithmetic=spans(rows, days),
                )


def _of_drug(fills: Sequence[Fill], kind: str, drug: tuple[str, ...]) -> list[Fill]:
    return [
        fill for fill in fills if drug_classes.names_in(fill.ingredient, kind) == drug
    ]


def gabapentinoid(picture: Picture) -> Iterator[PatientWarning]:
    """Warn of a gabapentinoid with an opioid (FDA 2019-12-19)."""
    days = picture.days_of(*_OPIOIDS) & picture.days_of("gabapentinoid")
    if days:
        rows = touching([*picture.of(*_OPIOIDS), *picture.of("gabapentinoid")], days)
        yield PatientWarning(
            Code.GABAPENTINOID,
            "Possible drug interaction: opioid with gabapentinoid",
            f"An opioid and a gabapentinoid cover the same days: {in_words(days)}."
            " Together they can slow breathing (FDA, 12/19/2019).",
            row_codes(rows),
            arithmetic=spans(rows, days),
        )


def buprenorphine(picture: Picture) -> Iterator[PatientWarning]:
    """Tell of active buprenorphine; warn of it with a full agonist."""
    buprenorphine = picture.of("buprenorphine")
    days = picture.days_of("buprenorphine") & picture.days_of("opioid")
    if days:
        rows = touching([*buprenorphine, *picture.of("opioid")], days)
        yield PatientWarning(
            Code.BUPRENORPHINE_OPIOID,
            "Possible drug interaction: buprenorphine with another opioid",
            f"Buprenorphine and another opioid cover the same days: {in_words(days)}."
            " It can bring on withdrawal, or block the other's effect.",
            row_codes(rows),
            arithmetic=spans(rows, days),
        )
    active = [fill for fill in buprenorphine if fill.covers(picture.today)]
    if active:
        amount = buprenorphine_mg_today(
            picture.fills,
            today=picture.today,
            up_to_days=picture.limits.carry_forward_days,
        )
        dose = "" if amount is None else f", {shown(amount)} mg a day"
        yield PatientWarning(
            Code.BUPRENORPHINE,
            "Buprenorphine is active",
            f"{active[-1].drug}{dose}, supply to {us(max(f.last for f in active))}. It"
            " has no MME. It often treats opioid use disorder: stopping it raises the"
            " risk of overdose.",
            row_codes(active),
            Level.INFORMATION,
            arithmetic=amounts_on(picture.today, active, _milligrams, "mg a day"),
        )


def _milligrams(fill: Fill) -> Decimal | None:
    return fill.daily_mg
