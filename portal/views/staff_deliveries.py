"""Deliveries for staff: where each stands, what to do about it."""

from collections.abc import Callable

from flask import (
    Blueprint,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from models import Delivery
from pmp import clock, misdeliveries
from pmp.deliveries import delivery_desk
from pmp.errors import RuleError
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.staff_deliveries import CancelForm, FilterForm
from portal.paging import page_asked_for

bp = Blueprint("staff_deliveries", __name__)


@bp.get("/staff/deliveries")
@requires(Permission.DELIVERY_WATCH)
def listing() -> ResponseReturnValue:
    form = FilterForm(request.args)
    page = page_asked_for()
    rows, total = delivery_desk.listed(form.wanted(), page=page)
    return render_template(
        "staff/deliveries/list.html",
        form=form,
        rows=rows,
        total=total,
        page=page,
        pages=-(-total // delivery_desk.PAGE_SIZE),
        desk=delivery_desk,
    )


@bp.get("/staff/deliveries/<int:delivery_id>")
@requires(Permission.DELIVERY_WATCH)
def show(delivery_id: int) -> ResponseReturnValue:
    return _shown(delivery_desk.get(delivery_id), CancelForm())


@bp.post("/staff/deliveries/<int:delivery_id>/retry")
@requires(Permission.DELIVERY_WATCH)
def retry(delivery_id: int) -> ResponseReturnValue:
    return _done(delivery_id, delivery_desk.retry, "It is sent as soon as possible.")


@bp.post("/staff/deliveries/<int:delivery_id>/hold")
@requires(Permission.DELIVERY_WATCH)
def hold(delivery_id: int) -> ResponseReturnValue:
    return _done(delivery_id, delivery_desk.hold, "It is held until you release it.")


@bp.post("/staff/deliveries/<int:delivery_id>/settle")
@requires(Permission.DELIVERY_WATCH)
def settle(delivery_id: int) -> ResponseReturnValue:
    return _done(delivery_id, delivery_desk.settle, "It is off the list.")


@bp.post("/staff/deliveries/<int:delivery_id>/cancel")
@requires(Permission.DELIVERY_WATCH)
def cancel(delivery_id: int) -> ResponseReturnValue:
    form = CancelForm()
    if form.validate():
        with rule_errors(form):
            delivery_desk.cancel(
                delivery_id,
                reason=form.reason.data or "",
                by=signed_in_user(),
                at=clock.now(),
            )
            flash("It is cancelled and will not be sent.")
            return redirect(url_for(".show", delivery_id=delivery_id), 303)
    return _shown(delivery_desk.get(delivery_id), form)


def _done(
    delivery_id: int, rule: Callable[..., None], words: str
) -> ResponseReturnValue:
    try:
        rule(delivery_id, by=signed_in_user(), at=clock.now())
    except RuleError as refusal:
        delivery_desk.get(delivery_id)
        flash(refusal.message, "warn")
    else:
        flash(words)
    return redirect(url_for(".show", delivery_id=delivery_id), 303)


def _shown(delivery: Delivery, form: CancelForm) -> ResponseReturnValue:
    page = render_template(
        "staff/deliveries/show.html",
        delivery=delivery,
        steps=delivery_desk.history(delivery),
        attempts=delivery_desk.attempts(delivery),
        form=form,
        desk=delivery_desk,
        may_misdeliver=misdeliveries.may_record(delivery),
        incident=misdeliveries.of_delivery(delivery),
    )
    return page, 422 if form.errors else 200
