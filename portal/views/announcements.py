"""What was announced, for everybody; a user puts aside what they have read."""

from flask import Blueprint, g, redirect, render_template
from flask.typing import ResponseReturnValue

from pmp import announcements, clock
from pmp.permissions import Permission
from portal.access import public, requires, signed_in_user
from portal.navigation import landing_page

bp = Blueprint("announcements", __name__)


@bp.get("/announcements")
@public
def every() -> ResponseReturnValue:
    shown = announcements.shown_to(g.user, today=clock.today())
    return render_template("announcements/every.html", shown=shown)


@bp.post("/announcements/<int:announcement_id>/dismiss")
@requires(Permission.ACCOUNT)
def dismiss(announcement_id: int) -> ResponseReturnValue:
    announcements.dismiss(
        announcements.get(announcement_id), by=signed_in_user(), at=clock.now()
    )
    return redirect(landing_page(), 303)
