"""What a patient report warns of: each a sentence with its numbers and its rows.

Pure. Never a score and never proof: every warning is *possible*, told from dispensed
controlled substances alone, and names the rows that it was told from. All limits can
be set. Sources: CDC guideline of 2022 (50 MME); FDA boxed warnings of 2016-08-31
(opioids with benzodiazepines) and 2019-12-19 (gabapentinoids).
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta

from pmp import drug_classes
from pmp.chart import us
from pmp.fills import Fill, covered, runs
from pmp.mme import Summary, carry_forward, reaches, shown, steps
from pmp.warnings import interactions
from pmp.warnings.concerns import (
    Code,
    Level,
    Limits,
    PatientWarning,
    Picture,
    in_days,
    row_codes,
)

__all__ = ["CAVEAT", "Code", "Level", "Limits", "PatientWarning", "find"]

CAVEAT = (
    "Each is a possible concern, told from dispensed controlled substances alone. It is"
    " not proof of misuse and not a full interaction check."
)
_DAY = timedelta(days=1)


def find(
    fills: Iterable[Fill],
    *,
    since: date,
    today: date,
    mme: Summary,
    limits: Limits | None = None,
    birth_date: date | None = None,
) -> list[PatientWarning]:
    """Give the warnings of a report, the gravest first, information last.

    `fills` are those of the period from `since` to `today` that stand; `mme` is their
    summary with early refills carried forward. `birth_date` tells an adult from a
    minor; without it nothing is said that depends on age.
    """
    ordered = sorted(fills, key=lambda fill: fill.first)
    picture = Picture(ordered, since, today, mme, limits or Limits(), birth_date)
    found = [warning for check in _CHECKS for warning in check(picture)]
    order = list(Code)
    return sorted(
        found,
        key=lambda each: (each.level is Level.INFORMATION, order.index(each.code)),
    )


def _mme(picture: Picture) -> Iterator[PatientWarning]:
    limits, mme = picture.limits, picture.mme
    if mme.peak_on is None or not reaches(mme.peak, limits.mme_caution):
        return
    high = reaches(mme.peak, limits.mme_high)
    limit = limits.mme_high if high else limits.mme_caution
    at_least = "at least " if mme.at_least else ""
    carried = carry_forward(
        [fill.course for fill in picture.of("opioid")],
        up_to_days=limits.carry_forward_days,
    )
    over = [
        run
        for run in steps(carried, since=picture.since, until=picture.today)
        if reaches(run.value, limit)
    ]
    rows = [
        fill
        for fill in picture.of("opioid")
        if any(fill.first <= run.last and fill.last >= run.first for run in over)
    ]
    yield PatientWarning(
        Code.MME_HIGH if high else Code.MME_CAUTION,
        f"Possible overdose risk: {limit:g} MME a day or more",
        f"Opioids reached {at_least}{shown(mme.peak)} MME a day on {us(mme.peak_on)};"
        f" {in_days(sum(run.days for run in over))} at {limit:g} or more since"
        f" {us(picture.since)}; {at_least if mme.today_at_least else ''}"
        f"{shown(mme.today)} today.",
        row_codes(rows),
    )


def _many_sources(picture: Picture) -> Iterator[PatientWarning]:
    limits = picture.limits
    window = limits.window_days * _DAY
    best: list[Fill] = []
    most = (0, 0)
    for end in picture.fills:
        within = [f for f in picture.fills if end.first - window < f.first <= end.first]
        prescribers = len({fill.prescriber for fill in within})
        pharmacies = len({fill.pharmacy for fill in within})
        reached = prescribers >= limits.prescribers or pharmacies >= limits.pharmacies
        if reached and (prescribers, pharmacies) >= most:
            best, most = within, (prescribers, pharmacies)
    if best:
        yield PatientWarning(
            Code.MANY_SOURCES,
            "Possible uncoordinated care: many prescribers or pharmacies",
            f"{len(best)} fills from {most[0]} prescribers at {most[1]} pharmacies"
            f" within {limits.window_days} days, {us(best[0].first)} to"
            f" {us(best[-1].first)} (told from {limits.prescribers} prescribers or"
            f" {limits.pharmacies} pharmacies on).",
            row_codes(best),
        )


def _early_refill(picture: Picture) -> Iterator[PatientWarning]:
    before: dict[str, Fill] = {}
    early: list[tuple[Fill, Fill]] = []
    for fill in picture.fills:
        earlier = before.get(fill.product)
        if earlier and _is_early(earlier, fill, picture.limits):
            early.append((earlier, fill))
        before[fill.product] = fill
    if not early:
        return
    earlier, fill = early[-1]
    left = (earlier.last - fill.first).days + 1
    others = [
        words
        for words, differs in (
            ("another pharmacy", earlier.pharmacy != fill.pharmacy),
            ("another prescriber", earlier.prescriber != fill.prescriber),
        )
        if differs
    ]
    times = "1 refill came" if len(early) == 1 else f"{len(early)} refills came"
    whence = f", from {' and '.join(others)}" if others else ""
    yield PatientWarning(
        Code.EARLY_REFILL,
        "Possible early refill",
        f"{times} early; the latest, {fill.drug} on {us(fill.first)}, with {left} of"
        f" {in_days(earlier.days)} of supply left{whence}.",
        tuple(dict.fromkeys(code for pair in early for code in row_codes(pair))),
    )


def _is_early(earlier: Fill, fill: Fill, limits: Limits) -> bool:
    left = (earlier.last - fill.first).days + 1
    if earlier.first == fill.first and earlier.pharmacy == fill.pharmacy:
        return False  # one supply in two packages
    return left >= limits.early_days and left > earlier.days * limits.early_part


def _methadone(picture: Picture) -> Iterator[PatientWarning]:
    limit = picture.limits.methadone_mg
    over = [
        fill
        for fill in picture.of("opioid")
        if "methadone" in drug_classes.words_of(fill.ingredient)
        and fill.daily_mg is not None
        and fill.daily_mg > limit
    ]
    if over:
        most = max(fill.daily_mg or limit for fill in over)
        yield PatientWarning(
            Code.METHADONE,
            f"Possible overdose risk: methadone over {limit:g} mg a day",
            f"Methadone reached {shown(most)} mg a day; its effect on breathing and on"
            " heart rhythm grows faster than its dose.",
            row_codes(over),
        )


def _long_use(picture: Picture) -> Iterator[PatientWarning]:
    limit = picture.limits.long_use_days
    opioids = picture.of("opioid")
    stretches = [
        (first, min(last, picture.today))
        for first, last in runs(covered(opioids))
        if first <= picture.today
    ]
    if not stretches:
        return
    first, last = max(stretches, key=lambda stretch: stretch[1] - stretch[0])
    length = (last - first).days + 1
    if length > limit:
        rows = [fill for fill in opioids if fill.first <= last and fill.last >= first]
        yield PatientWarning(
            Code.LONG_OPIOID_USE,
            f"Possible dependence: opioids over {limit} days in a row",
            f"Opioids cover {in_days(length)} in a row, {us(first)} to {us(last)}."
            " Do not stop them abruptly.",
            row_codes(rows),
        )


def _first_long_acting(picture: Picture) -> Iterator[PatientWarning]:
    free = picture.limits.naive_days
    opioids = picture.of("opioid")
    for fill in opioids:
        start = fill.first - free * _DAY
        if not fill.long_acting or start < picture.since:
            continue
        if any(o.first < fill.first and o.last >= start for o in opioids):
            continue
        yield PatientWarning(
            Code.FIRST_LONG_ACTING,
            "Possible overdose risk: a long-acting opioid as the first",
            f"{fill.drug} was filled on {us(fill.first)}; no opioid covers any of the"
            f" {free} days before it.",
            row_codes([fill]),
        )


_CHECKS: tuple[Callable[[Picture], Iterator[PatientWarning]], ...] = (
    _mme,
    interactions.trio,
    interactions.opioid_benzodiazepine,
    _many_sources,
    _early_refill,
    _methadone,
    _long_use,
    _first_long_acting,
    interactions.same_kind,
    interactions.acetaminophen,
    interactions.gabapentinoid,
    interactions.buprenorphine,
)
