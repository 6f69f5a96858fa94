"""What has changed since one's look-ups: entries that their reports had shown."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from pmp import clock, readers
from pmp.permissions import Permission
from portal.access import requires, signed_in_user

bp = Blueprint("look_up_corrections", __name__)


@bp.get("/look-ups/changed")
@requires(Permission.LOOK_UP)
def changed() -> ResponseReturnValue:
    return render_template(
        "look_up/corrections.html",
        told=readers.mine(signed_in_user(), at=clock.now()),
        words=readers.words,
        days=readers.LISTED_DAYS,
    )
