"""Letters for staff: print runs, from the queue to the post, and what came back."""

from collections.abc import Callable
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from gateway import documents
from pmp import clock
from pmp.deliveries import (
    delivery_desk,
    letter_codes,
    letters,
    mailings,
    print_runs,
    run_lists,
    run_rows,
)
from pmp.errors import RuleError
from pmp.permissions import Permission
from pmp.wording import words
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import rule_errors
from portal.forms.staff_letters import MailedForm, OpenRunForm, PrintedForm, RunsForm
from portal.numbers import whole
from portal.paging import page_asked_for, sort_asked_for

bp = Blueprint("staff_letters", __name__)
TRACKING = "tracking-"
MANIFEST = (
    "Place",
    "Delivery",
    "Code",
    "Kind",
    "Name",
    "Town",
    "Sheets",
    "State",
    "Tracking number",
)


@bp.get("/staff/letters")
@requires(Permission.LETTER_PRINT)
def index() -> ResponseReturnValue:
    narrow = RunsForm(request.args)
    narrow.validate()
    return _index(OpenRunForm(), narrow)


@bp.get("/staff/letters/runs.csv")
@requires(Permission.LETTER_PRINT)
def runs_csv() -> ResponseReturnValue:
    narrow = RunsForm(request.args)
    if narrow.validate():
        with rule_errors(narrow):
            wanted, now = narrow.wanted(sort_asked_for()), clock.now()
            rows = run_lists.rows_of(wanted, by=signed_in_user(), at=now)
            return csv_answer("print-runs.csv", run_lists.HEADINGS, rows)
    return _index(OpenRunForm(formdata=None), narrow)


@bp.post("/staff/letters/runs")
@requires(Permission.LETTER_PRINT)
def open_run() -> ResponseReturnValue:
    form = OpenRunForm()
    form.offer([(kind, count) for kind, count, _ in letters.waiting_by_kind()])
    if form.validate():
        with rule_errors(form):
            run = print_runs.open_run(
                kind=form.kind.data or "",
                most=form.most.data or 1,
                sheets=documents.sheet_count,
                by=signed_in_user(),
                at=clock.now(),
            )
            return redirect(url_for(".show", run_id=run.id), 303)
    return _index(form, RunsForm(request.args))


@bp.get("/staff/letters/runs/<int:run_id>")
@requires(Permission.LETTER_PRINT)
def show(run_id: int) -> ResponseReturnValue:
    return _run(run_id, PrintedForm(), MailedForm())


@bp.post("/staff/letters/runs/<int:run_id>/papers")
@requires(Permission.LETTER_PRINT)
def papers(run_id: int) -> ResponseReturnValue:
    try:
        again = [whole(each) for each in request.form.getlist("again")]
        found = print_runs.papers(
            run_id, again=again, by=signed_in_user(), at=clock.now()
        )
        body = documents.print_run(found)
    except (RuleError, documents.DocumentError) as refusal:
        run_rows.get(run_id)
        flash(str(refusal), "warn")
        return redirect(url_for(".show", run_id=run_id), 303)
    except ValueError:
        abort(400)
    headers: dict[str, Any] = {
        "Content-Disposition": f'attachment; filename="letters-run-{run_id}.pdf"',
        "Cache-Control": "no-store",
    }
    return Response(body, mimetype="application/pdf", headers=headers)


@bp.post("/staff/letters/runs/<int:run_id>/printed")
@requires(Permission.LETTER_PRINT)
def printed(run_id: int) -> ResponseReturnValue:
    form = PrintedForm()
    form.offer(print_runs.contents(run_rows.get(run_id)))
    if form.validate():
        with rule_errors(form):
            count = print_runs.confirm(
                run_id,
                jammed=form.jammed.data or [],
                by=signed_in_user(),
                at=clock.now(),
            )
            flash(f"{_letters(count)} came out. {_left(run_id)}")
            return redirect(url_for(".show", run_id=run_id), 303)
    return _run(run_id, form, MailedForm())


@bp.post("/staff/letters/runs/<int:run_id>/mailed")
@requires(Permission.LETTER_PRINT)
def mailed(run_id: int) -> ResponseReturnValue:
    form = MailedForm()
    if form.validate() and form.on.data:
        with rule_errors(form):
            count = mailings.mail(
                run_id,
                on=form.on.data,
                tracking=_tracking(),
                by=signed_in_user(),
                at=clock.now(),
            )
            flash(
                f"{_letters(count)} marked as mailed. Until midnight you can undo it."
            )
            return redirect(url_for(".show", run_id=run_id), 303)
    return _run(run_id, PrintedForm(), form)


@bp.post("/staff/letters/runs/<int:run_id>/not-mailed")
@requires(Permission.LETTER_PRINT)
def not_mailed(run_id: int) -> ResponseReturnValue:
    return _done(
        run_id,
        lambda **who: mailings.undo_mailing(run_id, **who),
        "It is undone: the run is to be mailed.",
    )


@bp.post("/staff/letters/runs/<int:run_id>/letters/<int:letter_id>/out")
@requires(Permission.LETTER_PRINT)
def put_back(run_id: int, letter_id: int) -> ResponseReturnValue:
    code = letter_codes.letter_code(letter_id)
    return _done(
        run_id,
        lambda **who: print_runs.put_back(run_id, letter_id, **who),
        f"{code} is out of the run. Destroy its paper if it was printed.",
    )


@bp.get("/staff/letters/runs/<int:run_id>/manifest.csv")
@requires(Permission.LETTER_PRINT)
def manifest(run_id: int) -> ResponseReturnValue:
    found = print_runs.contents(run_rows.get(run_id))
    rows = [
        (
            each.row.place,
            each.delivery.id,
            each.code,
            words(each.delivery.kind),
            each.name,
            each.town,
            each.row.sheets,
            delivery_desk.state_words(each.delivery),
            each.row.tracking,
        )
        for each in found
        if each.is_in
    ]
    return csv_answer(f"letters-run-{run_id}.csv", MANIFEST, rows)


@bp.get("/staff/letters/runs/<int:run_id>/manifest")
@requires(Permission.LETTER_PRINT)
def manifest_page(run_id: int) -> ResponseReturnValue:
    run = run_rows.get(run_id)
    return render_template(
        "staff/letters/manifest.html", run=run, found=print_runs.contents(run)
    )


def _index(form: OpenRunForm, narrow: RunsForm) -> ResponseReturnValue:
    waiting = letters.waiting_by_kind()
    is_sound = narrow.is_sound
    wanted = narrow.wanted(sort_asked_for()) if is_sound else run_lists.Wanted()
    form.offer([(kind, count) for kind, count, _ in waiting])
    page = render_template(
        "staff/letters/index.html",
        form=narrow if narrow.errors else form,
        opening=form,
        narrow=narrow,
        waiting=waiting,
        to_pull_first=letters.to_pull_first(),
        listed=run_lists.listed(wanted, page=page_asked_for()),
        filters=narrow.in_address(),
        sort=wanted.order,
        mailed=letters.mailed(),
        code=letter_codes.letter_code,
    )
    return page, 422 if form.errors or narrow.errors else 200


def _run(
    run_id: int, printed_form: PrintedForm, mailed_form: MailedForm
) -> ResponseReturnValue:
    run = run_rows.get(run_id)
    found = print_runs.contents(run)
    printed_form.offer(found)
    mailed_form.default_to(clock.today())
    page = render_template(
        "staff/letters/run.html",
        run=run,
        found=found,
        stage=print_runs.stage(found),
        form=mailed_form if mailed_form.errors else printed_form,
        printed_form=printed_form,
        mailed_form=mailed_form,
        typed=_tracking(),
        may_undo=mailings.may_undo_mailing(run, at=clock.now()),
        desk=delivery_desk,
    )
    return page, 422 if printed_form.errors or mailed_form.errors else 200


def _tracking() -> dict[int, str]:
    """Give the tracking numbers as they were typed, by delivery."""
    found = {}
    for name, text in request.form.items():
        number = name.removeprefix(TRACKING)
        if name.startswith(TRACKING) and number.isdecimal() and number.isascii():
            found[int(number)] = text
    return found


def _done(run_id: int, rule: Callable[..., object], said: str) -> ResponseReturnValue:
    try:
        rule(by=signed_in_user(), at=clock.now())
    except RuleError as refusal:
        run_rows.get(run_id)
        flash(refusal.message, "warn")
    else:
        flash(said)
    return redirect(url_for(".show", run_id=run_id), 303)


def _letters(count: int) -> str:
    return "1 letter" if count == 1 else f"{count} letters"


def _left(run_id: int) -> str:
    found = print_runs.contents(run_rows.get(run_id))
    left = sum(each.to_print for each in found)
    return f"Print {_letters(left)} again." if left else "Fold them and mail them."
