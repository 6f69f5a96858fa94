"""An entry of a patient report: one fill in the words that a reader needs.

What the columns hold stays as it was frozen; here it is put in words (frequency,
refill, payment) and given its MME under the rule set in force.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from models import DrugClass, Species
from pmp import mme, wording
from pmp.asap.codes import COMPOUND
from pmp.drug_classes import product_key
from pmp.fills import Fill
from pmp.mme import Dose, Mme, Outcome, RuleSet

# ASAP DSP16. 01 is what the regulations call cash.
PAYMENTS = {
    "01": "Cash",
    "02": "Medicaid",
    "03": "Medicare",
    "04": "Insurance",
    "05": "Military or VA",
    "06": "Workers' compensation",
    "07": "Indian nations",
    "99": "Other",
}
_NOUNS = ("tablet", "capsule", "patch", "film", "lozenge", "suppository")
_UNITS = {"02": "mL", "03": "g"}


@dataclass(frozen=True)
class Contact:
    """A prescriber or a pharmacy, as one calls them. `key` tells them apart."""

    key: int
    name: str
    dea: str
    phone: str
    fax: str
    place: str


@dataclass(frozen=True)
class Entry:
    """One fill on a report. Words are for the page; `fill` is for the arithmetic."""

    row_code: str
    version: int
    stored_at: datetime
    filled_on: date
    written_on: date | None
    sold_on: date | None
    drug: str
    drug_class: str
    schedule: str
    strength: str
    quantity: Decimal
    days: int
    frequency: str
    refill: str
    payment: str
    prescription_number: str
    prescriber: Contact
    pharmacy: Contact
    reported_as: str
    mme: Mme
    fill: Fill
    is_animal: bool
    is_running_in: bool  # filled before the period, with supply left at its start
    days_left: int | None  # after the report's today; None: its supply has ended
    is_corrected: bool
    corrected_at: datetime | None
    under_review_since: datetime | None

    @property
    def is_under_review(self) -> bool:
        return self.under_review_since is not None

    @property
    def supply_to(self) -> date:
        return self.fill.last

    @property
    def marks(self) -> list[str]:
        """Give what a reader must know of this entry beside its facts."""
        marks = []
        if self.is_running_in:
            marks.append("filled before this period, runs into it")
        if self.under_review_since:
            day = wording.us_date(self.under_review_since)
            marks.append(f"accuracy under review since {day}")
        if self.is_corrected:
            day = wording.us_date(self.corrected_at)
            marks.append(f"corrected {day}".rstrip())
        return [*marks, "for an animal"] if self.is_animal else marks

    @property
    def dose(self) -> str:
        """Write frequency and MME as one sum: "… = 4 a day x 10 mg x 1.5 = 60 MME/day".

        The frequency alone where no MME was computed, or for other days than reported.
        """
        if self.mme.factor is None or self.mme.note:
            return self.frequency
        factor = wording.amount(self.mme.factor)
        return f"{self.frequency} × {factor} = {self.mme.shown} MME/day"  # noqa: RUF001

    @property
    def mme_words(self) -> str:
        """Give the MME cell: a number, "not calculated", or nothing."""
        if self.mme.outcome is Outcome.NOT_CALCULATED:
            return "not calculated"
        return self.mme.shown

    @property
    def mme_remark(self) -> str:
        """Say why there is no MME, or what it was computed from otherwise; or empty."""
        if self.mme.outcome is Outcome.NOT_CALCULATED:
            return f"MME not calculated: {self.mme.reason}"
        return f"MME {self.mme.note}" if self.mme.note else ""


def from_row(
    row: dict[str, Any],
    *,
    rules: RuleSet,
    since: date,
    today: date,
    under_review_since: datetime | None = None,
    corrected_at: datetime | None = None,
) -> Entry:
    """Make an entry of a report from `since` on from a row of `pmp.history.rows`."""
    amount = mme.daily(_dose(row), rules)
    fill = _fill(row, amount)
    return Entry(
        row_code=row["row_code"],
        version=row["version"],
        stored_at=row["stored_at"],
        filled_on=row["filled_on"],
        written_on=row["written_on"],
        sold_on=row["sold_on"],
        drug=row["drug_name"],
        drug_class=row["drug_class"].value,
        schedule=row["schedule"],
        strength=strength_words(row),
        quantity=row["quantity"],
        days=row["days_supply"],
        frequency=frequency(row),
        refill=_refill(row),
        payment=PAYMENTS.get(row["payment"], "Not given"),
        prescription_number=row["prescription_number"],
        prescriber=_prescriber(row),
        pharmacy=_pharmacy(row),
        reported_as=wording.person_name(row["last_name"], row["first_name"]),
        mme=amount,
        fill=fill,
        is_animal=row["species"] is Species.ANIMAL,
        is_running_in=row["filled_on"] < since <= fill.last,
        days_left=(fill.last - today).days if fill.covers(today) else None,
        is_corrected=bool(row["corrected"]),
        corrected_at=corrected_at,
        under_review_since=under_review_since,
    )


def supply_of(row: dict[str, Any], *, rules: RuleSet) -> Fill:
    """Make what the arithmetic sees of a row of `pmp.history.rows` with SUPPLY."""
    return _fill(row, mme.daily(_dose(row), rules))


def _class(row: dict[str, Any]) -> str:
    """Give the class for the arithmetic: empty while nobody knows what it is."""
    if row["product_qualifier"] == COMPOUND:
        return ""
    unknown = row["drug_class"] is DrugClass.OTHER and not row["ingredient"]
    return "" if unknown else str(row["drug_class"].value)


def _dose(row: dict[str, Any]) -> Dose:
    return Dose(
        key=row["mme_key"],
        drug_class=_class(row),
        strength=row["strength"],
        strength_unit=row["strength_unit"],
        quantity=row["quantity"],
        days=row["days_supply"],
        counted=_noun(row).strip(),
    )


def _fill(row: dict[str, Any], amount: Mme) -> Fill:
    strength = strength_words(row)
    per_unit = mme.amount_per_unit(row["strength"], row["strength_unit"])
    return Fill(
        row_code=row["row_code"],
        first=row["sold_on"] or row["filled_on"],
        days=row["days_supply"],
        drug=row["drug_name"],
        drug_class=_class(row),
        ingredient=row["ingredient"],
        product=product_key(
            row["ingredient"] or row["drug_name"], strength, row["form"]
        ),
        long_acting=row["long_acting"],
        mme=amount,
        daily_mg=_daily(per_unit, row),
        daily_acetaminophen_mg=_daily(row["acetaminophen_mg"], row),
        prescriber=row["prescriber_id"],
        pharmacy=row["pharmacy_id"],
        how=frequency(row),
    )


def _daily(per_unit: Decimal | None, row: dict[str, Any]) -> Decimal | None:
    if not per_unit or row["days_supply"] <= 0:
        return None
    daily: Decimal = per_unit * row["quantity"] / row["days_supply"]
    return daily


def strength_words(row: dict[str, Any]) -> str:
    """Write a strength: "10 mg", "25 mcg/hr"; empty if it is not known."""
    if row["strength"] is None:
        return ""
    return f"{wording.amount(row['strength'])} {row['strength_unit']}".strip()


def frequency(row: dict[str, Any]) -> str:
    """Write how much is taken: "60 tablets for 15 days = 4 a day x 10 mg".

    An amount a day that does not come out even is given to 0.1 and called "about"; less
    than one a day is "1 every 3 days" where that comes out even.
    """
    quantity, days = row["quantity"], row["days_supply"]
    if quantity <= 0 or days <= 0:
        return "The quantity or the days supply is not known"
    length = "1 day" if days == 1 else f"{days} days"
    words = f"{wording.amount(quantity)}{_noun(row)} for {length} = {_rate(row)}"
    strength = strength_words(row)
    return f"{words} × {strength}" if strength else words  # noqa: RUF001


def _rate(row: dict[str, Any]) -> str:
    quantity, days = row["quantity"], row["days_supply"]
    unit = f" {_UNITS[row['units']]}" if row["units"] in _UNITS else ""
    if quantity < days and days % quantity == 0:
        return f"1{unit} every {wording.amount(days / quantity)} days"
    daily = quantity / days
    shown = round(daily, 1)
    about = "" if shown == daily else "about "
    return f"{about}{wording.amount(shown)}{unit} a day"


def _noun(row: dict[str, Any]) -> str:
    if row["units"] in _UNITS:
        return f" {_UNITS[row['units']]}"
    form = row["form"].lower()
    noun = next((noun for noun in _NOUNS if noun in form), "")
    if not noun or row["quantity"] == 1:
        return f" {noun}" if noun else ""
    if noun == "suppository":
        return " suppositories"
    return f" {noun}es" if noun == "patch" else f" {noun}s"


def _refill(row: dict[str, Any]) -> str:
    number, allowed = row["fill_number"], row["refills_authorized"]
    words = "New" if number == 0 else f"Refill {number}"
    if allowed:
        words += f" of {allowed}" if number else f", {allowed} refills"
    return f"{words}, part {row['partial']}" if row["partial"] else words


def _prescriber(row: dict[str, Any]) -> Contact:
    return Contact(
        key=row["prescriber_id"],
        name=wording.person_name(row["prescriber_last"], row["prescriber_first"])
        or f"DEA {row['prescriber_dea']}",
        dea=row["prescriber_dea"],
        phone=row["prescriber_phone"] or "",
        fax=row["prescriber_fax"] or "",
        place="",
    )


def _pharmacy(row: dict[str, Any]) -> Contact:
    place = ", ".join(
        part for part in (row["pharmacy_city"], row["pharmacy_state"]) if part
    )
    return Contact(
        key=row["pharmacy_id"],
        name=row["pharmacy_name"] or f"DEA {row['pharmacy_dea']}",
        dea=row["pharmacy_dea"] or "",
        phone=row["pharmacy_phone"] or "",
        fax=row["pharmacy_fax"] or "",
        place=place,
    )
