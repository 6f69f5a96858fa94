"""Inaccuracy tickets for staff: queue with its clock, the entry beside its source."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import Dispensation, OutsideKind, Ticket, TicketOutcome, TicketProblem
from pmp import clock, readers, tickets
from pmp.permissions import Permission
from pmp.tickets import handling, identity_tickets, outside, ticket_desk
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.outside_reports import PhonedProblemForm
from portal.forms.staff_tickets import CorrectForm, ResolveForm
from portal.forms.tickets import MessageForm
from portal.numbers import whole
from portal.paging import page_asked_for

bp = Blueprint("staff_tickets", __name__)

OUTCOMES = {
    "void": TicketOutcome.VOIDED,
    "correct": TicketOutcome.CORRECTED,
    "uphold": TicketOutcome.UPHELD,
}


@bp.get("/staff/tickets")
@requires(Permission.TICKET_WORK)
def index() -> ResponseReturnValue:
    which = request.args.get("queue", "open")
    page = page_asked_for()
    listed, total = ticket_desk.queue(which, by=signed_in_user(), page=page)
    return render_template(
        "staff/tickets/index.html",
        tickets=listed,
        total=total,
        page=page,
        pages=-(-total // ticket_desk.PAGE_SIZE),
        which=which,
        queues=ticket_desk.QUEUES,
        now=clock.now(),
    )


@bp.route("/staff/tickets/new", methods=["GET", "POST"])
@requires(Permission.TICKET_WORK)
def new() -> ResponseReturnValue:
    form = PhonedProblemForm()
    if form.validate_on_submit():
        with rule_errors(form):
            user = signed_in_user()
            opened = outside.open_for_call(
                form.person(OutsideKind.CALLER, clock.today()),
                tickets.find_shown(form.row_code.data or "", by=user),
                problem=TicketProblem(form.problem.data),
                note=form.note.data or "",
                by=user,
                at=clock.now(),
            )
            flash(f"Ticket {opened.number} is open.")
            return _to(opened)
    page = render_template("staff/tickets/new.html", form=form)
    return page, 422 if form.errors else 200


@bp.get("/staff/tickets/<number>")
@requires(Permission.TICKET_WORK)
def ticket(number: str) -> ResponseReturnValue:
    return _page(tickets.get(number), MessageForm())


@bp.post("/staff/tickets/<number>/take")
@requires(Permission.TICKET_WORK)
def take(number: str) -> ResponseReturnValue:
    found = tickets.get(number)
    handling.take(found, by=signed_in_user(), at=clock.now(), revision=_revision())
    flash("The ticket is yours.")
    return _to(found)


@bp.post("/staff/tickets/<number>/message")
@requires(Permission.TICKET_WORK)
def message(number: str) -> ResponseReturnValue:
    found = tickets.get(number)
    form = MessageForm()
    if form.validate_on_submit():
        with rule_errors(form):
            text, user, at = form.text.data or "", signed_in_user(), clock.now()
            if "asked" in request.form:
                tickets.ask_dispenser(
                    found, text=text, by=user, at=at, revision=_revision()
                )
            else:
                tickets.say(found, text=text, by=user, at=at)
            return _to(found)
    return _page(found, form)


@bp.route("/staff/tickets/<number>/<action>", methods=["GET", "POST"])
@requires(Permission.TICKET_WORK)
def resolve(number: str, action: str) -> ResponseReturnValue:
    found = tickets.get(number)
    outcome = OUTCOMES.get(action) or abort(404)
    form = _form(found, outcome)
    if form.validate_on_submit() and form.confirmed.data == "yes":
        with rule_errors(form):
            told = tickets.resolve(
                found,
                outcome=outcome,
                note=form.note.data or "",
                changes=ticket_desk.changed(found.dispensation, form.changes()),
                by=signed_in_user(),
                at=clock.now(),
                revision=_revision(),
            )
            flash(_told_words(len(told), found.dispensation))
            return _to(found)
    return _resolve_page(found, form, action, outcome)


def _told_words(recipients: int, entry: Dispensation | None) -> str:
    words = "Resolved. The reporter is told."
    looked_up = readers.told_of(entry) if entry else 0
    if recipients or looked_up:
        others = ticket_desk.told_words(recipients, looked_up)
        words += f" So are the others who were sent the entry: {others}."
    return words


def _resolve_page(
    found: Ticket, form: ResolveForm, action: str, outcome: TicketOutcome
) -> ResponseReturnValue:
    """Give the form; once it is sound, the review of what it will do."""
    entry = found.dispensation
    reviewed = form.is_submitted() and not form.errors
    form.confirmed.data = "yes" if reviewed else ""
    page = render_template(
        "staff/tickets/resolve.html",
        form=form,
        ticket=found,
        action=action,
        outcome=outcome,
        reviewed=reviewed,
        changes=ticket_desk.changed(entry, form.changes()),
        effect=ticket_desk.effect(entry, at=clock.now()),
    )
    return page, 422 if form.errors else 200


def _page(found: Ticket, form: MessageForm) -> ResponseReturnValue:
    user, now = signed_in_user(), clock.now()
    entry = found.dispensation
    page = render_template(
        "staff/tickets/ticket.html",
        form=form,
        ticket=found,
        thread=tickets.thread(found),
        source=ticket_desk.source(entry, by=user, at=now),
        versions=ticket_desk.versions(entry),
        others=ticket_desk.others_about(found),
        is_about_people=identity_tickets.is_about_people(found),
        named=identity_tickets.named_in_words(found),
        outcome=tickets.outcome_words(found.outcome) if found.outcome else "",
        now=now,
    )
    return page, 422 if form.errors else 200


def _form(found: Ticket, outcome: TicketOutcome) -> ResolveForm:
    if outcome != TicketOutcome.CORRECTED:
        return ResolveForm(revision=str(found.revision))
    form = CorrectForm(revision=str(found.revision))
    if not form.is_submitted() and found.dispensation is not None:
        form.offer(found.dispensation)
    return form


def _revision() -> int:
    return request.form.get("revision", default=0, type=whole)


def _to(found: Ticket) -> ResponseReturnValue:
    return redirect(url_for("staff_tickets.ticket", number=found.number), 303)
