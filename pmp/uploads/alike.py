"""Held records with the same fault as one that was corrected: the same change for all.

Two kinds are alike: the element has the same wrong value, or its value is wrong in the
same way and the rule that mended the first finds one value for it as well (a date
format, an NDC with hyphens).  What tells one person from another is never copied to a
record of somebody else.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from models import (
    RecordStatus,
    Submission,
    SubmissionProblem,
    SubmissionRecord,
    User,
)
from pmp.asap import Severity, codes
from pmp.errors import NotFoundError, RuleError
from pmp.uploads import checking, corrections, suggestions
from pmp.uploads.checking import Checker
from pmp.uploads.corrections import Change, Outcome

AT_ONCE = 500
"""Records on one review page: more are offered once these are done."""

# One number for one prescription, one ID for one person: never the same for others.
_NEVER = frozenset({"DSP02", "PAT03", "PAT06", "AIR02", "AIR05"})
# These depend on the drug or the prescription, whatever the wrong value was.
_SAME_SUPPLY = {"DSP09": ("DSP08",), "DSP10": ("DSP08", "DSP09")}
# Elements that tell who it is, and how many of them must be there, and equal.
_WHO = {
    "PAT": frozenset({"PAT07", "PAT08", "PAT18"}),
    "PRE": frozenset({"PRE01", "PRE02", "PRE04", "PRE05"}),
    "AIR": frozenset({"AIR07"}),
}
_ENOUGH = {"PAT": 2, "PRE": 1, "AIR": 1}
# Found in what was reported of one prescription or person: of no use to another.
_OF_ONE_RECORD = frozenset({"earlier patient", "earlier fill", "directions"})
_COUNTED = 50
_PRODUCTS = frozenset({"DSP08", "CDI03"})
_OF_ONE_PRESCRIPTION = _PRODUCTS | {"DSP03", "DSP05", "DSP17", "CDI04"}


@dataclass(frozen=True)
class Like:
    """How a corrected record's element was changed; by which rule, if one is known."""

    record: SubmissionRecord
    element: str
    before: str
    after: str
    codes: frozenset[str]
    rule: str


@dataclass(frozen=True)
class Proposal:
    """What one held record's element would become.

    `likely` ones are ticked on the review page; of the others the user must be sure.
    """

    record: SubmissionRecord
    before: str
    after: str
    why: str
    likely: bool


@dataclass(frozen=True)
class Offer:
    """That records are alike, for a link: the element and how many at most."""

    element: str
    before: str
    count: int


def offers(record: SubmissionRecord, *, by: User) -> list[Offer]:
    """Tell for which corrected elements of a record others have the same fault.

    Of many it counts problems, so that it is quick; the review tells which of them can
    take the change.
    """
    found = []
    for element in sorted(record.corrections):
        if like := like_of(record, element, by=by):
            count = _problems(like).count()
            if count <= _COUNTED:
                count = len(proposals(like, by=by))
            if count:
                found.append(Offer(like.element, like.before, count))
    return found


def like_of(record: SubmissionRecord, element: str, *, by: User) -> Like | None:
    """Tell how an element of a record was corrected; None if it had no fault."""
    base = element.partition(".")[0]
    if element not in record.corrections or base in _NEVER:
        return None
    before: dict[str, str] = record.elements
    given, after = before.get(element, ""), record.corrections[element]
    if not given and base in _OF_ONE_PRESCRIPTION:
        return None  # it was empty: every record has its own
    checker = checking.checker_for(record.submission, by=by)
    codes = frozenset(
        problem.code
        for problem in checker.check(before).problems
        if problem.element == element
    )
    if not codes or not after:
        return None
    found = suggestions.suggest(before, [element], checker=checker, by=by)
    rules = [each.rule for each in found.get(element, []) if each.value == after]
    return Like(record, element, given, after, codes, rules[0] if rules else "")


def proposals(like: Like, *, by: User) -> list[Proposal]:
    """List what the held records that are alike would become, at most 500, in order."""
    checker = checking.checker_for(like.record.submission, by=by)
    found = (_propose(like, record, checker, by) for record in _candidates(like))
    return list(islice((each for each in found if each), AT_ONCE))


def apply(like: Like, *, numbers: Sequence[int], by: User, at: datetime) -> Outcome:
    """Give the records with these numbers the same change, where it still fits.

    Raises RuleError if no record is named.
    """
    wanted = set(numbers)
    if not wanted:
        raise RuleError("Tick the records that should take the change.")
    changes = [
        Change(each.record, {like.element: each.after})
        for each in proposals(like, by=by)
        if each.record.number in wanted
    ]
    done = corrections.correct_all(changes, by=by, at=at, like=like.record.number)
    missed = wanted - {change.record.number for change in changes}
    done.taken += sorted(missed)
    return done


def require(record: SubmissionRecord, element: str, *, by: User) -> Like:
    """Give how an element was corrected; NotFoundError if there is nothing to share."""
    found = like_of(record, element, by=by)
    if found is None:
        raise NotFoundError("There is no such correction.")
    return found


def _problems(like: Like) -> Any:
    """Select the problems of other held records that are of the same kind."""
    problem, record = SubmissionProblem, SubmissionRecord
    same_record = (record.submission == problem.submission) & (
        record.number == problem.record_number
    )
    query = (
        problem.select(problem.record_number)
        .join(record, on=same_record)
        .where(problem.submission == like.record.submission)
        .where(problem.element == like.element)
        .where(problem.code.in_(sorted(like.codes)))
        .where(record.status == RecordStatus.HELD)
        .where(record.number != like.record.number)
        .distinct()
    )
    return query if like.rule else query.where(problem.value == like.before)


def _candidates(like: Like) -> Iterator[SubmissionRecord]:
    """Give the held records with such a problem, those with the same value first."""
    same = _problems(like).where(SubmissionProblem.value == like.before)
    seen: set[int] = set()
    for query in (same, _problems(like)):
        numbers = sorted(number for (number,) in query.tuples())
        fresh = [number for number in numbers if number not in seen]
        seen.update(fresh)
        for start in range(0, len(fresh), AT_ONCE):
            yield from _records(like.record.submission, fresh[start : start + AT_ONCE])
    if _problems_cut_short(like.record.submission):
        yield from _untold(like, seen | {like.record.number})


def _problems_cut_short(submission: Submission) -> bool:
    """Whether the file had more problems than are kept: P00 says so."""
    query = SubmissionProblem.select().where(
        SubmissionProblem.submission == submission,
        SubmissionProblem.record_number.is_null(),
        SubmissionProblem.code == "P00",
    )
    return bool(query.exists())


def _untold(like: Like, seen: set[int]) -> Iterator[SubmissionRecord]:
    """Give the other held records of a file whose problems are not all kept."""
    last = 0
    while batch := list(_held_after(like.record.submission, last)):
        last = batch[-1].number
        for record in batch:
            if record.number not in seen and _may_be_alike(like, record):
                record.submission = like.record.submission
                yield record


def _may_be_alike(like: Like, record: SubmissionRecord) -> bool:
    same = checking.current(record).get(like.element, "") == like.before
    return same or bool(like.rule)


def _held_after(submission: Submission, number: int) -> Any:
    return (
        SubmissionRecord.select()
        .where(SubmissionRecord.submission == submission)
        .where(SubmissionRecord.status == RecordStatus.HELD)
        .where(SubmissionRecord.number > number)
        .order_by(SubmissionRecord.number)
        .limit(AT_ONCE)
    )


def _records(submission: Submission, numbers: list[int]) -> list[SubmissionRecord]:
    query = (
        SubmissionRecord.select()
        .where(SubmissionRecord.submission == submission)
        .where(SubmissionRecord.number.in_(numbers))
        .order_by(SubmissionRecord.number)
    )
    found: list[SubmissionRecord] = list(query)
    for record in found:
        record.submission = submission
    return found


def _propose(
    like: Like, record: SubmissionRecord, checker: Checker, by: User
) -> Proposal | None:
    now = checking.current(record)
    if not _has_fault(like, now, checker):
        return None
    before = now.get(like.element, "")
    if before == like.before and _same_person(like, now):
        if not _mends(like, now, checker):
            return None
        likely = _likely(like, now)
        return Proposal(record, before, like.after, "the same value", likely)
    if not like.rule or like.rule == "near" or like.rule in _OF_ONE_RECORD:
        return None
    guess = suggestions.by_rule(
        like.element, now, rule=like.rule, checker=checker, by=by
    )
    if guess is None:
        return None
    return Proposal(record, before, guess.value, guess.why, likely=True)


def _has_fault(like: Like, now: Mapping[str, str], checker: Checker) -> bool:
    return any(
        problem.element == like.element and problem.code in like.codes
        for problem in checker.check(now).problems
    )


def _mends(like: Like, now: Mapping[str, str], checker: Checker) -> bool:
    """Whether the new value ends the fault in this record too."""
    checked = checker.check({**now, like.element: like.after})
    return not any(
        problem.element == like.element
        and (problem.code in like.codes or problem.severity is not Severity.WARNING)
        for problem in checked.problems
    )


def _same_person(like: Like, now: Mapping[str, str]) -> bool:
    """Whether all else that the two records say of patient or prescriber is equal."""
    segment = like.element[:3]
    if segment not in {"PAT", "PRE", "AIR"} or _is_code(like.element):
        return True
    given: Mapping[str, str] = like.record.elements
    others = _others(given, segment, like.element)
    known = len(_WHO[segment].intersection(others)) >= _ENOUGH[segment]
    if segment == "PRE" and like.before:
        known = True  # the same wrong number
    return known and others == _others(now, segment, like.element)


def _others(elements: Mapping[str, str], segment: str, but: str) -> dict[str, str]:
    return {
        name: text
        for name, text in elements.items()
        if name.startswith(segment) and name != but and text
    }


def _is_code(element: str) -> bool:
    return element.partition(".")[0] in codes.LISTS or element == "PAT15"


def _likely(like: Like, now: Mapping[str, str]) -> bool:
    given = like.record.elements
    base = like.element.partition(".")[0]
    if base in _SAME_SUPPLY:
        names = _SAME_SUPPLY[base]
        return all(now.get(name, "") == given.get(name, "") for name in names)
    if base not in _OF_ONE_PRESCRIPTION or base in _PRODUCTS:
        return True
    # A day that is one, only impossible, says nothing of what should stand there.
    return "E05" in like.codes and like.rule not in _OF_ONE_RECORD
