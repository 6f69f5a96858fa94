"""The patient report: what was dispensed to a person, in total and in warnings.

A report is made anew each time it is opened, from the dispensations that stand then. It
says which period it covers, through when data had come in, and under which rule set the
MME was computed. Animals' prescriptions are listed and never summed into a person's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from models import Patient
from pmp import chart, clock, mme, received, settings, warnings
from pmp.fills import Fill, buprenorphine_mg_today
from pmp.history import entries, identities, rows
from pmp.history.entries import Contact, Entry
from pmp.history.identities import Identity
from pmp.mme import Summary
from pmp.prepared import Question
from pmp.warnings import PatientWarning


@dataclass(frozen=True)
class Counts:
    """What the tiles of a report say. `opioid_days_left` counts days after today.

    `buprenorphine_mg` is what the supply of today comes to a day; None if none is
    active, or none is known in milligrams.
    """

    fills: int
    prescribers: int
    pharmacies: int
    opioid_days_left: int
    buprenorphine_mg: Decimal | None = None

    @property
    def buprenorphine_shown(self) -> str:
        """Write it to 0.1 mg; empty if there is none."""
        amount = self.buprenorphine_mg
        return "" if amount is None else mme.shown(amount)


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
    today: date
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
    def own_entries(self) -> list[Entry]:
        """Give the entries of the person; those for animals stand apart."""
        return [entry for entry in self.entries if not entry.is_animal]

    @property
    def animal_entries(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.is_animal]

    @property
    def active(self) -> list[Entry]:
        """Give the person's entries whose supply covers today, as reported."""
        return [entry for entry in self.own_entries if entry.days_left is not None]

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

    A fill of an earlier day whose supply runs into them is listed and counted as well:
    today's MME needs it. Voided fills are left out. `at` is when it is made: ages and
    "today" count from it, or from `until` if that is earlier.
    """
    chosen = settings.current()
    rules = mme.rule_set(chosen.mme_rule_set)
    today = min(until, clock.day_of(at))
    listed = _entries(patient.id, since, until, today, rules)
    fills = [entry.fill for entry in listed if not entry.is_animal]
    reported = [fill.course for fill in fills]
    carried = mme.carry_forward(reported, up_to_days=chosen.carry_forward_days)
    summary, as_reported = (
        mme.summary(courses, since=since, today=today, limits=chosen.mme_limits)
        for courses in (carried, reported)
    )
    reported_as = identities.of_patient(patient.id)
    birth_date = reported_as[0].birth_date
    return PatientReport(
        patient_id=patient.id,
        identities=reported_as,
        age=_age(birth_date, clock.day_of(at)),
        since=since,
        until=until,
        today=today,
        made_at=at,
        received_through=received.last_day(),
        entries=listed,
        counts=_counts(listed, fills, carried, today),
        warnings=warnings.find(
            fills,
            since=since,
            today=today,
            mme=summary,
            limits=warnings.limits_of(chosen),
            birth_date=next(
                (each.birth_date for each in reported_as if not each.is_animal), None
            ),
        ),
        mme=summary,
        mme_as_reported=as_reported,
        rule_set=rules.title,
        charts=chart.pages(_points(fills, as_reported, since, until)),
        prescribers=_contacts(entry.prescriber for entry in listed),
        pharmacies=_contacts(entry.pharmacy for entry in listed),
    )


def asked(patient_id: int, *, since: date, until: date) -> list[Question]:
    """Give what a report asks of the database, for `pmp.prepared.ahead`."""
    return [
        *rows.asked(patient_id, since, until),
        *identities.asked(patient_id),
        received.last_day_asked(),
    ]


def _entries(
    patient_id: int, since: date, until: date, today: date, rules: mme.RuleSet
) -> list[Entry]:
    fills = rows.of_patient(patient_id, since, until)
    has_corrected = any(row["corrected"] for row in fills)
    found = entries.read(
        fills,
        rules=rules,
        since=since,
        today=today,
        disputed=rows.disputed_since(patient_id),
        corrected=rows.corrected_at(patient_id) if has_corrected else {},
    )
    return [entry for entry in found if entry.filled_on >= since or entry.is_running_in]


def _age(birth_date: date, today: date) -> int:
    had_birthday = (today.month, today.day) >= (birth_date.month, birth_date.day)
    return today.year - birth_date.year - (not had_birthday)


def _counts(
    listed: Sequence[Entry],
    fills: Sequence[Fill],
    carried: Sequence[mme.Course],
    today: date,
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
        buprenorphine_mg=buprenorphine_mg_today(
            fills, today=today, up_to_days=settings.current().carry_forward_days
        ),
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
        steps=summary.runs
        if summary.runs[-1].last == until
        else mme.steps((fill.course for fill in fills), since=since, until=until),
        now=summary.today,
        peak=summary.peak,
        peak_on=summary.peak_on,
        at_least=summary.at_least,
        limits=settings.current().mme_limits,
    )


def _contacts(contacts: Iterable[Contact]) -> list[Contact]:
    """List each once, by name."""
    return sorted(
        {contact.key: contact for contact in contacts}.values(),
        key=lambda contact: contact.name,
    )
