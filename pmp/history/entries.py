"""An entry of a patient report: one fill in the words that a reader needs.

What the columns hold stays as it was frozen; here it is put in words (frequency,
refill, payment) and given its MME under the rule set in force.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from models import Species
from pmp import wording
from pmp.fills import Fill
from pmp.history.supplies import Supplies, Supply
from pmp.mme import Mme, Outcome, RuleSet

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
    dose: str  # frequency and MME as one sum
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


def read(
    rows: Iterable[dict[str, Any]],
    *,
    rules: RuleSet,
    since: date,
    today: date,
    disputed: Mapping[int, datetime],
    corrected: Mapping[int, datetime],
) -> list[Entry]:
    """Make the entries of a report from `since` on from rows of `pmp.history.rows`.

    `disputed` and `corrected` give, by the row's id, since when a ticket has been open
    and when the row was last changed.
    """
    reading = _Reading(since, today, Supplies(rules))
    return [
        reading.entry(row, disputed.get(row["id"]), corrected.get(row["id"]))
        for row in rows
    ]


@dataclass(frozen=True)
class _Reading:
    """One report's reading; each contact and each kind of supply is made once."""

    since: date
    today: date
    supplies: Supplies
    prescribers: dict[int, Contact] = field(default_factory=dict)
    pharmacies: dict[int, Contact] = field(default_factory=dict)

    def entry(
        self,
        row: dict[str, Any],
        under_review_since: datetime | None,
        corrected_at: datetime | None,
    ) -> Entry:
        supply = self.supplies.of(row)
        fill = _fill(row, supply)
        is_active = fill.covers(self.today)
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
            strength=supply.strength,
            quantity=row["quantity"],
            days=row["days_supply"],
            frequency=supply.frequency,
            dose=supply.dose,
            refill=_refill(row),
            payment=PAYMENTS.get(row["payment"], "Not given"),
            prescription_number=row["prescription_number"],
            prescriber=self._prescriber(row),
            pharmacy=self._pharmacy(row),
            reported_as=wording.person_name(row["last_name"], row["first_name"]),
            mme=supply.mme,
            fill=fill,
            is_animal=row["species"] is Species.ANIMAL,
            is_running_in=row["filled_on"] < self.since <= fill.last,
            days_left=(fill.last - self.today).days if is_active else None,
            is_corrected=bool(row["corrected"]),
            corrected_at=corrected_at,
            under_review_since=under_review_since,
        )

    def _prescriber(self, row: dict[str, Any]) -> Contact:
        known, key = self.prescribers, row["prescriber_id"]
        if key not in known:
            known[key] = _prescriber(row)
        return known[key]

    def _pharmacy(self, row: dict[str, Any]) -> Contact:
        known, key = self.pharmacies, row["pharmacy_id"]
        if key not in known:
            known[key] = _pharmacy(row)
        return known[key]


def _fill(row: dict[str, Any], supply: Supply) -> Fill:
    return Fill(
        row_code=row["row_code"],
        first=row["sold_on"] or row["filled_on"],
        days=row["days_supply"],
        drug=row["drug_name"],
        drug_class=supply.drug_class,
        ingredient=row["ingredient"],
        product=supply.product,
        long_acting=row["long_acting"],
        mme=supply.mme,
        daily_mg=supply.daily_mg,
        daily_acetaminophen_mg=supply.daily_acetaminophen_mg,
        prescriber=row["prescriber_id"],
        pharmacy=row["pharmacy_id"],
        how=supply.frequency,
    )


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
