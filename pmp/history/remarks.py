"""What a reader of a report should know that no single entry says: a sentence each.

Whether the dose has risen, which threshold was reached, who else could be taken for
this person, and what is still being decided. Other people are never named.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from models import (
    CaseStatus,
    MatchReview,
    ReportedIdentity,
    Species,
    ThresholdCase,
    ThresholdRule,
    Ticket,
)
from pmp import settings, withheld
from pmp.history import PatientReport
from pmp.matching import placeholders
from pmp.matching.identities import street_key
from pmp.matching.open_reviews import waiting
from pmp.mme import reaches, shown
from pmp.prepared import Given, Question, prepared
from pmp.wording import us_date

# A dose is said to have risen from this many times on, once it calls for caution.
RISE = Decimal("1.5")


def of(report: PatientReport) -> list[str]:
    """Give the sentences about a report's patient."""
    return [
        *_rise(report),
        *_thresholds(report),
        *_under_review(report),
        *_names(report),
        *_others_at_home(report),
        *_undecided(report),
    ]


def asked(patient_id: int, *, since: date, until: date) -> list[Question]:
    """Give what is asked of every patient, for `pmp.prepared.ahead`."""
    return [
        _cases.asked(patient=patient_id, since=since, until=until),
        *(
            query.asked(patient=patient_id)
            for query in (_disputed_records, _namesakes, _open_reviews)
        ),
    ]


def _rise(report: PatientReport) -> Iterator[str]:
    first = next((run for run in report.mme.runs if run.value), None)
    now, caution = report.mme.today, settings.current().mme_caution
    if first is None or not reaches(now, Decimal(caution)):
        return
    if now >= RISE * first.value:
        yield (
            f"The opioid dose rose from {shown(first.value)} MME a day on"
            f" {us_date(first.first)} to {shown(now)} today:"
            f" {shown(now / first.value)} times as much."
        )


def _thresholds(report: PatientReport) -> Iterator[str]:
    cases = _cases(patient=report.patient_id, since=report.since, until=report.until)
    for case in cases:
        yield (
            f"{case.prescribers} prescribers and {case.pharmacies} pharmacies within"
            f" {case.rule.window_days} days were reached on {us_date(case.crossed_on)};"
            " a Patient Threshold Report goes to each of them."
        )


@prepared
def _cases() -> Any:
    return (
        ThresholdCase.select(ThresholdCase, ThresholdRule)
        .join(ThresholdRule)
        .where(
            (ThresholdCase.patient == Given("patient"))
            & ThresholdCase.status.not_in([CaseStatus.WITHDRAWN, CaseStatus.HELD])
            & ThresholdCase.crossed_on.between(Given("since"), Given("until"))
        )
        .order_by(ThresholdCase.crossed_on.desc())
    )


def _under_review(report: PatientReport) -> Iterator[str]:
    disputed = sum(entry.is_under_review for entry in report.entries)
    if disputed:
        entries = "1 entry is" if disputed == 1 else f"{disputed} entries are"
        yield (
            f"{entries} under review for accuracy; figures and warnings still count"
            f" {'it' if disputed == 1 else 'them'}."
        )
    if _disputed_records(patient=report.patient_id):
        yield "Somebody reported that this record as a whole is wrong or lacks a fill."


@prepared
def _disputed_records() -> Any:
    """Give an open ticket about the record as a whole, if there is one."""
    about = Ticket.patient == Given("patient")
    query = Ticket.select(Ticket.id).where(about & Ticket.resolved_at.is_null())
    return query.limit(1).tuples()


def _names(report: PatientReport) -> Iterator[str]:
    names = {each.name for each in report.identities if not each.is_animal}
    if len(names) > 1:
        yield (
            f"Reported under {len(names)} names, which were judged to be one person:"
            f" {'; '.join(sorted(names))}."
        )


def _others_at_home(report: PatientReport) -> Iterator[str]:
    """Warn of somebody else of the same last name, birth date and home: a twin."""
    if not _namesakes(patient=report.patient_id):
        return
    own = _reported(ReportedIdentity.patient == report.patient_id)
    for last, born in {(each.last_key, each.birth_date) for each in own}:
        others = _reported(
            (ReportedIdentity.birth_date == born)
            & (ReportedIdentity.last_key == last)
            & (ReportedIdentity.patient != report.patient_id)
        )
        if any(_lives_with(other, each) for other in others for each in own):
            yield (
                "Somebody else with the same last name, date of birth and home is on"
                " record, such as a twin. Their prescriptions are not in this report;"
                " make sure that this is your patient."
            )
            return


@prepared
def _namesakes() -> Any:
    """Give the query of another patient of a last name and birth date, if any is."""
    own: Any = ReportedIdentity.alias()
    same_name = own.last_key == ReportedIdentity.last_key
    same_birth = own.birth_date == ReportedIdentity.birth_date
    return (
        ReportedIdentity.select(ReportedIdentity.patient)
        .join(own, on=(same_name & same_birth))
        .where(own.patient == Given("patient"))
        .where(ReportedIdentity.patient != Given("patient"))
        .where(ReportedIdentity.species == Species.HUMAN)
        .where(own.species == Species.HUMAN)
        .limit(1)
        .tuples()
    )


def _reported(wanted: Any) -> list[ReportedIdentity]:
    """Give the people's identities that are not known by withheld fills alone."""
    found = list(
        ReportedIdentity.select().where(
            wanted & (ReportedIdentity.species == Species.HUMAN)
        )
    )
    hidden = withheld.only_withheld_identities(
        {each.__data__["patient"] for each in found}
    )
    return [each for each in found if each.id not in hidden]


def _lives_with(one: ReportedIdentity, other: ReportedIdentity) -> bool:
    """Whether two give one home or one telephone; what stands for none is neither."""
    homes, phones = ([key(each) for each in (one, other)] for key in (_home, _phone))
    return any(here and here == there for here, there in (homes, phones))


def _home(row: ReportedIdentity) -> str:
    street = street_key(row.street)
    return f"{street} {placeholders.zip_digits(row.zip)}" if street else ""


def _phone(row: ReportedIdentity) -> str:
    return placeholders.phone_digits(row.phone) if row.phone else ""


def _undecided(report: PatientReport) -> Iterator[str]:
    mine = report.patient_id
    others = {number for both in _open_reviews(patient=mine) for number in both}
    others.discard(mine)
    if others - withheld.only_withheld(others):
        yield (
            "Reports of somebody very alike wait for the program's staff to decide"
            " whether they are this person's. They are not in this report."
        )


@prepared
def _open_reviews() -> Any:
    mine = Given("patient")
    return (
        waiting()
        .select(MatchReview.candidate, ReportedIdentity.patient)
        .where((MatchReview.candidate == mine) | (ReportedIdentity.patient == mine))
        .tuples()
    )
