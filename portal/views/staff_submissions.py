"""All submissions, as staff see them."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from models import SubmissionStatus
from pmp.permissions import Permission
from pmp.uploads import submissions
from portal.access import requires
from portal.forms.submissions import StaffSubmissionsForm
from portal.views.submissions import problems_file, submission_page

bp = Blueprint("staff_submissions", __name__)


@bp.get("/staff/submissions")
@requires(Permission.SUBMISSION_READ_ALL)
def listing() -> ResponseReturnValue:
    form = StaffSubmissionsForm(request.args)
    known = {word.value for word in SubmissionStatus}
    status = form.status.data if form.status.data in known else None
    page = submissions.everyone_s(
        status=SubmissionStatus(status) if status else None,
        username=form.username.data or "",
        number=request.args.get("page", 1, int),
    )
    return render_template("staff/submissions/list.html", form=form, page=page)


@bp.get("/staff/submissions/<int:submission_id>")
@requires(Permission.SUBMISSION_READ_ALL)
def show(submission_id: int) -> ResponseReturnValue:
    return submission_page(submission_id, own=False)


@bp.get("/staff/submissions/<int:submission_id>/problems.csv")
@requires(Permission.SUBMISSION_READ_ALL)
def problems_csv(submission_id: int) -> ResponseReturnValue:
    return problems_file(submission_id)
