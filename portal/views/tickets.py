"""Inaccuracy tickets of the person at the screen: report an entry, follow it."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import Audience, Ticket, TicketProblem
from pmp import clock, tickets
from pmp.permissions import Permission
from pmp.tickets import attachments, ticket_desk, whole_records, whose, withdrawing
from pmp.tickets import shown as shown_entries
from pmp.tickets.shown import Shown
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.tickets import MessageForm, ReportProblemForm, ReportRecordForm
from portal.paging import page_asked_for

bp = Blueprint("tickets", __name__)


@bp.route("/entries/<row_code>/report-a-problem", methods=["GET", "POST"])
@requires(Permission.TICKET_OPEN)
def report_problem(row_code: str) -> ResponseReturnValue:
    user = signed_in_user()
    address = request.remote_addr or ""
    shown = shown_entries.view(row_code, by=user, at=clock.now(), address=address)
    form = ReportProblemForm(problem=request.args.get("problem"))
    if form.validate_on_submit():
        with rule_errors(form):
            return _opened(shown, form)
    page = render_template(
        "tickets/report_problem.html", form=form, entry=shown.dispensation
    )
    return page, 422 if form.errors else 200


@bp.route("/reports/<token>/report-a-problem", methods=["GET", "POST"])
@requires(Permission.TICKET_OPEN)
def report_looked_up(token: str) -> ResponseReturnValue:
    shown = whole_records.of_look_up(
        token=token,
        by=signed_in_user(),
        at=clock.now(),
        address=request.remote_addr or "",
    )
    back = url_for("look_up.report", token=token)
    return _of_record(shown, back, split=url_for("identity_questions.ask", token=token))


@bp.route(
    "/threshold-reports/<int:recipient_id>/report-a-problem", methods=["GET", "POST"]
)
@requires(Permission.TICKET_OPEN)
def report_sent(recipient_id: int) -> ResponseReturnValue:
    shown = whole_records.of_case(recipient_id, by=signed_in_user())
    back = url_for("threshold_reports.report", recipient_id=recipient_id)
    return _of_record(shown, back)


@bp.get("/tickets")
@requires(Permission.TICKET_OPEN)
def index() -> ResponseReturnValue:
    return render_template(
        "tickets/index.html",
        listed=whose.listed(signed_in_user(), page=page_asked_for()),
        subject=whole_records.subject,
        now=clock.now(),
    )


@bp.route("/tickets/<number>", methods=["GET", "POST"])
@requires(Permission.TICKET_OPEN)
def ticket(number: str) -> ResponseReturnValue:
    user = signed_in_user()
    found = tickets.own(number, by=user)
    ticket_desk.seen(found, by=user, at=clock.now())
    form = MessageForm()
    if form.validate_on_submit():
        with rule_errors(form):
            tickets.say(found, text=form.text.data or "", by=user, at=clock.now())
            flash("Your message is with program staff.")
            return _to(found)
    return _page(found, form)


@bp.post("/tickets/<number>/withdraw")
@requires(Permission.TICKET_OPEN)
def withdraw(number: str) -> ResponseReturnValue:
    user = signed_in_user()
    found = tickets.own(number, by=user)
    withdrawing.withdraw(found, by=user, at=clock.now())
    flash("Withdrawn. If that was a mistake, take it back below.")
    return _to(found)


@bp.post("/tickets/<number>/take-back")
@requires(Permission.TICKET_OPEN)
def take_back(number: str) -> ResponseReturnValue:
    user = signed_in_user()
    found = tickets.own(number, by=user)
    withdrawing.undo(found, by=user, at=clock.now())
    flash("Your report is with program staff again.")
    return _to(found)


def _opened(
    shown: Shown, form: ReportProblemForm | ReportRecordForm
) -> ResponseReturnValue:
    found = tickets.open_ticket(
        shown,
        problem=TicketProblem(form.problem.data),
        note=form.note.data or "",
        by=signed_in_user(),
        at=clock.now(),
    )
    flash(f"Program staff have your report. Its number is {found.number}.")
    return _to(found)


def _of_record(shown: Shown, back: str, *, split: str = "") -> ResponseReturnValue:
    form = ReportRecordForm(problem=request.args.get("problem"))
    if form.validate_on_submit():
        with rule_errors(form):
            return _opened(shown, form)
    page = render_template(
        "tickets/report_record.html", form=form, back=back, split=split
    )
    return page, 422 if form.errors else 200


def _page(found: Ticket, form: MessageForm) -> ResponseReturnValue:
    page = render_template(
        "tickets/ticket.html",
        form=form,
        ticket=found,
        thread=tickets.thread(found),
        outcome=tickets.outcome_of(found),
        listed=attachments.of(found, audience=Audience.REPORTER),
        is_withdrawn=withdrawing.is_withdrawn(found),
        now=clock.now(),
    )
    return page, 422 if form.errors else 200


def _to(found: Ticket) -> ResponseReturnValue:
    return redirect(url_for("tickets.ticket", number=found.number), 303)
