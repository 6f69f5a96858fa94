"""Who corrected what of a submission, as staff see it."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pmp.permissions import Permission
from portal.access import requires
from portal.views.submission_corrections import corrections_file, corrections_page

bp = Blueprint("staff_corrections", __name__)


@bp.get("/staff/submissions/<int:submission_id>/corrections")
@requires(Permission.SUBMISSION_READ_ALL)
def corrections(submission_id: int) -> ResponseReturnValue:
    return corrections_page(submission_id, own=False)


@bp.get("/staff/submissions/<int:submission_id>/corrections.csv")
@requires(Permission.SUBMISSION_READ_ALL)
def corrections_csv(submission_id: int) -> ResponseReturnValue:
    return corrections_file(submission_id)
