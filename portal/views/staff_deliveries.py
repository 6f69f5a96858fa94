"""Deliveries for staff: do they arrive, where each stands, what to do about it."""

from collections.abc import Callable
from functools import partial

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
from pmp import clock, delivery_papers, misdeliveries, other_ways
from pmp.chart import volumes
from pmp.deliveries import (
    as_seen,
    circuits,
    delivery_desk,
    delivery_figures,
    delivery_lists,
    delivery_stories,
    sealed_searches,
    stopping,
)
from pmp.errors import RuleError
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import rule_errors
from portal.forms.staff_deliveries import BatchForm, CancelForm, DeliveryFilterForm
from portal.paging import page_asked_for, sort_asked_for

bp = Blueprint("staff_deliveries", __name__)
RETRIED = "It is sent as soon as possible."
CANCELLED = {
    False: "It is cancelled and will not be sent.",
    True: "It is cancelled. Its carrier has it, and is asked to stop it.",
}
UNDONE = {
    "cancel": "It is not cancelled any more. It is held until you release it.",
    "settle": "It is back on the list.",
}


@bp.get("/staff/deliveries")
@requires(Permission.DELIVERY_WATCH)
def listing() -> ResponseReturnValue:
    form = DeliveryFilterForm.of_address()
    form.validate()
    return _listed(form)


@bp.post("/staff/deliveries/search")
@requires(Permission.DELIVERY_WATCH)
def search() -> ResponseReturnValue:
    form = DeliveryFilterForm()
    if form.validate():
        narrowed = form.in_address()
        # The list's own order is in no address: there the page begins with the figures.
        if (sort := request.form.get("sort", "")) != delivery_lists.LATEST:
            narrowed["sort"] = sort or None
        return redirect(url_for(".listing", **narrowed), 303)
    return _listed(form)


@bp.get("/staff/deliveries.csv")
@requires(Permission.DELIVERY_WATCH)
def csv() -> ResponseReturnValue:
    form = DeliveryFilterForm.of_address()
    if form.validate():
        with rule_errors(form):
            rows = delivery_lists.rows_of(
                form.wanted(sort_asked_for()), by=signed_in_user(), at=clock.now()
            )
            return csv_answer("deliveries.csv", delivery_lists.HEADINGS, rows)
    return _listed(form)


@bp.get("/staff/deliveries/<int:delivery_id>")
@requires(Permission.DELIVERY_WATCH)
def show(delivery_id: int) -> ResponseReturnValue:
    return shown(delivery_desk.get(delivery_id), CancelForm(formdata=None))


@bp.post("/staff/deliveries/<int:delivery_id>/retry")
@requires(Permission.DELIVERY_WATCH)
def retry(delivery_id: int) -> ResponseReturnValue:
    return _done(delivery_id, delivery_desk.retry, RETRIED)


@bp.post("/staff/deliveries/<int:delivery_id>/release")
@requires(Permission.DELIVERY_WATCH)
def release(delivery_id: int) -> ResponseReturnValue:
    return _done(delivery_id, delivery_desk.release, RETRIED)


@bp.post("/staff/deliveries/<int:delivery_id>/hold")
@requires(Permission.DELIVERY_WATCH)
def hold(delivery_id: int) -> ResponseReturnValue:
    return _done(delivery_id, delivery_desk.hold, "It is held until you release it.")


@bp.post("/staff/deliveries/<int:delivery_id>/settle")
@requires(Permission.DELIVERY_WATCH)
def settle(delivery_id: int) -> ResponseReturnValue:
    return _done(delivery_id, delivery_desk.settle, "It is off the list.")


@bp.post("/staff/deliveries/<int:delivery_id>/arrived")
@requires(Permission.DELIVERY_WATCH)
def arrived(delivery_id: int) -> ResponseReturnValue:
    rule = partial(delivery_desk.tell, arrived=True)
    return _done(delivery_id, rule, "It counts as delivered: the recipient has it.")


@bp.post("/staff/deliveries/<int:delivery_id>/not-arrived")
@requires(Permission.DELIVERY_WATCH)
def not_arrived(delivery_id: int) -> ResponseReturnValue:
    return _done(delivery_id, partial(delivery_desk.tell, arrived=False), RETRIED)


@bp.post("/staff/deliveries/<int:delivery_id>/undo")
@requires(Permission.DELIVERY_WATCH)
def undo(delivery_id: int) -> ResponseReturnValue:
    return _done(delivery_id, delivery_desk.undo, "")


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
                seen=form.seen.data or "",
            )
            flash(CANCELLED[delivery_desk.is_being_stopped(delivery_id)])
            return redirect(url_for(".show", delivery_id=delivery_id), 303)
    return shown(delivery_desk.get(delivery_id), form)


def _done(
    delivery_id: int, rule: Callable[..., str | None], words: str
) -> ResponseReturnValue:
    seen = {"seen": request.form["seen"]} if "seen" in request.form else {}
    try:
        undone = rule(delivery_id, by=signed_in_user(), at=clock.now(), **seen)
    except RuleError as refusal:
        delivery_desk.get(delivery_id)
        flash(refusal.message, "warn")
    else:
        flash(UNDONE[undone] if undone else words)
    return redirect(url_for(".show", delivery_id=delivery_id), 303)


def _listed(form: DeliveryFilterForm) -> ResponseReturnValue:
    wrong = not form.is_sound
    wanted = delivery_lists.Wanted() if wrong else form.wanted(sort_asked_for())
    filters = {} if wrong else form.in_address()
    listed = delivery_lists.listed(wanted, page=page_asked_for())
    is_landing = not (filters or form.errors or listed.number > 1 or sort_asked_for())
    now = clock.now()
    page = render_template(
        "staff/deliveries/list.html",
        form=form,
        batch=BatchForm(formdata=None),
        listed=listed,
        filters=filters,
        sort=wanted.sort,
        figures=delivery_figures.figures(at=now) if is_landing else None,
        picture=volumes.svg,
        carriers=circuits.standing() if is_landing else [],
        desk=delivery_desk,
        stories=delivery_stories,
        now=now,
    )
    return page, 422 if form.errors else 200


def shown(delivery: Delivery, form: CancelForm) -> ResponseReturnValue:
    """Show one delivery; `form` is the cancelling of it, with what was refused."""
    now, user = clock.now(), signed_in_user()
    form.seen.data = as_seen.mark(delivery)
    page = render_template(
        "staff/deliveries/show.html",
        delivery=delivery,
        now_words=delivery_stories.now_words(delivery, at=now),
        steps=delivery_stories.time_line(delivery),
        chain=delivery_stories.chain(delivery),
        attempts=delivery_desk.attempts(delivery),
        unproven=stopping.unproven_words(delivery),
        sealed=sealed_searches.seal,
        form=form,
        desk=delivery_desk,
        alike=sealed_searches.seal(delivery_lists.recipient_of(delivery)),
        may_go_another_way=other_ways.may_choose(delivery),
        has_pages=delivery_papers.may_see(delivery, by=user),
        may_misdeliver=misdeliveries.may_record(delivery),
        incident=misdeliveries.of_delivery(delivery),
    )
    return page, 422 if form.errors else 200
