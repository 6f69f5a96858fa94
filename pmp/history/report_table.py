"""The entries of a patient report as a table for a spreadsheet."""

from pmp import spreadsheets, wording
from pmp.history import PatientReport
from pmp.history.entries import Entry

_HEADER = (
    "Entry",
    "Filled",
    "Written",
    "Sold",
    "Drug",
    "Schedule",
    "Class",
    "Strength",
    "Quantity",
    "Days supply",
    "Frequency",
    "Supply to",
    "Days left",
    "Refill",
    "MME per day",
    "MME note",
    "Prescriber",
    "Prescriber phone",
    "Prescriber fax",
    "Pharmacy",
    "Pharmacy phone",
    "Pharmacy fax",
    "Payment",
    "Prescription number",
    "Reported as",
    "Mark",
)


def csv_of(report: PatientReport) -> str:
    """Write the entries as CSV, newest first, one row each, safe from formulas."""
    return spreadsheets.csv_text(_HEADER, map(_row, report.entries))


def _row(entry: Entry) -> tuple[object, ...]:
    return (
        entry.row_code,
        wording.us_date(entry.filled_on),
        wording.us_date(entry.written_on),
        wording.us_date(entry.sold_on),
        entry.drug,
        entry.schedule,
        entry.drug_class,
        entry.strength,
        wording.amount(entry.quantity),
        entry.days,
        entry.frequency,
        wording.us_date(entry.supply_to),
        "" if entry.days_left is None else entry.days_left,
        entry.refill,
        entry.mme_words,
        entry.mme.note or entry.mme.reason,
        entry.prescriber.name,
        wording.phone(entry.prescriber.phone),
        wording.phone(entry.prescriber.fax),
        entry.pharmacy.name,
        wording.phone(entry.pharmacy.phone),
        wording.phone(entry.pharmacy.fax),
        entry.payment,
        entry.prescription_number,
        entry.reported_as,
        "; ".join(entry.marks),
    )
