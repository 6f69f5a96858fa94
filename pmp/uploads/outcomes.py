"""What is kept of a submission's records beside the dispensations: outcomes, problems.

A record that was simply stored needs no row; every other has one, with its elements if
it is held, so that it can be corrected on the page.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from models import (
    RecordStatus,
    Severity,
    Submission,
    SubmissionProblem,
    SubmissionRecord,
)
from pmp import asap, bulk
from pmp.uploads.intake import Decided
from pmp.uploads.remarks import Remark

MOST_PROBLEMS = 5_000
"""Problems kept of one file; a line says so when there are more."""

R = RecordStatus
COUNTED: dict[RecordStatus, tuple[str, ...]] = {
    R.STORED: ("stored",),
    R.STORED_WITH_WARNING: ("stored", "stored_with_warning"),
    R.REVISED: ("stored", "revised"),
    R.HELD: ("held",),
    R.DUPLICATE: ("duplicate",),
    R.VOIDED: ("voided",),
    R.VOID_NOT_FOUND: ("void_not_found",),
    R.NOT_REPORTABLE: ("not_reportable",),
    R.ZERO_REPORT: ("zero_reports",),
    R.WITHDRAWN: ("withdrawn",),
}
"""The counts of a submission that a record of each status adds to."""


def counts_of(statuses: Iterable[RecordStatus]) -> dict[str, int]:
    """Give how much the counts of a submission grow by these records."""
    counts: Counter[str] = Counter()
    for status, number in Counter(statuses).items():
        for name in COUNTED[status]:
            counts[name] += number
    return dict(counts)


def remember(submission: int, decided: Sequence[Decided]) -> None:
    """Keep what became of records that were not simply stored, and their problems."""
    told = [each for each in decided if each.status is not R.STORED]
    bulk.insert(SubmissionRecord, [_record_row(submission, each) for each in told])
    _keep_problems(submission, [row for each in told for row in problem_rows(each)])


def remember_problems(submission: int, problems: Iterable[asap.Problem]) -> None:
    """Keep what is wrong with the file as a whole."""
    _keep_problems(submission, [_problem_row(problem, None) for problem in problems])


def forget_records(submission: int) -> None:
    """Undo a dry run that was stopped in the middle: it starts over."""
    for table in (SubmissionRecord, SubmissionProblem):
        query: Any = table.delete().where(table.submission == submission)
        if table is SubmissionProblem:
            query = query.where(SubmissionProblem.record_number.is_null(is_null=False))
        query.execute()
    zero = dict.fromkeys([name for names in COUNTED.values() for name in names], 0)
    Submission.update(progress=0, **zero).where(Submission.id == submission).execute()


def problem_rows(decided: Decided, number: int | None = None) -> list[dict[str, Any]]:
    """Give a record's problems and remarks as rows, without their submission."""
    record = decided.record
    number = record.number if number is None else number
    problems = [
        {**_problem_row(problem, number), "value": _shown(problem, record)}
        for problem in record.problems
    ]
    remarks = [_remark_row(remark, record, number) for remark in decided.remarks]
    return problems + remarks


def _record_row(submission: int, decided: Decided) -> dict[str, Any]:
    record, fill = decided.record, decided.fill
    elements = record.elements
    return {
        "submission": submission,
        "number": record.number,
        "segment_number": record.segment_number,
        "status": decided.status.value,
        "prescription_number": elements.get("DSP02", "")[:255],
        "pharmacy_name": (record.pharmacy.name or record.pharmacy.dea)[:255],
        "elements": elements if decided.status is R.HELD else {},
        "dispensation": fill.row.get("id") if fill else None,
    }


def _problem_row(problem: asap.Problem, number: int | None) -> dict[str, Any]:
    return {
        "record_number": number,
        "code": problem.code,
        "severity": problem.severity.value,
        "segment_number": problem.segment or None,
        "byte_offset": problem.byte_offset,
        "segment_id": problem.segment_id[:8],
        "element": problem.element[:8],
        "value": problem.value,
        "message": problem.message,
        "fix": problem.fix,
    }


def _shown(problem: asap.Problem, record: asap.Record) -> str:
    """Give a problem's value as the record's elements have it: no SSN is kept."""
    if not problem.element:
        return problem.value
    return record.elements.get(problem.element, "")


def _remark_row(remark: Remark, record: asap.Record, number: int) -> dict[str, Any]:
    element = remark.element
    grave = remark.code.startswith("F")
    severity = Severity.FATAL if grave else remark.severity
    return {
        "record_number": number,
        "code": remark.code,
        "severity": severity.value,
        "segment_number": record.segment_number or None,
        "byte_offset": record.byte_offset,
        "segment_id": element[:3] or "DSP",
        "element": element,
        "value": remark.value,
        "message": remark.message,
        "fix": remark.fix,
    }


def _keep_problems(submission: int, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    query = SubmissionProblem.select().where(SubmissionProblem.submission == submission)
    room = MOST_PROBLEMS - query.count()
    if room <= 0:
        return
    if len(rows) >= room:
        rows = [*rows[: room - 1], _and_more()]
    bulk.insert(SubmissionProblem, [{"submission": submission, **row} for row in rows])


def _and_more() -> dict[str, Any]:
    return {
        "record_number": None,
        "code": "P00",
        "severity": Severity.WARNING.value,
        "segment_number": None,
        "byte_offset": None,
        "segment_id": "",
        "element": "",
        "value": "",
        "message": f"The file has more than {MOST_PROBLEMS - 1:,} problems."
        " The others are not listed.",
        "fix": "Mend these first, then submit again or correct each held record.",
    }
