"""Answers to threshold reports that staff write down: faxed reply pages, calls."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import CaseRecipient, FaxedReply, ReplyChannel, SetAsideReason
from pmp import clock, faxes, sorting
from pmp.deliveries import contacts
from pmp.permissions import Permission
from pmp.thresholds import (
    answers,
    case_recipients,
    faxed_replies,
    shown_rows,
    threshold_cases,
)
from pmp.wording import us_time
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import rule_errors
from portal.forms.filters import FilterForm
from portal.forms.staff_rules import ReplyForm
from portal.forms.threshold_reports import (
    PaperAnswerForm,
    SetAsideForm,
    SpokenAnswerForm,
    with_rows,
)
from portal.paging import page_asked_for, sort_asked_for

bp = Blueprint("staff_replies", __name__)
HEADINGS = ("Reply", "Recipient", "Case", "Came")


@bp.get("/staff/replies")
@requires(Permission.CASE_WORK)
def queue() -> ResponseReturnValue:
    return _queue(FilterForm(request.args))


@bp.get("/staff/replies.csv")
@requires(Permission.CASE_WORK)
def csv() -> ResponseReturnValue:
    form = FilterForm(request.args)
    if form.validate():
        with rule_errors(form):
            rows = faxed_replies.file_of(
                sort_asked_for(), by=signed_in_user(), at=clock.now()
            )
            return csv_answer("faxed-replies.csv", HEADINGS, map(_line, rows))
    return _queue(form)


@bp.route("/staff/replies/<int:faxed_id>", methods=["GET", "POST"])
@requires(Permission.CASE_WORK)
def tick(faxed_id: int) -> ResponseReturnValue:
    faxed = faxed_replies.get(faxed_id)
    form = _answer_form(PaperAnswerForm, faxed.recipient)
    if form.validate_on_submit():
        with rule_errors(form):
            faxed_replies.keep(
                faxed_id, form.reply(), by=signed_in_user(), at=clock.now()
            )
            flash(f"The answer of {_name(faxed.recipient)} is kept.")
            return _next(faxed)
    return _at_the_page(faxed, form, SetAsideForm(prefix="aside-", formdata=None))


@bp.post("/staff/replies/<int:faxed_id>/aside")
@requires(Permission.CASE_WORK)
def set_aside(faxed_id: int) -> ResponseReturnValue:
    faxed, form = faxed_replies.get(faxed_id), SetAsideForm(prefix="aside-")
    if form.validate_on_submit():
        with rule_errors(form):
            faxed_replies.set_aside(
                faxed_id,
                reason=SetAsideReason(form.reason.data),
                note=form.note.data or "",
                by=signed_in_user(),
                at=clock.now(),
            )
            flash("The reply page is put aside.")
            return _next(faxed)
    return _at_the_page(faxed, _answer_form(PaperAnswerForm, faxed.recipient), form)


@bp.route("/staff/cases/reply", methods=["GET", "POST"])
@requires(Permission.CASE_WORK)
def by_code() -> ResponseReturnValue:
    form = ReplyForm()
    if form.validate_on_submit():
        with rule_errors(form):
            recipient = case_recipients.by_reply_code(form.code.data or "")
            return redirect(url_for(".write_down", recipient_id=recipient.id), 303)
    page = render_template("staff/cases/reply.html", form=form)
    return page, 422 if form.errors else 200


@bp.route("/staff/recipients/<int:recipient_id>/reply", methods=["GET", "POST"])
@requires(Permission.CASE_WORK)
def write_down(recipient_id: int) -> ResponseReturnValue:
    recipient = case_recipients.get(recipient_id)
    form = _answer_form(SpokenAnswerForm, recipient)
    if form.validate_on_submit():
        with rule_errors(form):
            answers.write_down(
                recipient,
                form.reply(),
                channel=ReplyChannel(form.channel.data),
                by=signed_in_user(),
                at=clock.now(),
            )
            flash(f"The answer of {_name(recipient)} is kept.")
            return _to_case(recipient)
    rows = _opened(recipient)
    kept = answers.newest(recipient)
    form.offer(kept)
    page = render_template(
        "staff/replies/write_down.html",
        form=form,
        rows=rows,
        recipient=recipient,
        name=_name(recipient),
        kept=kept,
        kept_words=answers.in_words(kept) if kept else [],
    )
    return page, 422 if form.errors else 200


@bp.post("/staff/cases/calls/<int:reply_id>")
@requires(Permission.CASE_WORK)
def called(reply_id: int) -> ResponseReturnValue:
    reply = answers.called(reply_id, by=signed_in_user(), at=clock.now())
    flash(f"Noted: you called {_name(reply.recipient)}.")
    return _to_case(reply.recipient)


@bp.post("/staff/faxes/<int:fax_id>/attach-to-report")
@requires(Permission.FAX_DESK)
def attach(fax_id: int) -> ResponseReturnValue:
    found, form = faxes.by_id(fax_id), ReplyForm(prefix="reply-")
    if form.validate_on_submit():
        with rule_errors(form):
            faxed = faxes.attach_to_report(
                found, code=form.code.data or "", by=signed_in_user(), at=clock.now()
            )
            flash(f"The fax is with the report of {_name(faxed.recipient)}.")
            return redirect(url_for(".tick", faxed_id=faxed.id), 303)
    flash(" ".join(form.code.errors or form.form_errors), "bad")
    return redirect(url_for("staff_faxes.fax", fax_id=fax_id), 303)


def _answer_form(form: type[PaperAnswerForm], recipient: CaseRecipient) -> Any:
    rows = shown_rows.of_case(recipient.case)
    return with_rows(form, [row.row_code for row in rows])


def _at_the_page(
    faxed: FaxedReply, form: Any, aside: SetAsideForm
) -> ResponseReturnValue:
    recipient = faxed.recipient
    rows = _opened(recipient)
    kept = answers.newest(recipient)
    wrong = form.errors or aside.errors
    following = faxed_replies.next_after(faxed)
    page = render_template(
        "staff/replies/tick.html",
        form=form if form.errors else aside if aside.errors else form,
        answer_form=form,
        aside=aside,
        faxed=faxed,
        page_number=faxed_replies.page_of(faxed),
        rows=rows,
        recipient=recipient,
        name=_name(recipient),
        kept=kept,
        kept_words=answers.in_words(kept) if kept else [],
        reasons=faxed_replies.REASONS,
        following=following,
    )
    return page, 422 if wrong else 200


def _opened(recipient: CaseRecipient) -> Any:
    """Give the counted rows; that staff look at them is on record first."""
    case = threshold_cases.open_for_staff(
        recipient.case.id, by=signed_in_user(), at=clock.now()
    )
    return shown_rows.of_case(case)


def _queue(form: FilterForm) -> ResponseReturnValue:
    sort = sorting.known(
        sort_asked_for(), faxed_replies.SORTS, otherwise=faxed_replies.OLDEST
    )
    page = render_template(
        "staff/replies/queue.html",
        form=form,
        listed=faxed_replies.listed(sort, page=page_asked_for()),
        name_of=_name,
        sort=sort,
        now=clock.now(),
    )
    return page, 422 if form.errors else 200


def _line(each: FaxedReply) -> tuple[Any, ...]:
    recipient = each.recipient
    return (
        recipient.reply_code,
        _name(recipient),
        recipient.case.id,
        us_time(each.received_at),
    )


def _name(recipient: CaseRecipient) -> str:
    return contacts.name_of(case_recipients.who(recipient))


def _next(faxed: FaxedReply) -> ResponseReturnValue:
    following = faxed_replies.next_after(faxed)
    if following is None:
        return redirect(url_for(".queue"), 303)
    return redirect(url_for(".tick", faxed_id=following.id), 303)


def _to_case(recipient: CaseRecipient) -> ResponseReturnValue:
    return redirect(url_for("staff_rules.case", case_id=recipient.case.id), 303)
