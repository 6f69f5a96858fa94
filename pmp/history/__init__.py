"""The patient report: what was dispensed to a person, in total and in warnings.

A report is made anew each time it is opened, from the dispensations that stand then. It
says which period it covers, through when data had come in, and under which rule set the
MME was computed. Animals' prescriptions are listed and never summed into a person's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from models import (
    Dispensation,
    DispensationStatus,
    Patient,
    Pharmacy,
    Prescriber,
    ReportedIdentity,
    Species,
    Ticket,
)
from pmp import chart, clock, mme, settings, statistics, warnings, withheld, wording
from pmp.fills import Fill
from pmp.history import entries
from pmp.history.entries import Contact, Entry
from pmp.mme import Summary
from pmp.warnings import PatientWarning


@dataclass(frozen=True)
class Identity:
    """One way in which dispensers reported this person."""

    name: str
    birth_date: date
    sex: str
    place: str
    is_animal: bool


@dataclass(frozen=True)
class Counts:
    """What the tiles of a report say. `opioid_days_left` counts days after today."""

    fills: int
    prescribers: int
    pharmacies: int
    opioid_days_left: int


@dataclass(frozen=True)
class PatientReport:
    """Everything that a page, a PDF or a CSV of the report shows.

    `entries` are newest first; `identities` the one of the newest fill first. `mme` has
    early refills carried forward, `mme_as_reported` has not. `charts` are SVG drawings,
    the latest months first.
    """

    patient_id: int
    identities: Sequence[Identity]
    age: int
    since: date
    until: date
    made_at: datetime
    received_through: date | None
    entries: Sequence[Entry]
    counts: Counts
    warnings: Sequence[PatientWarning]
    mme: Summary
    mme_as_reported: Summary
    rule_set: str
    charts: Sequence[str]
    prescribers: Sequence[Contact]
    pharmacies: Sequence[Contact]

    @property
    def name(self) -> str:
        return self.identities[0].name

    @property
    def birth_date(self) -> date:
        return self.identities[0].birth_date

    @property
    def sex(self) -> str:
        return self.identities[0].sex

    @property
    def chart(self) -> str:
        return self.charts[0]

    @property
    def not_calculated(self) -> list[Entry]:
        """Give the entries whose MME is missing in the totals."""
        return [
            entry
            for entry in self.entries
            if entry.mme.outcome is mme.Outcome.NOT_CALCULATED and not entry.is_animal
        ]


def patient_report(
    patient: Patient, *, since: date, until: date, at: datetime
) -> PatientReport:
    """Make a patient's report of the fills from `since` to `until`, both included.

    Voided fills are left out. `at` is when it is made: ages and "today" count from it,
    or from `until` if that is earlier.
    """
    chosen = settings.current()
    rules = mme.rule_set(chosen.mme_rule_set)
    today = min(until, clock.day_of(at))
    listed = _entries(patient.id, since, until, rules)
    fills = [entry.fill for entry in listed if not entry.is_animal]
    reported = [fill.course for fill in fills]
    carried = mme.carry_forward(reported, up_to_days=chosen.carry_forward_days)
    summary = mme.summary(carried, since=since, today=today)
    as_reported = mme.summary(reported, since=since, today=today)
    identities = _identities(patient.id)
    return PatientReport(
        patient_id=patient.id,
        identities=identities,
        age=_age(identities[0].birth_date, clock.day_of(at)),
        since=since,
        until=until,
        made_at=at,
        received_through=statistics.received_through(),
        entries=listed,
        counts=_counts(listed, carried, today),
        warnings=warnings.find(
            fills,
            since=since,
            today=today,
            mme=summary,
            limits=warnings.limits_of(chosen),
            birth_date=identities[0].birth_date,
        ),
        mme=summary,
        mme_as_reported=as_reported,
        rule_set=rules.title,
        charts=chart.pages(_points(fills, as_reported, since, until)),
        prescribers=_contacts(entry.prescriber for entry in listed),
        pharmacies=_contacts(entry.pharmacy for entry in listed),
    )


def _entries(
    patient_id: int, since: date, until: date, rules: mme.RuleSet
) -> list[Entry]:
    rows = _rows(patient_id, since, until)
    disputed = _disputed(patient_id)
    return [
        entries.from_row(row, under_review=row["id"] in disputed, rules=rules)
        for row in rows
    ]


def _disputed(patient_id: int) -> set[int]:
    """Give the ids of the patient's dispensations with an open ticket."""
    rows: Any = (
        Ticket.select(Ticket.dispensation)
        .join(Dispensation)
        .where((Dispensation.patient == patient_id) & Ticket.resolved_at.is_null())
        .tuples()
    )
    return {number for (number,) in rows}


def _rows(patient_id: int, since: date, until: date) -> Iterable[dict[str, Any]]:
    rows: Any = (
        Dispensation.select(
            Dispensation,
            Dispensation.prescriber.alias("prescriber_id"),
            Dispensation.pharmacy.alias("pharmacy_id"),
            ReportedIdentity.last_name,
            ReportedIdentity.first_name,
            ReportedIdentity.species,
            Prescriber.last_name.alias("prescriber_last"),
            Prescriber.first_name.alias("prescriber_first"),
            Prescriber.dea.alias("prescriber_dea"),
            Prescriber.phone.alias("prescriber_phone"),
            Prescriber.fax.alias("prescriber_fax"),
            Pharmacy.name.alias("pharmacy_name"),
            Pharmacy.dea.alias("pharmacy_dea"),
            Pharmacy.city.alias("pharmacy_city"),
            Pharmacy.state.alias("pharmacy_state"),
            Pharmacy.phone.alias("pharmacy_phone"),
            Pharmacy.fax.alias("pharmacy_fax"),
        )
        .join(ReportedIdentity)
        .switch(Dispensation)
        .join(Prescriber)
        .switch(Dispensation)
        .join(Pharmacy)
        .where(
            (Dispensation.patient == patient_id)
            & (Dispensation.status == DispensationStatus.CURRENT)
            & Dispensation.filled_on.between(since, until)
            & withheld.shown()
        )
        .order_by(Dispensation.filled_on.desc(), Dispensation.id.desc())
        .dicts()
    )
    return cast("Iterable[dict[str, Any]]", rows)


def _identities(patient_id: int) -> list[Identity]:
    """List how the patient was reported, the one of the newest fill first."""
    newest = (
        Dispensation.select(Dispensation.identity)
        .where(
            (Dispensation.patient == patient_id)
            & (Dispensation.status == DispensationStatus.CURRENT)
            & withheld.shown()
        )
        .order_by(Dispensation.filled_on.desc(), Dispensation.id.desc())
        .limit(1)
        .scalar()
    )
    rows = (
        ReportedIdentity.select()
        .where(ReportedIdentity.patient == patient_id)
        .order_by(ReportedIdentity.linked_at.desc(), ReportedIdentity.id.desc())
    )
    hidden = withheld.only_withheld_identities(patient_id)
    shown = [row for row in rows if row.id not in hidden] or rows
    ordered = sorted(shown, key=lambda row: row.id != newest)
    return list(dict.fromkeys(map(_identity, ordered)))


def _identity(row: ReportedIdentity) -> Identity:
    parts = (row.street, row.city, row.state, row.zip)
    return Identity(
        name=wording.person_name(row.last_name, row.first_name, row.middle_name),
        birth_date=row.birth_date,
        sex=row.sex,
        place=", ".join(part for part in parts if part),
        is_animal=row.species is Species.ANIMAL,
    )


def _age(birth_date: date, today: date) -> int:
    had_birthday = (today.month, today.day) >= (birth_date.month, birth_date.day)
    return today.year - birth_date.year - (not had_birthday)


def _counts(
    listed: Sequence[Entry], carried: Sequence[mme.Course], today: date
) -> Counts:
    own = [entry for entry in listed if not entry.is_animal]
    opioid_ends = [
        course.last
        for course in carried
        if course.mme.outcome is mme.Outcome.CALCULATED and course.last >= today
    ]
    return Counts(
        fills=len(own),
        prescribers=len({entry.prescriber.key for entry in own}),
        pharmacies=len({entry.pharmacy.key for entry in own}),
        opioid_days_left=(max(opioid_ends, default=today) - today).days,
    )


def _points(
    fills: Sequence[Fill], summary: Summary, since: date, until: date
) -> chart.Points:
    return chart.Points(
        since=since,
        until=until,
        bars=[
            chart.Bar(fill.drug, fill.drug_class, fill.first, fill.days)
            for fill in fills
        ],
        steps=mme.steps((fill.course for fill in fills), since=since, until=until),
        now=summary.today,
        peak=summary.peak,
        peak_on=summary.peak_on,
        at_least=summary.at_least,
    )


def _contacts(contacts: Iterable[Contact]) -> list[Contact]:
    """List each once, by name."""
    return sorted(
        {contact.key: contact for contact in contacts}.values(),
        key=lambda contact: contact.name,
    )
