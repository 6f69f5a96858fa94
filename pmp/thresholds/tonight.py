"""What a rule sends in its first night in force: the crossings of months at once.

As `case_sending` decides it: nothing about what is long past, nothing a second time,
and nothing that a cool-down keeps.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Protocol

from pmp import clock
from pmp.thresholds import case_sending, concerned
from pmp.thresholds.case_sending import Sent
from pmp.thresholds.concerned import People
from pmp.thresholds.crossings import Crossing
from pmp.thresholds.reached import Reaching, is_worse
from pmp.thresholds.terms import Terms


class Made(Reaching, Protocol):
    """A case that a rule would make."""

    @property
    def rule(self) -> Terms: ...
    @property
    def patient_id(self) -> int: ...
    @property
    def crossing(self) -> Crossing: ...


@dataclass(frozen=True)
class Tonight:
    """How many cases are sent, or held for review, and their reports."""

    cases: int
    reports: int


def tonight(made: Iterable[Made], *, name: str, today: date) -> Tonight:
    """Count what is sent of the cases of a rule that is put in force today."""
    by_patient = attrgetter("patient_id")
    recent = sorted(
        (
            each
            for each in made
            if not case_sending.is_long_ago(each.crossing.last, today=today)
        ),
        key=lambda each: (each.patient_id, each.crossing.crossed_on),
    )
    sent = case_sending.sent_cases({each.patient_id for each in recent}, name)
    cases = reports = 0
    for patient_id, own in groupby(recent, key=by_patient):
        for people in _sent(list(own), sent.get(patient_id, []), today):
            cases += 1
            reports += len(people[0]) + len(people[1])
    return Tonight(cases, reports)


def people_of(each: Crossing, window_days: int) -> People:
    """Give whom the report of a crossing goes to: ids."""
    first = concerned.first_day(each.last, window_days)
    fills = [fill for fill in each.fills if fill.filled_on >= first]
    return (
        list(dict.fromkeys(fill.prescriber for fill in fills)),
        list(dict.fromkeys(fill.pharmacy for fill in fills)),
    )


def _sent(own: Sequence[Made], before: Sequence[Sent], today: date) -> list[People]:
    """Give whom each case of a patient is sent to, of those that are sent."""
    found: list[People] = []
    latest: Reaching | None = before[-1].case if before else None
    day = clock.day_of(before[-1].case.queued_at) if before else today
    for each in own:
        told = case_sending.told_about(before, each.crossing.first, each.crossing.last)
        people = people_of(each.crossing, each.rule.window_days)
        if told.cases and not told.leaves(each, people):
            continue
        if latest is not None and _is_kept(each, latest, day=day, today=today):
            continue
        found.append(concerned.besides(people, told.people))
        latest, day = each, today
    return found


def _is_kept(each: Made, sent: Reaching, *, day: date, today: date) -> bool:
    days = each.rule.cool_down_days
    is_sent = each.rule.send_when_worse and is_worse(each, sent)
    return bool(days) and today <= day + timedelta(days=days) and not is_sent
