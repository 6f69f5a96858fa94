"""Delegates for staff: who waits for a decision, who looks up for whom."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from gateway import tasks
from models import Delegation
from pmp import clock, delegates
from pmp.delegates import deciding, lists, reviewing
from pmp.errors import RuleError
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import Form, rule_errors
from portal.forms.delegates import DeclineDelegateForm, DelegateFilterForm, EndForm
from portal.paging import page_asked_for, sort_asked_for

bp = Blueprint("staff_delegates", __name__)


@bp.get("/staff/delegates")
@requires(Permission.DELEGATE_DECIDE)
def index() -> ResponseReturnValue:
    form = DelegateFilterForm(request.args)
    form.validate()
    return _listed(form)


@bp.get("/staff/delegates.csv")
@requires(Permission.DELEGATE_DECIDE)
def csv() -> ResponseReturnValue:
    delegates.require_policy()
    form = DelegateFilterForm(request.args)
    if form.validate():
        with rule_errors(form):
            wanted, now = form.wanted(sort_asked_for()), clock.now()
            rows = lists.rows_of(wanted, by=signed_in_user(), at=now)
            return csv_answer("delegates.csv", lists.HEADINGS, rows)
    return _listed(form)


@bp.get("/staff/delegates/<int:number>")
@requires(Permission.DELEGATE_DECIDE)
def show(number: int) -> ResponseReturnValue:
    return _shown(deciding.get(number))


@bp.post("/staff/delegates/<int:number>/approve")
@requires(Permission.DELEGATE_DECIDE)
def approve(number: int) -> ResponseReturnValue:
    row = deciding.get(number)
    try:
        done = deciding.approve(number, by=signed_in_user(), at=clock.now())
    except RuleError as refusal:
        flash(refusal.message, "warn")
        return redirect(url_for(".show", number=number), 303)
    if done.ask_id is not None:
        tasks.nudge(tasks.answer_forgotten, done.ask_id)
        flash(f"Agreed. A link to the first password goes to {row.email}.")
    elif done.by_letter:
        flash("Agreed. A letter goes to the supervisor's address of record.")
    else:
        flash(f"Agreed. {done.delegate.username} signs in as before.")
    return redirect(url_for(".show", number=number), 303)


@bp.post("/staff/delegates/<int:number>/decline")
@requires(Permission.DELEGATE_DECIDE)
def decline(number: int) -> ResponseReturnValue:
    form = DeclineDelegateForm()
    if form.validate():
        with rule_errors(form):
            reason, me = form.reason.data or "", signed_in_user()
            deciding.decline(number, reason=reason, by=me, at=clock.now())
            flash("Declined; the supervisor is told.")
            return redirect(url_for(".index"), 303)
    return _overtaken(number, form) or _shown(deciding.get(number), decline_form=form)


@bp.post("/staff/delegates/<int:number>/end")
@requires(Permission.DELEGATE_DECIDE)
def end(number: int) -> ResponseReturnValue:
    form = EndForm()
    if form.validate():
        with rule_errors(form):
            reason, me = form.reason.data or "", signed_in_user()
            reviewing.end(number, reason=reason, by=me, at=clock.now())
            flash("Ended; both are told.")
            return redirect(url_for(".show", number=number), 303)
    return _overtaken(number, form) or _shown(deciding.get(number), end_form=form)


def _overtaken(number: int, form: Form) -> ResponseReturnValue | None:
    """Tell that a colleague was faster: the page has no such form any more."""
    if not form.form_errors:
        return None
    for message in form.form_errors:
        flash(str(message), "warn")
    return redirect(url_for(".show", number=number), 303)


def _listed(form: DelegateFilterForm) -> ResponseReturnValue:
    delegates.require_policy()
    wanted, at = form.wanted(sort_asked_for()), clock.now()
    listed = lists.listed(wanted, page=page_asked_for())
    page = render_template(
        "staff/delegates/index.html",
        form=form,
        filters=form.in_address(),
        sort=wanted.sort,
        listed=listed,
        states={row.id: delegates.state_words(row, at=at) for row in listed.rows},
    )
    return page, 422 if form.errors else 200


def _shown(
    row: Delegation, *, decline_form: Form | None = None, end_form: Form | None = None
) -> ResponseReturnValue:
    delegates.require_policy()
    forms = (decline_form, end_form)
    page = render_template(
        "staff/delegates/delegate.html",
        row=row,
        state=delegates.state_words(row, at=clock.now()),
        due=delegates.due(row) if row.decided_at else None,
        alike=deciding.alike(row) if row.status == "asked" else [],
        looked_up=lists.counts_since_review([row])[row.id],
        decline_form=decline_form or DeclineDelegateForm(formdata=None),
        end_form=end_form or EndForm(formdata=None),
    )
    return page, 422 if any(form and form.errors for form in forms) else 200
