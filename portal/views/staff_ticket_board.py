"""All tickets for staff: the board, what became of them, who takes which kinds."""

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import TicketOutcome
from pmp import clock
from pmp.permissions import Permission
from pmp.tickets import board, clocks, outcomes, outside_answers, routing
from pmp.tickets.outcomes import Statistics
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import rule_errors
from portal.forms.staff_tickets import BoardForm, OutcomesForm, RoutingForm
from portal.paging import page_asked_for, sort_asked_for

bp = Blueprint("staff_ticket_board", __name__)
YEAR = timedelta(days=365)


@bp.get("/staff/tickets")
@requires(Permission.TICKET_WORK)
def index() -> ResponseReturnValue:
    form = _filters()
    form.validate()
    return _board(form)


@bp.get("/staff/tickets.csv")
@requires(Permission.TICKET_WORK)
def csv() -> ResponseReturnValue:
    form = _filters()
    if form.validate():
        with rule_errors(form):
            wanted, now = form.wanted(sort_asked_for()), clock.now()
            rows = board.rows_of(wanted, by=signed_in_user(), at=now)
            return csv_answer("tickets.csv", board.HEADINGS, rows)
    return _board(form)


@bp.get("/staff/tickets/outcomes")
@requires(Permission.TICKET_WORK)
def statistics() -> ResponseReturnValue:
    form = OutcomesForm(request.args)
    found = _counted(form) if form.validate() else None
    page = render_template(
        "staff/tickets/outcomes.html",
        form=form,
        found=found,
        outcomes=list(TicketOutcome),
        filters=form.in_address(),
    )
    return page, 422 if form.errors else 200


@bp.get("/staff/tickets/outcomes.csv")
@requires(Permission.TICKET_WORK)
def statistics_csv() -> ResponseReturnValue:
    form = OutcomesForm(request.args)
    if not form.validate():
        return statistics()
    rows = outcomes.table(_counted(form))
    return csv_answer("ticket-outcomes.csv", outcomes.HEADINGS, rows)


@bp.route("/staff/tickets/routing", methods=["GET", "POST"])
@requires(Permission.TICKET_ROUTE)
def route() -> ResponseReturnValue:
    form = RoutingForm(data={k.value: v for k, v in routing.takers().items()})
    people = routing.desk()
    form.offer(people)
    if form.validate_on_submit():
        with rule_errors(form):
            routing.set_takers(form.chosen(), by=signed_in_user(), at=clock.now())
            flash("Saved. It holds for tickets that come from now on.")
            return redirect(url_for(".index"), 303)
    page = render_template("staff/tickets/routing.html", form=form, people=people)
    return page, 422 if form.errors else 200


def _board(form: BoardForm) -> ResponseReturnValue:
    user, now = signed_in_user(), clock.now()
    wanted = form.wanted(sort_asked_for()) if form.is_sound else board.Wanted()
    listed = board.listing(wanted, by=user, at=now, page=page_asked_for())
    page = render_template(
        "staff/tickets/index.html",
        form=form,
        listed=listed,
        wrote=board.reporter_wrote(listed.rows),
        wanted=wanted,
        counts=board.counts(by=user, at=now),
        queues=board.QUEUES,
        filters=form.in_address(),
        sort=wanted.order,
        running=clocks.running,
        state_of=board.state_of,
        calls=len(outside_answers.calls_due(by=user)),
        now=now,
    )
    return page, 422 if form.errors else 200


def _filters() -> BoardForm:
    form = BoardForm(request.args)
    form.offer(routing.desk())
    return form


def _counted(form: OutcomesForm) -> Statistics:
    """Count what is asked for; without days the year that ends today."""
    last = form.until.data or clock.today()
    first = form.since.data or last - YEAR
    form.since.data, form.until.data = first, last
    return outcomes.between(first, last, at=clock.now())
