"""From a patient report: these are not my patient, please split them."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pmp import clock
from pmp.permissions import Permission
from pmp.tickets import identity_tickets
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.identity_questions import IdentityQuestionForm

bp = Blueprint("identity_questions", __name__)


@bp.route("/reports/<token>/not-my-patient", methods=["GET", "POST"])
@requires(Permission.TICKET_OPEN)
def ask(token: str) -> ResponseReturnValue:
    user, now = signed_in_user(), clock.now()
    listed = identity_tickets.people(
        token=token, by=user, at=now, address=request.remote_addr or ""
    )
    form = IdentityQuestionForm()
    form.offer(listed)
    if form.validate_on_submit():
        with rule_errors(form):
            ticket = identity_tickets.ask(
                form.people.data or [],
                listed=listed,
                note=form.note.data or "",
                by=user,
                at=now,
            )
            flash(f"Program staff have your report. Its number is {ticket.number}.")
            return redirect(url_for("tickets.ticket", number=ticket.number), 303)
    page = render_template("look_up/not_my_patient.html", form=form, token=token)
    return page, 422 if form.errors else 200
