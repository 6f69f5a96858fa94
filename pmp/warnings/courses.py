"""How a course of opioids begins, and how long it lasts.

Pure. Whether an opioid is the first can only be told where the period looked at reaches
back far enough. Sources: CDC guideline of 2022; Conn. Gen. Stat. 20-14o (seven days for
an adult's first opioid, five for a minor's).
"""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby
from operator import attrgetter

from pmp.chart import us
from pmp.fills import Fill, runs
from pmp.warnings.concerns import Code, PatientWarning, Picture, in_days, row_codes

ADULT_YEARS = 18
_DAY = timedelta(days=1)


def long_use(picture: Picture) -> Iterator[PatientWarning]:
    """Warn of opioids that cover more than so many days in a row, up to today."""
    limit = picture.limits.long_use_days
    opioids = picture.of("opioid")
    stretches = [
        (first, min(last, picture.today))
        for first, last in runs(picture.days_of("opioid"))
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
            arithmetic=(
                f"{us(first)} to {us(last)}, both counted: {in_days(length)}",
                f"{len(rows)} fills without a day between them; over {limit} days",
            ),
        )


def first_long_acting(picture: Picture) -> Iterator[PatientWarning]:
    """Warn of a long-acting opioid that no opioid went before."""
    free = picture.limits.naive_days
    for fill in _firsts(picture):
        if fill.long_acting:
            yield PatientWarning(
                Code.FIRST_LONG_ACTING,
                "Possible overdose risk: a long-acting opioid as the first",
                f"{fill.drug} was filled on {us(fill.first)}; no opioid covers any of"
                f" the {free} days before it.",
                row_codes([fill]),
                arithmetic=(_before(picture, fill),),
            )


def first_opioid(picture: Picture) -> Iterator[PatientWarning]:
    """Warn of a first opioid for more days than the limit for the patient's age."""
    long = [
        (fill, limit)
        for fill in _firsts(picture)
        if fill.days > (limit := _limit(picture, fill.first))
    ]
    if not long:
        return
    fill, limit = long[-1]
    who = "a minor" if _is_minor(picture.birth_date, fill.first) else "an adult"
    others = f" {len(long) - 1} earlier as well." if len(long) > 1 else ""
    yield PatientWarning(
        Code.FIRST_OPIOID_DAYS,
        f"Possible long first supply: a first opioid over {limit} days",
        f"{fill.drug} was filled on {us(fill.first)} for {in_days(fill.days)}, more"
        f" than {limit} for {who}'s first opioid.{others} A longer supply can be right"
        " where the record says why: cancer, palliative care, chronic pain.",
        row_codes(fill for fill, _ in long),
        arithmetic=(
            _before(picture, fill),
            f"{in_days(fill.days)} - {limit} = {fill.days - limit} over the limit",
        ),
    )


def _firsts(picture: Picture) -> Iterator[Fill]:
    """Give the opioids that no opioid, buprenorphine included, went before."""
    opioids = (
        fill for fill in picture.fills if fill.drug_class in {"opioid", "buprenorphine"}
    )
    ended: date | None = None  # when the supply of those of earlier days does
    for first, begun in groupby(opioids, key=attrgetter("first")):
        start, same_day = first - picture.limits.naive_days * _DAY, list(begun)
        if start >= picture.since and (ended is None or ended < start):
            yield from (fill for fill in same_day if fill.drug_class == "opioid")
        latest = max(fill.last for fill in same_day)
        ended = latest if ended is None else max(ended, latest)


def _before(picture: Picture, fill: Fill) -> str:
    days = picture.limits.naive_days
    start, end = fill.first - days * _DAY, fill.first - _DAY
    return f"{us(start)} to {us(end)}: {days} days, no opioid covers any of them"


def _limit(picture: Picture, day: date) -> int:
    limits = picture.limits
    minor = _is_minor(picture.birth_date, day)
    return limits.first_minor_days if minor else limits.first_adult_days


def _is_minor(birth_date: date | None, day: date) -> bool:
    if birth_date is None:
        return False
    had_birthday = (day.month, day.day) >= (birth_date.month, birth_date.day)
    return day.year - birth_date.year - (not had_birthday) < ADULT_YEARS
