"""Codes written as words, without their zero, or not at all; names of states."""

from collections.abc import Iterator, Mapping

from pmp import identifiers
from pmp.asap import codes

Found = tuple[str, str, str]

_MEANINGS: dict[str, dict[str, str]] = {
    "DSP01": {"00": "a new record", "01": "revises a record", "02": "voids a record"},
    "DSP07": {"01": "NDC", "06": "compound"},
    "DSP11": {"01": "each (tablets, patches)", "02": "millilitres", "03": "grams"},
    "PAT19": {"F": "female", "M": "male", "U": "unknown"},
    "PAT20": {"01": "human", "02": "animal"},
    "CDI05": {"01": "each", "02": "millilitres", "03": "grams"},
}
_UNITS = {
    "01": "EA EACH TAB TABS TABLET TABLETS CAP CAPS CAPSULE CAPSULES UNIT PATCH EACHES",
    "02": "ML MLS MILLILITER MILLILITERS CC",
    "03": "G GM GMS GRAM GRAMS",
}
_WORDS: dict[str, dict[str, str]] = {
    "DSP01": {
        "00": "NEW N ADD A ORIGINAL SEND",
        "01": "REVISE REVISED REVISION R CHANGE CHANGED UPDATE CORRECT CORRECTION",
        "02": "VOID VOIDED V DELETE DELETED D CANCEL CANCELLED CANCELED REVERSAL"
        " REVERSE REVERSED",
    },
    "DSP07": {"01": "NDC N", "06": "COMPOUND CMPD C"},
    "DSP11": _UNITS,
    "CDI05": _UNITS,
    "CDI02": {"01": "NDC N", "02": "UPC", "03": "HRI"},
    "PAT19": {
        "F": "FEMALE WOMAN GIRL F.",
        "M": "MALE MAN BOY M.",
        "U": "UNKNOWN UNK X OTHER UNDIFFERENTIATED",
    },
    "PAT20": {
        "01": "HUMAN H PERSON",
        "02": "ANIMAL VET VETERINARY A DOG CAT HORSE CANINE FELINE EQUINE",
    },
    "DSP12": {
        "01": "WRITTEN PAPER",
        "02": "PHONE TELEPHONE VERBAL ORAL",
        "04": "FAX",
        "05": "ELECTRONIC ERX E-RX ESCRIPT E",
        "06": "TRANSFER TRANSFERRED",
    },
    "DSP16": {
        "01": "CASH PRIVATE CHARGE",
        "02": "MEDICAID",
        "03": "MEDICARE",
        "04": "COMMERCIAL INSURANCE",
        "05": "MILITARY VA TRICARE",
        "06": "WORKERS",
    },
}
_READ = {
    element: {word: code for code, words in found.items() for word in words.split()}
    for element, found in _WORDS.items()
}
_SHORT_STATES = (
    "WASHINGTONDC=DC CONN=CT CTUSA=CT USCT=CT MASS=MA PENN=PA PENNA=PA CALIF=CA FLA=FL"
)
_STATES = {
    **{name.replace(" ", ""): code for name, code in identifiers.STATE_NAMES.items()},
    **dict(each.split("=") for each in _SHORT_STATES.split()),
}


def codes_for(text: str, element: str) -> Iterator[Found]:
    """Give the code that a text means; else, of a short list, every code."""
    allowed = codes.LISTS.get(element)
    if not allowed:
        return
    shown = " ".join(text.upper().split())
    meanings = _MEANINGS.get(element, {})
    code = _READ.get(element, {}).get(shown) or _of_width(shown, allowed)
    if code:
        yield code, meanings.get(code, "the code with two digits"), "code"
        return
    for each, meaning in meanings.items():
        yield each, meaning, f"code {each}"


def states(text: str, element: str, elements: Mapping[str, str]) -> Iterator[Found]:
    """Give the two-letter code of a state's name, else the state of the ZIP code."""
    letters = "".join(sign for sign in text.upper() if sign.isalpha())
    if letters in _STATES:
        yield _STATES[letters], "the state's postal code", "state"
    elif letters in identifiers.STATES:
        yield letters, "the state's postal code", "state"
    zip_code = elements.get("PAT16", "")
    if element == "PAT15" and zip_code[:3].isdecimal() and len(zip_code) >= 5:
        found = codes.states_of(zip_code[:3])
        if len(found) == 1:
            yield next(iter(found)), f"the state of ZIP code {zip_code}", "state of ZIP"


def _of_width(text: str, allowed: frozenset[str]) -> str:
    if not text.isdecimal():
        return text if text in allowed else ""
    code = f"{int(text[:9]):02}"
    return code if code in allowed else ""
