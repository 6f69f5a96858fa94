"""What of a problem may be written where the portal does not watch over it.

A report file leaves the portal: it names record, prescription number, element and
rule, but nothing of a person (see docs/decisions/0016).  A value is written only if
its element is one of the standard's that holds no person's particulars.
"""

import re
from dataclasses import dataclass

from models import SubmissionProblem
from pmp.asap import elements

_IMPERSONAL = frozenset({"TH", "IS", "PHA", "DSP", "PRE", "CDI", "TP", "TT"})
# What a person is to do with the drug, and why it is taken.
_FREE_TEXT = frozenset({"DSP23", "DSP25"})
# A quotation, a date or a longer number may be a person's; “W05” and “PAT” are not.
_MAY_QUOTE = re.compile(r"“|\d{4}|\d/\d")
_SEGMENT_NAME = re.compile(r"“[A-Z0-9]{1,3}”")


@dataclass(frozen=True)
class Told:
    """A problem as a report file has it; `value` is “” where it is left out."""

    code: str
    severity: str
    segment: int
    segment_id: str
    element: str
    value: str
    message: str
    fix: str
    byte_offset: int | None
    record: int | None


def told(problem: SubmissionProblem, *, version: str, number: int) -> Told:
    """Give a problem of submission `number` without anything of a person in it.

    `version` is that of the file; in an unknown one only the header is sure to be what
    it is called.
    """
    kept = _is_impersonal(problem.element, version)
    message, fix = problem.message, problem.fix
    if not kept and _quotes(message, problem):
        message = _instead(problem.element, version, number)
    if not kept and _quotes(fix, problem):
        fix = ""
    known = problem.segment_id in elements.SEGMENTS
    return Told(
        code=problem.code,
        severity=problem.severity.value,
        segment=problem.segment_number or 0,
        segment_id=problem.segment_id if known else "",
        element=problem.element,
        value=problem.value if kept else "",
        message=message,
        fix=fix,
        byte_offset=problem.byte_offset,
        record=problem.record_number,
    )


def _is_impersonal(element: str, version: str) -> bool:
    base = element.partition(".")[0]
    if base in _FREE_TEXT or base[:-2] not in _IMPERSONAL:
        return False
    # One that the version does not have may be the next segment's: a terminator is
    # missing, and what follows is a patient.
    return base[:2] in {"TH", "IS"} or (
        version in elements.VERSIONS and base in elements.by_id(version)
    )


def _quotes(text: str, problem: SubmissionProblem) -> bool:
    if not problem.element:
        text = _SEGMENT_NAME.sub("", text)
    quoted = bool(problem.value) and problem.value.casefold() in text.casefold()
    return quoted or bool(_MAY_QUOTE.search(text))


def _instead(element: str, version: str, number: int) -> str:
    what = "Something in this place"
    if element and version in elements.VERSIONS:
        what = f"{elements.label(element, version)} ({element})"
    return (
        f"{what} is not right. Personal particulars are not written here: see"
        f" submission {number} in the portal."
    )
