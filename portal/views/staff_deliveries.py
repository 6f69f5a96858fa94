"""Deliveries for staff: where each stands, what to do about it, letters to print."""

from collections.abc import Callable
from typing import Any

from flask import (
    Blueprint,
    Response,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from gateway import documents
from models import Delivery
from pmp import clock, misdeliveries
from pmp.deliveries import delivery_desk, letters
from pmp.errors import RuleError
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.staff_deliveries import CancelForm, FilterForm, LettersForm
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


@bp.get("/staff/letters")
@requires(Permission.LETTER_PRINT)
def letter_queue() -> ResponseReturnValue:
    return _letters(LettersForm())


@bp.post("/staff/letters/print")
@requires(Permission.LETTER_PRINT)
def print_letters() -> ResponseReturnValue:
    form = LettersForm()
    form.offer(letters.waiting())
    if form.validate():
        with rule_errors(form):
            bodies = letters.print_batch(
                form.letters.data or [], by=signed_in_user(), at=clock.now()
            )
            return _batch(documents.joined(bodies))
    return _letters(form)


@bp.post("/staff/letters/mailed")
@requires(Permission.LETTER_PRINT)
def mark_mailed() -> ResponseReturnValue:
    form = LettersForm()
    form.offer(letters.waiting())
    if form.validate():
        with rule_errors(form):
            count = letters.mark_mailed(
                form.letters.data or [], by=signed_in_user(), at=clock.now()
            )
            flash(f"{count} marked as mailed.")
            return redirect(url_for(".letter_queue"), 303)
    return _letters(form)


@bp.post("/staff/letters/<int:letter_id>/returned")
@requires(Permission.LETTER_PRINT)
def mark_returned(letter_id: int) -> ResponseReturnValue:
    return _done(letter_id, letters.mark_returned, "It is marked as returned.")


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


def _letters(form: LettersForm) -> ResponseReturnValue:
    waiting = letters.waiting()
    form.offer(waiting)
    page = render_template(
        "staff/deliveries/letters.html",
        form=form,
        waiting=waiting,
        mailed=letters.mailed(),
        desk=delivery_desk,
    )
    return page, 422 if form.errors else 200


def _batch(body: bytes) -> Response:
    headers: dict[str, Any] = {
        "Content-Disposition": 'attachment; filename="letters.pdf"',
        "Cache-Control": "no-store",
    }
    return Response(body, mimetype="application/pdf", headers=headers)
