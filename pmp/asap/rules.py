"""The rules that hold a record (E…): each a function from a draft to its faults.

A rule yields nothing for a good record.  How grave it is and what it means stands in
catalogue.csv; what the technician reads is the fault's message and fix.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache

from pmp import identifiers
from pmp.asap import codes, elements
from pmp.asap.draft import Draft
from pmp.asap.faults import (
    Fault,
    fault_of,
    is_placeholder,
    length_fault,
    name,
    quoted,
    rule,
)

_NUMBER = re.compile(r"\d+", re.ASCII)
_QUANTITY = re.compile(r"\d+(?:\.\d*)?|\.\d+", re.ASCII)
_dea_problem = lru_cache(4096)(identifiers.dea_problem)
_MOST_QUANTITY = 99_999
_LONGEST_OF_PHARMACY = 200
_SHAPE_TOLD_ELSEWHERE = {"DT", "TM"}


@rule("E01")
def patient_is_given(draft: Draft) -> Iterator[Fault]:
    """Require that a DSP segment follows a PAT segment."""
    if not draft.has("PAT") and not draft.void:
        yield Fault(
            "PAT",
            "There is no patient (PAT segment) before this dispensation.",
            "Send the patient's PAT segment before the DSP segment.",
        )


@rule("E02")
def prescriber_is_given(draft: Draft) -> Iterator[Fault]:
    """Require that a DSP segment is followed by its PRE segment."""
    if not draft.has("PRE") and not draft.void and not draft.orphan_pre:
        yield Fault(
            "PRE",
            "There is no prescriber (PRE segment) after this dispensation.",
            "Send the prescriber's PRE segment right after the DSP segment.",
        )


@rule("E03")
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


@rule("E04", for_zero=True)
def required_elements_are_filled(draft: Draft) -> Iterator[Fault]:
    """Require that what the programme requires is filled, of zero reports PHA alone."""
    for segment, required in draft.programme.wanted[draft.version].required.items():
        if not _is_asked_for(draft, segment):
            continue
        for nth in draft.numbers(segment):
            for element in required:
                if not draft[element + nth]:
                    place = element + nth
                    yield Fault(place, f"{name(place)} is empty.", "Fill it in.")


def _is_asked_for(draft: Draft, segment: str) -> bool:
    """Whether empty elements of a segment are told: a void needs only its DSP."""
    if draft.zero:
        return segment == "PHA"
    return draft.has(segment) and (not draft.void or segment in {"PHA", "DSP", "CDI"})


@rule("E09")
def quantities_are_plausible(draft: Draft) -> Iterator[Fault]:
    """Require that a quantity is a number above 0 and at most 99,999."""
    for element in ("DSP09", *(f"CDI04{nth}" for nth in draft.ingredients())):
        text = draft[element]
        if not text:
            continue
        if not _QUANTITY.fullmatch(text) or not 0 < Decimal(text) <= _MOST_QUANTITY:
            yield Fault(
                element,
                f"{name(element)} is {quoted(text)}; a number above 0 and at most"
                f" {_MOST_QUANTITY:,} is expected.",
                "Give the metric quantity, with a point before decimals: 2.5.",
            )


@rule("E10")
def days_supply_is_plausible(draft: Draft) -> Iterator[Fault]:
    """Require that days supply is a whole number from 1 to 999."""
    text = draft["DSP10"]
    if text and not (_NUMBER.fullmatch(text) and 1 <= int(text[:9]) <= 999):
        yield Fault(
            "DSP10",
            f"{name('DSP10')} is {quoted(text)}; a whole number from 1 to 999 is"
            " expected.",
            "Give the number of days that the quantity lasts.",
        )


@rule("E11")
def product_is_named(draft: Draft) -> Iterator[Fault]:
    """Require that the product is an NDC of 11 digits, or a compound."""
    kind = draft["DSP07"]
    if kind and kind.zfill(2) not in codes.LISTS["DSP07"]:
        yield Fault(
            "DSP07",
            f"{name('DSP07')} is {quoted(kind)}; 01 (NDC) or 06 (compound) is"
            " expected.",
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
        filler = is_placeholder(draft[element])
        problem = f"it holds {quoted(draft[element])}." if filler else str(fault)
        yield fault_of(element, problem, "Give the 11-digit NDC.")
        return
    if not ndc.strip("0"):
        yield Fault(element, f"{name(element)} is all zeros.", "Give the 11-digit NDC.")


@rule("E12")
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


@rule("E13", for_zero=True)
def dea_numbers_fit_their_check_digit(draft: Draft) -> Iterator[Fault]:
    """Require that the DEA numbers of pharmacy and prescriber are well formed."""
    for element in ("PHA03", "PRE02"):
        text = draft[element].upper()
        if not text or (element == "PRE02" and draft.zero):
            continue
        meant = re.sub(r"[\s.-]", "", text)
        if not (problem := _dea_problem(text)):
            continue
        if meant != text and not _dea_problem(meant):
            problem = f"the DEA number “{text}” has a blank or hyphen inside."
            yield Fault(element, f"{name(element)}: {problem}", f"Write {meant}.")
        elif is_placeholder(text):
            problem = f"it holds {quoted(text)}."
            yield fault_of(element, problem, "Fill in the DEA number.")
        else:
            yield fault_of(element, problem, "Correct the number.")


@rule("E14")
def status_is_known(draft: Draft) -> Iterator[Fault]:
    """Require that DSP01 is 00 new, 01 revise or 02 void."""
    text = draft["DSP01"]
    if text and text.zfill(2) not in codes.LISTS["DSP01"]:
        yield Fault(
            "DSP01",
            f"{name('DSP01')} is {quoted(text)}; 00, 01 or 02 is expected.",
            "Use 00 for a new record, 01 to revise and 02 to void one.",
        )


@rule("E15", for_zero=True)
def elements_are_not_too_long(draft: Draft) -> Iterator[Fault]:
    """Require that no element is longer than its version allows; none is ever cut.

    Of a pharmacy, W14 tells what is too long; here only what can never be stored.
    """
    known = elements.by_id(draft.version)
    zero = draft.zero
    for element, text in draft.elements.items():
        defined = known.get(element) or known.get(element.partition(".")[0])
        if not defined or len(text) <= defined.longest:
            continue
        if element.startswith("PHA"):
            if len(text) > _LONGEST_OF_PHARMACY:
                yield length_fault(element, text, defined)
        elif not zero and defined.kind not in _SHAPE_TOLD_ELSEWHERE:
            yield length_fault(element, text, defined)


@rule("E18")
def counts_are_whole_numbers(draft: Draft) -> Iterator[Fault]:
    """Require that refills, fill number and partial fill are whole numbers."""
    for element in ("DSP04", "DSP06", "DSP13"):
        if draft[element] and not _NUMBER.fullmatch(draft[element]):
            yield Fault(
                element,
                f"{name(element)} is {quoted(draft[element])}, which is not a whole"
                " number.",
                "Give a whole number; 0 if there is none.",
            )


@rule("E19", for_zero=True)
def pharmacy_is_identified(draft: Draft) -> Iterator[Fault]:
    """Require that the pharmacy gives its DEA, NCPDP or NPI number."""
    if not (draft["PHA01"] or draft["PHA02"] or draft["PHA03"]):
        yield Fault(
            "PHA03",
            "The pharmacy is not identified: DEA, NCPDP and NPI number are all empty.",
            "Fill in the pharmacy's DEA number (PHA03).",
        )
