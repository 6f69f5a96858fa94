"""Patient Threshold Reports that were sent to me: page, chart copy, answer, notes."""

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

from gateway import documents
from models import CaseRecipient
from pmp import clock
from pmp.deliveries import contacts, delivery_desk
from pmp.paging import pages_of
from pmp.permissions import Permission
from pmp.thresholds import (
    answers,
    care_notes,
    case_recipients,
    correction_notices,
    faxed_replies,
    threshold_cases,
    threshold_copies,
    threshold_reports,
)
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.threshold_reports import AnswerForm, CareNoteForm, with_rows
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
    user, now = signed_in_user(), clock.now()
    recipient = case_recipients.received(recipient_id, by=user)
    rows = answers.rows_of(recipient)
    form = with_rows(AnswerForm, [row.row_code for row in rows])
    if form.validate_on_submit():
        with rule_errors(form):
            opened = answers.answer(recipient_id, form.reply(), by=user, at=now)
            flash(_thanks(opened))
            return _to(recipient_id, "answer")
    return _report_page(recipient_id, form, rows)


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


@bp.get("/threshold-reports/<int:recipient_id>/faxes/<int:faxed_id>.png")
@requires(Permission.THRESHOLD_REPORT_READ)
def reply_page(recipient_id: int, faxed_id: int) -> ResponseReturnValue:
    body, media_type, page = faxed_replies.viewed_by_recipient(
        faxed_id, recipient_id, by=signed_in_user(), at=clock.now()
    )
    return Response(documents.page_png(body, media_type, page), mimetype="image/png")


@bp.route(
    "/threshold-reports/<int:recipient_id>/notes/to/<int:to>", methods=["GET", "POST"]
)
@requires(Permission.THRESHOLD_REPORT_READ)
def note(recipient_id: int, to: int) -> ResponseReturnValue:
    form, user = CareNoteForm(), signed_in_user()
    reader = case_recipients.who(care_notes.addressee(recipient_id, to, by=user))
    if form.validate_on_submit():
        with rule_errors(form):
            text = form.text.data or ""
            care_notes.send(recipient_id, to, text=text, by=user, at=clock.now())
            flash("Your note is on its way. Below you see whether it arrived.")
            return _to(recipient_id, "notes")
    page = render_template(
        "threshold_reports/note.html",
        form=form,
        recipient_id=recipient_id,
        name=contacts.name_of(reader),
        phone=contacts.phone_of(reader),
        fax=contacts.fax_of(reader),
    )
    return page, 422 if form.errors else 200


def _report_page(recipient_id: int, form: Any, rows: Any) -> ResponseReturnValue:
    recipient = _opened(recipient_id)
    kept = answers.newest(recipient)
    form.offer(kept)
    page = render_template(
        "threshold_reports/report.html",
        form=form,
        recipient=recipient,
        report=threshold_reports.report(recipient, at=clock.now()),
        code=threshold_copies.code_of(recipient),
        may_download=threshold_copies.may_download(recipient),
        notices=threshold_reports.changes_of(recipient),
        outcome_words=correction_notices.outcome_words,
        rows=rows,
        kept=kept,
        kept_words=answers.in_words(kept) if kept else [],
        kept_tickets=answers.tickets_of(kept) if kept else [],
        faxed=faxed_replies.of_recipients([recipient]).get(recipient.id, []),
        page_of=faxed_replies.page_of,
        reasons=faxed_replies.REASONS,
        may_write_to=care_notes.addressees(recipient),
        care_notes=care_notes.open_for(recipient, by=signed_in_user(), **_whence()),
        state_words=delivery_desk.state_words,
    )
    return page, 422 if form.errors else 200


def _thanks(opened: list[str]) -> str:
    words = "Thank you. Your answer is kept."
    if opened:
        many = "tickets are" if len(opened) > 1 else "ticket is"
        words += f" Staff look into it: {len(opened)} {many} open."
    return words


def _opened(recipient_id: int) -> CaseRecipient:
    return threshold_reports.open_in_portal(
        recipient_id, by=signed_in_user(), **_whence()
    )


def _whence() -> dict[str, Any]:
    return {"address": request.remote_addr or "", "at": clock.now()}


def _to(recipient_id: int, place: str) -> ResponseReturnValue:
    page = url_for("threshold_reports.report", recipient_id=recipient_id)
    return redirect(f"{page}#{place}", 303)
