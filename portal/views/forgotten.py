"""A user name or a password that was forgotten: asked for, and set by a link."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue

from gateway import tasks
from models import ForgottenPassword
from pmp import clock
from pmp.accounts import forgotten, passwords, second_factor
from pmp.errors import RuleError
from portal import access
from portal.access import public
from portal.forms import rule_errors
from portal.forms.account import OwnPasswordForm
from portal.forms.forgotten import LETTER, ForgottenForm

bp = Blueprint("forgotten", __name__)

# The token of the link, so that it stands in one address only and in no form.
TOKEN = "forgotten"  # noqa: S105 - a name, not a secret


@bp.route("/forgotten", methods=["GET", "POST"])
@public
def ask() -> ResponseReturnValue:
    form = ForgottenForm()
    if form.validate_on_submit():
        asked = forgotten.ask(
            form.known.data,
            by_letter=form.way.data == LETTER,
            place=request.remote_addr or "",
            at=clock.now(),
        )
        for ask_id in asked:
            tasks.nudge(tasks.answer_forgotten, ask_id)
        return redirect(url_for(".asked", way=form.way.data), 303)
    page = render_template("account/forgotten.html", form=form)
    return page, 422 if form.errors else 200


@bp.get("/forgotten/asked")
@public
def asked() -> ResponseReturnValue:
    by_letter = request.args.get("way") == LETTER
    return render_template("account/forgotten_asked.html", by_letter=by_letter)


@bp.get("/forgotten/<token>")
@public
def link(token: str) -> ResponseReturnValue:
    """Use up nothing: programs that guard a mailbox follow each link by themselves."""
    try:
        forgotten.by_token(token, at=clock.now())
    except RuleError as refused:
        flash(refused.message, "warn")
        return redirect(url_for(".ask"), 303)
    access.leave()
    cookie[TOKEN] = token
    return redirect(url_for(".new_password"), 303)


@bp.route("/forgotten/password", methods=["GET", "POST"])
@public
def new_password() -> ResponseReturnValue:
    row = _row()
    if row is None:
        flash("Open the link of the email once more, or ask for another.", "warn")
        return redirect(url_for(".ask"), 303)
    form = OwnPasswordForm()
    if form.validate_on_submit():
        with rule_errors(form):
            forgotten.reset(
                row,
                form.password.data,
                address=request.remote_addr or "",
                at=clock.now(),
            )
            access.leave()
            flash("Your password is set. Sign in with it.")
            return redirect(url_for("account.sign_in"), 303)
    user = forgotten.user_of(row)
    page = render_template(
        "account/new_password.html",
        form=form,
        username=user.username,
        is_first=forgotten.is_first(user),
        shortest=passwords.shortest(with_factor=second_factor.has(user)),
    )
    return page, 422 if form.errors else 200


def _row() -> ForgottenPassword | None:
    try:
        return forgotten.by_token(cookie.get(TOKEN, ""), at=clock.now())
    except RuleError:
        return None
