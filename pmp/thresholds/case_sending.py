"""Whether a case's report goes out, to whom, and why a case is kept unsent.

Called when a case is made, when its entries change, and when staff release it. Whoever
was sent a case of another version of the rule about the same days is not sent this one.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from models import CaseStatus, RuleStatus, ThresholdCase, ThresholdRule
from pmp import audit, bulk, clock, settings
from pmp.errors import ConflictError
from pmp.thresholds import case_recipients, concerned, cool_down, threshold_rules
from pmp.thresholds.concerned import NOBODY, PAST, People
from pmp.thresholds.reached import Reaching, is_worse

# Cases whose report went to somebody, or is about to.
OUT = (CaseStatus.QUEUED, CaseStatus.SENT, CaseStatus.ANSWERED)
WAITING = (CaseStatus.HELD, CaseStatus.DETECTED)
LONG_AGO = "Found long after it happened; nobody was written to."
ALREADY = "Reported already under an earlier version of the rule."


@dataclass(frozen=True)
class Sent:
    """A case that was sent, or is about to be, and to whom."""

    case: ThresholdCase
    people: People


@dataclass(frozen=True)
class Told:
    """Cases that were sent about the same days, the last one last, and to whom."""

    cases: Sequence[ThresholdCase] = ()
    people: People = NOBODY

    def leaves(self, case: Reaching, people: People) -> bool:
        """Tell whether a case is worse than these, and concerns people besides."""
        worse = all(is_worse(case, each) for each in self.cases)
        return worse and any(concerned.besides(people, self.people))


def is_unsent(case: ThresholdCase) -> bool:
    """Tell whether a case is closed for no reason of staff's: it may be sent yet."""
    return cool_down.is_kept(case) or (
        case.status == CaseStatus.CLOSED and case.closed_reason in {LONG_AGO, ALREADY}
    )


def waits(case: ThresholdCase) -> bool:
    """Tell whether staff may release a case."""
    return case.status in WAITING or is_unsent(case)


def awaiting(case: ThresholdCase) -> People:
    """Give whom a release would send the report to: ids."""
    return case_recipients.newcomers(case, told=_told_otherwise(case).people)


def is_long_ago(last: date, *, today: date) -> bool:
    """Tell whether a crossing's last fill is too old to write to anybody about."""
    return last < today - PAST


def send_or_keep(case: ThresholdCase, *, at: datetime) -> None:
    """Send a case that nobody was sent, hold it for review, or keep it and say why."""
    told = _told_otherwise(case)
    is_told = bool(told.cases) and not told.leaves(case, concerned.of_case(case))
    if not threshold_rules.is_active(case.rule):
        if is_told and case.status == CaseStatus.DETECTED:
            close(case, reason=ALREADY, actor="system", at=at)
        return
    reason, ends = _why_kept(case, is_told=is_told, at=at)
    if not reason and settings.current().hold_cases_for_review:
        _reopen(case, CaseStatus.HELD)
    elif not reason:
        queue(case, actor="system", at=at)
    elif case.closed_reason != reason:
        case.cool_down_ends = ends
        close(case, reason=reason, actor="system", at=at)


def reconsider(case: ThresholdCase, *, at: datetime) -> None:
    """Send a case that changed to its newcomers; or what was kept, if it is time now.

    Nothing while its rule is silent or off. What was kept for its age, or for another
    version's report, is sent under the version in force alone.
    """
    newest = threshold_rules.versions(case.rule)[0]
    if newest.status != RuleStatus.ACTIVE:
        return
    if case.status in OUT:
        queue(case, actor="system", at=at)
    elif cool_down.is_kept(case) or (is_unsent(case) and newest.id == case.rule.id):
        send_or_keep(case, at=at)


def queue(case: ThresholdCase, *, actor: str, at: datetime) -> None:
    """Request a report for everyone who is counted and was not asked one for."""
    if case.status not in OUT:
        case.queued_at = case.queued_at or at
        _reopen(case, CaseStatus.QUEUED)
    told = _told_otherwise(case).people
    if added := case_recipients.add(case, told=told, at=at):
        audit.record(
            audit.Event.CASE_QUEUED,
            actor=actor,
            subject=f"case:{case.id}",
            at=at,
            detail={"recipients": added},
        )


def close(case: ThresholdCase, *, reason: str, actor: str, at: datetime) -> None:
    """End a case, on record."""
    case.status, case.closed_at, case.closed_reason = CaseStatus.CLOSED, at, reason
    case.save()
    audit.record(
        audit.Event.CASE_CLOSED,
        actor=actor,
        subject=f"case:{case.id}",
        at=at,
        detail={"reason": reason},
    )


def require_somebody(case: ThresholdCase) -> None:
    """Raise ConflictError where all were sent another case about the same days."""
    told = _told_otherwise(case)
    if told.cases and not any(case_recipients.newcomers(case, told=told.people)):
        raise ConflictError(f"Reported already in case {told.cases[-1].id}.")


# --- Also for the simulator


def sent_cases(patient_ids: Collection[int], name: str) -> dict[int, list[Sent]]:
    """Give the cases of a rule, any version, that went out, by patient, in order."""
    query = (
        ThresholdCase.select(ThresholdCase, ThresholdRule)
        .join(ThresholdRule)
        .where(bulk.among(ThresholdCase.patient, sorted(patient_ids)))
        .where(ThresholdRule.name == name)
        .where(ThresholdCase.queued_at.is_null(False))  # noqa: FBT003
        .where(ThresholdCase.status != CaseStatus.WITHDRAWN)
        .order_by(ThresholdCase.queued_at, ThresholdCase.id)
    )
    found: dict[int, list[Sent]] = {}
    for case in query:
        recipients = (
            case_recipients.of_case(case)
            if case.status in OUT
            else case_recipients.sent_to(case)
        )
        if case.status in OUT or recipients:
            people = concerned.people_of(recipients)
            own = found.setdefault(case.__data__["patient"], [])
            own.append(Sent(case, people))
    return found


def told_about(sent: Iterable[Sent], first: date, last: date) -> Told:
    """Give what of cases that were sent is about days from `first` to `last`."""
    same = [
        each
        for each in sent
        if each.case.window_first <= last and each.case.window_last >= first
    ]
    return Told(
        [each.case for each in same],
        (
            [who for each in same for who in each.people[0]],
            [who for each in same for who in each.people[1]],
        ),
    )


# --- Only here


def _told_otherwise(case: ThresholdCase) -> Told:
    patient = case.__data__["patient"]  # case.patient would read the patient's row
    sent = sent_cases([patient], case.rule.name).get(patient, [])
    others = [each for each in sent if each.case.rule.id != case.rule.id]
    return told_about(others, case.window_first, case.window_last)


def _why_kept(
    case: ThresholdCase, *, is_told: bool, at: datetime
) -> tuple[str, date | None]:
    """Say why a case is not sent, and until when a cool-down lasts; "": send it."""
    if is_long_ago(case.window_last, today=clock.day_of(at)):
        return LONG_AGO, None
    if is_told:
        return ALREADY, None
    if last := cool_down.ends(case, at=at):
        return cool_down.reason(case, last), last
    return "", None


def _reopen(case: ThresholdCase, status: CaseStatus) -> None:
    case.status = status
    case.closed_at = case.closed_reason = case.cool_down_ends = None
    case.save()
