"""A ticket on its way: handed over, escalated, opened again."""

from flask import Blueprint, flash, render_template
from flask.typing import ResponseReturnValue

from models import Ticket
from pmp import clock, tickets
from pmp.permissions import Permission
from pmp.tickets import handling, routing, telling
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.staff_tickets import HandOverForm, ReopenForm
from portal.views.staff_tickets import revision, to_ticket

bp = Blueprint("staff_ticket_handling", __name__)
Step = HandOverForm | ReopenForm


@bp.route("/staff/tickets/<number>/assign", methods=["GET", "POST"])
@requires(Permission.TICKET_WORK)
def assign(number: str) -> ResponseReturnValue:
    found = tickets.of_desk(number, by=signed_in_user())
    form = HandOverForm(revision=str(found.revision))
    form.offer(routing.desk(found.dispensation), routing.open_tickets())
    if form.validate_on_submit():
        with rule_errors(form):
            handling.assign(
                found,
                to=form.to.data or 0,
                reason=form.reason.data or "",
                by=signed_in_user(),
                at=clock.now(),
                revision=revision(),
            )
            flash("Handed over. Whoever has it now is told by email.")
            return to_ticket(found)
    return _step(found, form, "Hand over", "Whoever gets it is told by email.")


@bp.route("/staff/tickets/<number>/escalate", methods=["GET", "POST"])
@requires(Permission.TICKET_WORK)
def escalate(number: str) -> ResponseReturnValue:
    found = tickets.of_desk(number, by=signed_in_user())
    form = HandOverForm(revision=str(found.revision))
    form.offer(routing.administrators(), routing.open_tickets())
    if form.validate_on_submit():
        with rule_errors(form):
            handling.escalate(
                found,
                to=form.to.data or 0,
                reason=form.reason.data or "",
                by=signed_in_user(),
                at=clock.now(),
                revision=revision(),
            )
            flash("Escalated. The administrator is told by email.")
            return to_ticket(found)
    return _step(
        found,
        form,
        "Escalate",
        "An administrator gets the ticket and is told by email; the board flags it.",
    )


@bp.route("/staff/tickets/<number>/reopen", methods=["GET", "POST"])
@requires(Permission.TICKET_WORK)
def reopen(number: str) -> ResponseReturnValue:
    found = tickets.of_desk(number, by=signed_in_user())
    form = ReopenForm(revision=str(found.revision))
    stays = handling.STAYS[found.outcome] if found.outcome else ""
    if form.validate_on_submit():
        with rule_errors(form):
            told = handling.reopen(
                found,
                reason=form.reason.data or "",
                by=signed_in_user(),
                at=clock.now(),
                revision=revision(),
            )
            flash(f"The ticket is open again. {_reporter_words(found, told=told)}")
            return to_ticket(found)
    return _step(found, form, "Open again", stays)


def _reporter_words(found: Ticket, *, told: bool) -> str:
    if told:
        return "The reporter is told."
    if telling.signs_in(found):
        return "The reporter sees it in the portal."
    return "Call the reporter: no message goes out."


def _step(found: Ticket, form: Step, words: str, lead: str) -> ResponseReturnValue:
    if form.form_errors:  # whoever was told of another's change may go on from it
        form.revision.data = str(found.revision)
    page = render_template(
        "staff/tickets/step.html", form=form, ticket=found, words=words, lead=lead
    )
    return page, 422 if form.errors else 200
