"""The rules that only warn about a record (R…, W06): it is stored all the same."""

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

_PLACEHOLDER = re.compile(
    r"NOT ON FILE|.*\bUNKNOWN\b.*|UNK|NONE|N/?A|NO ADDRESS.*|HOMELESS|X+|\.+|-+|0+"
)
_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|[ '\u2019.,\-])*")
_PLAIN_PHONE = re.compile(r"[2-9]\d{2}[2-9]\d{6}", re.ASCII)
_SSN = re.compile(r"\d{3}-\d{2}-\d{4}", re.ASCII)
_NAMELESS = re.compile(
    r"UNKNOWN\b.*|UNK|NOT ON FILE|NO (?:FIRST |LAST )?NAME|ENTER\b.*"
)
_STALE_DAYS = 180
_ID_LENGTH = len("DSP09")
_MOST_A_DAY = {"01": 60, "02": 1000, "03": 100}
_HOME = {"", "US", "USA", "UNITED STATES"}
_FLAGS_OF_PARTIAL = frozenset({"01", "02"})
_ID_KINDS = {"PAT03": "PAT02", "PAT06": "PAT05", "AIR05": "AIR04"}
_npi_problem = lru_cache(4096)(identifiers.npi_problem)
_JUDGED_AS_ERRORS = {"DSP01", "DSP07"}
_PARTIAL_IS_A_FLAG = {"4.0", "4.1"}


@rule("R02")
def prescriber_is_not_the_pharmacy(draft: Draft) -> Iterator[Fault]:
    """Require that the prescriber's DEA number is not the pharmacy's own."""
    same = draft["PRE02"] and draft["PRE02"] == draft["PHA03"]
    if same and not draft["PRE03"]:
        yield Fault(
            "PRE02",
            "The prescriber's DEA number is the pharmacy's own.",
            "Give the prescriber's number, or the suffix (PRE03) of an institution's.",
        )


@rule("R03")
def npi_fits_its_check_digit(draft: Draft) -> Iterator[Fault]:
    """Require that NPIs are well formed."""
    yield from _npi_faults(draft, ("PRE01", "DSP14"))


def pharmacy_faults(draft: Draft) -> Iterator[Fault]:
    """Give what is odd about a PHA segment, told once and not for each record."""
    yield from _npi_faults(draft, ("PHA01",))
    problem = draft["PHA02"] and identifiers.ncpdp_problem(draft["PHA02"])
    if problem:
        yield fault_of("PHA02", problem, "Correct the number.")
    for defined in elements.layout(draft.version)["PHA"]:
        text = draft[defined.id]
        if defined.id > "PHA03" and len(text) > defined.longest:
            yield length_fault(defined.id, text, defined)
    for element in draft.programme.wanted[draft.version].when_available.get("PHA", ()):
        if not draft[element]:
            yield Fault(element, f"{name(element)} is empty.", "Fill it in.")


def _npi_faults(draft: Draft, wanted: tuple[str, ...]) -> Iterator[Fault]:
    for element in wanted:
        problem = draft[element] and _npi_problem(draft[element])
        if problem:
            yield fault_of(element, problem, "Correct the number.")


@rule("R04")
def codes_are_in_their_list(draft: Draft) -> Iterator[Fault]:
    """Require that a coded element holds a code of its list."""
    for element, text, allowed in _coded(draft):
        if text.upper() not in allowed and text.zfill(2) not in allowed:
            yield Fault(
                element,
                f"{name(element)} is {quoted(text)}, which is not a code of its list.",
                f"Use one of {', '.join(sorted(allowed))}.",
            )
    partial = draft["DSP13"]
    flag = draft.version in _PARTIAL_IS_A_FLAG and partial.isdecimal()
    if flag and partial.zfill(2) not in _FLAGS_OF_PARTIAL:
        yield Fault(
            "DSP13",
            f"{name('DSP13')} is “{partial}”; in version {draft.version} 01 means a"
            " partial fill and 02 a whole one.",
            "Use 01 or 02. Numbers of partial fills begin with version 4.2.",
        )


@rule("R17")
def codes_have_two_digits(draft: Draft) -> Iterator[Fault]:
    """Require that a code is written with its leading zero."""
    for element, codes_of_it in codes.LISTS.items():
        text = draft[element]
        if len(text) == 1 and text.zfill(2) in codes_of_it:
            yield Fault(
                element,
                f"{name(element)} is “{text}”; it was read as “{text.zfill(2)}”.",
                "Write the code with two digits.",
            )


def _coded(draft: Draft) -> Iterator[tuple[str, str, frozenset[str]]]:
    for element, text in draft.elements.items():
        base = element if len(element) == _ID_LENGTH else element.partition(".")[0]
        if base in codes.LISTS and base not in _JUDGED_AS_ERRORS:
            yield element, text, codes.LISTS[base]


@rule("R05")
def schedule_two_has_no_refills(draft: Draft) -> Iterator[Fault]:
    """Require that a Schedule II drug (DSP34, from 5.0) is never refilled."""
    refilled = draft["DSP04"].strip("0") or draft["DSP06"].strip("0")
    if draft.version >= "5.0" and draft["DSP34"].zfill(2) == "02" and refilled:
        yield Fault(
            "DSP04",
            "A Schedule II drug is reported with refills.",
            "Give 0 for refills and fill number.",
        )


@rule("R06")
def fill_number_is_within_refills(draft: Draft) -> Iterator[Fault]:
    """Require that the fill number is not above the refills authorized."""
    refills, fill = draft["DSP04"], draft["DSP06"]
    whole = refills.isdecimal() and fill.isdecimal()
    if whole and int(fill[:9]) > int(refills[:9]):
        yield Fault(
            "DSP06",
            f"The fill number, {fill}, is above the refills authorized, {refills}.",
            "Compare both with the prescription.",
        )


@rule("R07")
def schedules_three_and_four_end_after_six_months(draft: Draft) -> Iterator[Fault]:
    """Require that CIII and CIV (DSP34, from 5.0) are not refilled after six months.

    21 CFR 1306.22(a), in days.
    """
    written, filled = draft.day("DSP03"), draft.day("DSP05")
    limited = draft.version >= "5.0" and draft["DSP34"].zfill(2) in {"03", "04"}
    if not limited or not draft["DSP06"].strip("0") or not (written and filled):
        return
    if (filled - written).days > _STALE_DAYS:
        yield Fault(
            "DSP06",
            "A Schedule III or IV drug is refilled more than six months after the"
            " prescription was written.",
            "Compare the date written and the fill number with the prescription.",
        )


@rule("R08")
def quantity_fits_the_days(draft: Draft) -> Iterator[Fault]:
    """Require that the quantity a day is plausible."""
    quantity, days, unit = draft["DSP09"], draft["DSP10"], draft["DSP11"].zfill(2)
    if not re.fullmatch(r"\d{1,5}(\.\d*)?", quantity) or not days.isdecimal():
        return
    a_day = Decimal(quantity) / max(int(days[:9]), 1)
    most = _MOST_A_DAY.get(unit)
    if most and a_day > most:
        what = codes.UNITS[unit] if unit != "01" else "units"
        yield Fault(
            "DSP09",
            f"{quantity} {what} in {days} days are more than {most} a day.",
            "Compare quantity, unit and days supply with the prescription.",
        )


@rule("R09")
def state_and_zip_agree(draft: Draft) -> Iterator[Fault]:
    """Require that state and ZIP code of the patient are real and fit each other."""
    state, zip_code = draft["PAT15"].upper(), draft["PAT16"]
    abroad = draft["PAT22"].upper() not in _HOME
    if abroad or not zip_code.strip("0") or not state:
        return
    problem = identifiers.zip_problem(zip_code)
    if problem:
        yield fault_of("PAT16", problem, "Correct the ZIP code.")
    elif state not in codes.states_of(zip_code[:3]):
        yield Fault(
            "PAT16",
            f"The ZIP code {zip_code} is not in the state “{state}”.",
            "Compare ZIP code and state with the patient's address.",
        )


@rule("R10")
def address_and_phone_are_real(draft: Draft) -> Iterator[Fault]:
    """Require that the patient's name, address and phone are real ones."""
    for element in ("PAT07", "PAT08"):
        if _NAMELESS.fullmatch(draft[element].upper()):
            yield Fault(
                element,
                f"{name(element)}, “{draft[element]}”, is not a name.",
                "Ask the patient for the name.",
            )
    street = draft["PAT12"]
    if _PLACEHOLDER.fullmatch(street.upper()) or is_placeholder(street):
        yield Fault(
            "PAT12",
            f"The patient's street, “{draft['PAT12']}”, is not an address.",
            "Ask the patient for the address.",
        )
    phone = draft["PAT17"]
    if not phone:
        return
    if phone == draft["PHA10"]:
        yield Fault(
            "PAT17",
            "The patient's phone is the pharmacy's own.",
            "Leave it empty if the patient has none.",
        )
    elif not _PLAIN_PHONE.fullmatch(phone) or len(set(phone)) == 1:
        yield Fault(
            "PAT17",
            f"The patient's phone, “{phone}”, is not a phone number of ten digits.",
            "Give ten digits, or leave it empty if the patient has none.",
        )


@rule("R11")
def sold_after_filled(draft: Draft) -> Iterator[Fault]:
    """Require that the date sold is not before the date filled."""
    sold, filled = draft.day("DSP17"), draft.day("DSP05")
    if draft.version >= "4.1" and sold and filled and sold < filled:
        yield Fault(
            "DSP17",
            f"The date sold, {sold:%m/%d/%Y}, is before the date filled,"
            f" {filled:%m/%d/%Y}.",
            "Compare both dates with the register.",
        )


@rule("R13")
def names_are_names(draft: Draft) -> Iterator[Fault]:
    """Require that names have letters, blanks, hyphens and apostrophes only."""
    for element in ("PAT07", "PAT08", "PAT09", "PRE05", "PRE06"):
        if draft[element] and not _NAME.fullmatch(draft[element]):
            yield Fault(
                element,
                f"{name(element)}, “{draft[element]}”, has characters that names do"
                " not have.",
                "Compare it with the patient's or prescriber's record.",
            )


@rule("R14")
def animal_has_a_name(draft: Draft) -> Iterator[Fault]:
    """Require that a veterinary record names the animal."""
    asked_for = draft.version >= "4.1" and "PAT23" not in draft.programme.not_used
    if draft.animal and not draft["PAT23"] and asked_for:
        yield Fault(
            "PAT23",
            "The patient is an animal, but its name is empty.",
            "Fill in the animal's name (PAT23).",
        )


@rule("R16")
def prescription_is_not_stale(draft: Draft) -> Iterator[Fault]:
    """Require that a prescription is filled within 180 days after it was written."""
    written, filled = draft.day("DSP03"), draft.day("DSP05")
    if written and filled and (filled - written).days > _STALE_DAYS:
        yield Fault(
            "DSP03",
            f"The prescription was written {(filled - written).days} days before it"
            " was filled.",
            "Compare the date written with the prescription.",
        )


@rule("R18")
def expected_elements_are_filled(draft: Draft) -> Iterator[Fault]:
    """Require that what the programme also asks for is not empty; of PHA, W14 tells."""
    expected = draft.programme.wanted[draft.version].when_available
    for segment, ids in expected.items():
        if segment == "PHA" or not draft.has(segment) or draft.void:
            continue
        for nth in draft.numbers(segment):
            for element in ids:
                if not draft[element + nth]:
                    place = element + nth
                    yield Fault(place, f"{name(place)} is empty.", "Fill it in.")


@rule("R19")
def ndc_has_no_hyphens(draft: Draft) -> Iterator[Fault]:
    """Require that an NDC is sent as 11 digits; with hyphens it is converted."""
    for element in ("DSP08", *(f"CDI03{nth}" for nth in draft.ingredients())):
        if "-" not in draft[element]:
            continue
        try:
            ndc = identifiers.parse_ndc(draft[element])
        except ValueError:
            continue
        yield Fault(
            element,
            f"The NDC {draft[element]} was read as {ndc}.",
            "Send the 11 digits without hyphens.",
        )


@rule("R20")
def no_social_security_number(draft: Draft) -> Iterator[Fault]:
    """Require that no Social Security number is sent where none is kept."""
    for element in social_security_elements(draft):
        yield Fault(
            element,
            "A Social Security number was sent. It is not kept.",
            "Send a driver licence or state ID (06 or 02) instead.",
        )


def social_security_elements(draft: Draft) -> list[str]:
    """Name the elements whose Social Security number must not be kept."""
    if draft.programme.keeps_social_security_numbers:
        return []
    return [
        element
        for element, kind in _ID_KINDS.items()
        if draft[element]
        and (draft[kind].zfill(2) == "07" or _SSN.fullmatch(draft[element]))
    ]


@rule("R21")
def country_is_written_out(draft: Draft) -> Iterator[Fault]:
    """Require that the country is no code: CN is Canada in one list, else China."""
    country = draft["PAT22"].upper()
    if len(country) == 2 and country not in _HOME:
        also = " In one list of codes it is Canada, in others China."
        yield Fault(
            "PAT22",
            f"{name('PAT22')} is “{country}”, a code that can mean two countries."
            f"{also if country == 'CN' else ''}",
            "Write the country's name, such as CANADA.",
        )


@rule("W06", for_zero=True)
def no_surplus_elements(draft: Draft) -> Iterator[Fault]:
    """Require that a segment has no more filled elements than its version defines."""
    known = elements.by_id(draft.version)
    for element in sorted(draft.elements.keys() - known.keys()):
        if element.partition(".")[0] in known:
            continue
        text = draft[element]
        joined = [each for each in elements.SEGMENTS if text.endswith(each)]
        yield Fault(
            element,
            f"{element} does not exist in version {draft.version}.",
            "The end of a segment seems to be missing before"
            f" “{joined[0]}”: check the segment terminator."
            if joined
            else "Leave it out.",
        )
