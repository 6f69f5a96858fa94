"""Records in a spreadsheet: send it, say what its columns are, look, submit."""

from flask import (
    Blueprint,
    Response,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from gateway import tasks
from pmp import clock, csv_submissions
from pmp.csv_submissions import columns
from pmp.errors import RuleError
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.access import uploads as takes_files
from portal.csv_files import csv_answer
from portal.forms import rule_errors
from portal.forms.csv_submissions import (
    CsvFileForm,
    column_fields,
    fixed_fields,
    layout_form,
    layout_of,
)

bp = Blueprint("csv_submissions", __name__)


@bp.route("/submissions/csv", methods=["GET", "POST"])
@takes_files
@requires(Permission.SUBMIT)
def new() -> ResponseReturnValue:
    form = CsvFileForm()
    user = signed_in_user()
    if form.validate_on_submit():
        with rule_errors(form):
            kept = csv_submissions.receive(
                filename=form.file.data.filename,
                body=form.file.data.read(),
                by=user,
                at=clock.now(),
            )
            sheet = csv_submissions.sheet_of(kept)
            layout, known = csv_submissions.layout_of(sheet, by=user)
            ready = known and not csv_submissions.missing(layout)
            page = ".preview" if ready else ".layout"
            return redirect(url_for(page, csv_file_id=kept.id), 303)
    page = render_template(
        "csv_submissions/new.html",
        form=form,
        waiting=csv_submissions.waiting(user),
        columns=columns.COLUMNS.values(),
    )
    return page, 422 if form.errors else 200


@bp.get("/submissions/csv/template.csv")
@requires(Permission.SUBMIT)
def template() -> Response:
    headings = [column.words for column in columns.TEMPLATE]
    return csv_answer("records-template.csv", headings, [])


@bp.get("/submissions/csv/sample.csv")
@requires(Permission.SUBMIT)
def sample() -> Response:
    headings = [column.words for column in columns.TEMPLATE]
    return csv_answer("records-sample.csv", headings, columns.sample_rows())


@bp.route("/submissions/csv/<int:csv_file_id>/columns", methods=["GET", "POST"])
@requires(Permission.SUBMIT)
def layout(csv_file_id: int) -> ResponseReturnValue:
    user = signed_in_user()
    kept = csv_submissions.mine(csv_file_id, by=user)
    sheet = csv_submissions.sheet_of(kept)
    before, known = csv_submissions.layout_of(sheet, by=user)
    form = layout_form(sheet, before, user=user)
    if form.validate_on_submit():
        with rule_errors(form):
            chosen = layout_of(form, sheet)
            csv_submissions.remember(sheet, chosen, by=user, at=clock.now())
            return redirect(url_for(".preview", csv_file_id=kept.id), 303)
    page = render_template(
        "csv_submissions/columns.html",
        form=form,
        kept=kept,
        known=known,
        columns=list(enumerate(column_fields(form))),
        sheet=sheet,
        fixed=fixed_fields(form),
        missing=csv_submissions.missing(layout_of(form, sheet)),
        rows=len(sheet.rows),
        rows_words=csv_submissions.rows_of_records(sheet),
    )
    return page, 422 if form.errors else 200


@bp.get("/submissions/csv/<int:csv_file_id>")
@requires(Permission.SUBMIT)
def preview(csv_file_id: int) -> ResponseReturnValue:
    user = signed_in_user()
    kept = csv_submissions.mine(csv_file_id, by=user)
    sheet = csv_submissions.sheet_of(kept)
    chosen, known = csv_submissions.layout_of(sheet, by=user)
    if not known or csv_submissions.missing(chosen):
        return redirect(url_for(".layout", csv_file_id=kept.id), 303)
    return render_template(
        "csv_submissions/preview.html",
        kept=kept,
        preview=csv_submissions.preview(sheet, chosen, by=user, at=clock.now()),
        layout=chosen,
        rows_words=csv_submissions.rows_of_records(sheet),
    )


@bp.post("/submissions/csv/<int:csv_file_id>/submit")
@requires(Permission.SUBMIT)
def submit(csv_file_id: int) -> ResponseReturnValue:
    user, at = signed_in_user(), clock.now()
    kept = csv_submissions.mine(csv_file_id, by=user)
    dry_run = request.form.get("do") == "dry_run"
    try:
        done = csv_submissions.submit(kept, by=user, at=at, dry_run=dry_run)
    except RuleError as refusal:
        flash(refusal.message, "bad")
        return redirect(url_for(".preview", csv_file_id=kept.id), 303)
    tasks.nudge(tasks.process_submission, done.id)
    return redirect(url_for("submissions.show", submission_id=done.id), 303)


@bp.post("/submissions/csv/<int:csv_file_id>/forget")
@requires(Permission.SUBMIT)
def forget(csv_file_id: int) -> ResponseReturnValue:
    kept = csv_submissions.mine(csv_file_id, by=signed_in_user())
    csv_submissions.forget(kept, at=clock.now())
    flash("The spreadsheet is removed. Nothing of it was submitted by this.")
    return redirect(url_for(".new"), 303)
