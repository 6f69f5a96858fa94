"""Lists of threshold cases for staff: by status, by rule, by what was answered."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from peewee import fn

from models import (
    CaseRecipient,
    CaseStatus,
    Delivery,
    DeliveryKind,
    FaxedReply,
    FaxedReplyStatus,
    RecipientReply,
    ThresholdCase,
    ThresholdRule,
)
from pmp import settings
from pmp.paging import Page, pages_of
from pmp.thresholds import answers
from pmp.thresholds.case_sending import OUT

PAGE_SIZE = 50


class Answers(StrEnum):
    """What of the answers makes a case stand on a list."""

    MISSING = "missing"
    CALL = "call"
    FAX = "fax"


ANSWER_WORDS = {
    Answers.MISSING: "Without an answer",
    Answers.CALL: "Asks to be called",
    Answers.FAX: "Has a faxed reply to tick",
}


@dataclass(frozen=True)
class Wanted:
    """Which cases to list; None or empty: all. `rule` is a name: all its versions."""

    status: CaseStatus | None = None
    rule: str = ""
    answers: Answers | None = None


@dataclass(frozen=True)
class Row:
    """A case on a list, how many its report goes to, and how many have answered."""

    case: ThresholdCase
    recipients: int
    answered: int


def listed(wanted: Wanted, *, page: int, at: datetime) -> Page:
    """Give a page of cases: held ones the oldest first, all others the newest first."""
    query = _query(wanted, at=at)
    total = query.count()
    rows = list(_rows(list(query.paginate(page, PAGE_SIZE))))
    return Page(rows, page, pages_of(total, PAGE_SIZE), total)


def every(wanted: Wanted, *, at: datetime) -> Iterator[Row]:
    """Give all cases of a list, in its order, a page a query."""
    page = 1
    while cases := list(_query(wanted, at=at).paginate(page, 10 * PAGE_SIZE)):
        yield from _rows(cases)
        page += 1


def rule_names() -> list[str]:
    """Give the names of the rules, in order."""
    query = ThresholdRule.select(ThresholdRule.name).distinct()
    return [rule.name for rule in query.order_by(ThresholdRule.name)]


def asking_for_a_call() -> Any:
    """Select the replies of those who ask for a call and were not called yet."""
    asked = RecipientReply.select(RecipientReply.recipient).where(
        RecipientReply.please_call
    )
    return RecipientReply.select().where(
        RecipientReply.please_call
        & RecipientReply.called_at.is_null()
        & RecipientReply.id.in_(answers.counting(asked))
    )


def _query(wanted: Wanted, *, at: datetime) -> Any:
    query = ThresholdCase.select(ThresholdCase, ThresholdRule).join(ThresholdRule)
    if wanted.status is not None:
        query = query.where(ThresholdCase.status == wanted.status)
    if wanted.rule:
        query = query.where(ThresholdRule.name == wanted.rule)
    if wanted.answers is not None:
        query = query.where(ThresholdCase.id.in_(_with_answers(wanted.answers, at=at)))
    if wanted.status == CaseStatus.HELD:
        return query.order_by(ThresholdCase.detected_at, ThresholdCase.id)
    return query.order_by(ThresholdCase.detected_at.desc(), ThresholdCase.id.desc())


def _with_answers(which: Answers, *, at: datetime) -> Any:
    """Select the ids of the cases whose answers are as wanted."""
    recipients = CaseRecipient.select(CaseRecipient.case)
    if which == Answers.MISSING:
        return _unanswered(at=at)
    if which == Answers.CALL:
        asking = asking_for_a_call().select(RecipientReply.recipient)
        return recipients.where(CaseRecipient.id.in_(asking))
    waiting = FaxedReply.select(FaxedReply.recipient).where(
        FaxedReply.status == FaxedReplyStatus.WAITING
    )
    return recipients.where(CaseRecipient.id.in_(waiting))


def _unanswered(*, at: datetime) -> Any:
    """Select the standing cases that somebody was sent so long ago, and is silent."""
    since = at - timedelta(days=settings.current().unanswered_days)
    sent = Delivery.select(Delivery.subject_id).where(
        (Delivery.kind == DeliveryKind.THRESHOLD_REPORT)
        & (Delivery.submitted_at <= since)
    )
    return (
        CaseRecipient.select(CaseRecipient.case)
        .join(ThresholdCase)
        .where(ThresholdCase.status.in_(OUT))
        .where(CaseRecipient.answered_at.is_null())
        .where(CaseRecipient.id.in_(sent))
    )


def _rows(cases: Iterable[ThresholdCase]) -> Iterator[Row]:
    found = list(cases)
    counts: Any = (
        CaseRecipient.select(
            CaseRecipient.case,
            fn.COUNT(CaseRecipient.id),
            fn.COUNT(CaseRecipient.answered_at),
        )
        .where(CaseRecipient.case.in_([case.id for case in found]))
        .group_by(CaseRecipient.case)
        .tuples()
    )
    known = {case: (sent, answered) for case, sent, answered in counts}
    for case in found:
        yield Row(case, *known.get(case.id, (0, 0)))
