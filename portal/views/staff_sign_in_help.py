"""Staff help who cannot sign in: a link, a letter, a lost factor, a closed account."""

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from gateway import tasks
from models import User, UserStatus
from pmp import clock
from pmp.accounts import forgotten, inactivity, lost_factors, second_factor, users
from pmp.errors import RuleError
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.second_factor import FindUserForm, LostFactorForm, ReopenForm

bp = Blueprint("staff_sign_in_help", __name__, url_prefix="/staff/sign-in-help")


@bp.route("", methods=["GET", "POST"])
@requires(Permission.SIGN_IN_HELP)
def find() -> ResponseReturnValue:
    form = FindUserForm()
    if form.validate_on_submit():
        with rule_errors(form):
            found = users.named(form.username.data)
            return redirect(url_for(".user", username=found.username), 303)
    page = render_template(
        "staff/sign_in_help/find.html", form=form, waiting=lost_factors.waiting()
    )
    return page, 422 if form.errors else 200


@bp.get("/<username>")
@requires(Permission.SIGN_IN_HELP)
def user(username: str) -> ResponseReturnValue:
    return _page(users.named(username))


@bp.post("/<username>/password-by-<way>")
@requires(Permission.SIGN_IN_HELP)
def new_password(username: str, way: str) -> ResponseReturnValue:
    if way not in {"email", "letter"}:
        abort(404)
    found, by_letter = users.named(username), way == "letter"
    try:
        ask_id = forgotten.ask_for(
            found, by_letter=by_letter, by=signed_in_user(), at=clock.now()
        )
    except RuleError as refused:
        flash(refused.message, "bad")
    else:
        tasks.nudge(tasks.answer_forgotten, ask_id)
        flash(
            f"A letter goes to the address of record of {found.name}."
            if by_letter
            else f"An email with a link goes to {found.email}."
        )
    return redirect(url_for(".user", username=found.username), 303)


@bp.post("/<username>/lost-factor")
@requires(Permission.SIGN_IN_HELP)
def lost_factor(username: str) -> ResponseReturnValue:
    found, form = users.named(username), LostFactorForm()
    if form.validate_on_submit():
        with rule_errors(form):
            removal = lost_factors.ask(
                found, reason=form.reason.data, by=signed_in_user(), at=clock.now()
            )
            flash(
                f"The second factor of {found.username} is removed. They are told."
                if removal.agreed
                else "A colleague must agree now: it waits on Sign-in help."
            )
            return redirect(url_for(".user", username=found.username), 303)
    return _page(found, factor_form=form)


@bp.post("/removals/<int:removal_id>/<answer>")
@requires(Permission.SIGN_IN_HELP)
def decide(removal_id: int, answer: str) -> ResponseReturnValue:
    if answer not in {"agree", "decline"}:
        abort(404)
    try:
        removal = lost_factors.decide(
            removal_id,
            agreed=answer == "agree",
            by=signed_in_user(),
            at=clock.now(),
        )
    except RuleError as refused:
        flash(refused.message, "bad")
    else:
        done = "removed; they are told" if removal.agreed else "left as it is"
        flash(f"The second factor of {removal.user.username} is {done}.")
    return redirect(url_for(".find"), 303)


@bp.post("/<username>/reopen")
@requires(Permission.SIGN_IN_HELP)
def reopen(username: str) -> ResponseReturnValue:
    found, form = users.named(username), ReopenForm()
    if form.validate_on_submit():
        with rule_errors(form):
            inactivity.reopen(
                found, reason=form.reason.data, by=signed_in_user(), at=clock.now()
            )
            flash(f"The account of {found.username} is open again.")
            return redirect(url_for(".user", username=found.username), 303)
    return _page(found, reopen_form=form)


def _page(
    found: User,
    *,
    factor_form: LostFactorForm | None = None,
    reopen_form: ReopenForm | None = None,
) -> ResponseReturnValue:
    form = factor_form or reopen_form
    page = render_template(
        "staff/sign_in_help/user.html",
        found=found,
        form=form,
        factor_form=factor_form or LostFactorForm(formdata=None),
        reopen_form=reopen_form or ReopenForm(formdata=None),
        standing=second_factor.standing(found),
        takes_two=lost_factors.takes_two(found),
        is_self=found == signed_in_user(),
        is_closed=found.status == UserStatus.CLOSED,
        removal=next((w for w in lost_factors.waiting() if w.user == found), None),
    )
    return page, 422 if form is not None and form.errors else 200
