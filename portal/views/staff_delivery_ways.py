"""A delivery's pages, and sending it another way; many deliveries at once."""

from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from gateway import documents
from pmp import clock, delivery_papers, other_ways
from pmp.deliveries import as_seen, delivery_batches, delivery_desk, stopping
from pmp.deliveries.delivery_batches import Action, Line, Outcome
from pmp.errors import NotFoundError
from pmp.permissions import Permission
from portal.access import requires, safe_path, signed_in_user
from portal.forms import rule_errors
from portal.forms.staff_deliveries import BatchForm, OtherWayForm, route_words
from portal.numbers import whole
from portal.views.staff_deliveries import bp

MARK = "mark-"
DONE = {
    Action.RETRY: "sent as soon as possible",
    Action.HOLD: "held until you release them",
    Action.RELEASE: "sent as soon as possible",
    Action.CANCEL: "cancelled; each can be taken back on its page",
    Action.SETTLE: "off the list",
}


@bp.get("/staff/deliveries/<int:delivery_id>/pages")
@requires(Permission.DELIVERY_WATCH)
def pages(delivery_id: int) -> ResponseReturnValue:
    body = _paper(delivery_id, "pages")
    return render_template(
        "staff/deliveries/pages.html",
        delivery=delivery_desk.get(delivery_id),
        total=documents.page_count(body),
    )


@bp.get("/staff/deliveries/<int:delivery_id>/pages/<int:number>.png")
@requires(Permission.DELIVERY_WATCH)
def page(delivery_id: int, number: int) -> ResponseReturnValue:
    body = _paper(delivery_id, f"page {number}")
    if not 1 <= number <= documents.page_count(body):
        raise NotFoundError("There is no such page.")
    picture = documents.page_png(body, "application/pdf", number)
    return Response(picture, mimetype="image/png")


@bp.get("/staff/deliveries/<int:delivery_id>.pdf")
@requires(Permission.DELIVERY_WATCH)
def file(delivery_id: int) -> ResponseReturnValue:
    answer = Response(_paper(delivery_id, "file"), mimetype="application/pdf")
    name = f"delivery-{delivery_id}.pdf"
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


@bp.route("/staff/deliveries/<int:delivery_id>/other-way", methods=["GET", "POST"])
@requires(Permission.DELIVERY_WATCH)
def other_way(delivery_id: int) -> ResponseReturnValue:
    delivery, form = delivery_desk.get(delivery_id), OtherWayForm()
    ways, may_type = other_ways.ways(delivery), other_ways.may_type(delivery)
    form.offer(ways, may_type=may_type)
    route = None
    if form.validate_on_submit():
        with rule_errors(form):
            route = form.route()
            if request.form.get("confirmed") == "yes":
                return _sent_by(delivery_id, form)
    if not form.is_submitted():
        form.seen.data = as_seen.mark(delivery)
    chosen = None if form.errors else route
    shown = render_template(
        "staff/deliveries/other_way.html",
        delivery=delivery,
        form=form,
        closed=[each for each in ways if each.why_not],
        may_type=may_type,
        may_choose=other_ways.may_choose(delivery),
        one_way=other_ways.one_way_words(delivery),
        child=other_ways.child_of(delivery),
        unproven=stopping.unproven_words(delivery),
        review=route_words(chosen) if chosen else "",
        warning=other_ways.warning(delivery, chosen, typed=form.is_typed)
        if chosen
        else "",
        route_words=route_words,
        desk=delivery_desk,
    )
    return shown, 422 if form.errors else 200


@bp.post("/staff/deliveries/batch")
@requires(Permission.DELIVERY_WATCH)
def batch() -> ResponseReturnValue:
    """Show what an action would do to the chosen ones; once confirmed, do it."""
    form, lines = BatchForm(), []
    if form.validate():
        action = Action(form.action.data)
        with rule_errors(form):
            if request.form.get("confirmed") == "yes":
                marks = _marks(request.form)
                outcome = delivery_batches.carry_out(
                    action,
                    marks,
                    reason=form.reason.data or "",
                    by=signed_in_user(),
                    at=clock.now(),
                )
                return _after(action, outcome, form)
        with rule_errors(form):
            lines = delivery_batches.review(action, form.chosen.data or [])
    return _review(form, lines)


def _paper(delivery_id: int, what: str) -> bytes:
    return delivery_papers.opened(
        delivery_id,
        what=what,
        by=signed_in_user(),
        at=clock.now(),
        address=request.remote_addr or "",
    )


def _sent_by(delivery_id: int, form: OtherWayForm) -> ResponseReturnValue:
    made = other_ways.send_by(
        delivery_id,
        form.route(),
        typed=form.is_typed,
        by=signed_in_user(),
        at=clock.now(),
        seen=form.seen.data or "",
    )
    flash(f"Delivery {made.id} takes its place.")
    return redirect(url_for(".show", delivery_id=made.id), 303)


def _marks(fields: Any) -> dict[int, str]:
    """Read how each chosen delivery was shown: mark-17 = "3-120"."""
    try:
        return {
            whole(name.removeprefix(MARK)): value
            for name, value in fields.items()
            if name.startswith(MARK) and name.removeprefix(MARK).isdecimal()
        }
    except ValueError:
        abort(400)


def _review(form: BatchForm, lines: list[Line]) -> ResponseReturnValue:
    known = form.action.data in set(Action)
    form.back.data = _back(form)
    shown = render_template(
        "staff/deliveries/batch.html",
        form=form,
        action=form.action.data,
        words=delivery_batches.WORDS[Action(form.action.data)] if known else "",
        will=[each for each in lines if not each.why_not],
        will_not=[each for each in lines if each.why_not],
        back=form.back.data,
        desk=delivery_desk,
    )
    return shown, 422 if form.errors else 200


def _after(action: Action, outcome: Outcome, form: BatchForm) -> ResponseReturnValue:
    if outcome.done:
        flash(f"{len(outcome.done)} of your choice: {DONE[action]}.")
    for number, why in list(outcome.refused.items())[:10]:
        flash(f"Delivery {number}: {why}", "warn")
    if len(outcome.refused) > 10:
        flash(f"{len(outcome.refused) - 10} more were refused.", "warn")
    return redirect(_back(form), 303)


def _back(form: BatchForm) -> str:
    """Give the list that the choice was made on."""
    path = safe_path(form.back.data)
    return path if path.startswith("/staff/deliveries") else url_for(".listing")
