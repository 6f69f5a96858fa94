"""Inaccuracy tickets of the person at the screen: report an entry, follow it."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import TicketProblem
from pmp import clock, tickets
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.tickets import MessageForm, ReportProblemForm

bp = Blueprint("tickets", __name__)


@bp.route("/entries/<row_code>/report-a-problem", methods=["GET", "POST"])
@requires(Permission.TICKET_OPEN)
def report_problem(row_code: str) -> ResponseReturnValue:
    user = signed_in_user()
    shown = tickets.find_shown(row_code, by=user)
    form = ReportProblemForm(problem=request.args.get("problem"))
    if form.validate_on_submit():
        with rule_errors(form):
            ticket = tickets.open_ticket(
                shown,
                problem=TicketProblem(form.problem.data),
                note=form.note.data or "",
                by=user,
                at=clock.now(),
            )
            flash(f"Program staff have your report. Its number is {ticket.number}.")
            return redirect(url_for("tickets.ticket", number=ticket.number), 303)
    page = render_template(
        "tickets/report_problem.html", form=form, entry=shown.dispensation
    )
    return page, 422 if form.errors else 200


@bp.get("/tickets")
@requires(Permission.TICKET_OPEN)
def index() -> ResponseReturnValue:
    return render_template(
        "tickets/index.html", tickets=tickets.mine(signed_in_user()), now=clock.now()
    )


@bp.route("/tickets/<number>", methods=["GET", "POST"])
@requires(Permission.TICKET_OPEN)
def ticket(number: str) -> ResponseReturnValue:
    user = signed_in_user()
    found = tickets.own(number, by=user)
    form = MessageForm()
    if form.validate_on_submit():
        with rule_errors(form):
            tickets.say(found, text=form.text.data or "", by=user, at=clock.now())
            flash("Your message is with program staff.")
            return redirect(url_for("tickets.ticket", number=number), 303)
    page = render_template(
        "tickets/ticket.html",
        form=form,
        ticket=found,
        thread=tickets.thread(found),
        outcome=tickets.outcome_words(found.outcome) if found.outcome else "",
        now=clock.now(),
    )
    return page, 422 if form.errors else 200
