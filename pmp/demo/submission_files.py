"""The demo's submissions: fills written down as ASAP 4.2B files."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from pmp.demo.cast import Shop
from pmp.demo.stories import Fill

# What a technician's software got wrong, one fault a record: element → bad value.
FAULTS: tuple[dict[str, str], ...] = (
    {"DSP10": "0"},
    {"DSP08": "0040605120"},
    {"PRE02": "AB1234560"},
    {"PAT18": "20991231"},
    {"DSP09": "-5"},
    {"PAT07": ""},
    {"DSP05": "2026-01-05"},
    {"DSP02": ""},
    {"DSP10": "ENTER DAYS"},
    {"DSP09": "SIXTY"},
    {"PRE02": ""},
    {"DSP01": "09"},
    {"PAT08": ""},
    {"DSP03": "20991231"},
)


@dataclass(frozen=True)
class File:
    """A submission file: its name, its bytes, and the pharmacies in it."""

    name: str
    body: bytes
    shops: tuple[Shop, ...]


def write(fills: Iterable[Fill], *, name: str, written: date) -> File:
    """Write fills as one transaction, pharmacy by pharmacy."""
    ordered = sorted(fills, key=lambda fill: (fill.shop.dea, fill.filled, fill.number))
    segments = [_header(name, written), "IS*8605550199*DEMO EXCHANGE*"]
    shops = []
    for shop, group in groupby(ordered, key=lambda fill: fill.shop):
        shops.append(shop)
        segments += _pharmacy(shop, [_record(fill) for fill in group])
    return _file(name, segments, shops)


def write_with_faults(fills: list[Fill], *, name: str, written: date) -> File:
    """Write one pharmacy's fills with a fault in each of the first fourteen."""
    shop = fills[0].shop
    records = [
        _record(fill, FAULTS[n] if n < len(FAULTS) else {})
        for n, fill in enumerate(fills)
    ]
    segments = [_header(name, written), "IS*8605550199*DEMO SOFTWARE*"]
    return _file(name, segments + _pharmacy(shop, records), [shop])


def in_months(fills: Iterable[Fill]) -> list[list[Fill]]:
    """Part fills by the month in which they were filled, oldest first."""
    by_day = sorted(fills, key=lambda fill: fill.filled)
    months = groupby(by_day, key=lambda fill: (fill.filled.year, fill.filled.month))
    return [list(group) for _, group in months]


def _header(name: str, written: date) -> str:
    return f"TH*4.2B*{name[:40]}*01**{written:%Y%m%d}*101500*P**~"


def _pharmacy(shop: Shop, records: list[list[str]]) -> list[str]:
    head = (
        f"PHA*{shop.npi}*{shop.ncpdp}*{shop.dea}*{shop.name.upper()}*"
        f"{shop.street.upper()}**{shop.city.upper()}*CT*{shop.zip}*{shop.phone}**"
    )
    lines = [line for record in records for line in record]
    return [head, *lines, f"TP*{len(lines) + 2}"]


def _file(name: str, segments: list[str], shops: list[Shop]) -> File:
    # The first segment ends with TH09, which is the terminator as well.
    text = "~\n".join([*segments, f"TT*{name[:40]}*{len(segments) + 1}"]) + "~\n"
    return File(f"{name}.dat", text.encode(), tuple(shops))


def _record(fill: Fill, faults: dict[str, str] | None = None) -> list[str]:
    person, doctor, drug = fill.person, fill.practitioner, fill.drug
    sold = fill.filled + timedelta(days=0)
    pat = {
        "PAT07": person.last, "PAT08": person.first, "PAT12": person.street,
        "PAT14": person.city, "PAT15": "CT", "PAT16": person.zip,
        "PAT17": person.phone, "PAT18": f"{person.birth_date:%Y%m%d}",
        "PAT19": person.sex, "PAT20": "01",
    }  # fmt: skip
    dsp = {
        "DSP01": "00", "DSP02": fill.number, "DSP03": f"{fill.written:%Y%m%d}",
        "DSP04": str(drug.refills), "DSP05": f"{fill.filled:%Y%m%d}",
        "DSP06": str(fill.fill_number), "DSP07": "01", "DSP08": drug.ndc,
        "DSP09": str(drug.quantity), "DSP10": str(drug.days), "DSP11": "01",
        "DSP12": "05", "DSP13": "00", "DSP16": fill.payment,
        "DSP17": f"{sold:%Y%m%d}",
    }  # fmt: skip
    pre = {
        "PRE01": doctor.npi, "PRE02": doctor.dea, "PRE05": doctor.last.upper(),
        "PRE06": doctor.first.upper(), "PRE08": doctor.phone,
    }  # fmt: skip
    elements = pat | dsp | pre | (faults or {})
    return [
        _segment("PAT", 23, elements),
        _segment("DSP", 25, elements),
        _segment("PRE", 10, elements),
    ]


def _segment(name: str, last: int, elements: dict[str, str]) -> str:
    values = [elements.get(f"{name}{n:02d}", "") for n in range(1, last + 1)]
    return "*".join([name, *values]).rstrip("*")
