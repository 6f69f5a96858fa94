"""Questions of the program to a pharmacy about what it reported, and its answers."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from models import Audience
from pmp import clock
from pmp.permissions import Permission
from pmp.tickets import attachments, dispenser_questions
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.questions import ExplainForm

bp = Blueprint("questions", __name__)


@bp.get("/questions")
@requires(Permission.DISPENSING_READ)
def index() -> ResponseReturnValue:
    user, now = signed_in_user(), clock.now()
    return render_template(
        "questions/index.html",
        waiting=dispenser_questions.waiting(user),
        answered=dispenser_questions.answered(user, at=now),
        words=dispenser_questions.WORDS,
        now=now,
    )


@bp.route("/questions/<int:question_id>", methods=["GET", "POST"])
@requires(Permission.DISPENSING_READ)
def question(question_id: int) -> ResponseReturnValue:
    user, now = signed_in_user(), clock.now()
    asked = dispenser_questions.view(question_id, by=user, at=now)
    form = ExplainForm()
    if form.validate_on_submit():
        with rule_errors(form):
            dispenser_questions.explain(
                asked.question, text=form.text.data or "", by=user, at=now
            )
            flash("Program staff have your answer. Thank you.")
            return redirect(url_for("questions.index"), 303)
    page = render_template(
        "questions/question.html",
        form=form,
        asked=asked,
        words=dispenser_questions.WORDS,
        listed=attachments.of(
            asked.question.ticket,
            audience=Audience.DISPENSER,
            pharmacy=asked.question.pharmacy,
        ),
        now=now,
    )
    return page, 422 if form.errors else 200
