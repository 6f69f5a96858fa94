"""What would become of a few records, told at once and nothing kept.

The same reading and the same deciding as a submission's, for a page on which records
are typed or previewed; a whole file is rehearsed by a dry run instead.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models import Severity, SubmissionProblem, User
from pmp import asap, clock
from pmp.reporters import coverage_of
from pmp.uploads.intake import Decided, Intake, take_in
from pmp.uploads.outcomes import problem_rows
from pmp.uploads.programme import programme

_ID = re.compile(r" \((?:PHA|PAT|DSP|PRE|CDI|AIR)\d\d(?:\.\d)?\)")


@dataclass(frozen=True)
class Rehearsal:
    """What the reader says of the file, and what becomes of each record, in order."""

    problems: tuple[asap.Problem, ...]
    decided: tuple[Decided, ...]


def rehearse(body: bytes, *, by: User, at: datetime) -> Rehearsal:
    """Read a file's bytes and decide on its records as `process` would, storing none.

    For at most a few hundred records: they are taken in as one batch.
    """
    reading = asap.read([body], today=clock.day_of(at), programme=programme())
    records = list(reading)
    intake = Intake(
        submission=0, by=by.username, coverage=coverage_of(by), at=at, dry=True
    )
    decided = () if reading.refused else tuple(take_in(intake, records))
    return Rehearsal(tuple(reading.problems), decided)


def problems_of(decided: Decided) -> list[SubmissionProblem]:
    """Give what is wrong with a rehearsed record, as pages show it; nothing saved."""
    return [SubmissionProblem(**row) for row in problem_rows(decided)]


def grave(problems: Sequence[SubmissionProblem]) -> list[SubmissionProblem]:
    """Give those that hold a record, or the whole file."""
    return [each for each in problems if each.severity != Severity.WARNING]


def words_of(problem: SubmissionProblem) -> str:
    """Give a problem's sentences without the standard's numbers: people see boxes."""
    return _ID.sub("", f"{problem.message} {problem.fix}".strip())
