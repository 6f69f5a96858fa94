"""All submissions, as staff see them."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pmp.permissions import Permission
from pmp.uploads import submissions
from portal.access import requires, signed_in_user
from portal.forms.submissions import StaffSubmissionsForm
from portal.paging import page_asked_for
from portal.submission_pages import (
    LIST_SECONDS,
    breaks_page,
    filters_of,
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
    form = StaffSubmissionsForm(request.args)
    page = submissions.everyone_s(wanted=form.wanted(), number=page_asked_for())
    shown = listed(
        "staff/submissions/list.html",
        page.rows,
        form=form,
        filters=filters_of(form),
        page=page,
    )
    return live_answer(shown, page.rows, seconds=LIST_SECONDS, form=form)


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
