"""Judging a record by every rule there is, as grave as the programme finds each."""

from pmp.asap import advice, catalogue, dates, rules
from pmp.asap.draft import Draft
from pmp.asap.faults import CATALOGUE, Fault
from pmp.asap.problems import Problem, Severity

_ROOMS = (rules, dates, advice)
RULES = tuple(CATALOGUE[code] for code in catalogue.entries() if code in CATALOGUE)
"""Every rule for a record in the order in which they are told, errors first."""
_VALUE_NOT_TOLD = {"R20"}


def problems_of(draft: Draft, *, number: int | None) -> tuple[Problem, ...]:
    """Apply every rule that the programme has not switched off to one record.

    Of a segment whose elements have moved by a place that alone is told: what its
    elements seem to say is not what was meant.
    """
    zero, severities = draft.zero, draft.programme.severities
    moved = (
        set()
        if zero
        else {fault.element for fault in dates.elements_are_in_place(draft)}
    )
    return tuple(
        _as_problem(draft, number, found.code, severity, fault)
        for found in RULES
        if (severity := severities[found.code]) and (found.for_zero or not zero)
        for fault in found.check(draft)
        if found.code == "E21" or fault.element[:3] not in moved
    )


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
