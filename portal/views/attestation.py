"""Once a year: the account is one's own, and used by nobody else."""

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from pmp import clock
from pmp.accounts import attestation
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.forms.forgotten import AttestationForm
from portal.navigation import landing_page

bp = Blueprint("attestation", __name__)


@bp.route("/account/attestation", methods=["GET", "POST"])
@requires(Permission.ACCOUNT)
def attest() -> ResponseReturnValue:
    form = AttestationForm()
    if form.validate_on_submit():
        address = request.remote_addr or ""
        attestation.attest(signed_in_user(), at=clock.now(), address=address)
        flash("Thank you. We ask again in a year.")
        return redirect(landing_page(), 303)
    page = render_template("account/attestation.html", form=form)
    return page, 422 if form.errors else 200
