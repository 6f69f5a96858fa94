"""Small ASAP 4.2B files for tests, told by what differs from a good one."""

from collections.abc import Sequence
from itertools import count

ELM = ("1234567893", "0720018", "BV5100110", "ELM CITY DRUG")
MAIN = ("", "", "BM1234563", "MAIN STREET PHARMACY")
OXYCODONE = "00406051201"

_numbers = count(1)


def fill(  # a PAT, a DSP and a PRE segment
    number: str = "600100",
    *,
    status: str = "00",
    last: str = "EXAMPLE",
    first: str = "ADA",
    born: str = "19800216",
    filled: str = "20261103",
    written: str = "20261102",
    refills: str = "0",
    fill_number: str = "0",
    partial: str = "00",
    ndc: str = OXYCODONE,
    quantity: str = "60",
    days: str = "30",
    dea: str = "AS3045122",
    treatment: str = "",
    diagnosis: str = "",
) -> list[str]:
    pat = (
        f"PAT*******{last}*{first}****12 MAPLE ST**HAMDEN*CT*06514*2035550111"
        f"*{born}*F*01*01"
    )
    dsp = (
        f"DSP*{status}*{number}*{written}*{refills}*{filled}*{fill_number}*01*{ndc}"
        f"*{quantity}*{days}*01*05*{partial}***04*{filled}"
    )
    if treatment or diagnosis:
        dsp += f"*******{treatment}*{diagnosis}"  # DSP24, DSP25
    return [
        pat,
        dsp,
        f"PRE**{dea}***SMITH*SARA**2035550177",
    ]


def zero(since: str = "20261101", until: str = "20261115") -> list[str]:
    return [
        "PAT*******REPORT*ZERO***********",
        f"DSP*00****{until}",
        "PRE*",
    ]


def submission(
    *pharmacies: tuple[Sequence[str], Sequence[list[str]]],
    kind: str = "P",
    message: str = "",
    complete: bool = True,
) -> bytes:
    """Make a file of pharmacies, each with its records; `kind` T is a test file."""
    control = f"CT{next(_numbers):06d}"
    lines = [
        f"TH*4.2B*{control}*01**20261116*101500*{kind}**",
        f"IS*2035550100*ELM CITY DRUG*{message}",
    ]
    for (npi, ncpdp, dea, name), records in pharmacies:
        segments = [line for record in records for line in record]
        lines.append(
            f"PHA*{npi}*{ncpdp}*{dea}*{name}*1 CHAPEL ST**NEW HAVEN*CT*06510*2035550100"
        )
        lines += segments
        lines.append(f"TP*{len(segments) + 2}")
    if complete:
        lines.append(f"TT*{control}*{len(lines) + 1}")
    # The terminator of the header is named by its last element.
    return ("~\r\n".join(lines) + "~\r\n").replace("**~", "**~~", 1).encode()
