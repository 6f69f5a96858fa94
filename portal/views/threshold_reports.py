"""Patient Threshold Reports that were sent to me: list, page, chart copy, my answer."""

from typing import Any

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
from pmp.paging import pages_of
from pmp.permissions import Permission
from pmp.thresholds import (
    case_recipients,
    correction_notices,
    threshold_cases,
    threshold_copies,
    threshold_reports,
)
from portal.access import requires, signed_in_user
from portal.forms.threshold_reports import AnswerForm
from portal.paging import page_asked_for

bp = Blueprint("threshold_reports", __name__)


@bp.get("/threshold-reports")
@requires(Permission.THRESHOLD_REPORT_READ)
def index() -> ResponseReturnValue:
    show, page = request.args.get("show", ""), page_asked_for()
    recipients, total = case_recipients.listed(signed_in_user(), show=show, page=page)
    return render_template(
        "threshold_reports/index.html",
        recipients=recipients,
        total=total,
        page=page,
        pages=pages_of(total, case_recipients.PAGE_SIZE),
        show=show,
        reached_words=threshold_cases.reached_words,
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
        code=threshold_copies.code_of(recipient),
        notices=threshold_reports.changes_of(recipient),
        outcome_words=correction_notices.outcome_words,
    )
    return page, 422 if form.errors else 200


@bp.get("/threshold-reports/<int:recipient_id>.pdf")
@requires(Permission.THRESHOLD_REPORT_READ)
def chart_copy(recipient_id: int) -> ResponseReturnValue:
    recipient, body = threshold_copies.download(
        recipient_id, draw=documents.threshold_report, by=signed_in_user(), **_whence()
    )
    return _pdf(body, f"threshold-report-{recipient.reply_code}.pdf")


@bp.get("/staff/cases/<int:case_id>/reports/<int:recipient_id>.pdf")
@requires(Permission.CASE_WORK)
def staff_copy(case_id: int, recipient_id: int) -> ResponseReturnValue:
    recipient, body = threshold_copies.open_for_staff(
        case_id, recipient_id, by=signed_in_user(), **_whence()
    )
    return _pdf(body, f"threshold-report-{recipient.reply_code}.pdf")


def _pdf(body: bytes, filename: str) -> ResponseReturnValue:
    response = make_response(body)
    response.headers["Content-Type"] = "application/pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def _opened(recipient_id: int) -> CaseRecipient:
    return threshold_reports.open_in_portal(
        recipient_id, by=signed_in_user(), **_whence()
    )


def _whence() -> dict[str, Any]:
    return {"address": request.remote_addr or "", "at": clock.now()}


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
