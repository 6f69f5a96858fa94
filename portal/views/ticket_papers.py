"""Papers that a reporter or a pharmacy adds to a ticket: a label, a prescription."""

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from models import Audience, Pharmacy, Ticket
from pmp import clock, tickets
from pmp.permissions import Permission
from pmp.tickets import attachments, dispenser_questions
from portal.access import requires, signed_in_user, uploads
from portal.forms import rule_errors
from portal.forms.tickets import PaperForm

bp = Blueprint("ticket_papers", __name__)


@bp.route("/tickets/<number>/papers", methods=["GET", "POST"])
@requires(Permission.TICKET_OPEN)
@uploads
def of_reporter(number: str) -> ResponseReturnValue:
    found = tickets.own(number, by=signed_in_user())
    back = url_for("tickets.ticket", number=number)
    return _added(found, Audience.REPORTER, back)


@bp.route("/questions/<int:question_id>/papers", methods=["GET", "POST"])
@requires(Permission.DISPENSING_READ)
@uploads
def of_dispenser(question_id: int) -> ResponseReturnValue:
    question = dispenser_questions.find(question_id, by=signed_in_user())
    back = url_for("questions.question", question_id=question_id)
    return _added(question.ticket, Audience.DISPENSER, back, question.pharmacy)


@bp.get("/tickets/papers/<int:attachment_id>")
@requires(Permission.TICKET_OPEN)
def paper(attachment_id: int) -> ResponseReturnValue:
    found, body = attachments.open_one(
        attachment_id, by=signed_in_user(), at=clock.now()
    )
    answer = Response(body, mimetype=found.document.media_type)
    name = attachments.filename(found)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _added(
    ticket: Ticket, audience: Audience, back: str, pharmacy: Pharmacy | None = None
) -> ResponseReturnValue:
    form = PaperForm()
    if form.validate_on_submit():
        with rule_errors(form):
            attachments.add(
                ticket,
                body=form.file.data.read() if form.file.data else b"",
                what=form.what.data or "",
                audience=audience,
                pharmacy=pharmacy,
                by=signed_in_user(),
                at=clock.now(),
            )
            flash("Program staff have the paper.")
            return redirect(back, 303)
    page = render_template("tickets/paper.html", form=form, back=back)
    return page, 422 if form.errors else 200
