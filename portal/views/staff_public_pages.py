"""For administrators: the texts of public pages, previewed, changed and put back."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from gateway import documents
from pmp import clock, public_pages, sorting
from pmp.errors import ConflictError
from pmp.permissions import Permission
from pmp.public_pages import comparison, facts, versions
from portal import links, reviewed
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.staff_public_pages import PageTextForm
from portal.numbers import whole
from portal.paging import sort_asked_for

bp = Blueprint("staff_public_pages", __name__)


@bp.get("/staff/public-pages")
@requires(Permission.PUBLIC_PAGE_WRITE)
def index() -> ResponseReturnValue:
    sort = sorting.known(sort_asked_for(), versions.SORTS, otherwise="")
    return render_template(
        "staff/public_pages/index.html", rows=versions.listed(sort), sort=sort
    )


@bp.route("/staff/public-pages/<name>", methods=["GET", "POST"])
@requires(Permission.PUBLIC_PAGE_WRITE)
def edit(name: str) -> ResponseReturnValue:
    form = PageTextForm()
    if not form.is_submitted():
        form.offer(public_pages.text_of(name), versions.number_now(name))
    elif form.validate():
        with rule_errors(form):
            versions.require_sound(form.text())
            links.require_pages(form.text().body)
            documents.require_leaflet(public_pages.shown(name, form.text()))
            if reviewed.is_confirmed(form, form.text()):
                try:
                    _write(name, form)
                except ConflictError as clash:
                    return _edit_page(name, form, clash)
                flash("The page says this from now on.")
                return redirect(url_for(".edit", name=name), 303)
    return _edit_page(name, form)


@bp.get("/staff/public-pages/<name>/versions/<int:version>")
@requires(Permission.PUBLIC_PAGE_WRITE)
def version(name: str, version: int) -> ResponseReturnValue:
    text, now = versions.text(name, version), public_pages.text_of(name)
    return render_template(
        "staff/public_pages/version.html",
        page=public_pages.shown(name, text),
        version=version,
        row=next((r for r in versions.every(name) if r.version == version), None),
        number_now=versions.number_now(name),
        pairs=comparison.differences(now, text),
    )


@bp.post("/staff/public-pages/<name>/versions/<int:version>/back")
@requires(Permission.PUBLIC_PAGE_WRITE)
def put_back(name: str, version: int) -> ResponseReturnValue:
    try:
        versions.put_back(
            name,
            version,
            replaces=request.form.get("replaces", -1, type=whole),
            by=signed_in_user(),
            at=clock.now(),
        )
    except ConflictError:
        flash("Somebody else has changed the page meanwhile: look again.", "warn")
        return redirect(url_for(".version", name=name, version=version), 303)
    flash("The page says this again.")
    return redirect(url_for(".edit", name=name), 303)


def _write(name: str, form: PageTextForm) -> None:
    versions.write(
        name,
        form.text(),
        note=form.note.data or "",
        replaces=int(form.version.data)
        if (form.version.data or "").isdecimal()
        else -1,
        by=signed_in_user(),
        at=clock.now(),
    )


def _edit_page(
    name: str, form: PageTextForm, clash: ConflictError | None = None
) -> ResponseReturnValue:
    """Give the form beside what it would look like, and what it would change.

    After a clash the next attempt is one that knows the other's text.
    """
    now, typed = public_pages.text_of(name), form.text()
    if clash:
        form.version.data = str(versions.number_now(name))
        form.form_errors = [clash.message]
    is_review = form.is_submitted() and (clash is not None or not form.errors)
    page = render_template(
        "staff/public_pages/edit.html",
        form=form,
        name=name,
        shown=public_pages.shown(name, typed),
        theirs=public_pages.page(name) if clash else None,
        is_review=is_review,
        pairs=comparison.differences(now, typed) if form.is_submitted() else [],
        versions=versions.every(name),
        facts=facts.facts(),
    )
    return page, 409 if clash else 422 if form.errors else 200
