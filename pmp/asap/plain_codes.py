"""The words that people use for the standard's codes, and states by their names.

Each list is written “code: word, word”; the first word is the one that is shown.
"""

from collections.abc import Mapping

_LISTS = {
    "PAT19": "F: female, woman, girl | M: male, man, boy | U: unknown, other",
    "PAT20": "01: human, person, no, n, false | 02: animal, veterinary, vet, pet, dog,"
    " cat, horse, yes, y, true",
    "DSP01": "00: new, add, original | 01: revise, revised, revision, change, changed,"
    " correct, corrected, correction | 02: void, voided, delete, deleted, cancel,"
    " cancelled, canceled, reversal",
    "DSP11": "01: each, ea, unit, units, tablet, tablets, tab, tabs, capsule, capsules,"
    " cap, caps, patch, patches, film, films, suppository, lozenge | 02: ml,"
    " milliliter, milliliters, millilitre, millilitres, cc | 03: g, gm, gms, gram,"
    " grams",
    "DSP12": "01: written, paper, hard copy | 02: phone, telephone, phoned, verbal"
    " | 03: emergency phone, emergency | 04: fax, faxed, facsimile | 05: electronic,"
    " erx, e-rx, e-prescription, eprescription, escript, e-script, electronically"
    " | 06: transferred, transfer | 99: other",
    "DSP16": "01: cash or card, cash, private, private pay, self, self pay, self-pay,"
    " card, credit card, charge, check | 02: Medicaid | 03: Medicare, part d"
    " | 04: insurance, commercial, commercial insurance, third party, private"
    " insurance | 05: military or VA, military, va, tricare | 06: workers' comp,"
    " workers comp, workers compensation, worker's comp, workers' compensation"
    " | 07: Indian nations, indian nation, ihs, tribal | 99: other",
}


def _listed(text: str) -> list[tuple[str, list[str]]]:
    parts = [part.partition(":") for part in text.split("|")]
    return [
        (code.strip(), [word.strip() for word in words.split(",")])
        for code, _, words in parts
    ]


SHOWN: Mapping[str, Mapping[str, str]] = {
    element: {code: words[0] for code, words in _listed(text)}
    for element, text in _LISTS.items()
}
"""Element → code → its word, in the order of the standard."""

CODES: Mapping[str, Mapping[str, str]] = {
    element: {
        **{code.lstrip("0").lower() or "0": code for code, _ in _listed(text)},
        **{code.lower(): code for code, _ in _listed(text)},
        **{word.lower(): code for code, words in _listed(text) for word in words},
    }
    for element, text in _LISTS.items()
}
"""Element → what people write, in lower case → code."""
