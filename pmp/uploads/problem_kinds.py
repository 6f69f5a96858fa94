"""A submission's problems by what is wrong: one line for fourteen records alike.

Problems with the same code, element and message are one kind, as is a problem alone of
its code and element.  What is left of a code and element, each with a message of its
own, is one kind together, so that a file with thousands of problems has few kinds.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from peewee import JOIN, Case, fn

from models import (
    RecordStatus,
    Severity,
    Submission,
    SubmissionProblem,
    SubmissionRecord,
)
from pmp.asap import elements

MOST_MESSAGES = 8
"""Messages of one code and element that are a kind of their own."""

FEW = 3
"""So many with a message of their own are not yet joined."""

LONGEST_TITLE = 140
GRAVITY = (Severity.FATAL, Severity.ERROR, Severity.WARNING)
# What stands in quotes is a value: a semicolon in it ends nothing.
_FIRST_CLAUSE = re.compile(r"(?:“[^”]*”|[^;“])*")


@dataclass(frozen=True)
class ProblemKind:
    """Problems that are alike.

    `key` is the id of the first of them.  `records` is 0 for problems of the file.
    `held` records of them wait for a correction, the first is number `next_held`.
    `various`: their messages differ, and `message` is that of one of them.
    """

    code: str
    severity: Severity
    element: str
    message: str
    count: int
    records: int
    key: int
    held: int = 0
    next_held: int | None = None
    various: bool = False

    @property
    def title(self) -> str:
        """What is wrong in a few words: Days supply (DSP10) is “0”."""
        if self.various and self.element:
            return f"{elements.label(self.element)} ({self.element}), various values"
        found = _FIRST_CLAUSE.match(self.message)
        title = (found[0] if found else self.message).strip().removesuffix(".")
        if len(title) > LONGEST_TITLE:
            title = f"{title[: LONGEST_TITLE - 1]}…"
        return f"{title}, and the like" if self.various else title


def kinds_of(submission: Submission) -> list[ProblemKind]:
    """Give the kinds of a submission's problems, the gravest first, then by count."""
    rows = sorted(_by_message(submission), key=_place)
    kinds = [
        kind for _, alike in groupby(rows, key=_place) for kind in _folded(list(alike))
    ]
    return sorted(kinds, key=lambda kind: (GRAVITY.index(kind.severity), -kind.count))


def with_key(kinds: Iterable[ProblemKind], key: int) -> ProblemKind | None:
    """Find the kind whose key this is."""
    return next((kind for kind in kinds if kind.key == key), None)


def only(query: Any, kind: ProblemKind, kinds: Iterable[ProblemKind]) -> Any:
    """Narrow a query of problems to those of one kind; `kinds` are all there are."""
    problem = SubmissionProblem
    query = query.where(
        problem.code == kind.code,
        problem.severity == kind.severity,
        problem.element == kind.element,
    )
    if not kind.various:
        return query.where(problem.message == kind.message)
    others = [
        each.message
        for each in kinds
        if _place(each) == _place(kind) and not each.various
    ]
    return query.where(problem.message.not_in(others)) if others else query


def _by_message(submission: Submission) -> Iterator[ProblemKind]:
    problem, record = SubmissionProblem, SubmissionRecord
    held = Case(None, ((record.id.is_null(is_null=False), problem.record_number),))
    query: Any = (
        problem.select(
            problem.code,
            problem.severity,
            problem.element,
            problem.message,
            fn.COUNT(problem.id),
            fn.COUNT(problem.record_number.distinct()),
            fn.MIN(problem.id),
            fn.COUNT(held.distinct()),
            fn.MIN(held),
        )
        .join(
            record,
            JOIN.LEFT_OUTER,
            on=(
                (record.submission == problem.submission)
                & (record.number == problem.record_number)
                & (record.status == RecordStatus.HELD)
            ),
        )
        .where(problem.submission == submission)
        .group_by(problem.code, problem.severity, problem.element, problem.message)
        .tuples()
    )
    for code, severity, *rest in query:
        yield ProblemKind(code, Severity(severity), *rest)


def _place(kind: ProblemKind) -> tuple[int, str, str]:
    return GRAVITY.index(kind.severity), kind.code, kind.element


def _folded(alike: list[ProblemKind]) -> list[ProblemKind]:
    """Keep the messages that repeat, so many at most, and join the others."""
    alike.sort(key=lambda kind: (-kind.count, kind.key))
    repeated = [kind for kind in alike[:MOST_MESSAGES] if kind.count > 1]
    others = alike[len(repeated) :]
    if len(others) <= FEW:
        return alike
    first = min(others, key=lambda kind: kind.key)
    numbers = [kind.next_held for kind in others if kind.next_held is not None]
    joined = ProblemKind(
        code=first.code,
        severity=first.severity,
        element=first.element,
        message=first.message,
        count=sum(kind.count for kind in others),
        records=sum(kind.records for kind in others),
        key=first.key,
        held=sum(kind.held for kind in others),
        next_held=min(numbers, default=None),
        various=True,
    )
    return [*repeated, joined]
