"""What staff write down for others: requests, calls to return, a pharmacy's answer."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from models import OutsideKind, Ticket
from pmp import clock, tickets
from pmp.matching import patient_files
from pmp.permissions import Permission
from pmp.tickets import dispenser_questions, outside, outside_answers
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.outside_reports import RequestForm
from portal.forms.questions import ExplainForm

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
    return render_template(
        "staff/tickets/calls.html",
        calls=outside_answers.calls_due(by=signed_in_user()),
        outcome=tickets.outcome_of,
    )


@bp.post("/staff/tickets/calls/<int:reporter_id>")
@requires(Permission.TICKET_WORK)
def called(reporter_id: int) -> ResponseReturnValue:
    reporter = outside_answers.get(reporter_id)
    outside_answers.called(reporter, by=signed_in_user(), at=clock.now())
    flash(f"Noted: {reporter.name} was called back.")
    return redirect(url_for("outside_reports.calls"), 303)


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


def _requested(patient_id: int, form: RequestForm) -> list[Ticket]:
    received_on = form.received_on.data or clock.today()
    return outside.request(
        patient_id,
        form.person(OutsideKind(form.kind.data), received_on),
        **form.asked(),
        by=signed_in_user(),
        at=clock.now(),
    )
