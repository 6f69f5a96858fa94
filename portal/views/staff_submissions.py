"""All submissions, as staff see them."""

from dataclasses import replace

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pmp import clock, sorting
from pmp.permissions import Permission
from pmp.uploads import submissions
from pmp.uploads.submissions import Wanted
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import rule_errors
from portal.forms.submissions import StaffSubmissionsForm
from portal.paging import page_asked_for, sort_asked_for
from portal.submission_pages import (
    LIST_SECONDS,
    breaks_page,
    listed,
    live_answer,
    problems_file,
    progress_page,
    submission_page,
)

bp = Blueprint("staff_submissions", __name__)


@bp.get("/staff/submissions")
@requires(Permission.SUBMISSION_READ_ALL)
def listing() -> ResponseReturnValue:
    return _listing(StaffSubmissionsForm(request.args))


@bp.get("/staff/submissions.csv")
@requires(Permission.SUBMISSION_READ_ALL)
def csv() -> ResponseReturnValue:
    form = StaffSubmissionsForm(request.args)
    if form.validate():
        with rule_errors(form):
            wanted, now = _wanted(form), clock.now()
            rows = submissions.lines_of(wanted, by=signed_in_user(), at=now)
            return csv_answer("submissions.csv", submissions.HEADINGS, rows)
    return _listing(form)


def _listing(form: StaffSubmissionsForm) -> ResponseReturnValue:
    wanted = _wanted(form)
    page = submissions.everyone_s(wanted=wanted, number=page_asked_for())
    shown = listed(
        "staff/submissions/list.html",
        page.rows,
        form=form,
        filters=form.in_address(),
        page=page,
        sort=wanted.sort,
    )
    return live_answer(shown, page.rows, seconds=LIST_SECONDS, form=form)


def _wanted(form: StaffSubmissionsForm) -> Wanted:
    sort = sorting.known(
        sort_asked_for(), submissions.SORTS, otherwise=submissions.LATEST
    )
    return replace(form.wanted(), sort=sort)


@bp.get("/staff/submissions/<int:submission_id>")
@requires(Permission.SUBMISSION_READ_ALL)
def show(submission_id: int) -> ResponseReturnValue:
    return submission_page(submission_id, own=False)


@bp.get("/staff/submissions/<int:submission_id>/progress")
@requires(Permission.SUBMISSION_READ_ALL)
def progress(submission_id: int) -> ResponseReturnValue:
    return progress_page(submissions.visible(submission_id, to=signed_in_user()))


@bp.get("/staff/submissions/<int:submission_id>/breaks")
@requires(Permission.SUBMISSION_READ_ALL)
def breaks(submission_id: int) -> ResponseReturnValue:
    return breaks_page(submission_id)


@bp.get("/staff/submissions/<int:submission_id>/problems.csv")
@requires(Permission.SUBMISSION_READ_ALL)
def problems_csv(submission_id: int) -> ResponseReturnValue:
    return problems_file(submission_id)
