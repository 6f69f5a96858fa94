"""What the patterns of a pharmacy's fills rest on: counts, made by the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from peewee import Case, fn

from models import (
    Dispensation,
    DispensationStatus,
    DrugClass,
    Pharmacy,
    Prescriber,
    ReportedIdentity,
)
from pmp import settings, wording
from pmp.dispensations import daily_doses, early_refills
from pmp.dispensations.daily_doses import DailyDoses

MOST_BARS = 10
FEWEST_FILLS = 10  # of a prescriber whose share of opioids is compared
CASH = "01"  # ASAP DSP16


@dataclass(frozen=True)
class Period:
    """One pharmacy's days filled, both included; `reckoned_to` is never after today."""

    pharmacy: Pharmacy
    since: date
    until: date
    reckoned_to: date

    @property
    def before(self) -> "Period":
        """The period of the same length just before."""
        length = self.until - self.since + timedelta(days=1)
        since, until = self.since - length, self.since - timedelta(days=1)
        return Period(self.pharmacy, since, until, until)


@dataclass(frozen=True)
class ClassCount:
    """Fills of a drug class: all, those whose payment is given, those paid in cash."""

    drug_class: DrugClass
    fills: int
    given: int
    cash: int


@dataclass(frozen=True)
class StateCount:
    """Fills of patients who live in another state."""

    state: str
    fills: int
    patients: int


@dataclass(frozen=True)
class PrescriberCount:
    """Fills of one prescriber, and how many of them are opioids."""

    id: int
    name: str
    fills: int
    opioids: int


@dataclass(frozen=True)
class PatientCount:
    """Fills of one patient, and from how many prescribers."""

    id: int
    prescribers: int
    fills: int


@dataclass(frozen=True)
class EarlyCount:
    """Early refills of one patient; `days_left` is the most that was left."""

    id: int
    refills: int
    days_left: int


@dataclass(frozen=True)
class Counts:
    """All counts of a period; lists of people hold the first MOST_BARS, totals all.

    `names` are the patients who are named: id → name and birth date.
    """

    fills: int
    classes: Sequence[ClassCount]
    classes_before: Mapping[DrugClass, ClassCount]
    states: Sequence[StateCount]
    by_fills: Sequence[PrescriberCount]
    by_opioids: Sequence[PrescriberCount]
    prescribers: int
    early: Sequence[EarlyCount]
    early_total: int
    several: Sequence[PatientCount]
    several_total: int
    doses: DailyDoses
    names: Mapping[int, str]


def counts(period: Period) -> Counts:
    """Count all that the patterns of a period show."""
    classes = by_class(period)
    prescribers = by_prescriber(period)
    shares = [each for each in prescribers if each.fills >= FEWEST_FILLS]
    shares.sort(key=lambda each: (-each.opioids / each.fills, -each.fills, each.id))
    early = early_by_patient(period)
    several, several_total = by_patient(period)
    doses = daily_doses.highest(
        period.pharmacy, period.since, period.reckoned_to, most=MOST_BARS
    )
    named = {each.id for each in early[:MOST_BARS]} | {each.id for each in several}
    named |= {each.patient for each in doses.highest}
    return Counts(
        fills=sum(each.fills for each in classes),
        classes=classes,
        classes_before={each.drug_class: each for each in by_class(period.before)},
        states=by_state(period),
        by_fills=prescribers[:MOST_BARS],
        by_opioids=[each for each in shares if each.opioids][:MOST_BARS],
        prescribers=len(prescribers),
        early=early[:MOST_BARS],
        early_total=sum(each.refills for each in early),
        several=several,
        several_total=several_total,
        doses=doses,
        names=patient_names(period.pharmacy, named),
    )


def by_class(period: Period) -> list[ClassCount]:
    """Count fills and payments by drug class, the largest class first."""
    rows = (
        _of(
            period,
            Dispensation.drug_class,
            fn.COUNT(Dispensation.id),
            _how_many(Dispensation.payment != ""),
            _how_many(Dispensation.payment == CASH),
        )
        .group_by(Dispensation.drug_class)
        .order_by(fn.COUNT(Dispensation.id).desc(), Dispensation.drug_class)
    )
    return [ClassCount(*row) for row in rows.tuples()]


def by_state(period: Period) -> list[StateCount]:
    """Count fills and patients of other states, the most fills first."""
    state = fn.UPPER(ReportedIdentity.state)
    rows = (
        _of(
            period,
            state,
            fn.COUNT(Dispensation.id),
            fn.COUNT(Dispensation.patient.distinct()),
        )
        .join(ReportedIdentity)
        .where(state.not_in(["", settings.current().state_code]))
        .group_by(state)
        .order_by(fn.COUNT(Dispensation.id).desc(), state)
    )
    return [StateCount(*row) for row in rows.tuples()]


def by_prescriber(period: Period) -> list[PrescriberCount]:
    """Count the fills of each prescriber, the most fills first."""
    rows = (
        _of(
            period,
            Dispensation.prescriber,
            fn.COUNT(Dispensation.id),
            _how_many(Dispensation.drug_class == DrugClass.OPIOID),
        )
        .group_by(Dispensation.prescriber)
        .order_by(fn.COUNT(Dispensation.id).desc(), Dispensation.prescriber)
    )
    counted = list(rows.tuples())
    names = _prescriber_names([row[0] for row in counted])
    return [
        PrescriberCount(number, names[number], fills, opioids)
        for number, fills, opioids in counted
    ]


def by_patient(period: Period) -> tuple[list[PatientCount], int]:
    """Give the patients with the most prescribers, and how many have two or more."""
    prescribers = fn.COUNT(Dispensation.prescriber.distinct())
    grouped = (
        _of(period, Dispensation.patient, prescribers, fn.COUNT(Dispensation.id))
        .group_by(Dispensation.patient)
        .having(prescribers >= 2)
        .order_by(
            prescribers.desc(), fn.COUNT(Dispensation.id).desc(), Dispensation.patient
        )
    )
    rows = list(grouped.tuples())
    return [PatientCount(*row) for row in rows[:MOST_BARS]], len(rows)


def early_by_patient(period: Period) -> list[EarlyCount]:
    """Count the early refills of each patient who has one, the most first."""
    found = early_refills.early_refills(
        period.pharmacy, period.since, period.until
    ).alias("early")
    number = fn.COUNT(found.c.id)
    longest = fn.MAX(found.c.days_left)
    rows = (
        found.select_from(found.c.patient_id, number, longest)
        .group_by(found.c.patient_id)
        .order_by(number.desc(), longest.desc(), found.c.patient_id)
    )
    return [EarlyCount(*row) for row in rows.tuples()]


def patient_names(pharmacy: Pharmacy, ids: set[int]) -> dict[int, str]:
    """Name patients as the pharmacy reported them last: “DOE, ANN, born 04/28/1971”."""
    rows: Any = (
        Dispensation.select(
            Dispensation.patient,
            ReportedIdentity.last_name,
            ReportedIdentity.first_name,
            ReportedIdentity.birth_date,
        )
        .join(ReportedIdentity)
        .where(Dispensation.patient.in_(sorted(ids)))
        .where(Dispensation.pharmacy == pharmacy)
        .where(Dispensation.status == DispensationStatus.CURRENT)
        .order_by(Dispensation.filled_on, Dispensation.id)
        .tuples()
    )
    return {
        number: f"{wording.person_name(last, first)}, born {wording.us_date(born)}"
        for number, last, first, born in rows
    }


def _prescriber_names(ids: Sequence[int]) -> dict[int, str]:
    query = Prescriber.select().where(Prescriber.id.in_(ids))
    return {each.id: prescriber_name(each) for each in query}


def prescriber_name(prescriber: Prescriber) -> str:
    """Write a prescriber's name and DEA number; the number alone if that is all."""
    name = wording.person_name(prescriber.last_name, prescriber.first_name)
    return f"{name} ({prescriber.dea})" if name else f"DEA {prescriber.dea}"


def _of(period: Period, *columns: Any) -> Any:
    return (
        Dispensation.select(*columns)
        .where(Dispensation.pharmacy == period.pharmacy)
        .where(Dispensation.status == DispensationStatus.CURRENT)
        .where(Dispensation.filled_on.between(period.since, period.until))
    )


def _how_many(condition: Any) -> Any:
    return fn.COALESCE(fn.SUM(Case(None, [(condition, 1)], 0)), 0)
