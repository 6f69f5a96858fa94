"""The rules that hold a record (E…): each a function from a draft to its faults.

A rule yields nothing for a good record.  Its docstring is its one-line meaning in
the documentation; what the technician reads is the fault's message and fix.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from pmp import identifiers
from pmp.asap import codes, elements
from pmp.asap.draft import Draft, parse_day
from pmp.asap.problems import Problem, Severity


class Fault(NamedTuple):
    """One thing wrong: at which element, in what words, and what to do."""

    element: str
    message: str
    fix: str


Check = Callable[[Draft], Iterator[Fault]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A check with its code and severity; `for_zero`: zero reports obey it too."""

    code: str
    severity: Severity
    check: Check
    for_zero: bool = False


CATALOGUE: dict[str, Rule] = {}
"""Every rule for a record by its code, in the order in which they are applied."""

_NUMBER = re.compile(r"\d+", re.ASCII)
_QUANTITY = re.compile(r"\d+(?:\.\d*)?|\.\d+", re.ASCII)
_MOST_QUANTITY = 99_999
_OLDEST_YEARS = 125
_LONGEST_ZERO_DAYS = 366
_REQUIRED = ("PAT07", "PAT08", "PAT18", *(f"DSP{n:02}" for n in range(2, 11)), "PRE02")
_VALUE_NOT_TOLD = {"R20"}
_SHAPE_TOLD_ELSEWHERE = {"DT", "TM"}


def rule(
    code: str, severity: Severity, *, for_zero: bool = False
) -> Callable[[Check], Check]:
    """Enter a check in the catalogue."""

    def enter(check: Check) -> Check:
        CATALOGUE[code] = Rule(code, severity, check, for_zero)
        return check

    return enter


def problems_of(draft: Draft, *, number: int | None) -> tuple[Problem, ...]:
    """Apply every rule of the catalogue to one record."""
    zero = draft.zero
    return tuple(
        _as_problem(draft, number, found, fault)
        for found in CATALOGUE.values()
        if found.for_zero or not zero
        for fault in found.check(draft)
    )


def _as_problem(draft: Draft, number: int | None, rule: Rule, fault: Fault) -> Problem:
    segment, place, offset = draft.locate(fault.element)
    whole = fault.element == segment
    return Problem(
        code=rule.code,
        severity=rule.severity,
        segment=place,
        byte_offset=offset,
        record=number,
        segment_id=segment,
        element="" if whole else fault.element,
        value="" if whole or rule.code in _VALUE_NOT_TOLD else draft[fault.element],
        message=fault.message,
        fix=fault.fix,
    )


def name(element: str) -> str:
    """Give an element as messages name it: “Quantity dispensed (DSP09)”."""
    return f"{elements.label(element)} ({element})"


@rule("E01", Severity.ERROR)
def patient_is_given(draft: Draft) -> Iterator[Fault]:
    """Require that a DSP segment follows a PAT segment."""
    if not draft.has("PAT") and not draft.void:
        yield Fault(
            "PAT",
            "There is no patient (PAT segment) before this dispensation.",
            "Send the patient's PAT segment before the DSP segment.",
        )


@rule("E02", Severity.ERROR)
def prescriber_is_given(draft: Draft) -> Iterator[Fault]:
    """Require that a DSP segment is followed by its PRE segment."""
    if not draft.has("PRE") and not draft.void and not draft.orphan_pre:
        yield Fault(
            "PRE",
            "There is no prescriber (PRE segment) after this dispensation.",
            "Send the prescriber's PRE segment right after the DSP segment.",
        )


@rule("E03", Severity.ERROR)
def prescriber_follows_dispensation(draft: Draft) -> Iterator[Fault]:
    """Require that the PRE segment stands after its DSP, and there is one."""
    if draft.orphan_pre and not draft.has("PRE"):
        yield Fault(
            "PRE",
            "The prescriber (PRE segment) stands before the dispensation it belongs"
            " to.",
            "Put the segments in the order PAT, DSP, PRE.",
        )
    if draft.extra_pre:
        yield Fault(
            "PRE",
            "This dispensation has more than one prescriber (PRE segment).",
            "Send one PRE segment after each DSP segment.",
        )


@rule("E04", Severity.ERROR)
def required_elements_are_filled(draft: Draft) -> Iterator[Fault]:
    """Require that the elements that identify a record are filled."""
    required = _REQUIRED if draft.version < "4.2" else ("DSP01", *_REQUIRED)
    for element in required:
        segment = element[:3]
        told = not draft.has(segment) or (draft.void and segment != "DSP")
        if not told and not draft[element]:
            yield Fault(element, f"{name(element)} is empty.", "Fill it in.")
    for nth in draft.ingredients():
        for element in (f"CDI02{nth}", f"CDI03{nth}", f"CDI04{nth}"):
            if not draft[element]:
                yield Fault(element, f"{name(element)} is empty.", "Fill it in.")


@rule("E05", Severity.ERROR)
def dates_are_dates(draft: Draft) -> Iterator[Fault]:
    """Require that dates are days of the calendar, written CCYYMMDD."""
    for element in ("PAT18", "DSP03", "DSP05", "DSP17"):
        if draft[element] and draft.day(element) is None:
            yield Fault(
                element,
                f"{name(element)} is “{draft[element]}”, which is not a date.",
                "Write it as year, month and day: 20260131.",
            )


@rule("E06", Severity.ERROR)
def birth_fits_the_fill(draft: Draft) -> Iterator[Fault]:
    """Require that the patient was born at most 125 years before the fill."""
    born, filled = draft.day("PAT18"), draft.day("DSP05")
    if born is None or filled is None:
        return
    if born > filled:
        yield Fault(
            "PAT18",
            f"The date of birth, {_us(born)}, is after the date filled, {_us(filled)}.",
            "Compare the date of birth with the patient's record.",
        )
    elif not draft.animal and filled.year - born.year > _OLDEST_YEARS:
        yield Fault(
            "PAT18",
            f"With the date of birth {_us(born)} the patient would be more than"
            f" {_OLDEST_YEARS} years old.",
            "Compare the year of birth with the patient's record.",
        )


@rule("E07", Severity.ERROR)
def fill_is_not_in_the_future(draft: Draft) -> Iterator[Fault]:
    """Require that nothing is filled after today; one day is granted for time zones."""
    filled = draft.day("DSP05")
    if filled and filled > draft.today + timedelta(days=1):
        yield Fault(
            "DSP05",
            f"The date filled, {_us(filled)}, is in the future.",
            "Correct the date filled.",
        )


@rule("E08", Severity.ERROR)
def written_before_filled(draft: Draft) -> Iterator[Fault]:
    """Require that a prescription is not written after it is filled."""
    written, filled = draft.day("DSP03"), draft.day("DSP05")
    if written and filled and written > filled:
        yield Fault(
            "DSP03",
            f"The date written, {_us(written)}, is after the date filled,"
            f" {_us(filled)}.",
            "Correct the date written or the date filled.",
        )


@rule("E09", Severity.ERROR)
def quantities_are_plausible(draft: Draft) -> Iterator[Fault]:
    """Require that a quantity is a number above 0 and at most 99,999."""
    for element in ("DSP09", *(f"CDI04{nth}" for nth in draft.ingredients())):
        text = draft[element]
        if not text:
            continue
        if not _QUANTITY.fullmatch(text) or not 0 < Decimal(text) <= _MOST_QUANTITY:
            yield Fault(
                element,
                f"{name(element)} is “{text}”; a number above 0 and at most"
                f" {_MOST_QUANTITY:,} is expected.",
                "Give the metric quantity, with a point before decimals: 2.5.",
            )


@rule("E10", Severity.ERROR)
def days_supply_is_plausible(draft: Draft) -> Iterator[Fault]:
    """Require that days supply is a whole number from 1 to 999."""
    text = draft["DSP10"]
    if text and not (_NUMBER.fullmatch(text) and 1 <= int(text[:9]) <= 999):
        yield Fault(
            "DSP10",
            f"{name('DSP10')} is “{text}”; a whole number from 1 to 999 is expected.",
            "Give the number of days that the quantity lasts.",
        )


@rule("E11", Severity.ERROR)
def product_is_named(draft: Draft) -> Iterator[Fault]:
    """Require that the product is an NDC of 11 digits, or a compound."""
    kind = draft["DSP07"]
    if kind and kind.zfill(2) not in codes.LISTS["DSP07"]:
        yield Fault(
            "DSP07",
            f"{name('DSP07')} is “{kind}”; 01 (NDC) or 06 (compound) is expected.",
            "Report the product by its NDC, with 01.",
        )
    named = [] if draft.compound else [("DSP07", "DSP08")]
    named += [(f"CDI02{nth}", f"CDI03{nth}") for nth in draft.ingredients()]
    for kind_element, element in named:
        if draft[kind_element].zfill(2) == "01" and draft[element]:
            yield from _ndc_faults(draft, element)


def _ndc_faults(draft: Draft, element: str) -> Iterator[Fault]:
    try:
        ndc = identifiers.parse_ndc(draft[element])
    except ValueError as fault:
        yield Fault(element, f"{name(element)}: {fault}", "Give the 11-digit NDC.")
        return
    if not ndc.strip("0"):
        yield Fault(element, f"{name(element)} is all zeros.", "Give the 11-digit NDC.")


@rule("E12", Severity.ERROR)
def compound_lists_its_ingredients(draft: Draft) -> Iterator[Fault]:
    """Require that a compound (06) lists ingredients that are no compounds."""
    if draft.compound and not draft.has("CDI") and not draft.void:
        yield Fault(
            "DSP07",
            "The product is a compound (DSP07 is 06), but no ingredient (CDI segment)"
            " is listed.",
            "Send a CDI segment for each controlled ingredient.",
        )
    for nth in draft.ingredients():
        if draft[f"CDI02{nth}"].zfill(2) == "06":
            yield Fault(
                f"CDI02{nth}",
                "An ingredient cannot be a compound (06).",
                "Give the ingredient's NDC, with 01.",
            )


@rule("E13", Severity.ERROR, for_zero=True)
def dea_numbers_fit_their_check_digit(draft: Draft) -> Iterator[Fault]:
    """Require that the DEA numbers of pharmacy and prescriber are well formed."""
    for element in ("PHA03", "PRE02"):
        if not draft[element] or (element == "PRE02" and draft.zero):
            continue
        problem = identifiers.dea_problem(draft[element].upper())
        if problem:
            yield Fault(element, f"{name(element)}: {problem}", "Correct the number.")


@rule("E14", Severity.ERROR)
def status_is_known(draft: Draft) -> Iterator[Fault]:
    """Require that DSP01 is 00 new, 01 revise or 02 void."""
    text = draft["DSP01"]
    if text and text.zfill(2) not in codes.LISTS["DSP01"]:
        yield Fault(
            "DSP01",
            f"{name('DSP01')} is “{text}”.",
            "Use 00 for a new record, 01 to revise and 02 to void one.",
        )


@rule("E15", Severity.ERROR)
def elements_are_not_too_long(draft: Draft) -> Iterator[Fault]:
    """Require that no element is longer than its version allows; none is ever cut."""
    known = elements.by_id(draft.version)
    for element, text in draft.elements.items():
        defined = known.get(element) or known.get(element.partition(".")[0])
        if defined and len(text) > defined.longest and element[:3] != "PHA":
            yield from _length_fault(element, text, defined)


def _length_fault(
    element: str, text: str, defined: elements.Element
) -> Iterator[Fault]:
    if defined.kind not in _SHAPE_TOLD_ELSEWHERE:
        yield Fault(
            element,
            f"{name(element)} has {len(text)} characters; {defined.longest} are"
            " allowed.",
            "Shorten it.",
        )


@rule("E18", Severity.ERROR)
def counts_are_whole_numbers(draft: Draft) -> Iterator[Fault]:
    """Require that refills, fill number and partial fill are whole numbers."""
    for element in ("DSP04", "DSP06", "DSP13"):
        if draft[element] and not _NUMBER.fullmatch(draft[element]):
            yield Fault(
                element,
                f"{name(element)} is “{draft[element]}”, which is not a whole number.",
                "Give a whole number; 0 if there is none.",
            )


@rule("E19", Severity.ERROR, for_zero=True)
def pharmacy_is_identified(draft: Draft) -> Iterator[Fault]:
    """Require that the pharmacy gives its DEA, NCPDP or NPI number."""
    if not (draft["PHA01"] or draft["PHA02"] or draft["PHA03"]):
        yield Fault(
            "PHA03",
            "The pharmacy is not identified: DEA, NCPDP and NPI number are all empty.",
            "Fill in the pharmacy's DEA number (PHA03).",
        )


@rule("E20", Severity.ERROR, for_zero=True)
def zero_report_has_its_days(draft: Draft) -> Iterator[Fault]:
    """Require that a zero report names its days, in order, none in the future."""
    if not draft.zero:
        return
    since, until = zero_days(draft)
    if since is None or until is None:
        problem = f"The zero report's days, “{draft['IS03']}”, cannot be read."
    elif since > until:
        problem = f"The zero report ends, {_us(until)}, before it begins, {_us(since)}."
    elif until > draft.today + timedelta(days=1):
        problem = f"The zero report's last day, {_us(until)}, is in the future."
    elif (until - since).days >= _LONGEST_ZERO_DAYS:
        problem = "The zero report covers more than a year."
    else:
        return
    yield Fault("IS03", problem, "Write the days in IS03 as #20260101#-#20260115#.")


def zero_days(draft: Draft) -> tuple[date | None, date | None]:
    """Give first and last day of a zero report: IS03, or else the date filled."""
    days = re.findall(r"#\s*(\d{8})\s*#", draft["IS03"])
    if len(days) == 2:
        return parse_day(days[0]), parse_day(days[1])
    return draft.day("DSP05"), draft.day("DSP05")


def _us(day: date) -> str:
    return f"{day:%m/%d/%Y}"
