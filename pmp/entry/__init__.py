"""One dispensation, typed on a page as on the Universal Claim Form.

`check` tells what would become of it by the rules of every submission; `submit` makes
a submission file of it, which is kept and taken in like an upload.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from peewee import OperationalError

from models import (
    EntryDraft,
    RecordStatus,
    Submission,
    SubmissionProblem,
    SubmissionSource,
    User,
)
from pmp import asap, clock, database, uploads
from pmp.entry import asap_file, drafts
from pmp.entry.reading import PHARMACY, doubts, read
from pmp.errors import RuleError
from pmp.uploads import rehearsal

_AGAIN = (
    "This record was reported before. Submitting it once more stores nothing: give its"
    " own prescription or fill number, or choose Revise to change it."
)


@dataclass(frozen=True)
class Checked:
    """What would become of a typed record.

    `elements` is what the file says; `faults` must be mended, `warnings` need not:
    element id → sentences, “” for the record as a whole.  `status` is None while
    there are faults.
    """

    elements: Mapping[str, str]
    faults: Mapping[str, list[str]] = field(default_factory=dict)
    warnings: Mapping[str, list[str]] = field(default_factory=dict)
    status: RecordStatus | None = None

    @property
    def seal(self) -> str:
        """Stands for the elements: what was checked is what is submitted."""
        content = json.dumps(sorted(self.elements.items()))
        return hashlib.sha256(content.encode()).hexdigest()


def check(typed: Mapping[str, str], *, by: User, at: datetime) -> Checked:
    """Tell what would become of a typed record; nothing is stored.

    `typed` maps element ids to what was typed, and PHARMACY to the pharmacy's number.
    """
    elements, faults = read(typed, by=by, at=at)
    body = asap_file.write([elements], by=by, at=at)
    rehearsed = rehearsal.rehearse(body, by=by, at=at)
    fatal = [
        each for each in rehearsed.problems if each.severity is asap.Severity.FATAL
    ]
    faults[""] += [f"{each.message} {each.fix}" for each in fatal]
    if not rehearsed.decided:
        return Checked(elements, faults)
    (decided,) = rehearsed.decided
    problems = rehearsal.problems_of(decided)
    grave = rehearsal.grave(problems)
    # What could not be understood is told once, in the words of what was typed.
    told = {place for place, sentences in faults.items() if sentences}
    faults |= _sentences(each for each in grave if _place(each) not in told)
    warnings = _sentences(each for each in problems if each not in grave)
    for place, odd in doubts(elements).items():
        warnings[place] = [*warnings.get(place, []), *odd]
    if decided.status is RecordStatus.DUPLICATE:
        warnings.setdefault("", []).append(_AGAIN)
    found = {place: sentences for place, sentences in faults.items() if sentences}
    return Checked(elements, found, warnings, None if found else decided.status)


def submit(
    typed: Mapping[str, str],
    *,
    by: User,
    at: datetime,
    draft: EntryDraft | None = None,
) -> Submission:
    """Make a submission of a typed record and take it in at once.

    Its draft goes with it.  Where the database is too busy to take it in now, the
    submission is given as received and the worker goes on with it.  Raises RuleError
    for a record with faults, and for one that was just submitted.
    """
    checked = check(typed, by=by, at=at)
    if checked.faults:
        raise RuleError("The record still has something to mend.")
    with database.atomic():
        submission = uploads.receive(
            filename=f"typed-{clock.local(at):%Y%m%d-%H%M%S}.dat",
            body=asap_file.write([checked.elements], by=by, at=at),
            by=by,
            at=at,
            source=SubmissionSource.ENTRY,
        )
        if draft is not None:
            drafts.forget(draft)
    try:
        return uploads.process(submission.id, at=at)
    except OperationalError:
        return submission


def _sentences(problems: Iterable[SubmissionProblem]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for problem in problems:
        found[_place(problem)].append(rehearsal.words_of(problem))
    return dict(found)


def _place(problem: SubmissionProblem) -> str:
    """Give the box of the page that a problem is about."""
    element = str(problem.element)
    return PHARMACY if element.startswith("PHA") else element
