"""Submissions for tests, in which a test changes only what it is about."""

from collections.abc import Iterator, Mapping
from datetime import date

from pmp import asap

TODAY = date(2026, 1, 6)

PHARMACY = {
    "PHA01": "1234567893",
    "PHA02": "0720018",
    "PHA03": "BX5100110",
    "PHA04": "CORNER PHARMACY",
    "PHA05": "1 CHAPEL ST",
    "PHA07": "NEW HAVEN",
    "PHA08": "CT",
    "PHA09": "06510",
    "PHA10": "2035550100",
}
RECORD = {
    "PAT01": "CT",
    "PAT02": "06",
    "PAT03": "123456780",
    "PAT07": "SAMPLE",
    "PAT08": "IRIS",
    "PAT12": "12 MAPLE ST",
    "PAT14": "HAMDEN",
    "PAT15": "CT",
    "PAT16": "06514",
    "PAT17": "2035550111",
    "PAT18": "19800216",
    "PAT19": "F",
    "PAT20": "01",
    "PAT21": "01",
    "DSP01": "00",
    "DSP02": "700100",
    "DSP03": "20260102",
    "DSP04": "0",
    "DSP05": "20260103",
    "DSP06": "0",
    "DSP07": "01",
    "DSP08": "00406051201",
    "DSP09": "60",
    "DSP10": "30",
    "DSP11": "01",
    "DSP12": "05",
    "DSP13": "00",
    "DSP14": "1928374655",
    "DSP15": "PCT.0009876",
    "DSP16": "04",
    "DSP17": "20260103",
    "DSP23": "TAKE 1 TABLET TWICE A DAY",
    "PRE01": "1245319599",
    "PRE02": "AS3045122",
    "PRE04": "CT012345",
    "PRE05": "PRESCRIBER",
    "PRE06": "PAT",
    "PRE08": "2035550177",
    "PRE10": "CT",
}
ZERO = ["PAT*******REPORT*ZERO", "DSP*****20260104", "PRE*", "CDI*", "AIR*"]


def segment(name: str, elements: Mapping[str, str], *, mark: str = "*") -> str:
    """Write one segment from the elements that belong to it."""
    mine = {key: text for key, text in elements.items() if key[:-2] == name}
    last = max((int(key[-2:]) for key in mine), default=0)
    texts = [mine.get(f"{name}{place:02}", "") for place in range(1, last + 1)]
    return mark.join([name, *texts])


def record(*order: str, mark: str = "*", **changes: str) -> list[str]:
    """Write PAT, DSP, PRE (or the segments named) of a good record, changed."""
    elements = RECORD | changes
    return [
        segment(name, elements, mark=mark) for name in order or ("PAT", "DSP", "PRE")
    ]


def pharmacy(
    *records: list[str], mark: str = "*", trailer: str | None = None, **changes: str
) -> list[str]:
    """Write PHA … TP around records."""
    inside = [line for lines in records for line in lines]
    count = trailer if trailer is not None else str(len(inside) + 2)
    head = segment("PHA", PHARMACY | changes, mark=mark)
    return [head, *inside, f"TP{mark}{count}"]


def submission(
    *pharmacies: list[str],
    header: str = "TH*4.2B*CONTROL-1*01**20260105*101500*P**~",
    source: str = "IS*2035550100*CORNER PHARMACY*",
    trailer: str = "",
    end: str = "~",
    line: str = "\n",
    mark: str = "*",
) -> str:
    """Write TH … TT around pharmacies, one good record if none is given."""
    inside = [each for lines in pharmacies or (pharmacy(record()),) for each in lines]
    trailer = trailer or f"TT{mark}CONTROL-1{mark}{len(inside) + 3}"
    return "".join(f"{text}{end}{line}" for text in (header, source, *inside, trailer))


def in_chunks(body: bytes, size: int = asap.CHUNK) -> Iterator[bytes]:
    """Cut bytes into chunks."""
    for start in range(0, len(body), size):
        yield body[start : start + size]


def read(
    body: str | bytes,
    *,
    accepted: frozenset[str] = asap.USUAL.accepted,
    size: int = 997,
) -> tuple[asap.Reading, list[asap.Record]]:
    """Read a whole submission."""
    raw = body.encode() if isinstance(body, str) else body
    reading = asap.read(
        in_chunks(raw, size), today=TODAY, programme=asap.Programme(accepted)
    )
    return reading, list(reading)


def codes(problems: object) -> list[str]:
    """Give the codes of problems, of a reading or of a record."""
    return [each.code for each in problems]  # type: ignore[attr-defined]
