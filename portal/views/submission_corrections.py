"""What was corrected of a pharmacy's submission: a list, a CSV file, the file anew."""

from flask import Response, render_template, stream_with_context
from flask.typing import ResponseReturnValue

from pmp import clock
from pmp.permissions import Permission
from pmp.uploads import corrected_files, correction_log, submissions
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.paging import page_asked_for
from portal.views.submissions import bp


@bp.get("/submissions/<int:submission_id>/corrections")
@requires(Permission.SUBMIT)
def corrections(submission_id: int) -> ResponseReturnValue:
    return corrections_page(submission_id, own=True)


@bp.get("/submissions/<int:submission_id>/corrections.csv")
@requires(Permission.SUBMIT)
def corrections_csv(submission_id: int) -> ResponseReturnValue:
    return corrections_file(submission_id)


@bp.get("/submissions/<int:submission_id>/corrected.dat")
@requires(Permission.SUBMIT)
def corrected_file(submission_id: int) -> ResponseReturnValue:
    user = signed_in_user()
    submission = submissions.visible(submission_id, to=user)
    parts = corrected_files.download(submission, by=user, at=clock.now())
    answer = Response(stream_with_context(parts), mimetype="text/plain")
    name = f"submission-{submission.id}-corrected.dat"
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


def corrections_page(submission_id: int, *, own: bool) -> ResponseReturnValue:
    """Give the list of who corrected what of a submission, for its sender or staff."""
    submission = submissions.view(submission_id, by=signed_in_user(), at=clock.now())
    page = correction_log.page(submission, number=page_asked_for())
    return render_template(
        "submissions/corrections.html",
        submission=submission,
        own=own,
        page=page,
        lines={
            record.id: correction_log.lines_of(record, version=submission.version)
            for record in page.rows
        },
        outcome_of=correction_log.outcome_of,
    )


def corrections_file(submission_id: int) -> Response:
    """Give the same list, whole, as a CSV file."""
    user = signed_in_user()
    submission = submissions.visible(submission_id, to=user)
    return csv_answer(
        f"submission-{submission.id}-corrections.csv",
        correction_log.HEADINGS,
        correction_log.download(submission, by=user, at=clock.now()),
    )
