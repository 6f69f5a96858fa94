"""My delegates: whom a user lets look up on their behalf; and leaving as one."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import Delegation
from pmp import clock, delegates, lookup
from pmp.delegates import asking, deciding, lists, reviewing
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.delegates import AskForm, EndForm
from portal.paging import page_asked_for

bp = Blueprint("delegates", __name__)
KEEP, END = "keep", "end"


@bp.get("/delegates")
@requires(Permission.DELEGATES)
def index() -> ResponseReturnValue:
    return _index(chosen={}, missing=[])


@bp.post("/delegates/review")
@requires(Permission.DELEGATES)
def review() -> ResponseReturnValue:
    """Confirm or end each of those who are asked about; none is left out."""
    me, at = signed_in_user(), clock.now()
    asked = reviewing.to_review(me, at=at)
    chosen = {row.id: request.form.get(f"delegate-{row.id}", "") for row in asked}
    missing = [row for row in asked if chosen[row.id] not in (KEEP, END)]
    if missing:
        return _index(chosen=chosen, missing=missing), 422
    keeps = {number: word == KEEP for number, word in chosen.items()}
    kept, ended = reviewing.review(keeps, by=me, at=at)
    flash(f"Thank you. Confirmed: {kept}. Ended: {ended}.")
    return redirect(url_for(".index"), 303)


@bp.route("/delegates/ask", methods=["GET", "POST"])
@requires(Permission.DELEGATES)
def ask() -> ResponseReturnValue:
    delegates.require_policy()
    form = AskForm()
    if form.validate_on_submit():
        with rule_errors(form):
            asked = asking.ask(
                form.person(),
                answers=bool(form.answers.data),
                by=signed_in_user(),
                at=clock.now(),
            )
            flash(
                f"Program staff decide about {asked.name}. You are told when they have."
            )
            return redirect(url_for(".index"), 303)
    return render_template("delegates/ask.html", form=form), 422 if form.errors else 200


@bp.post("/delegates/<int:number>/withdraw")
@requires(Permission.DELEGATES)
def withdraw(number: int) -> ResponseReturnValue:
    asking.withdraw(number, by=signed_in_user(), at=clock.now())
    flash("Withdrawn: program staff do not decide about it any more.")
    return redirect(url_for(".index"), 303)


@bp.route("/delegates/<int:number>/end", methods=["GET", "POST"])
@requires(Permission.DELEGATES)
def end(number: int) -> ResponseReturnValue:
    row = asking.get(number, supervisor=signed_in_user())
    form = EndForm()
    if form.validate_on_submit() and _ended(row, form):
        flash(f"{row.name} cannot look up anyone for you any more.")
        return redirect(url_for(".index"), 303)
    page = render_template("delegates/end.html", form=form, row=row, is_mine=True)
    return page, 422 if form.errors else 200


@bp.get("/delegates/<int:number>/look-ups")
@requires(Permission.DELEGATES)
def look_ups(number: int) -> ResponseReturnValue:
    delegates.require_policy()
    me = signed_in_user()
    row = asking.get(number, supervisor=me)
    return render_template(
        "delegates/look_ups.html",
        row=row,
        listed=lists.look_ups(row, by=me, at=clock.now(), page=page_asked_for()),
        purposes=lookup.PURPOSE_WORDS,
    )


@bp.route("/account/delegate-of/<int:number>/leave", methods=["GET", "POST"])
@requires(Permission.ACCOUNT)
def leave(number: int) -> ResponseReturnValue:
    """End it as the delegate: one does not work there any more."""
    mine = {row.id: row for row in delegates.of_delegate(signed_in_user())}
    if number not in mine:
        abort(404)
    form, row = EndForm(), mine[number]
    if form.validate_on_submit() and _ended(row, form):
        flash(f"You look up nobody for {row.supervisor.name} any more.")
        return redirect(url_for("home.home"), 303)
    page = render_template("delegates/end.html", form=form, row=row, is_mine=False)
    return page, 422 if form.errors else 200


def _ended(row: Delegation, form: EndForm) -> bool:
    with rule_errors(form):
        reason = form.reason.data or ""
        reviewing.end(row.id, reason=reason, by=signed_in_user(), at=clock.now())
    return not form.errors


def _index(*, chosen: dict[int, str], missing: list[Delegation]) -> str:
    delegates.require_policy()
    me, at = signed_in_user(), clock.now()
    rows = delegates.of_supervisor(me)
    return render_template(
        "delegates/index.html",
        rows=rows,
        states={row.id: delegates.state_words(row, at=at) for row in rows},
        due={row.id: delegates.due(row) for row in rows if row.decided_at},
        counts=lists.counts_since_review(rows),
        letters=[row.id for row in rows if deciding.has_letter(row, at=at)],
        to_confirm=delegates.TO_CONFIRM,
        to_review=reviewing.to_review(me, at=at),
        chosen=chosen,
        missing=missing,
    )
