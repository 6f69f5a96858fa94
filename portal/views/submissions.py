"""A pharmacy's submissions: send a file, see its result, correct what is held."""

from typing import Any

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from gateway import tasks
from models import Severity, Submission, SubmissionProblem, SubmissionRecord
from pmp import clock, reporting, uploads
from pmp.asap import elements
from pmp.permissions import Permission
from pmp.uploads import corrections, submissions
from portal.access import requires, signed_in_user
from portal.access import uploads as takes_files
from portal.csv_files import csv_answer
from portal.forms import Form, rule_errors
from portal.forms.submissions import UploadForm, record_form

bp = Blueprint("submissions", __name__)

REFRESH_SECONDS = 2
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


@bp.get("/submissions")
@requires(Permission.SUBMIT)
def listing() -> ResponseReturnValue:
    user = signed_in_user()
    return render_template(
        "submissions/list.html",
        page=submissions.mine(user, number=request.args.get("page", 1, int)),
        due=reporting.next_due(user, today=clock.today()),
        zero_reports=reporting.zero_reports(user),
    )


@bp.route("/submissions/new", methods=["GET", "POST"])
@takes_files
@requires(Permission.SUBMIT)
def new() -> ResponseReturnValue:
    form = UploadForm()
    user = signed_in_user()
    if form.validate_on_submit():
        with rule_errors(form):
            submission = uploads.receive(
                filename=form.file.data.filename,
                body=form.file.data.read(),
                by=user,
                at=clock.now(),
                dry_run=form.dry_run.data,
            )
            tasks.nudge(tasks.process_submission, submission.id)
            return redirect(url_for(".show", submission_id=submission.id), 303)
    due = reporting.next_due(user, today=clock.today())
    page = render_template("submissions/new.html", form=form, due=due)
    return page, 422 if form.errors else 200


@bp.get("/submissions/<int:submission_id>")
@requires(Permission.SUBMIT)
def show(submission_id: int) -> ResponseReturnValue:
    return submission_page(submission_id, own=True)


@bp.get("/submissions/<int:submission_id>/problems.csv")
@requires(Permission.SUBMIT)
def problems_csv(submission_id: int) -> ResponseReturnValue:
    return problems_file(submission_id)


@bp.route(
    "/submissions/<int:submission_id>/records/<int:number>", methods=["GET", "POST"]
)
@requires(Permission.SUBMIT)
def record(submission_id: int, number: int) -> ResponseReturnValue:
    submission = submissions.view(submission_id, by=signed_in_user(), at=clock.now())
    held = submissions.record(submission, number)
    form = record_form(submission.version, held.elements)
    problems = submissions.problems_of(held)
    if form.validate_on_submit():
        with rule_errors(form):
            problems = corrections.correct(
                held, elements=_typed(form, held), by=signed_in_user(), at=clock.now()
            )
            if not problems:
                return _on_to_the_next(submission, number)
    _show_at_fields(form, problems)
    page = render_template(
        "submissions/record.html", form=form, record=held, segments=_segments(form)
    )
    return page, 422 if request.method == "POST" else 200


def submission_page(submission_id: int, *, own: bool) -> ResponseReturnValue:
    """Give the page of a submission; while it is being read it reloads by itself."""
    submission = submissions.view(submission_id, by=signed_in_user(), at=clock.now())
    if submission.status in submissions.UNFINISHED:
        page = render_template("submissions/progress.html", submission=submission)
        answer: Response = make_response(page)
        answer.headers["Refresh"] = str(REFRESH_SECONDS)
        return answer
    chosen = _chosen()
    query = submissions.problems(submission, **chosen)
    page_number = request.args.get("page", 1, int)
    found = submissions.page_of(
        query, number=page_number, size=submissions.PROBLEMS_PAGE
    )
    return render_template(
        "submissions/result.html",
        submission=submission,
        own=own,
        kinds=submissions.problem_kinds(submission),
        page=found,
        records=_records(submission, found.rows),
        chosen=chosen,
        next_held=submissions.next_held(submission),
    )


def problems_file(submission_id: int) -> Response:
    """Give a submission's problems as a CSV file."""
    submission = submissions.view(submission_id, by=signed_in_user(), at=clock.now())
    rows = list(submissions.problems(submission, **_chosen()))
    records = _records(submission, rows)
    return csv_answer(
        f"submission-{submission.id}-problems.csv",
        HEADINGS,
        (_problem_line(row, records.get(row.record_number or 0)) for row in rows),
    )


def _chosen() -> dict[str, Any]:
    severity = request.args.get("severity", "")
    known = {word.value for word in Severity}
    return {
        "severity": Severity(severity) if severity in known else None,
        "code": request.args.get("code", "")[:8],
    }


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


def _typed(form: Form, held: SubmissionRecord) -> dict[str, str]:
    typed = {name: value or "" for name, value in form.data.items()}
    typed.pop("csrf_token", None)
    return {**held.elements, **typed}


def _show_at_fields(form: Form, problems: list[SubmissionProblem]) -> None:
    """Put each problem at the element that it is about, else above the form."""
    for problem in problems:
        words = f"{problem.message} {problem.fix}".strip()
        if problem.element and problem.element in form:
            part = form[problem.element]
            part.errors = [*part.errors, words]
        else:
            form.form_errors = [*form.form_errors, words]


def _segments(form: Form) -> list[tuple[str, list[Any]]]:
    """Give the form's fields by segment, in the order of the standard."""
    return [
        (segment, fields)
        for segment in elements.SEGMENTS
        if (fields := [part for part in form if part.name.startswith(segment)])
    ]


def _on_to_the_next(submission: Submission, number: int) -> ResponseReturnValue:
    flash(f"Record {number} is corrected.")
    following = submissions.next_held(submission, after=number)
    if following is None:
        return redirect(url_for(".show", submission_id=submission.id), 303)
    target = url_for(".record", submission_id=submission.id, number=following)
    return redirect(target, 303)
