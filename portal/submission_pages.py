"""What a submission's pages show, to whoever sent it and to staff alike."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from models import Submission, SubmissionProblem, SubmissionRecord
from pmp import clock, csv_submissions, reporting
from pmp.paging import page_of
from pmp.uploads import faults, problem_kinds, submissions
from pmp.uploads.problem_kinds import ProblemKind
from pmp.uploads.stages import stage_of
from portal.access import signed_in_user
from portal.csv_files import csv_answer
from portal.forms import Form
from portal.forms.submissions import ProblemsForm
from portal.numbers import whole
from portal.paging import page_asked_for

REFRESH_SECONDS = 2
LIST_SECONDS = 10
MOST_KINDS = 60
STAGES = (
    ("received", "Received"),
    ("reading", "Reading and checking"),
    ("storing", "Storing"),
    ("thresholds", "Looking for threshold crossings"),
    ("done", "Done"),
)
HEADINGS = (
    "Severity",
    "Code",
    "Segment number",
    "Record",
    "Rx number",
    "Element",
    "Value",
    "What is wrong",
    "How to fix it",
)


@dataclass(frozen=True)
class Chosen:
    """Which problems are listed: by severity, code and element, or of one kind."""

    form: ProblemsForm
    kinds: list[ProblemKind]
    kind: ProblemKind | None

    @property
    def query(self) -> dict[str, Any]:
        """What an address says to choose the same."""
        if self.kind:
            return {"like": self.kind.key}
        return self.form.in_address()


def submission_page(submission_id: int, *, own: bool) -> ResponseReturnValue:
    """Give the page of a submission; while it is being read it renews itself."""
    submission = submissions.view(submission_id, by=signed_in_user(), at=clock.now())
    if submission.status in submissions.UNFINISHED:
        return progress_page(submission)
    chosen = _chosen(submission)
    found = page_of(
        _problems(submission, chosen),
        number=page_asked_for(),
        size=submissions.PROBLEMS_PAGE,
    )
    return render_template(
        "submissions/result.html",
        submission=submission,
        own=own,
        sources=submissions.SOURCE_WORDS,
        chosen=chosen,
        kinds=chosen.kinds[:MOST_KINDS],
        more_kinds=chosen.kinds[MOST_KINDS:],
        page=found,
        records=_records(submission, found.rows),
        next_held=submissions.next_held(submission),
        faults=faults.faults_of(submission),
        note=csv_submissions.note_on(submission),
        due=reporting.next_due(submission.submitted_by, today=clock.today()),
        printed_at=clock.now(),
    )


def progress_page(submission: Submission) -> ResponseReturnValue:
    """Give the page that shows how far a submission is; it shows no patient."""
    page = render_template(
        "submissions/progress.html",
        submission=submission,
        stage=stage_of(submission),
        stages=STAGES,
        finished=submission.status not in submissions.UNFINISHED,
    )
    return live_answer(page, [submission], seconds=REFRESH_SECONDS)


def breaks_page(submission_id: int) -> ResponseReturnValue:
    """Give the page, to print, of where a file that cannot be read breaks."""
    submission = submissions.view(submission_id, by=signed_in_user(), at=clock.now())
    return render_template(
        "submissions/breaks.html",
        submission=submission,
        faults=faults.faults_of(submission),
    )


def listed(template: str, rows: Sequence[Submission], **shown: Any) -> str:
    """Draw a list of submissions, with how far the unfinished ones are."""
    return render_template(
        template,
        rows=rows,
        stage_of=stage_of,
        sources=submissions.SOURCE_WORDS,
        **shown,
    )


def live_answer(
    page: str, rows: Iterable[Submission], *, seconds: int, form: Form | None = None
) -> ResponseReturnValue:
    """Have a page load itself again while a submission on it is unfinished.

    A browser with JavaScript renews parts of it instead; see script.js.
    """
    answer: Response = make_response(page, 422 if form and form.errors else 200)
    if any(each.status in submissions.UNFINISHED for each in rows):
        answer.headers["Refresh"] = str(seconds)
    return answer


def problems_file(submission_id: int) -> Response:
    """Give a submission's problems, as chosen, as a CSV file."""
    submission = submissions.view(submission_id, by=signed_in_user(), at=clock.now())
    rows = list(_problems(submission, _chosen(submission)))
    records = _records(submission, rows)
    return csv_answer(
        f"submission-{submission.id}-problems.csv",
        HEADINGS,
        (_problem_line(row, records.get(row.record_number or 0)) for row in rows),
    )


def _chosen(submission: Submission) -> Chosen:
    kinds = problem_kinds.kinds_of(submission)
    form = ProblemsForm(request.args)
    form.offer(kinds)
    key = request.args.get("like", 0, whole)
    return Chosen(form, kinds, problem_kinds.with_key(kinds, key))


def _problems(submission: Submission, chosen: Chosen) -> Any:
    if chosen.kind:
        query = submissions.problems(submission)
        return problem_kinds.only(query, chosen.kind, chosen.kinds)
    return submissions.problems(
        submission,
        severity=chosen.form.chosen_severity(),
        code=(chosen.form.code.data or "")[:8],
        element=(chosen.form.element.data or "")[:8],
    )


def _records(
    submission: Submission, rows: list[SubmissionProblem]
) -> dict[int, SubmissionRecord]:
    return submissions.records_of(submission, (row.record_number for row in rows))


def _problem_line(
    problem: SubmissionProblem, found: SubmissionRecord | None
) -> list[Any]:
    return [
        problem.severity.value,
        problem.code,
        problem.segment_number,
        problem.record_number,
        found.prescription_number if found else "",
        problem.element or problem.segment_id,
        problem.value,
        problem.message,
        problem.fix,
    ]
