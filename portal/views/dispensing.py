"""A pharmacy's own dispensations; filters go by POST, since they may name people."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from pmp import clock
from pmp.dispensations import dispensing
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.forms.submissions import DispensingForm

bp = Blueprint("dispensing", __name__)


@bp.route("/dispensing", methods=["GET", "POST"])
@requires(Permission.DISPENSING_READ)
def listing() -> ResponseReturnValue:
    form = DispensingForm()
    wanted = dispensing.Wanted()
    if form.validate_on_submit():
        wanted = dispensing.Wanted(
            since=form.since.data,
            until=form.until.data,
            drug_class=form.drug_class.data or "",
            text=form.text.data or "",
        )
    found = dispensing.own(
        wanted,
        number=request.form.get("page", 1, int),
        by=signed_in_user(),
        at=clock.now(),
    )
    page = render_template("dispensing/list.html", form=form, found=found)
    return page, 422 if form.errors else 200
