"""What became of a rule's reports: delivered, opened, answered, with what outcome.

Numbers alone, no patient: for those who judge whether a rule is worth its letters.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from peewee import fn

from models import (
    CaseRecipient,
    CaseStatus,
    Delivery,
    DeliveryKind,
    DeliveryState,
    RecipientReply,
    ThresholdCase,
    ThresholdRule,
)
from pmp.thresholds import answers, threshold_rules

ARRIVED = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.MAILED)
A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Outcomes:
    """What became of one version's reports; `days` is the median from sent to answered.

    A recipient counts once, with the reply that counts; `days` goes by the first one.
    """

    version: int
    cases: int
    withdrawn: int
    recipients: int
    delivered: int
    opened: int
    answered: int
    by_page: int
    by_fax: int
    by_phone: int
    my_patient: int
    not_my_patient: int
    wrong_rows: int
    discussed: int
    referral_offered: int
    asked_for_a_call: int
    days: float | None


# What each number is called, in the order of the page and of the CSV file.
COLUMNS = {
    "cases": "Cases",
    "withdrawn": "Withdrawn",
    "recipients": "Recipients",
    "delivered": "Delivered",
    "opened": "Opened in the portal",
    "answered": "Answered",
    "by_page": "on the page",
    "by_fax": "by fax",
    "by_phone": "by telephone",
    "my_patient": "My patient",
    "not_my_patient": "Not my patient",
    "wrong_rows": "A row is wrong",
    "discussed": "Discussed",
    "referral_offered": "Referral offered",
    "asked_for_a_call": "Asked for a call",
    "days": "Median days to answer",
}


def of_rule(rule: ThresholdRule) -> list[Outcomes]:
    """Give what became of the reports of each version of a rule, newest first."""
    return [of_version(version) for version in threshold_rules.versions(rule)]


def every() -> list[tuple[ThresholdRule, Outcomes]]:
    """Give the same of every version of every rule, by name."""
    query = ThresholdRule.select().order_by(
        ThresholdRule.name, ThresholdRule.version.desc()
    )
    return [(rule, of_version(rule)) for rule in query]


def of_version(rule: ThresholdRule) -> Outcomes:
    """Count what became of the reports of one version of a rule."""
    cases = ThresholdCase.select().where(ThresholdCase.rule == rule)
    withdrawn = cases.where(ThresholdCase.status == CaseStatus.WITHDRAWN)
    recipients = (
        CaseRecipient.select(CaseRecipient)
        .join(ThresholdCase)
        .where(ThresholdCase.rule == rule)
    )
    ids = recipients.select(CaseRecipient.id)
    delivered = _deliveries(ids).where(Delivery.state.in_(ARRIVED))
    return Outcomes(
        version=rule.version,
        cases=cases.count(),
        withdrawn=withdrawn.count(),
        recipients=recipients.count(),
        delivered=delivered.select(Delivery.subject_id).distinct().count(),
        opened=recipients.where(~CaseRecipient.opened_at.is_null()).count(),
        days=_median_days(ids),
        **_replies(RecipientReply.id.in_(answers.counting(ids))),
    )


def csv_header() -> list[str]:
    """Give the headings of the table as a file."""
    ways = ("by_page", "by_fax", "by_phone")
    by = {name: f"Answered {COLUMNS[name]}" for name in ways}
    return ["Rule", "Version", *(COLUMNS | by).values()]


def csv_rows(found: Iterable[tuple[ThresholdRule, Outcomes]]) -> list[list[Any]]:
    """Give the table as a file, a version a row."""
    return [
        [rule.name, rule.version, *(getattr(counted, name) for name in COLUMNS)]
        for rule, counted in found
    ]


def _replies(counts: Any) -> dict[str, int]:
    query = RecipientReply.select().where(counts)
    found: dict[str, int] = dict.fromkeys(
        (
            "answered",
            "by_page",
            "by_fax",
            "by_phone",
            "my_patient",
            "not_my_patient",
            "wrong_rows",
            "discussed",
            "referral_offered",
            "asked_for_a_call",
        ),
        0,
    )
    for reply in query:
        found["answered"] += 1
        found[f"by_{reply.channel}"] += 1
        if reply.answer:
            found[str(reply.answer)] += 1
        found["wrong_rows"] += bool(reply.wrong_rows)
        found["discussed"] += (
            reply.discussed_with_patient or reply.discussed_with_others
        )
        found["referral_offered"] += reply.referral_offered
        found["asked_for_a_call"] += reply.please_call
    return found


def _median_days(ids: Any) -> float | None:
    """Give the median of days from when a report left to its first answer."""
    first = _earliest(
        RecipientReply.select(RecipientReply.recipient, fn.MIN(RecipientReply.given_at))
        .where(RecipientReply.recipient.in_(ids))
        .group_by(RecipientReply.recipient),
    )
    sent = _earliest(
        _deliveries(ids)
        .select(Delivery.subject_id, fn.MIN(Delivery.submitted_at))
        .where(~Delivery.submitted_at.is_null())
        .group_by(Delivery.subject_id),
    )
    took = [max(first[each] - sent[each], timedelta(0)) for each in first.keys() & sent]
    days = [each / A_DAY for each in took]
    return round(median(days), 1) if days else None


def _earliest(query: Any) -> dict[int, datetime]:
    read: Any = Delivery.submitted_at.python_value  # MIN() gives SQLite's own writing
    return {each: read(at) for each, at in query.tuples()}


def _deliveries(ids: Any) -> Any:
    return Delivery.select().where(
        (Delivery.kind == DeliveryKind.THRESHOLD_REPORT) & Delivery.subject_id.in_(ids)
    )
