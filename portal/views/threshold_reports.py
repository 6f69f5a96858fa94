"""Patient Threshold Reports that were sent to me: list, page, chart copy, my answer."""

from flask import (
    Blueprint,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from gateway import documents
from models import CaseRecipient, RecipientAnswer
from pmp import clock
from pmp.permissions import Permission
from pmp.thresholds import case_recipients, correction_notices, threshold_reports
from pmp.thresholds.threshold_reports import ThresholdReport
from portal.access import requires, signed_in_user
from portal.forms.threshold_reports import AnswerForm

bp = Blueprint("threshold_reports", __name__)


@bp.get("/threshold-reports")
@requires(Permission.THRESHOLD_REPORT_READ)
def index() -> ResponseReturnValue:
    return render_template(
        "threshold_reports/index.html",
        recipients=case_recipients.of_user(signed_in_user()),
    )


@bp.route("/threshold-reports/<int:recipient_id>", methods=["GET", "POST"])
@requires(Permission.THRESHOLD_REPORT_READ)
def report(recipient_id: int) -> ResponseReturnValue:
    form = AnswerForm()
    if form.validate_on_submit():
        return _answered(recipient_id, form)
    recipient = _opened(recipient_id)
    form.offer(recipient)
    page = render_template(
        "threshold_reports/report.html",
        form=form,
        recipient=recipient,
        report=threshold_reports.report(recipient, at=clock.now()),
        notices=threshold_reports.changes_of(recipient),
        outcome_words=correction_notices.outcome_words,
    )
    return page, 422 if form.errors else 200


@bp.get("/threshold-reports/<int:recipient_id>.pdf")
@requires(Permission.THRESHOLD_REPORT_READ)
def chart_copy(recipient_id: int) -> ResponseReturnValue:
    recipient = _opened(recipient_id)
    body = threshold_reports.copy(recipient, draw=_draw, at=clock.now())
    response = make_response(body)
    response.headers["Content-Type"] = "application/pdf"
    response.headers["Content-Disposition"] = (
        f'attachment; filename="threshold-report-{recipient.reply_code}.pdf"'
    )
    return response


def _draw(made: ThresholdReport) -> bytes:
    return documents.pdf("threshold_report", report=made)


def _opened(recipient_id: int) -> CaseRecipient:
    return threshold_reports.open_in_portal(
        recipient_id,
        by=signed_in_user(),
        at=clock.now(),
        address=request.remote_addr or "",
    )


def _answered(recipient_id: int, form: AnswerForm) -> ResponseReturnValue:
    user = signed_in_user()
    recipient = case_recipients.received(recipient_id, by=user)
    answer = RecipientAnswer(form.answer.data)
    case_recipients.answer(recipient, answer=answer, by=user, at=clock.now())
    page = url_for("threshold_reports.report", recipient_id=recipient_id)
    if answer == RecipientAnswer.MY_PATIENT:
        flash("Thank you. Your answer is kept: this is your patient or customer.")
        return redirect(page, 303)
    flash("Your answer is kept. Now choose the row that is not yours and report it.")
    return redirect(f"{page}#entries", 303)
