"""Made-up submissions with a key to the truth: one seed always gives the same bytes.

Names, addresses and numbers are invented (phones are 555-01xx, check digits fit); the
products are real.  Among the good records are what real files hold: slips in names and
dates of birth, people who moved, twins, duplicates, voids, revisions, partial fills,
animals, zero reports and records that must be held.  The truth says which is which.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

from pmp.asap.cast import (
    Drug,
    Person,
    Prescriber,
    Shop,
    make_people,
    make_prescribers,
    make_shops,
    pick_drug,
)

UNTIL = date(2026, 1, 31)
"""The last day of the submissions unless another is asked for."""

TRUTH_COLUMNS = (
    "file",
    "record",
    "person",
    "pharmacy_dea",
    "prescription_number",
    "filled_on",
    "status",
    "outcome",
    "why",
)

_FILLS_A_DAY = 12
_RECORD_KINDS = {
    "duplicate": 0.01,
    "void": 0.01,
    "revise": 0.01,
    "partial": 0.01,
    "bad prescriber": 0.01,
    "no birth date": 0.005,
    "bad product": 0.005,
}


@dataclass(frozen=True)
class SyntheticFile:
    """One submission: its name, its bytes, and a row of truth for each record."""

    name: str
    body: bytes
    truth: tuple[dict[str, str], ...]


@dataclass(frozen=True)
class _Fill:
    person: Person
    prescriber: Prescriber
    drug: Drug
    number: int
    written: date
    filled: date
    status: str = "00"
    partial: str = "00"
    quantity: int = 0
    outcome: str = "stored"
    why: str = ""


@dataclass
class _Paper:
    """The segments of a file under way, and what is true of its records."""

    lines: list[str] = field(default_factory=list)
    truth: list[dict[str, str]] = field(default_factory=list)


def submissions(
    *, seed: int, days: int, scale: float, until: date = UNTIL
) -> Iterator[SyntheticFile]:
    """Give one file for each pharmacy and day, in order of days.

    Scale 1 is 10 pharmacies, 40 prescribers, 600 people and some 12 fills a pharmacy
    and day; all grow with it.  The days end with `until`.
    """
    random = Random(seed)  # noqa: S311 - made-up data must be the same each time
    shops = make_shops(random, max(2, round(10 * scale)))
    prescribers = make_prescribers(random, max(4, round(40 * scale)))
    people = make_people(random, max(20, round(600 * scale)))
    for back in range(days - 1, -1, -1):
        day = until - timedelta(days=back)
        for shop in shops:
            fills = _fills(random, day, people, prescribers)
            yield _file(shop, day, fills)


def large_submission(*, seed: int, records: int, until: date = UNTIL) -> bytes:
    """Give one file of a large pharmacy: good records only, as benchmarks need."""
    random = Random(seed)  # noqa: S311 - made-up data must be the same each time
    shop = make_shops(random, 1)[0]
    prescribers = make_prescribers(random, 400)
    people = make_people(random, max(20, records // 3))
    fills = (_fill(random, until, people, prescribers) for _ in range(records))
    return _file(shop, until, list(fills)).body


def _fills(
    random: Random,
    day: date,
    people: Sequence[Person],
    prescribers: Sequence[Prescriber],
) -> list[_Fill]:
    """Make a day's fills of one pharmacy; on some Sundays there are none."""
    if day.isoweekday() == 7 and random.random() < 0.5:
        return []
    fills: list[_Fill] = []
    for _ in range(random.randint(1, 2 * _FILLS_A_DAY - 1)):
        fill = _fill(random, day, people, prescribers)
        fills += _variants(fill, random)
    return fills


def _fill(
    random: Random,
    day: date,
    people: Sequence[Person],
    prescribers: Sequence[Prescriber],
) -> _Fill:
    person = random.choice(people).as_reported(random)
    drug = pick_drug(random)
    return _Fill(
        person,
        prescribers[_number_of(person.key, len(prescribers))],
        drug,
        random.randint(100_000, 9_999_999),
        day - timedelta(days=random.choice((0, 0, 0, 1, 2, 5))),
        day,
        quantity=drug.quantity,
    )


def _variants(fill: _Fill, random: Random) -> list[_Fill]:
    """Give the fill, and what may befall it."""
    drawn = random.random()
    for kind, share in _RECORD_KINDS.items():
        if drawn < share:
            return _befallen(fill, kind)
        drawn -= share
    return [fill]


def _befallen(fill: _Fill, kind: str) -> list[_Fill]:
    if kind == "duplicate":
        return [fill, replace(fill, outcome="duplicate", why=kind)]
    if kind == "void":
        again = replace(fill, quantity=max(1, fill.quantity // 2), why="after a void")
        gone = replace(fill, status="02", outcome="voided", why=kind)
        return [replace(fill, why="voided later"), gone, again]
    if kind == "revise":
        return [fill, replace(fill, status="01", outcome="revised", why=kind)]
    if kind == "partial":
        half = max(1, fill.quantity // 2)
        first = replace(fill, partial="01", quantity=half, why="partial 1")
        return [first, replace(first, partial="02", why="partial 2")]
    return [replace(fill, outcome="held", why=kind)]


def _number_of(text: str, of: int) -> int:
    """Give a number below `of` for a text, the same on every run and machine."""
    return sum(place * byte for place, byte in enumerate(text.encode(), start=1)) % of


def _file(shop: Shop, day: date, fills: Sequence[_Fill]) -> SyntheticFile:
    control = f"{shop.dea}-{day:%Y%m%d}"
    name = f"{shop.dea}-{day:%Y%m%d}.dat"
    paper = _Paper()
    zero = f"#{day:%Y%m%d}#-#{day:%Y%m%d}#" if not fills else ""
    paper.lines += [
        f"TH*4.2B*{control}*01**{day:%Y%m%d}*230000*P**~~",
        f"IS*{shop.phone}*{shop.name}*{zero}~",
        _joined(
            f"PHA*{shop.npi}*{shop.ncpdp}*{shop.dea}*{shop.name}*{shop.street}**",
            f"{shop.city}*CT*{shop.zip}*{shop.phone}*PHARMACIST ON DUTY*1",
            f"*{shop.permit}~",
        ),
    ]
    if fills:
        for fill in fills:
            _write_fill(paper, shop, fill)
    else:
        _write_zero(paper, shop, day)
    paper.lines.append(f"TP*{len(paper.lines) - 1}~")
    paper.lines.append(f"TT*{control}*{len(paper.lines) + 1}~")
    body = "\n".join([*paper.lines, ""]).encode()
    truth = tuple(
        {"file": name, "record": str(number), **row}
        for number, row in enumerate(paper.truth, start=1)
    )
    return SyntheticFile(name, body, truth)


def _write_zero(paper: _Paper, shop: Shop, day: date) -> None:
    paper.lines += [
        "PAT*******REPORT*ZERO~",
        f"DSP*****{day:%Y%m%d}~",
        "PRE*~",
        "CDI*~",
        "AIR*~",
    ]
    paper.truth.append(_truth("", shop, "", day, ("", "zero_report", "")))


def _write_fill(paper: _Paper, shop: Shop, fill: _Fill) -> None:
    person, prescriber, drug = fill.person, fill.prescriber, fill.drug
    born = "" if fill.why == "no birth date" else f"{person.born:%Y%m%d}"
    dea = prescriber.dea
    if fill.why == "bad prescriber":
        dea = dea[:-1] + str((int(dea[-1]) + 1) % 10)
    ndc = drug.ndc[:-1] if fill.why == "bad product" else drug.ndc
    paper.lines += [
        _joined(
            f"PAT*CT*06*{person.licence}****{person.last}*{person.first}",
            f"*{person.middle}**{person.suffix}*{person.street}**{person.city}*CT",
            f"*{person.zip}*{person.phone}*{born}*{person.sex}*{person.species}*01**",
            f"{person.animal}~",
        ),
        _joined(
            f"DSP*{fill.status}*{fill.number}*{fill.written:%Y%m%d}*0",
            f"*{fill.filled:%Y%m%d}*0*01*{ndc}*{fill.quantity}*{drug.days}*{drug.unit}",
            f"*05*{fill.partial}*{shop.pharmacist}*PCT.0001234*04",
            f"*{fill.filled:%Y%m%d}~",
        ),
        _joined(
            f"PRE*{prescriber.npi}*{dea}**{prescriber.licence}*{prescriber.last}",
            f"*{prescriber.first}**{prescriber.phone}**CT~",
        ),
    ]
    what = (fill.status, fill.outcome, fill.why)
    paper.truth.append(_truth(person.key, shop, str(fill.number), fill.filled, what))


def _truth(
    person: str, shop: Shop, number: str, day: date, what: tuple[str, str, str]
) -> dict[str, str]:
    status, outcome, why = what
    return {
        "person": person,
        "pharmacy_dea": shop.dea,
        "prescription_number": number,
        "filled_on": day.isoformat(),
        "status": status,
        "outcome": outcome,
        "why": why,
    }


def _joined(*parts: str) -> str:
    return "".join(parts)
