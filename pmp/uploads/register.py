"""Rules that need a register: the roster, the drug table, the calendar, the tables.

What `pmp.asap` cannot know of a record, because it is pure.  Each rule is a function
from a record to its remarks, with a code that a programme's settings can make an error
(the record is held), a warning, or switch off.  What they ask of the tables is asked
once for each batch.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from models import DrugClass, Licence, Profession, Severity
from pmp import asap, reporters, reporting
from pmp.asap import Gravity
from pmp.drugs import ProductFacts
from pmp.reporters import PharmacyKey
from pmp.uploads.programme import programme
from pmp.uploads.remarks import Remark
from pmp.wording import us_date

MOST_DAYS = 90
REFILLABLE_MONTHS = 6
# Numbers of prescriptions are used again after some years.
SAME_NUMBER_DAYS = 366
WATCHED = {DrugClass.OPIOID.value, DrugClass.BENZODIAZEPINE.value}
_COUNTED = re.compile(r"TABLET|CAPSULE|LOZENGE|PATCH|FILM|SUPPOSITORY")
_MEASURES = {"02": "milliliters", "03": "grams"}


@dataclass(frozen=True)
class Seen:
    """A record to be judged, beside what the tables know of it.

    `products`: NDC → facts; `others`: the days on which the same prescription number
    stands for another patient; `received`: the day that the submission came.
    """

    record: asap.Record
    reported: asap.Dispensing
    products: Mapping[str, ProductFacts]
    others: Sequence[date]
    received: date

    @property
    def facts(self) -> ProductFacts | None:
        return self.products.get(self.reported.ndc)


def _gravities() -> Mapping[str, Gravity]:
    return programme().gravities


@dataclass
class Register:
    """What is asked of registers for one submission, remembered.

    `told`: what is said once for a pharmacy, not of each of its records.
    """

    gravities: Mapping[str, Gravity] = field(default_factory=_gravities)
    prescribers: dict[str, bool] = field(default_factory=dict)
    pharmacies: dict[PharmacyKey, bool] = field(default_factory=dict)
    late: dict[date, Remark | None] = field(default_factory=dict)
    told: set[tuple[str, PharmacyKey, object]] = field(default_factory=set)

    def learn(self, reported: Sequence[asap.Dispensing]) -> None:
        """Ask the roster for the prescribers and pharmacies of a batch."""
        numbers = {each.prescriber.dea.upper() for each in reported} - {""}
        if unknown := numbers - self.prescribers.keys():
            profession = Profession.PRACTITIONER
            self.prescribers |= _on_roster("dea", unknown, profession)
        keys = {reporters.pharmacy_key(each.pharmacy) for each in reported}
        for name, number in keys - self.pharmacies.keys():
            found = _on_roster(name, {number}, Profession.PHARMACY)
            self.pharmacies[name, number] = found[number]

    def remarks(self, seen: Seen) -> list[Remark]:
        """Apply every rule that the programme has not switched off."""
        # What the reader could tell from the text alone is not said twice.
        told = {problem.code for problem in seen.record.problems}
        found: list[Remark] = []
        for rule, gravity in self._in_force:
            if rule.code in told:
                continue
            for remark in rule.check(seen, self):
                if gravity is not Gravity.WARNING:
                    found.append(replace(remark, severity=Severity.ERROR))
                elif not rule.once or self._is_new(remark, seen):
                    found.append(remark)
        return found

    @cached_property
    def _in_force(self) -> list[tuple["Rule", Gravity]]:
        graded = [
            (rule, self.gravities.get(code, Gravity.WARNING))
            for code, rule in RULES.items()
        ]
        return [each for each in graded if each[1] is not Gravity.OFF]

    def _is_new(self, remark: Remark, seen: Seen) -> bool:
        key = reporters.pharmacy_key(seen.reported.pharmacy)
        said = remark.code, key, remark.message
        new = said not in self.told
        self.told.add(said)
        return new


Check = Callable[[Seen, Register], Iterator[Remark]]


@dataclass(frozen=True)
class Rule:
    """A rule; `once`: as a warning it is told once for a pharmacy, not each record."""

    code: str
    check: Check
    once: bool = False


RULES: dict[str, Rule] = {}
"""Every rule by its code, in the order in which they are applied."""


def rule(code: str, *, once: bool = False) -> Callable[[Check], Check]:
    """Enter a rule; its docstring is its meaning in the documentation."""

    def enter(check: Check) -> Check:
        RULES[code] = Rule(code, check, once=once)
        return check

    return enter


@rule("E16", once=True)
def pharmacy_is_on_the_roster(seen: Seen, register: Register) -> Iterator[Remark]:
    """Require that the pharmacy's number is on the roster, if that has such numbers."""
    if all(register.pharmacies.values()):
        return
    name, number = key = reporters.pharmacy_key(seen.reported.pharmacy)
    if not register.pharmacies.get(key, True):
        yield Remark(
            "E16",
            f"No pharmacy on the roster has the {name.upper()} number {number}.",
            "Compare the number with the pharmacy's registration.",
            {"dea": "PHA03", "ncpdp": "PHA02", "npi": "PHA01"}[name],
            number,
        )


@rule("P05")
def product_is_known(seen: Seen, register: Register) -> Iterator[Remark]:  # noqa: ARG001 - rules have one shape
    """Require that the drug table has each product."""
    parts = [part.ndc for part in seen.reported.ingredients]
    for code in parts or [seen.reported.ndc]:
        if code and code not in seen.products:
            yield Remark(
                "P05",
                "The drug table has no product with this NDC, so no dose is computed.",
                "Check the NDC; revise the record if it is wrong.",
                "CDI03" if parts else "DSP08",
                code,
            )


@rule("R01")
def prescriber_is_on_the_roster(seen: Seen, register: Register) -> Iterator[Remark]:
    """Require that the prescriber's DEA number is on the roster, if that has any."""
    dea = seen.reported.prescriber.dea.upper()
    if not register.prescribers.get(dea, True):
        yield Remark(
            "R01",
            f"No prescriber on the roster has the DEA number {dea}.",
            "Compare it with the prescription. A prescriber of another state may be"
            " right.",
            "PRE02",
            dea,
        )


@rule("R05")
def schedule_two_is_not_refilled(seen: Seen, register: Register) -> Iterator[Remark]:  # noqa: ARG001
    """Require that a Schedule II product has no refills (21 CFR 1306.12)."""
    facts, reported = seen.facts, seen.reported
    refilled = reported.refills_authorised or reported.fill_number
    if facts and facts.schedule == "CII" and refilled:
        element = "DSP04" if reported.refills_authorised else "DSP06"
        yield Remark(
            "R05",
            f"{facts.drug_name} is in Schedule II and has no refills, but the record"
            f" says refills authorized {reported.refills_authorised}, fill number"
            f" {reported.fill_number}.",
            "Give 0 for refills and fill number, or correct the NDC.",
            element,
            seen.record.elements.get(element, ""),
        )


@rule("R07")
def refill_is_in_time(seen: Seen, register: Register) -> Iterator[Remark]:  # noqa: ARG001
    """Require that CIII and CIV are refilled within six months (21 CFR 1306.22)."""
    facts, reported = seen.facts, seen.reported
    if not facts or facts.schedule not in {"CIII", "CIV"} or not reported.fill_number:
        return
    last = _months_after(reported.written_on, REFILLABLE_MONTHS)
    if reported.filled_on > last:
        yield Remark(
            "R07",
            f"{facts.drug_name} may be refilled until six months after it was written,"
            f" {us_date(last)}; this refill is of {us_date(reported.filled_on)}.",
            "Compare the date written and the fill number with the prescription.",
            "DSP03",
            f"{reported.written_on:%Y%m%d}",
        )


@rule("R08")
def amount_fits_the_product(seen: Seen, register: Register) -> Iterator[Remark]:  # noqa: ARG001
    """Require at most 90 days of opioids, and a unit that fits the form."""
    facts, reported = seen.facts, seen.reported
    if not facts:
        return
    if facts.drug_class in WATCHED and reported.days_supply > MOST_DAYS:
        yield Remark(
            "R08",
            f"{reported.days_supply} days are a long supply of {facts.drug_name}.",
            "Compare the days supply with the prescription.",
            "DSP10",
            str(reported.days_supply),
        )
    measure = _MEASURES.get(reported.unit)
    if measure and _COUNTED.match(facts.form.upper()):
        yield Remark(
            "R08",
            f"{facts.drug_name} is counted, but the quantity is given in {measure}.",
            "Give the number of units, with 01 (each) as the unit.",
            "DSP11",
            reported.unit,
        )


@rule("R12", once=True)
def report_is_in_time(seen: Seen, register: Register) -> Iterator[Remark]:
    """Require that a new fill is not late by more than a whole reporting period."""
    if seen.reported.status is asap.Status.NEW:
        filled = seen.reported.filled_on
        if filled not in register.late:
            register.late[filled] = _lateness(filled, seen.received)
        if remark := register.late[filled]:
            yield remark


@rule("R15")
def number_is_of_one_patient(seen: Seen, register: Register) -> Iterator[Remark]:  # noqa: ARG001
    """Require that one prescription number is of one patient."""
    if seen.others:
        yield Remark(
            "R15",
            "The same prescription number was reported for another patient, filled"
            f" {us_date(max(seen.others))}.",
            "Compare the patient and the prescription number with the prescription.",
            "DSP02",
            seen.reported.prescription_number,
        )


def _lateness(filled: date, received: date) -> Remark | None:
    period = reporting.period_of(filled)
    interval = period.last - period.first + timedelta(days=1)
    if received - period.due <= interval:
        return None
    return Remark(
        "R12",
        f"Fills of {us_date(period.first)} to {us_date(period.last)} were due by"
        f" {us_date(period.due)}; they came on {us_date(received)}.",
        "Nothing need be corrected. Report the next ones in time.",
        "DSP05",
        f"{filled:%Y%m%d}",
    )


def _on_roster(name: str, numbers: set[str], profession: Profession) -> dict[str, bool]:
    """Tell which numbers the roster has; all, while it has none of this kind."""
    column: Any = getattr(Licence, name)
    mine = Licence.profession == profession.value
    some = Licence.select(column).where(mine, column.is_null(is_null=False))
    if not some.limit(1).exists():
        return dict.fromkeys(numbers, True)
    query: Any = Licence.select(column).where(mine, column.in_(sorted(numbers)))
    found = {number for (number,) in query.tuples()}
    return {number: number in found for number in numbers}


def _months_after(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))
