"""What a user sent when the session was over: shown again, sent, or thrown away."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from pmp import clock
from pmp.accounts import kept_forms
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.navigation import landing_page

bp = Blueprint("kept_form", __name__, url_prefix="/account/kept-form")


@bp.get("")
@requires(Permission.ACCOUNT)
def show() -> ResponseReturnValue:
    kept = kept_forms.of(signed_in_user(), at=clock.now())
    if kept is None:
        return redirect(landing_page(), 303)
    return render_template("account/kept_form.html", kept=kept)


@bp.post("/send")
@requires(Permission.ACCOUNT)
def send() -> ResponseReturnValue:
    """Have the browser send the same fields to where they were meant for (307)."""
    user = signed_in_user()
    kept = kept_forms.of(user, at=clock.now())
    if kept is None:
        flash("It was sent or thrown away already.", "warn")
        return redirect(url_for(".show"), 303)
    kept_forms.drop(user)
    return redirect(kept.path, 307)


@bp.post("/throw-away")
@requires(Permission.ACCOUNT)
def throw_away() -> ResponseReturnValue:
    kept_forms.drop(signed_in_user())
    flash("What you had typed is thrown away.")
    return redirect(landing_page(), 303)
