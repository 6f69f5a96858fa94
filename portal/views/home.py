"""The public page; whoever is signed in begins at the page of their role."""

from flask import Blueprint, redirect, render_template
from flask.typing import ResponseReturnValue

from pmp import public_pages, received
from portal.access import may, public
from portal.forms.account import SignInForm
from portal.navigation import landing_page

bp = Blueprint("home", __name__)


@bp.get("/")
@public
def home() -> ResponseReturnValue:
    if may("account"):
        return redirect(landing_page(), 303)
    return render_template(
        "home.html",
        form=SignInForm(),
        received_through=received.last_day(),
        pages=public_pages.every(),
    )
