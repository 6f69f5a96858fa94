"""Unusual look-ups for staff, and the list of protected persons."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pmp import clock, sorting
from pmp.lookup import PURPOSE_WORDS, protected, unusual_answers, unusual_desk
from pmp.paging import Page
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import rule_errors
from portal.forms.staff_look_ups import (
    ProtectedFilterForm,
    ProtectedPersonForm,
    UnusualForm,
    UnusualMessageForm,
)
from portal.paging import page_asked_for, sort_asked_for

bp = Blueprint("staff_look_ups", __name__)
WORDS = {
    "kinds": unusual_desk.KIND_WORDS,
    "statuses": unusual_desk.STATUS_WORDS,
    "purposes": PURPOSE_WORDS,
}


@bp.get("/staff/look-ups")
@requires(Permission.LOOK_UP_REVIEW)
def index() -> ResponseReturnValue:
    form = _filters()
    form.validate()
    return _listed(form)


@bp.get("/staff/look-ups.csv")
@requires(Permission.LOOK_UP_REVIEW)
def csv() -> ResponseReturnValue:
    form = _filters()
    if form.validate():
        with rule_errors(form):
            wanted, now = form.wanted(sort_asked_for()), clock.now()
            rows = unusual_desk.rows_of(wanted, by=signed_in_user(), at=now)
            return csv_answer("unusual-look-ups.csv", unusual_desk.HEADINGS, rows)
    return _listed(form)


@bp.route("/staff/look-ups/<int:number>", methods=["GET", "POST"])
@requires(Permission.LOOK_UP_REVIEW)
def one(number: int) -> ResponseReturnValue:
    user, at = signed_in_user(), clock.now()
    found = unusual_desk.get(number, by=user, at=at)
    form = UnusualMessageForm()
    if form.validate_on_submit():
        with rule_errors(form):
            text = form.text.data or ""
            if "ask" in request.form:
                unusual_desk.ask(found, text=text, by=user, at=at)
                flash(f"{found.user.username} is asked at the next look-up.")
                return redirect(url_for("staff_look_ups.one", number=number), 303)
            unusual_desk.explain(found, text=text, by=user, at=at)
            flash(f"Number {number} is explained.")
            return redirect(url_for("staff_look_ups.index"), 303)
    page = render_template(
        "staff/look_ups/one.html",
        form=form,
        found=found,
        thread=unusual_answers.thread(found),
        others=unusual_desk.others_of(found),
        **WORDS,
    )
    return page, 422 if form.errors else 200


@bp.route("/staff/protected-persons", methods=["GET", "POST"])
@requires(Permission.PROTECTED_PERSONS)
def protected_persons() -> ResponseReturnValue:
    user, at = signed_in_user(), clock.now()
    form = ProtectedPersonForm()
    if form.validate_on_submit() and form.birth_date.data:
        with rule_errors(form):
            protected.add(
                first_name=form.first_name.data or "",
                last_name=form.last_name.data or "",
                birth_date=form.birth_date.data,
                reason=form.reason.data or "",
                by=user,
                at=at,
            )
            flash("The person is on the list. Look-ups are noticed from now on.")
            return redirect(url_for("staff_look_ups.protected_persons"), 303)
    return _protected(form, ProtectedFilterForm.of_address())


@bp.post("/staff/protected-persons/search")
@requires(Permission.PROTECTED_PERSONS)
def search_protected() -> ResponseReturnValue:
    """Take what was typed into the list's address, sealed."""
    narrow = ProtectedFilterForm()
    if narrow.validate():
        sort = request.form.get("sort") or None
        narrowed = narrow.in_address()
        return redirect(url_for(".protected_persons", sort=sort, **narrowed), 303)
    return _protected(ProtectedPersonForm(formdata=None), narrow)


@bp.post("/staff/protected-persons/<int:number>/remove")
@requires(Permission.PROTECTED_PERSONS)
def remove_protected(number: int) -> ResponseReturnValue:
    protected.remove(number, by=signed_in_user(), at=clock.now())
    flash("The person is no longer on the list. It can be added again.")
    return redirect(url_for("staff_look_ups.protected_persons"), 303)


def _protected(
    form: ProtectedPersonForm, narrow: ProtectedFilterForm
) -> ResponseReturnValue:
    sort = sorting.known(sort_asked_for(), protected.SORTS, otherwise=protected.BY_NAME)
    listed = protected.listed(
        narrow.text.data or "",
        sort=sort,
        by=signed_in_user(),
        at=clock.now(),
        page=page_asked_for(),
    )
    page = render_template(
        "staff/look_ups/protected.html",
        form=narrow if narrow.errors else form,
        add=form,
        narrow=narrow,
        listed=listed,
        filters=narrow.in_address(),
        sort=sort,
    )
    return page, 422 if form.errors or narrow.errors else 200


def _listed(form: UnusualForm) -> ResponseReturnValue:
    listed, wanted = Page([], 1, 1, 0), form.wanted(sort_asked_for())
    if form.is_sound:
        listed = unusual_desk.listing(
            wanted, by=signed_in_user(), at=clock.now(), page=page_asked_for()
        )
    page = render_template(
        "staff/look_ups/index.html",
        form=form,
        listed=listed,
        filters=form.in_address(),
        sort=wanted.order,
        **WORDS,
    )
    return page, 422 if form.errors else 200


def _filters() -> UnusualForm:
    form = UnusualForm(request.args)
    if "status" not in request.args:
        form.status.data = unusual_desk.WAITING
    return form
