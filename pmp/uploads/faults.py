"""Where a refused file breaks: its fatal problems, and the bytes at their places."""

from dataclasses import dataclass

from models import Severity, Submission, SubmissionProblem, SubmissionStatus
from pmp import documents
from pmp.asap import doctor
from pmp.documents import DocumentLostError

MOST_FAULTS = 5
"""Places of one file that are shown; the first is nearly always the cause."""


@dataclass(frozen=True)
class Fault:
    """A fatal problem of a file, and the rows around its place."""

    problem: SubmissionProblem
    excerpt: doctor.Excerpt


def faults_of(submission: Submission) -> list[Fault]:
    """Give where a refused file breaks, in file order; none if it is kept no longer.

    What they show is patient data: for whoever submitted the file, and staff.
    """
    if submission.status != SubmissionStatus.FAILED_STRUCTURE:
        return []
    query = (
        SubmissionProblem.select()
        .where(SubmissionProblem.submission == submission)
        .where(SubmissionProblem.severity == Severity.FATAL)
        .where(SubmissionProblem.record_number.is_null())
        .order_by(SubmissionProblem.byte_offset, SubmissionProblem.id)
        .limit(MOST_FAULTS)
    )
    problems = list(query)
    try:
        body = documents.read(submission.document) if problems else b""
    except DocumentLostError:
        return []
    return [
        Fault(each, doctor.examine(body, code=each.code, offset=each.byte_offset))
        for each in problems
    ]
