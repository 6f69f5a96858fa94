"""Requests of law enforcement and other offices: prepared, read again, released."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from gateway import documents
from models import OfficialRequest, OfficialState
from pmp import clock
from pmp.disclosures import official_requests, releases, request_lists
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import Form, rule_errors
from portal.forms.staff_official_requests import (
    DecideForm,
    OfficialFilterForm,
    OfficialRequestForm,
    ReleaseForm,
    SuspensionForm,
)
from portal.numbers import whole
from portal.paging import page_asked_for, sort_asked_for
from portal.pdf_files import pdf_answer
from portal.views.staff_disclosures import Finder

bp = Blueprint("staff_official_requests", __name__)


@bp.get("/staff/disclosures/official")
@requires(Permission.DISCLOSURE_WORK)
def index() -> ResponseReturnValue:
    return _listed(OfficialFilterForm.of_address())


@bp.post("/staff/disclosures/official/search")
@requires(Permission.DISCLOSURE_WORK)
def search() -> ResponseReturnValue:
    """Take what was typed into the list's address, sealed."""
    form = OfficialFilterForm()
    if form.validate():
        narrowed = form.in_address()
        sort = request.form.get("sort") or None
        return redirect(url_for(".index", sort=sort, **narrowed), 303)
    return _listed(form)


@bp.get("/staff/disclosures/official.csv")
@requires(Permission.DISCLOSURE_WORK)
def csv() -> ResponseReturnValue:
    form = OfficialFilterForm.of_address()
    if form.validate():
        with rule_errors(form):
            wanted, now = form.wanted(sort_asked_for()), clock.now()
            rows = request_lists.lines_of_official(wanted, by=signed_in_user(), at=now)
            name = "official-requests.csv"
            return csv_answer(name, request_lists.OFFICIAL_HEADINGS, rows)
    return _listed(form)


@bp.route("/staff/disclosures/official/new", methods=["GET", "POST"])
@requires(Permission.DISCLOSURE_WORK)
def new() -> ResponseReturnValue:
    form = OfficialRequestForm()
    form.offer()
    if form.validate_on_submit():
        with rule_errors(form):
            made = official_requests.take(
                form.asked(), by=signed_in_user(), at=clock.now()
            )
            flash("The request is written down. Add whom it is about.")
            return _to(made.id)
    if not form.is_submitted():
        form.received_on.data = clock.today()
    return _edit_page(form, None)


@bp.get("/staff/disclosures/official/<int:request_id>")
@requires(Permission.DISCLOSURE_WORK)
def show(request_id: int) -> ResponseReturnValue:
    return _page(request_id, Finder())


@bp.route(
    "/staff/disclosures/official/<int:request_id>/change", methods=["GET", "POST"]
)
@requires(Permission.DISCLOSURE_WORK)
def change(request_id: int) -> ResponseReturnValue:
    found = official_requests.get(request_id)
    form = OfficialRequestForm()
    form.offer()
    if form.validate_on_submit():
        with rule_errors(form):
            official_requests.change(
                request_id,
                form.asked(),
                revision=_version(),
                by=signed_in_user(),
                at=clock.now(),
            )
            flash("The request is changed.")
            return _to(request_id)
    if not form.is_submitted():
        form.begin_with(found)
    return _edit_page(form, found)


@bp.post("/staff/disclosures/official/<int:request_id>/persons")
@requires(Permission.DISCLOSURE_WORK)
def add(request_id: int) -> ResponseReturnValue:
    official_requests.get(request_id)
    finder = Finder()
    patient_id = finder.patient()
    if patient_id is not None:
        with rule_errors(finder.chosen):
            official_requests.add_patient(
                request_id, patient_id, by=signed_in_user(), at=clock.now()
            )
            flash(f"Patient {patient_id} is on the request.")
            return _to(request_id)
    return _page(request_id, finder)


@bp.post("/staff/disclosures/official/<int:request_id>/persons/<int:patient_id>/remove")
@requires(Permission.DISCLOSURE_WORK)
def remove(request_id: int, patient_id: int) -> ResponseReturnValue:
    def act() -> None:
        official_requests.remove_patient(
            request_id, patient_id, by=signed_in_user(), at=clock.now()
        )
        flash(f"Patient {patient_id} is off the request.")

    return _done(request_id, act)


@bp.post("/staff/disclosures/official/<int:request_id>/hand-on")
@requires(Permission.DISCLOSURE_WORK)
def hand_on(request_id: int) -> ResponseReturnValue:
    def act() -> None:
        official_requests.hand_on(
            request_id,
            revision=_version(),
            by=signed_in_user(),
            at=clock.now(),
        )
        flash("It waits for a second person, who releases it.")

    return _done(request_id, act)


@bp.post("/staff/disclosures/official/<int:request_id>/take-back")
@requires(Permission.DISCLOSURE_WORK)
def take_back(request_id: int) -> ResponseReturnValue:
    def act() -> None:
        official_requests.take_back(request_id, by=signed_in_user(), at=clock.now())
        flash("You have it back, to change it.")

    return _done(request_id, act)


@bp.post("/staff/disclosures/official/<int:request_id>/withdraw")
@requires(Permission.DISCLOSURE_WORK)
def withdraw(request_id: int) -> ResponseReturnValue:
    def act() -> None:
        official_requests.withdraw(request_id, by=signed_in_user(), at=clock.now())
        flash("The request is withdrawn: nothing was disclosed.")

    return _done(request_id, act)


@bp.route(
    "/staff/disclosures/official/<int:request_id>/review", methods=["GET", "POST"]
)
@requires(Permission.DISCLOSURE_RELEASE)
def review(request_id: int) -> ResponseReturnValue:
    """Show exactly what would be released, and release it."""
    gathered = releases.gather(request_id, by=signed_in_user(), at=clock.now())
    form = ReleaseForm()
    if form.validate_on_submit():
        with rule_errors(form):
            body = documents.long_pdf("official_disclosure", gathered=gathered)
            releases.release(
                gathered,
                revision=_version(),
                body=body,
                pages=documents.page_count(body),
            )
            flash(f"Released: {gathered.code}. Print it and hand it over.")
            return _to(request_id)
    deciding = DecideForm(formdata=None)
    return _review_page(gathered, form, deciding)


@bp.post("/staff/disclosures/official/<int:request_id>/decide")
@requires(Permission.DISCLOSURE_RELEASE)
def decide(request_id: int) -> ResponseReturnValue:
    form = DecideForm()
    if form.validate_on_submit():
        act = releases.deny if form.decision.data == "deny" else releases.give_back
        with rule_errors(form):
            act(
                request_id,
                reason=form.reason.data or "",
                revision=_version(),
                by=signed_in_user(),
                at=clock.now(),
            )
            denied = form.decision.data == "deny"
            flash("The request is denied." if denied else "It is given back.")
            return _to(request_id)
    gathered = releases.gather(request_id, by=signed_in_user(), at=clock.now())
    return _review_page(gathered, ReleaseForm(formdata=None), form)


@bp.route(
    "/staff/disclosures/official/<int:request_id>/suspension", methods=["GET", "POST"]
)
@requires(Permission.DISCLOSURE_RELEASE)
def suspension(request_id: int) -> ResponseReturnValue:
    found = official_requests.get(request_id)
    form = SuspensionForm()
    if form.validate_on_submit():
        with rule_errors(form):
            releases.suspend(
                request_id, *form.chosen(), by=signed_in_user(), at=clock.now()
            )
            flash("It is written down when the patient is told.")
            return _to(request_id)
    if not form.is_submitted():
        form.suspension.data = found.suspension.value if found.suspension else ""
        form.suspended_until.data = found.suspended_until
    page = render_template("staff/disclosures/suspension.html", form=form, asked=found)
    return page, 422 if form.errors else 200


@bp.get("/staff/disclosures/official/<int:request_id>/paper.pdf")
@requires(Permission.DISCLOSURE_WORK)
def paper(request_id: int) -> ResponseReturnValue:
    body = releases.open_paper(request_id, by=signed_in_user(), at=clock.now())
    return pdf_answer(f"official-request-{request_id}.pdf", body)


def _listed(form: OfficialFilterForm) -> ResponseReturnValue:
    wanted = form.wanted(sort_asked_for())
    page = render_template(
        "staff/disclosures/official_index.html",
        form=form,
        listed=request_lists.official(wanted, page=page_asked_for()),
        filters=form.in_address(),
        sort=wanted.order,
    )
    return page, 422 if form.errors else 200


def _version() -> int:
    """Give the version of the request that the page showed."""
    return request.form.get("revision", default=0, type=whole)


def _to(request_id: int) -> ResponseReturnValue:
    return redirect(url_for("staff_official_requests.show", request_id=request_id), 303)


def _done(request_id: int, act: Callable[[], None]) -> ResponseReturnValue:
    """Do what a button of a request's page asks; the page again where it is refused."""
    official_requests.get(request_id)
    form = Form()
    if form.validate_on_submit():
        with rule_errors(form):
            act()
            return _to(request_id)
    return _page(request_id, Finder(), wrong=form)


def _page(
    request_id: int, finder: Finder, wrong: Form | None = None
) -> ResponseReturnValue:
    found, user = official_requests.get(request_id), signed_in_user()
    refused = wrong or finder.wrong
    page = render_template(
        "staff/disclosures/official.html",
        form=refused,
        asked=found,
        finder=finder,
        persons=official_requests.persons_of(found),
        is_own=found.prepared_by == user.username,
        may_change=found.prepared_by == user.username
        and found.state == OfficialState.PREPARING,
        may_decide=releases.may_decide(found, user),
        today=clock.today(),
    )
    return page, 422 if refused else 200


def _edit_page(
    form: OfficialRequestForm, found: OfficialRequest | None
) -> ResponseReturnValue:
    page = render_template(
        "staff/disclosures/official_edit.html",
        form=form,
        asked=found,
    )
    return page, 422 if form.errors else 200


def _review_page(
    gathered: releases.Gathered, form: ReleaseForm, deciding: DecideForm
) -> ResponseReturnValue:
    for each in (form, deciding):
        each.revision.data = str(gathered.request.revision)
    wrong = next((each for each in (form, deciding) if each.errors), None)
    page = render_template(
        "staff/disclosures/official_review.html",
        form=wrong,
        releasing=form,
        deciding=deciding,
        asked=gathered.request,
        extracts=gathered.extracts,
    )
    return page, 422 if wrong else 200
