"""Lists of patients whom a user expects: each is looked up, in the worker, under them.

What was typed is not kept, only who was read from it, and that for a few days; each
look-up stays on the record like any other.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from models import (
    LookUp,
    LookUpOrigin,
    LookUpOutcome,
    PatientSchedule,
    Purpose,
    ScheduledPatient,
    User,
    UserStatus,
)
from pmp import (
    audit,
    clock,
    database,
    delegates,
    disclosures,
    history,
    lookup,
    settings,
)
from pmp.errors import NotFoundError, RuleError
from pmp.lookup import criteria as rules
from pmp.lookup.criteria import PURPOSE_WORDS, Criteria
from pmp.lookup.schedule_lines import Line
from pmp.permissions import Permission, can

MOST = 50
LEASE = timedelta(minutes=2)
WHAT = "line of a schedule"


@dataclass(frozen=True)
class Standing:
    """A list as it stands: its lines in order, and how many are done."""

    schedule: PatientSchedule
    people: Sequence[ScheduledPatient]

    @property
    def done(self) -> int:
        asked = LookUpOutcome.ASKED
        return sum(each.outcome is not asked for each in self.people)

    @property
    def is_finished(self) -> bool:
        return self.schedule.finished_at is not None


def make(  # noqa: PLR0913 - what a list is
    lines: Sequence[Line],
    *,
    purpose: Purpose,
    since: date,
    similar: bool,
    by: User,
    at: datetime,
    delegation: int | None = None,
) -> PatientSchedule:
    """Keep the people of a list, to be looked up from `since` to today.

    Lines with a problem are left out; `delegation` says on whose behalf a delegate
    makes it. RuleError for nobody, for more than fifty, and
    for more in a day than the program allows.
    """
    people = [line for line in lines if not line.problem]
    rules.check_purpose(purpose, by=by, at=at, delegation=delegation)
    if not people:
        raise RuleError("No line names a person with a birth date", field="text")
    if len(people) > MOST:
        message = f"These are {len(people)} people. Send at most {MOST} at a time."
        raise RuleError(message, field="text")
    forget_at = at + timedelta(days=settings.current().schedule_days)
    with database.atomic():
        _within_the_day(len(people), by=by, at=at)
        made: PatientSchedule = PatientSchedule.create(
            user=by,
            purpose=purpose,
            since=since,
            until=clock.day_of(at),
            similar=similar,
            made_at=at,
            forget_at=forget_at,
            delegation=delegation,
        )
        for number, line in enumerate(people, 1):
            ScheduledPatient.create(
                schedule=made,
                number=number,
                first_name=line.first_name,
                last_name=line.last_name,
                birth_date=line.birth_date,
            )
        detail: dict[str, Any] = {"people": len(people), "purpose": purpose.value}
        if made.delegation is not None:
            detail["on_behalf_of"] = made.delegation.supervisor.username
        _record(audit.Event.SCHEDULE_MADE, made, by=by.username, at=at, detail=detail)
    return made


def left_today(user: User, *, at: datetime) -> int:
    """Tell how many people of lists a user may still have looked up today."""
    today = clock.start_of(clock.day_of(at))
    done = (
        LookUp.select()
        .where((LookUp.user == user) & (LookUp.at >= today))
        .where(LookUp.origin == LookUpOrigin.SCHEDULE)
        .where(~LookUp.similar)
        .count()
    )
    waiting = (
        ScheduledPatient.select()
        .join(PatientSchedule)
        .where(PatientSchedule.user == user)
        .where(ScheduledPatient.outcome == LookUpOutcome.ASKED)
        .count()
    )
    return max(0, settings.current().scheduled_patients_per_day - done - waiting)


def of(user: User, *, at: datetime) -> list[PatientSchedule]:
    """List a user's lists that are still there, the latest first.

    A delegate's of those alone for whom they look up now.
    """
    query = PatientSchedule.select().where(PatientSchedule.user == user)
    rows = list(query.order_by(PatientSchedule.id.desc()))
    return [row for row in rows if delegates.may_see(row, by=user, at=at)]


def standing(schedule_id: int, *, by: User, at: datetime) -> Standing:
    """Show a user's own list; on the audit record first. NotFoundError."""
    found = _own(schedule_id, by)
    if not delegates.may_see(found, by=by, at=at):
        raise NotFoundError(delegates.NOBODY)
    _record(audit.Event.SCHEDULE_VIEWED, found, by=by.username, at=at, detail={})
    return Standing(found, _people(found))


def look_up_of(schedule_id: int, number: int, *, by: User) -> LookUp:
    """Give the look-up of a line of a user's own list, to be opened again."""
    line: ScheduledPatient | None = ScheduledPatient.get_or_none(
        (ScheduledPatient.schedule == _own(schedule_id, by))
        & (ScheduledPatient.number == number)
    )
    if line is None or line.look_up is None:
        raise NotFoundError("This line has not been looked up.")
    return line.look_up


def forget(schedule_id: int, *, by: User, at: datetime) -> None:
    """Delete a user's own list; its look-ups stay on the record."""
    found = _own(schedule_id, by)
    with database.atomic():
        _record(audit.Event.SCHEDULE_FORGOTTEN, found, by=by.username, at=at, detail={})
        _delete(PatientSchedule.id == found.id)


def expire(*, at: datetime) -> int:
    """Delete the lists that have had their days; give how many."""
    old = PatientSchedule.forget_at <= at
    with database.atomic():
        for each in PatientSchedule.select().where(old):
            event = audit.Event.SCHEDULE_FORGOTTEN
            _record(event, each, by="system", at=at, detail={})
        return _delete(old)


def waiting() -> list[int]:
    """Give the ids of lists with people still to be looked up, the oldest first."""
    query: Any = PatientSchedule.select(PatientSchedule.id).where(
        PatientSchedule.finished_at.is_null()
    )
    return [number for (number,) in query.order_by(PatientSchedule.id).tuples()]


def run_next(schedule_id: int, *, at: datetime) -> bool:
    """Look up the next person of a list; False when there is none left.

    A line is claimed first, so that two workers do not look the same person up; one
    whose worker died is taken again after two minutes.
    """
    line = _claimed(schedule_id, at)
    if line is None:
        return False
    user = line.schedule.user
    line.outcome = LookUpOutcome.REFUSED
    if user.status is UserStatus.ACTIVE and _may(user):
        with suppress(RuleError):
            _look_up(line, user, at)
    _answer(line, user, at)
    _finish(line.schedule, at)
    return True


def _look_up(line: ScheduledPatient, user: User, at: datetime) -> None:
    """Search for a line's person and make the report; in no transaction of its own.

    The search is kept whatever follows, and nobody waits while the report is made.
    """
    schedule = line.schedule
    found = _search(line, user, at, similar=False)
    if found.outcome is LookUpOutcome.NONE and schedule.similar:
        found = _search(line, user, at, similar=True)
    line.look_up, line.outcome = found, found.outcome
    if found.patient is None:
        return
    report = history.patient_report(
        found.patient, since=schedule.since, until=schedule.until, at=at
    )
    line.fills = report.counts.fills
    own = report.own_entries
    line.last_fill = own[0].filled_on if own else None
    line.mme = report.mme.today_shown
    line.warnings = len(report.warnings)


def _answer(line: ScheduledPatient, user: User, at: datetime) -> None:
    """Keep what a line says; with it goes the disclosure of whom it is about."""
    with database.atomic():
        if line.look_up is not None and line.look_up.patient is not None:
            disclosures.record(
                patient=line.look_up.patient,
                recipient=delegates.with_supervisor(user.name, line.look_up),
                what=WHAT,
                purpose=PURPOSE_WORDS[line.schedule.purpose],
                at=at,
                actor=user.username,
                look_up=line.look_up,
            )
        line.save()


def _search(
    line: ScheduledPatient, user: User, at: datetime, *, similar: bool
) -> LookUp:
    schedule = line.schedule
    wanted = Criteria(
        first_name=line.first_name,
        last_name=line.last_name,
        birth_date=line.birth_date,
        purpose=schedule.purpose,
        since=schedule.since,
        until=schedule.until,
        similar=similar,
        delegation=schedule.__data__["delegation"],
    )
    answer = lookup.search(
        criteria=wanted, by=user, at=at, origin=LookUpOrigin.SCHEDULE
    )
    return lookup.of_token(token=answer.token, by=user, at=at)


def _claimed(schedule_id: int, at: datetime) -> ScheduledPatient | None:
    """Take the next line that nobody works on."""
    free = (
        (ScheduledPatient.schedule == schedule_id)
        & (ScheduledPatient.outcome == LookUpOutcome.ASKED)
        & (
            ScheduledPatient.claimed_until.is_null()
            | (ScheduledPatient.claimed_until <= at)
        )
    )
    query = ScheduledPatient.select().where(free)
    # Those that nobody has tried come first: one that fails holds up no other.
    tried = ScheduledPatient.claimed_until.is_null(is_null=False)
    for line in query.order_by(tried, ScheduledPatient.number):
        taken = (
            ScheduledPatient.update(claimed_until=at + LEASE)
            .where((ScheduledPatient.id == line.id) & free)
            .execute()
        )
        if taken:
            claimed: ScheduledPatient = line
            return claimed
    return None


def _finish(schedule: PatientSchedule, at: datetime) -> None:
    left = (
        ScheduledPatient.select()
        .where(ScheduledPatient.schedule == schedule)
        .where(ScheduledPatient.outcome == LookUpOutcome.ASKED)
    )
    if not left.exists():
        PatientSchedule.update(finished_at=at).where(
            (PatientSchedule.id == schedule.id) & PatientSchedule.finished_at.is_null()
        ).execute()


def _may(user: User) -> bool:
    return can(user.role, Permission.PATIENT_SCHEDULE)


def _within_the_day(people: int, *, by: User, at: datetime) -> None:
    if not database.is_sqlite():  # two lists at a time would not see each other
        own: Any = User.select(User.id).where(User.id == by.id)
        # Not FOR UPDATE: a report to the user may be written down meanwhile.
        own.for_update("FOR NO KEY UPDATE").get()
    left = left_today(by, at=at)
    if people > left:
        most = settings.current().scheduled_patients_per_day
        raise RuleError(
            f"These are {people} people; of {most} a day you have {left} left. Send a"
            " shorter list, or look patients up one by one.",
            field="text",
        )


def _own(schedule_id: int, user: User) -> PatientSchedule:
    found: PatientSchedule | None = PatientSchedule.get_or_none(
        (PatientSchedule.id == schedule_id) & (PatientSchedule.user == user)
    )
    if found is None:
        raise NotFoundError("This list is gone: lists are deleted after a few days.")
    return found


def _people(schedule: PatientSchedule) -> list[ScheduledPatient]:
    query = ScheduledPatient.select().where(ScheduledPatient.schedule == schedule)
    return list(query.order_by(ScheduledPatient.number))


def _delete(condition: Any) -> int:
    # Foreign keys take the lines along.
    return int(PatientSchedule.delete().where(condition).execute())


def _record(
    event: audit.Event,
    schedule: PatientSchedule,
    *,
    by: str,
    at: datetime,
    detail: dict[str, Any],
) -> None:
    subject = f"schedule:{schedule.id}"
    audit.record(event, actor=by, subject=subject, at=at, detail=detail)
