"""What staff write down for others: requests, calls to return, a pharmacy's answer."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import OutsideKind, Ticket
from pmp import clock, tickets
from pmp.matching import patient_files
from pmp.permissions import Permission
from pmp.tickets import call_list, dispenser_questions, outside, outside_answers
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import rule_errors
from portal.forms.outside_reports import CallsForm, RequestForm
from portal.forms.questions import ExplainForm
from portal.paging import page_asked_for, sort_asked_for

bp = Blueprint("outside_reports", __name__)


@bp.route("/staff/patients/<int:patient_id>/request", methods=["GET", "POST"])
@requires(Permission.TICKET_WORK)
def request_of(patient_id: int) -> ResponseReturnValue:
    user, now = signed_in_user(), clock.now()
    file = patient_files.open_file(patient_id, by=user, at=now)
    form = RequestForm()
    form.offer(outside.listed(patient_id), clock.today())
    if form.validate_on_submit():
        with rule_errors(form):
            opened = _requested(patient_id, form)
            numbers = ", ".join(each.number for each in opened)
            flash(f"Open: {numbers}.")
            first = opened[0].number
            return redirect(url_for("staff_tickets.ticket", number=first), 303)
    page = render_template("staff/tickets/request.html", form=form, file=file)
    return page, 422 if form.errors else 200


@bp.get("/staff/tickets/calls")
@requires(Permission.TICKET_WORK)
def calls() -> ResponseReturnValue:
    return _calls(CallsForm.of_address())


@bp.post("/staff/tickets/calls/search")
@requires(Permission.TICKET_WORK)
def search_calls() -> ResponseReturnValue:
    """Take what was typed into the list's address, sealed."""
    form = CallsForm()
    if form.validate():
        sort = request.form.get("sort") or None
        return redirect(url_for(".calls", **{**form.asked(), "sort": sort}), 303)
    return _calls(form)


@bp.get("/staff/tickets/calls.csv")
@requires(Permission.TICKET_WORK)
def calls_csv() -> ResponseReturnValue:
    form = CallsForm.of_address()
    if form.validate():
        with rule_errors(form):
            wanted, now = form.wanted(sort_asked_for()), clock.now()
            rows = call_list.rows_of(wanted, by=signed_in_user(), at=now)
            return csv_answer("calls-to-return.csv", call_list.HEADINGS, rows)
    return _calls(form)


@bp.post("/staff/tickets/calls/<int:reporter_id>")
@requires(Permission.TICKET_WORK)
def called(reporter_id: int) -> ResponseReturnValue:
    reporter = outside_answers.get(reporter_id)
    outside_answers.called(reporter, by=signed_in_user(), at=clock.now())
    flash(f"Noted: {reporter.name} was called back.")
    return redirect(url_for(".calls", **CallsForm.of_address().asked()), 303)


@bp.post("/staff/tickets/<number>/questions/<int:question_id>/answer")
@requires(Permission.TICKET_WORK)
def answered(number: str, question_id: int) -> ResponseReturnValue:
    found = tickets.of_desk(number, by=signed_in_user())
    form = ExplainForm()
    if form.validate_on_submit():
        dispenser_questions.explain(
            dispenser_questions.get(question_id, ticket=found),
            text=form.text.data or "",
            by=signed_in_user(),
            at=clock.now(),
        )
        flash("The pharmacy's answer is written down.")
    else:
        flash("Write down what the pharmacy says.", "bad")
    return redirect(url_for("staff_tickets.ticket", number=number), 303)


def _calls(form: CallsForm) -> ResponseReturnValue:
    wanted = form.wanted(sort_asked_for())
    page = render_template(
        "staff/tickets/calls.html",
        form=form,
        listed=call_list.listed(wanted, by=signed_in_user(), page=page_asked_for()),
        outcome=tickets.outcome_of,
        filters=form.in_address(),
        asked=form.asked(),
        sort=wanted.order,
    )
    return page, 422 if form.errors else 200


def _requested(patient_id: int, form: RequestForm) -> list[Ticket]:
    received_on = form.received_on.data or clock.today()
    return outside.request(
        patient_id,
        form.person(OutsideKind(form.kind.data), received_on),
        **form.asked(),
        by=signed_in_user(),
        at=clock.now(),
    )
