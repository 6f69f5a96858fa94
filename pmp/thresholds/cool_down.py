"""After a report, more cases of the same patient and rule wait: the cool-down.

A case in it is kept and not sent, unless it is worse than the one that was sent and the
rule says so. A case that was kept is sent later when it becomes worse, or when another
fill comes to it after the cool-down has ended: nobody is forgotten.
"""

from datetime import date, datetime, timedelta

from models import CaseStatus, ThresholdCase, ThresholdRule
from pmp import clock
from pmp.thresholds.reached import is_worse
from pmp.wording import us_date


def ends(case: ThresholdCase, *, at: datetime) -> date | None:
    """Give the last day for which a case is to be kept unsent; None: send it."""
    rule = case.rule
    sent = _last_sent(case)
    if not rule.cool_down_days or sent is None or sent.queued_at is None:
        return None
    last = clock.day_of(sent.queued_at) + timedelta(days=rule.cool_down_days)
    if clock.day_of(at) > last or (rule.send_when_worse and is_worse(case, sent)):
        return None
    return last


def reason(case: ThresholdCase, last: date) -> str:
    """Say why a case is kept: for staff, in one sentence."""
    days = case.rule.cool_down_days
    length = "1 day" if days == 1 else f"{days} days"
    higher = "if the numbers become higher, or " if case.rule.send_when_worse else ""
    return (
        f"Reported before, and the rule's cool-down of {length} lasts until"
        f" {us_date(last)}. It is sent {higher}with a further fill after that day."
    )


def is_kept(case: ThresholdCase) -> bool:
    """Tell whether a case is closed for nothing but a cool-down."""
    return case.status == CaseStatus.CLOSED and case.cool_down_ends is not None


def _last_sent(case: ThresholdCase) -> ThresholdCase | None:
    """Give the last case of the patient and rule, of any version, that went out.

    A withdrawn one was no report of anything.
    """
    found: ThresholdCase | None = (
        ThresholdCase.select(ThresholdCase, ThresholdRule)
        .join(ThresholdRule)
        .where(ThresholdCase.patient == case.patient)
        .where(ThresholdRule.name == case.rule.name)
        .where(ThresholdCase.queued_at.is_null(False))  # noqa: FBT003
        .where(ThresholdCase.status != CaseStatus.WITHDRAWN)
        .where(ThresholdCase.id != case.id)
        .order_by(ThresholdCase.queued_at.desc(), ThresholdCase.id.desc())
        .first()
    )
    return found
