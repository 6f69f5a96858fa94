"""How the program reaches the user at the screen, and the link of an email."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import HowConfirmed
from pmp import clock
from pmp.errors import RuleError
from pmp.permissions import Permission
from pmp.reaching import checks
from portal import reaching_pages
from portal.access import requires, signed_in_user

bp = Blueprint("reaching", __name__)


@bp.route("/account/reaching", methods=["GET", "POST"])
@requires(Permission.ACCOUNT)
def reaching() -> ResponseReturnValue:
    here = url_for(".reaching")
    template = "account/reaching.html"
    return reaching_pages.page(signed_in_user(), template=template, here=here)


@bp.route("/account/reaching/email/<int:check_id>/<seal>", methods=["GET", "POST"])
@requires(Permission.ACCOUNT)
def email_link(check_id: int, seal: str) -> ResponseReturnValue:
    """Ask first: programs that guard a mailbox follow each link by themselves."""
    user = signed_in_user()
    try:
        check = checks.by_link(user, check_id=check_id, seal=seal)
        if request.method == "POST":
            how = HowConfirmed.LINK
            checks.confirm(check, how=how, by=user.username, at=clock.now())
            flash(f"{check.address} is confirmed.")
            return redirect(url_for(".reaching"), 303)
    except RuleError as refusal:
        flash(refusal.message, "warn")
        return redirect(url_for(".reaching"), 303)
    return render_template("account/email_link.html", check=check)
