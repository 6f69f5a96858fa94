"""Writing a submission: records, as pages and tables have them, to bytes.

What is written can be read by `pmp.asap.read` and by any other reader of the standard.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from pmp.asap import elements

Elements = Mapping[str, str]
_PARTS = "*|^!`"
_ENDS = "~\\@#%"
_RECORD_SEGMENTS = ("PAT", "DSP", "PRE", "CDI", "AIR")


def write(  # noqa: PLR0913 - what the header says
    records: Sequence[Elements],
    *,
    version: str,
    control_number: str,
    sender_id: str,
    sender: str,
    written: datetime,
    message: str = "",
    test: bool = False,
) -> bytes:
    """Write records as one transaction in the order given, pharmacy by pharmacy.

    A record is a mapping like `Record.elements`, with its PHA elements (“CDI03.2” is
    of the second CDI).  `written` is the programme's local time; `message` goes to
    IS03, where a zero report has its days.  Delimiters are chosen that no element
    holds, since the standard cannot escape them; ValueError if there are none.
    KeyError if the version cannot be written.
    """
    part = _unused(_PARTS, records, (sender_id, sender, message, control_number))
    end = _unused(_ENDS, records, (sender_id, sender, message, control_number))
    heads = {
        "TH01": version,
        "TH02": control_number,
        "TH03": "01",
        "TH05": f"{written:%Y%m%d}",
        "TH06": f"{written:%H%M%S}",
        "TH07": "T" if test else "P",
        "IS01": sender_id,
        "IS02": sender,
        "IS03": message,
    }
    header = _segment("TH", heads, version, part)
    # TH09 names the terminator, which then also ends the segment.
    lines = [header + part * (9 - header.count(part)) + end]
    lines.append(_segment("IS", heads, version, part))
    for pharmacy in _pharmacies(records):
        group = list(_group(pharmacy, version, part))
        lines += [*group, f"TP{part}{len(group) + 1}"]
    lines.append(f"TT{part}{control_number}{part}{len(lines) + 1}")
    return "".join(f"{line}{end}\r\n" for line in lines).encode()


def _pharmacies(records: Iterable[Elements]) -> Iterator[list[Elements]]:
    """Part records where their pharmacy changes."""
    group: list[Elements] = []
    for record in records:
        if group and _of(record, "PHA") != _of(group[-1], "PHA"):
            yield group
            group = []
        group.append(record)
    if group:
        yield group


def _group(records: Sequence[Elements], version: str, part: str) -> Iterator[str]:
    """Give the segments of one pharmacy; a patient is written once for what follows."""
    yield _segment("PHA", records[0], version, part)
    patient: Elements | None = None
    for record in records:
        if (named := _of(record, "PAT")) != patient:
            patient = named
            yield _segment("PAT", record, version, part)
        yield _segment("DSP", record, version, part)
        yield _segment("PRE", record, version, part)
        for segment in ("CDI", "AIR"):
            for nth in _numbers(record, segment):
                yield _segment(segment, record, version, part, nth)


def _segment(
    segment: str, record: Elements, version: str, part: str, nth: str = ""
) -> str:
    ids = [element.id for element in elements.layout(version)[segment]]
    texts = [" ".join(record.get(f"{each}{nth}", "").split()) for each in ids]
    while texts and not texts[-1]:
        texts.pop()
    return part.join([segment, *texts]) if texts else segment + part


def _of(record: Elements, segment: str) -> dict[str, str]:
    return {
        name: text for name, text in record.items() if name.startswith(segment) and text
    }


def _numbers(record: Elements, segment: str) -> list[str]:
    """Give “”, “.2”, “.3” … for each segment of this kind, in order."""
    found = {name.partition(".")[2] for name in _of(record, segment)}
    return [
        f".{nth}" if nth else "" for nth in sorted(found, key=lambda n: int(n or 1))
    ]


def _unused(signs: str, records: Iterable[Elements], others: Iterable[str]) -> str:
    used = set("".join(others))
    for record in records:
        for name, text in record.items():
            if name[:3] in {"PHA", *_RECORD_SEGMENTS}:
                used.update(text)
    for sign in signs:
        if sign not in used:
            return sign
    raise ValueError("the records hold every character that could part elements")
