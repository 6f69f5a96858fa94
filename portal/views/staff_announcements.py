"""For staff: announcements, written, reviewed, changed and withdrawn."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from gateway import documents
from models import Announcement
from pmp import announcement_lists, announcements, clock
from pmp.errors import ConflictError
from pmp.permissions import Permission
from portal import links, reviewed
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import rule_errors
from portal.forms.staff_announcements import AnnouncementFilterForm, AnnouncementForm
from portal.numbers import whole
from portal.paging import page_asked_for, sort_asked_for

bp = Blueprint("staff_announcements", __name__)


@bp.get("/staff/announcements")
@requires(Permission.ANNOUNCE)
def index() -> ResponseReturnValue:
    form = AnnouncementFilterForm(request.args)
    form.validate()
    return _listed(form)


@bp.get("/staff/announcements.csv")
@requires(Permission.ANNOUNCE)
def index_csv() -> ResponseReturnValue:
    form = AnnouncementFilterForm(request.args)
    if form.validate():
        with rule_errors(form):
            wanted, now = form.wanted(sort_asked_for()), clock.now()
            rows = announcement_lists.rows_of(wanted, by=signed_in_user(), at=now)
            name = f"announcements-{clock.today().isoformat()}.csv"
            return csv_answer(name, announcement_lists.HEADINGS, rows)
    return _listed(form)


@bp.route("/staff/announcements/new", methods=["GET", "POST"])
@requires(Permission.ANNOUNCE)
def new() -> ResponseReturnValue:
    form = AnnouncementForm()
    if not form.is_submitted():
        form.starts_on.data = clock.today()
    if form.validate_on_submit():
        with rule_errors(form):
            announcements.require_sound(form.terms(), today=clock.today())
            _require_presentable(form)
            if reviewed.is_confirmed(form, form.terms()):
                announcements.publish(form.terms(), by=signed_in_user(), at=clock.now())
                flash("The announcement is published.")
                return redirect(url_for(".index"), 303)
    return _page(form, None)


@bp.route("/staff/announcements/<int:announcement_id>", methods=["GET", "POST"])
@requires(Permission.ANNOUNCE)
def change(announcement_id: int) -> ResponseReturnValue:
    announcement = announcements.get(announcement_id)
    form = AnnouncementForm()
    theirs = None
    if not form.is_submitted():
        form.offer(announcement)
    elif form.validate():
        with rule_errors(form):
            announcements.require_sound(form.terms(), today=clock.today())
            _require_presentable(form)
            if reviewed.is_confirmed(form, form.terms()):
                try:
                    _changed(announcement, form)
                except ConflictError as clash:
                    theirs = announcements.get(announcement_id)
                    form.version.data = str(theirs.version)
                    form.form_errors = [clash.message]
                else:
                    flash("The announcement is changed.")
                    return redirect(url_for(".index"), 303)
    return _page(form, announcement, theirs)


@bp.post("/staff/announcements/<int:announcement_id>/withdraw")
@requires(Permission.ANNOUNCE)
def withdraw(announcement_id: int) -> ResponseReturnValue:
    announcement = announcements.get(announcement_id)
    announcements.withdraw(announcement, by=signed_in_user(), at=clock.now())
    flash("The announcement is withdrawn: nobody sees it any more.")
    return redirect(url_for(".change", announcement_id=announcement_id), 303)


@bp.post("/staff/announcements/<int:announcement_id>/restore")
@requires(Permission.ANNOUNCE)
def restore(announcement_id: int) -> ResponseReturnValue:
    announcement = announcements.get(announcement_id)
    announcements.restore(announcement, by=signed_in_user(), at=clock.now())
    flash("The announcement is back.")
    return redirect(url_for(".change", announcement_id=announcement_id), 303)


def _listed(form: AnnouncementFilterForm) -> ResponseReturnValue:
    wanted, today = form.wanted(sort_asked_for()), clock.today()
    page = render_template(
        "staff/announcements/index.html",
        form=form,
        listed=announcement_lists.listed(wanted, page=page_asked_for(), today=today),
        filters=form.in_address(),
        sort=wanted.order,
        state_words=announcements.state_words,
        today=today,
    )
    return page, 422 if form.errors else 200


def _require_presentable(form: AnnouncementForm) -> None:
    links.require_pages(form.terms().body)
    if form.terms().fax_line:
        documents.require_cover_line(form.terms().fax_line)


def _changed(announcement: Announcement, form: AnnouncementForm) -> None:
    announcements.change(
        announcement,
        form.terms(),
        replaces=whole(form.version.data or 0),
        by=signed_in_user(),
        at=clock.now(),
    )


def _page(
    form: AnnouncementForm,
    announcement: Announcement | None,
    theirs: Announcement | None = None,
) -> ResponseReturnValue:
    shown = None
    if form.is_submitted() and (theirs or not form.errors):
        shown = form.terms()
    elif announcement and not form.is_submitted():
        shown = announcements.terms_of(announcement)
    page = render_template(
        "staff/announcements/write.html",
        form=form,
        announcement=announcement,
        theirs=theirs,
        shown=shown,
        is_review=form.is_submitted() and shown is not None,
        state_words=announcements.state_words,
        today=clock.today(),
    )
    status = 409 if theirs else 422 if form.errors else 200
    return page, status
