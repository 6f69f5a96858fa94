"""What a column can mean, in plain words, and guessing it from headings and values."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pmp import asap, identifiers
from pmp.csv_submissions.csv_reader import Sheet
from pmp.uploads.programme import programme

PATIENT_NAME = "PAT_NAME"
"""Not an element: a column that has “LAST, FIRST” in one cell."""
PHARMACY_NUMBERS = ("PHA03", "PHA02", "PHA01")


@dataclass(frozen=True)
class Column:
    """An element that a column may hold: words, an example, other headings for it."""

    element: str
    words: str
    example: str
    hint: str
    synonyms: tuple[str, ...]
    required: bool = False

    @property
    def group(self) -> str:
        """The part of the form that it belongs to."""
        return _GROUPS[self.element[:3]]


_GROUPS = {
    "PAT": "Patient",
    "DSP": "Prescription and drug",
    "PRE": "Prescriber",
    "PHA": "Pharmacy",
}
# element | words (* required) | example | hint | headings that mean it
_TABLE = """
PAT07|Patient last name*|Example||last name, lastname, surname, family name, pt last, patient last, last
PAT08|Patient first name*|Ada||first name, firstname, given name, forename, pt first, patient first, first
PAT_NAME|Patient name, last and first in one|Example, Ada|instead of the two columns above|patient name, patient, name, pt name, customer, customer name
PAT09|Patient middle name|M||middle name, middle initial, middle, mi
PAT18|Birth date*|04/28/1971||birth date, date of birth, dob, born, birthdate, patient dob, pt dob, birthday
PAT19|Sex|F|F, M or U; female and male are understood|sex, gender, patient sex, patient gender
PAT12|Street|12 Maple St||street, address, address 1, address1, street address, patient address, addr, addr1
PAT13|Street, second line|Apt 4||address 2, address2, addr2, apt, apartment
PAT14|City|Hamden||city, town, patient city
PAT15|State|CT||state, patient state, st, province
PAT16|ZIP code|06514||zip, zip code, zipcode, postal code, postcode, patient zip
PAT17|Patient phone|203-555-0111||phone, telephone, patient phone, phone number, tel, mobile
PAT20|Animal|no|yes or no|animal, species, veterinary, is animal, animal yes no
PAT23|Animal name||only for an animal|animal name, pet name, pet
DSP01|New, revise or void|new|empty: new|new revise or void, reporting status, record type, action, transaction type
DSP02|Prescription number*|600100||prescription number, rx number, rx, rx no, rxno, rx num, script number, prescription no, prescription, rxnumber
DSP03|Date written*|11/02/2026||date written, written, written date, date rx written, date prescribed, prescribed, issue date, date issued
DSP05|Date filled*|11/03/2026||date filled, filled, fill date, date dispensed, dispensed, dispense date, date of fill, service date, date
DSP17|Date sold|11/03/2026||date sold, sold, sold date, pickup date, picked up, date picked up
DSP04|Refills authorized*|0||refills authorized, refills, refills allowed, refills auth, number of refills, auth refills, refills authorised
DSP06|Fill number*|0|0 is the original fill|fill number, fill no, refill number, refill no, fill, refill, fill num
DSP08|NDC*|00406-0512-01|11 digits; format the column as Text|ndc, ndc number, ndc code, national drug code, product id, drug ndc, ndc11, product
DSP09|Quantity*|60||quantity, qty, qty dispensed, quantity dispensed, amount, amount dispensed, metric quantity
DSP11|Unit|each|each, ml or g|unit, units, uom, unit of measure, dosage unit
DSP10|Days supply*|30||days supply, day supply, days, ds, supply, days of supply, dayssupply
DSP12|How the prescription came|electronic|written, phone, fax or electronic|how the prescription came, origin, rx origin, origin code, received, transmission, how received
DSP13|Partial fill|0|0 is a whole fill, 1 the first part|partial fill, partial, partial fill number
DSP16|Paid by|insurance|cash, Medicaid, Medicare or insurance|paid by, payment, payment type, payer, pay type, paid, method of payment, insurance
PRE02|Prescriber DEA number*|AS3045122||prescriber dea number, prescriber dea, dea, dea number, dea no, doctor dea, physician dea, provider dea, md dea
PRE03|Suffix of the DEA number||only for a hospital's number|suffix of the dea number, dea suffix, suffix
PRE01|Prescriber NPI|||prescriber npi, npi, doctor npi, provider npi
PRE05|Prescriber last name|Smith||prescriber last name, doctor last name, prescriber last, prescriber, doctor, provider last name, physician, md
PRE06|Prescriber first name|Sara||prescriber first name, doctor first name, prescriber first, provider first name
PRE08|Prescriber phone|203-555-0177||prescriber phone, doctor phone, provider phone
PHA03|Pharmacy DEA number|||pharmacy dea number, pharmacy dea, store dea, dispenser dea
PHA02|Pharmacy NCPDP number|||pharmacy ncpdp number, ncpdp, pharmacy ncpdp, nabp
PHA01|Pharmacy NPI|||pharmacy npi, store npi, dispenser npi
"""  # noqa: E501 - one line, one element


def _column(line: str) -> Column:
    element, words, example, hint, synonyms = line.split("|")
    return Column(
        element,
        words.rstrip("*"),
        example,
        hint,
        tuple(each.strip() for each in synonyms.split(",")),
        required=words.endswith("*"),
    )


COLUMNS: Mapping[str, Column] = {
    column.element: column for column in map(_column, _TABLE.strip().splitlines())
}
"""What a column may hold, by element, in the order of the form."""

TEMPLATE = tuple(
    column for element, column in COLUMNS.items() if element != PATIENT_NAME
)

_BY_HEADING = {
    heading: column.element
    for column in COLUMNS.values()
    for heading in (column.words.lower(), *column.synonyms)
}
_KEEP_FROM_VALUES = 0.6
_SEX = re.compile(r"[FMU]|female|male", re.IGNORECASE)
_NDC = re.compile(r"\d{11}|\d{4,5}-\d{3,4}-\d{1,2}", re.ASCII)


def guess(sheet: Sheet, used: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give heading → element, “” where nothing fits: each element at most once.

    `used`: what an earlier file with some of these headings meant.
    """
    found: dict[str, str] = {}
    for read in (used or {}).get, _by_heading:
        for heading in sheet.headings:
            element = read(heading) or ""
            if element and heading not in found and element not in found.values():
                found[heading] = element
    for place, heading in enumerate(sheet.headings):
        if heading not in found:
            element = _by_values(sheet.samples(place, 20))
            found[heading] = element if element not in found.values() else ""
    if {"PAT07", "PAT08"} & set(found.values()):
        found = {h: "" if e == PATIENT_NAME else e for h, e in found.items()}
    return {heading: found[heading] for heading in sheet.headings}


def missing(elements: Sequence[str]) -> list[Column]:
    """Give the columns that every record needs and that none of these give."""
    have = set(elements)
    if PATIENT_NAME in have:
        have |= {"PAT07", "PAT08"}
    wanted = programme().uses
    return [
        column
        for element, column in COLUMNS.items()
        if (column.required or wanted.get(element) is asap.Use.REQUIRED)
        and element not in have
    ]


def sample_rows() -> list[list[str]]:
    """Give two rows of a filled template; the people in it do not exist."""
    first = {column.element: column.example for column in TEMPLATE}
    second = {
        **first,
        "PAT08": "Ben",
        "PAT18": "11/30/1964",
        "PAT19": "M",
        "DSP02": "600101",
    }
    return [[row[column.element] for column in TEMPLATE] for row in (first, second)]


def _by_heading(heading: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", " ", heading.lower()).strip()
    plain = re.sub(r" required$| optional$", "", plain)
    return _BY_HEADING.get(plain, "")


def _by_values(values: Sequence[str]) -> str:
    """Guess from values that look like nothing else."""
    for element, fits in (
        ("DSP08", _NDC.fullmatch),
        ("PAT19", _SEX.fullmatch),
        ("PRE02", lambda text: not identifiers.dea_problem(text.upper())),
    ):
        if values and sum(1 for each in values if fits(each)) > (
            len(values) * _KEEP_FROM_VALUES
        ):
            return element
    return ""
