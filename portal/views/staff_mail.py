"""Email addresses that mail came back from."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pmp import clock, sorting
from pmp.deliveries import mail_problems
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import rule_errors
from portal.forms.filters import FilterForm
from portal.paging import page_asked_for, sort_asked_for

bp = Blueprint("staff_mail", __name__)


@bp.get("/staff/mail-problems")
@requires(Permission.DELIVERY_WATCH)
def problems() -> ResponseReturnValue:
    return _listed(FilterForm(request.args))


@bp.get("/staff/mail-problems.csv")
@requires(Permission.DELIVERY_WATCH)
def csv() -> ResponseReturnValue:
    form = FilterForm(request.args)
    if form.validate():
        with rule_errors(form):
            rows = mail_problems.file_of(
                sort_asked_for(), by=signed_in_user(), at=clock.now()
            )
            return csv_answer("mail-problems.csv", mail_problems.HEADINGS, rows)
    return _listed(form)


@bp.post("/staff/mail-problems/<int:problem_id>/works-again")
@requires(Permission.DELIVERY_WATCH)
def settle_problem(problem_id: int) -> ResponseReturnValue:
    mail_problems.settle(
        problem_id,
        by=signed_in_user(),
        at=clock.now(),
        address=request.remote_addr or "",
    )
    flash("The note is gone, for its user too, unless email comes back once more.")
    return redirect(url_for(".problems"), 303)


def _listed(form: FilterForm) -> ResponseReturnValue:
    sort = sorting.known(
        sort_asked_for(), mail_problems.SORTS, otherwise=mail_problems.OLDEST
    )
    page = render_template(
        "staff/mail/problems.html",
        form=form,
        listed=mail_problems.listed(page=page_asked_for(), sort=sort),
        sort=sort,
    )
    return page, 422 if form.errors else 200
