"""For administrators: roster files read, previewed, applied, undone."""

from pathlib import Path
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
from models import RosterImport
from pmp import clock, roster
from pmp.errors import ConflictError
from pmp.permissions import Permission
from pmp.roster import (
    batches,
    import_lists,
    licence_decisions,
    previews,
    reading,
    undo_checks,
)
from pmp.wording import us_time
from portal.access import requires, signed_in_user, uploads
from portal.csv_files import csv_answer
from portal.forms import rule_errors
from portal.forms.staff_roster import ApplyForm, ImportsForm, RosterFileForm, UndoForm
from portal.paging import page_asked_for, sort_asked_for

bp = Blueprint("staff_roster", __name__)

REFRESH_SECONDS = 2
MOST_CONFLICTS = 20


@bp.route("/staff/roster", methods=["GET", "POST"])
@uploads
@requires(Permission.ROSTER_IMPORT)
def index() -> ResponseReturnValue:
    form = RosterFileForm()
    form.offer([_choice(path) for path in reading.in_folder()])
    if form.validate_on_submit():
        with rule_errors(form):
            batch = _asked(form)
            tasks.nudge(tasks.work_on_roster, batch.id)
            return redirect(url_for(".show", batch_id=batch.id), 303)
    narrow = ImportsForm(request.args)
    narrow.validate()
    return _imports(form, narrow)


@bp.get("/staff/roster.csv")
@requires(Permission.ROSTER_IMPORT)
def csv() -> ResponseReturnValue:
    narrow = ImportsForm(request.args)
    if narrow.validate():
        with rule_errors(narrow):
            wanted, now = narrow.wanted(sort_asked_for()), clock.now()
            rows = import_lists.rows_of(wanted, by=signed_in_user(), at=now)
            return csv_answer("roster-imports.csv", import_lists.HEADINGS, rows)
    form = RosterFileForm(formdata=None)
    form.offer([_choice(path) for path in reading.in_folder()])
    return _imports(form, narrow)


@bp.get("/staff/roster/<int:batch_id>")
@requires(Permission.ROSTER_IMPORT)
def show(batch_id: int) -> ResponseReturnValue:
    return _page(batches.get(batch_id), ApplyForm(formdata=None))


@bp.get("/staff/roster/<int:batch_id>/changes.csv")
@requires(Permission.ROSTER_IMPORT)
def changes_csv(batch_id: int) -> ResponseReturnValue:
    batch = batches.get(batch_id)
    return csv_answer(
        f"roster-import-{batch.id}.csv", previews.HEADINGS, previews.every_line(batch)
    )


@bp.post("/staff/roster/<int:batch_id>/apply")
@requires(Permission.ROSTER_IMPORT)
def apply(batch_id: int) -> ResponseReturnValue:
    form = ApplyForm()
    if form.validate():
        with rule_errors(form):
            batches.begin_to_apply(
                batch_id,
                by=signed_in_user().username,
                at=clock.now(),
                accept_gone=bool(form.accept_gone.data),
            )
            tasks.nudge(tasks.work_on_roster, batch_id)
            flash(f"Import {batch_id} is being applied.")
            return redirect(url_for(".show", batch_id=batch_id), 303)
    return _page(batches.get(batch_id), form)


@bp.post("/staff/roster/<int:batch_id>/discard")
@requires(Permission.ROSTER_IMPORT)
def discard(batch_id: int) -> ResponseReturnValue:
    try:
        batches.discard(batch_id, by=signed_in_user().username, at=clock.now())
        flash(f"Import {batch_id} is dropped. Nothing was changed.")
    except ConflictError as refusal:
        flash(refusal.message, "warn")
        return redirect(url_for(".show", batch_id=batch_id), 303)
    return redirect(url_for(".index"), 303)


@bp.post("/staff/roster/<int:batch_id>/again")
@requires(Permission.ROSTER_IMPORT)
def again(batch_id: int) -> ResponseReturnValue:
    try:
        batches.read_again(batch_id, by=signed_in_user().username, at=clock.now())
        tasks.nudge(tasks.work_on_roster, batch_id)
    except ConflictError as refusal:
        flash(refusal.message, "warn")
    return redirect(url_for(".show", batch_id=batch_id), 303)


@bp.route("/staff/roster/<int:batch_id>/undo", methods=["GET", "POST"])
@requires(Permission.ROSTER_IMPORT)
def undo(batch_id: int) -> ResponseReturnValue:
    form, batch = UndoForm(), batches.get(batch_id)
    if form.validate_on_submit():
        with rule_errors(form):
            roster.begin_to_undo(
                batch_id,
                reason=form.reason.data or "",
                by=signed_in_user().username,
                at=clock.now(),
            )
            tasks.nudge(tasks.work_on_roster, batch_id)
            flash(f"Import {batch_id} is being undone.")
            return redirect(url_for(".show", batch_id=batch_id), 303)
    conflicts = undo_checks.conflicts(batch) if batches.may_undo(batch) else []
    page = render_template(
        "staff/roster/undo.html",
        form=form,
        batch=batch,
        may_undo=batches.may_undo(batch),
        conflicts=conflicts[:MOST_CONFLICTS],
        more=max(0, len(conflicts) - MOST_CONFLICTS),
    )
    return page, 422 if form.errors else 200


def _imports(form: RosterFileForm, narrow: ImportsForm) -> ResponseReturnValue:
    """Show both: the form for another file, and the list of those there were."""
    wanted = narrow.wanted(sort_asked_for())
    shown = narrow if narrow.errors else form
    page = render_template(
        "staff/roster/index.html",
        form=shown,
        upload=form,
        narrow=narrow,
        folder=reading.folder(),
        listed=import_lists.listed(wanted, page=page_asked_for()),
        filters=narrow.in_address(),
        sort=wanted.order,
        to_confirm=licence_decisions.count(),
    )
    return page, 422 if shown.errors else 200


def _asked(form: RosterFileForm) -> RosterImport:
    who: dict[str, Any] = {"by": signed_in_user().username, "at": clock.now()}
    if name := form["name"].data:
        return reading.ask_for_file(name, **who)
    sent = form.file.data
    # A browser of old sends the whole path.
    name = Path(str(sent.filename).replace("\\", "/")).name or "roster.csv"
    return reading.ask_for_upload(sent.stream, filename=name, **who)


def _choice(path: Path) -> tuple[str, str]:
    size = path.stat().st_size / 1_000_000
    return path.name, f"{path.name} ({size:,.1f} MB)"


def _page(batch: RosterImport, form: ApplyForm) -> ResponseReturnValue:
    """Give an import's page; while a worker has it, one that renews itself."""
    if batch.state in batches.UNFINISHED:
        page = render_template(
            "staff/roster/progress.html",
            batch=batch,
            done=previews.done(batch),
            total=batch.new + batch.changed + batch.gone,
        )
        answer: Response = make_response(page)
        answer.headers["Refresh"] = str(REFRESH_SECONDS)
        return answer
    lists = previews.lists(batch)
    chosen = request.args.get("list", "")
    if chosen not in lists:
        chosen = next((name for name, total in lists.items() if total), "new")
    page = render_template(
        "staff/roster/batch.html",
        batch=batch,
        form=form,
        lists=lists,
        chosen=chosen,
        listed=previews.rows(batch, chosen, number=page_asked_for()),
        lines=previews.lines,
        is_stale=batches.is_ready(batch) and batches.is_stale(batch),
        partial=batches.looks_partial(batch) if batches.is_ready(batch) else "",
        may_undo=batches.may_undo(batch),
        to_confirm=licence_decisions.count(),
        applied_before=batches.applied_before(batch),
        when=us_time,
    )
    return page, 422 if form.errors else 200
