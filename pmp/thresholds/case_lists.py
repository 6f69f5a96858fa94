"""Lists of threshold cases for staff: by status, by rule, by what was answered."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
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
    User,
)
from pmp import downloads, settings, sorting
from pmp.downloads import Listing
from pmp.paging import Page, page_of
from pmp.thresholds import answers
from pmp.thresholds.case_sending import OUT

PAGE_SIZE = 50
OLDEST, LATEST = "found", "-found"
SORTS: dict[str, Any] = {
    "case": ThresholdCase.id,
    "reached": ThresholdCase.crossed_on,
    "prescribers": ThresholdCase.prescribers,
    "pharmacies": ThresholdCase.pharmacies,
    "rule": ThresholdRule.name,
    "status": ThresholdCase.status,
    "found": ThresholdCase.detected_at,
}
FILE = Listing("threshold_cases", "cases", "Choose a status, a rule or answers.")


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
    """Which cases to list; None or empty: all. `rule` is a name: all its versions.

    `sort` is one of SORTS, a minus before it turns it round; else held cases come the
    oldest first, all others the newest first.
    """

    status: CaseStatus | None = None
    rule: str = ""
    answers: Answers | None = None
    sort: str = ""

    @property
    def order(self) -> str:
        own = OLDEST if self.status == CaseStatus.HELD else LATEST
        return sorting.known(self.sort, SORTS, otherwise=own)


@dataclass(frozen=True)
class Row:
    """A case on a list, how many its report goes to, and how many have answered."""

    case: ThresholdCase
    recipients: int
    answered: int


def listed(wanted: Wanted, *, page: int, at: datetime) -> Page:
    """Give a page of cases in the order that is wanted."""
    found = page_of(_query(wanted, at=at), number=page, size=PAGE_SIZE)
    return replace(found, rows=list(_rows(found.rows)))


def rows_of(wanted: Wanted, *, by: User, at: datetime) -> Iterator[Row]:
    """Give all cases of a list, in its order, for a file; kept on record first.

    RuleError if they are more than a file may hold.
    """
    cases = downloads.rows_of(_query(wanted, at=at), FILE, by=by, at=at)
    return (row for some in _batches(cases) for row in _rows(some))


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
    return sorting.in_order(query, wanted.order, SORTS, then=ThresholdCase.id)


def _batches(cases: list[ThresholdCase]) -> Iterator[list[ThresholdCase]]:
    yield from (cases[start : start + 500] for start in range(0, len(cases), 500))


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
