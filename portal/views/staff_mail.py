"""Email addresses that mail came back from."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pmp import clock
from pmp.deliveries import mail_problems
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.paging import page_asked_for

bp = Blueprint("staff_mail", __name__)


@bp.get("/staff/mail-problems")
@requires(Permission.DELIVERY_WATCH)
def problems() -> ResponseReturnValue:
    listed = mail_problems.listed(page=page_asked_for())
    return render_template("staff/mail/problems.html", listed=listed)


@bp.post("/staff/mail-problems/<int:problem_id>/works-again")
@requires(Permission.DELIVERY_WATCH)
def settle_problem(problem_id: int) -> ResponseReturnValue:
    mail_problems.settle(
        problem_id,
        by=signed_in_user(),
        at=clock.now(),
        address=request.remote_addr or "",
    )
    flash("The note is gone, for its user too, unless email comes back once more.")
    return redirect(url_for(".problems"), 303)
