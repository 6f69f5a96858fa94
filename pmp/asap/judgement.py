"""Judging a record by every rule there is, as grave as the programme finds each."""

from pmp.asap import advice, catalogue, dates, rules
from pmp.asap.draft import Draft
from pmp.asap.faults import CATALOGUE, Fault
from pmp.asap.problems import Problem, Severity

_ROOMS = (rules, dates, advice)  # imported so that their rules are entered
# What has moved comes first, it hides what else the elements seem to say; what is too
# long comes last of the errors, it may be no value at all.
_PLACES = {"E21": 0, "E15": 2}
_ORDER = sorted(
    catalogue.entries(),
    key=lambda code: _PLACES.get(code, 1 if code.startswith("E") else 3),
)
RULES = tuple(CATALOGUE[code] for code in _ORDER if code in CATALOGUE)
"""Every rule for a record in the order in which they are told, errors first."""
_VALUE_NOT_TOLD = {"R20"}


def problems_of(draft: Draft, *, number: int | None) -> tuple[Problem, ...]:
    """Apply every rule that the programme has not switched off to one record.

    Of a segment whose elements have moved by a place that alone is told: what its
    elements seem to say is not what was meant.  What is no value at all is not called
    too long besides.
    """
    zero, severities = draft.zero, draft.programme.severities
    moved: set[str] = set()
    wrong: set[str] = set()
    found: list[Problem] = []
    for each in RULES:
        severity = severities[each.code]
        if severity is None or (zero and not each.for_zero):
            continue
        for fault in each.check(draft):
            if each.code == "E21":
                moved.add(fault.element)
            elif fault.element[:3] in moved:
                continue
            if each.code == "E15" and fault.element in wrong:
                continue
            wrong.add(fault.element)
            found.append(_as_problem(draft, number, each.code, severity, fault))
    return tuple(found)


def _as_problem(
    draft: Draft, number: int | None, code: str, severity: Severity, fault: Fault
) -> Problem:
    segment, place, offset = draft.locate(fault.element)
    whole = fault.element == segment
    return Problem(
        code=code,
        severity=severity,
        segment=place,
        byte_offset=offset,
        record=number,
        segment_id=segment,
        element="" if whole else fault.element,
        value="" if whole or code in _VALUE_NOT_TOLD else draft[fault.element],
        message=fault.message,
        fix=fault.fix,
    )
