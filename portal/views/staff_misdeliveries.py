"""Messages that reached the wrong person: write down, list, assess."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pmp import clock, misdeliveries
from pmp.deliveries import delivery_desk
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.staff_misdeliveries import AssessmentForm, MisdeliveryForm
from portal.paging import page_asked_for

bp = Blueprint("staff_misdeliveries", __name__)


@bp.get("/staff/misdeliveries")
@requires(Permission.DELIVERY_WATCH)
def index() -> ResponseReturnValue:
    is_open = request.args.get("show") == "open"
    listed = misdeliveries.listed(open_only=is_open, page=page_asked_for())
    return render_template(
        "staff/misdeliveries/index.html", listed=listed, is_open=is_open
    )


@bp.route("/staff/deliveries/<int:delivery_id>/wrong-person", methods=["GET", "POST"])
@requires(Permission.DELIVERY_WATCH)
def record(delivery_id: int) -> ResponseReturnValue:
    form = MisdeliveryForm()
    if form.validate_on_submit():
        with rule_errors(form):
            incident = misdeliveries.record(
                delivery_id,
                form.told(),
                by=signed_in_user(),
                at=clock.now(),
                address=request.remote_addr or "",
            )
            flash(f"It is written down as incident {incident.id}.")
            return redirect(url_for(".incident", incident_id=incident.id), 303)
    delivery = delivery_desk.get(delivery_id)
    page = render_template(
        "staff/misdeliveries/record.html",
        form=form,
        delivery=delivery,
        then=misdeliveries.then_words(delivery),
    )
    return page, 422 if form.errors else 200


@bp.route("/staff/misdeliveries/<int:incident_id>", methods=["GET", "POST"])
@requires(Permission.DELIVERY_WATCH)
def incident(incident_id: int) -> ResponseReturnValue:
    form = AssessmentForm()
    if form.validate_on_submit():
        with rule_errors(form):
            misdeliveries.assess(
                incident_id,
                assessment=form.assessment.data or "",
                bar_address=bool(form.bar_address.data),
                by=signed_in_user(),
                at=clock.now(),
            )
            flash("The incident is closed.")
            return redirect(url_for(".incident", incident_id=incident_id), 303)
    found = misdeliveries.get(incident_id)
    if not form.is_submitted():
        form.bar_address.data = found.address_barred
    page = render_template(
        "staff/misdeliveries/incident.html", form=form, incident=found
    )
    return page, 422 if form.errors else 200
