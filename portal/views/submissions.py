"""A pharmacy's submissions: send a file, see its result, correct what is held."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from gateway import tasks
from models import Submission
from pmp import clock, reporting
from pmp.errors import NotFoundError
from pmp.permissions import Permission
from pmp.uploads import arrivals, submissions
from pmp.uploads.arrivals import Arrival
from portal.access import requires, several_uploads, signed_in_user
from portal.forms.submissions import SubmissionsForm, UploadForm
from portal.paging import page_asked_for
from portal.submission_pages import (
    LIST_SECONDS,
    REFRESH_SECONDS,
    breaks_page,
    listed,
    live_answer,
    problems_file,
    progress_page,
    submission_page,
)

bp = Blueprint("submissions", __name__)


@bp.get("/submissions")
@requires(Permission.SUBMIT)
def listing() -> ResponseReturnValue:
    user, form = signed_in_user(), SubmissionsForm(request.args)
    page = submissions.mine(user, wanted=form.wanted(), number=page_asked_for())
    shown = listed(
        "submissions/list.html",
        page.rows,
        form=form,
        filters=form.in_address(),
        page=page,
        due=reporting.next_due(user, today=clock.today()),
        zero_reports=reporting.zero_reports(user),
    )
    return live_answer(shown, page.rows, seconds=LIST_SECONDS, form=form)


@bp.route("/submissions/new", methods=["GET", "POST"])
@several_uploads
@requires(Permission.SUBMIT)
def new() -> ResponseReturnValue:
    form, user, sent = UploadForm(), signed_in_user(), list[Arrival]()
    if form.validate_on_submit():
        sent = arrivals.receive_each(
            form.files(), by=user, at=clock.now(), dry_run=form.dry_run.data
        )
        for each in arrivals.received(sent):
            tasks.nudge(tasks.process_submission, each.id)
        form.refuse(sent)
        if not form.errors:
            return redirect(_page_of(arrivals.received(sent)), 303)
    page = render_template(
        "submissions/new.html",
        form=form,
        arrivals=sent,
        together=_address(arrivals.received(sent)),
        most_files=arrivals.MOST_FILES,
        due=reporting.next_due(user, today=clock.today()),
    )
    return page, 422 if form.errors else 200


@bp.get("/submissions/together/<ids>")
@requires(Permission.SUBMIT)
def together(ids: str) -> ResponseReturnValue:
    numbers = [int(part) for part in ids.split("-") if part.isdecimal()]
    rows = arrivals.own(
        [number for number in numbers if number < 2**31], of=signed_in_user()
    )
    if not rows:
        raise NotFoundError("There are no such submissions.")
    page = listed("submissions/together.html", rows)
    return live_answer(page, rows, seconds=REFRESH_SECONDS)


@bp.get("/submissions/<int:submission_id>")
@requires(Permission.SUBMIT)
def show(submission_id: int) -> ResponseReturnValue:
    return submission_page(submission_id, own=True)


@bp.get("/submissions/<int:submission_id>/progress")
@requires(Permission.SUBMIT)
def progress(submission_id: int) -> ResponseReturnValue:
    return progress_page(submissions.visible(submission_id, to=signed_in_user()))


@bp.get("/submissions/<int:submission_id>/breaks")
@requires(Permission.SUBMIT)
def breaks(submission_id: int) -> ResponseReturnValue:
    return breaks_page(submission_id)


@bp.get("/submissions/<int:submission_id>/problems.csv")
@requires(Permission.SUBMIT)
def problems_csv(submission_id: int) -> ResponseReturnValue:
    return problems_file(submission_id)


def _page_of(sent: list[Submission]) -> str:
    """Give where one goes after sending: the page of the file, or of all of them."""
    if len(sent) == 1:
        return url_for(".show", submission_id=sent[0].id)
    return _address(sent)


def _address(sent: list[Submission]) -> str:
    numbers = "-".join(str(each.id) for each in sent)
    return url_for(".together", ids=numbers) if sent else ""
