"""For staff: submissions with held records past their term, and notes about them."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pmp import clock
from pmp.permissions import Permission
from pmp.reporting import held_lists, late_list
from pmp.uploads import submissions
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import rule_errors
from portal.forms.staff_reporting import HeldFilterForm, NoteForm
from portal.paging import page_asked_for, sort_asked_for

bp = Blueprint("staff_held_records", __name__)


@bp.get("/staff/reporting/held")
@requires(Permission.REPORTING_WATCH)
def held() -> ResponseReturnValue:
    form = HeldFilterForm(request.args)
    form.validate()
    return _listed(form, {})


@bp.get("/staff/reporting/held.csv")
@requires(Permission.REPORTING_WATCH)
def csv() -> ResponseReturnValue:
    form = HeldFilterForm(request.args)
    if form.validate():
        with rule_errors(form):
            wanted, now = form.wanted(sort_asked_for()), clock.now()
            rows = held_lists.rows_of(wanted, by=signed_in_user(), at=now)
            name = f"held-records-{clock.today().isoformat()}.csv"
            return csv_answer(name, held_lists.HEADINGS, rows)
    return _listed(form, {})


@bp.post("/staff/reporting/held/<int:submission_id>/note")
@requires(Permission.REPORTING_WATCH)
def note(submission_id: int) -> ResponseReturnValue:
    user, form = signed_in_user(), NoteForm(prefix=f"note{submission_id}-")
    narrow = HeldFilterForm(request.args)
    submission = submissions.visible(submission_id, to=user)
    if form.validate():
        with rule_errors(form):
            late_list.note(
                form.text.data or "", submission=submission, by=user, at=clock.now()
            )
            flash("The note is kept.")
            here = {**narrow.asked(), "page": page_asked_for()}
            return redirect(url_for(".held", **here), 303)
    return _listed(narrow, {submission_id: form})


def _listed(narrow: HeldFilterForm, sent: dict[int, NoteForm]) -> ResponseReturnValue:
    """Show a page of the list; `sent` is the note that was refused, if one was."""
    wanted, today = narrow.wanted(sort_asked_for()), clock.today()
    listed = held_lists.listed(wanted, today=today, page=page_asked_for())
    numbers = [row.submission.id for row in listed.rows]
    forms = {
        number: NoteForm(formdata=None, prefix=f"note{number}-") for number in numbers
    }
    form = next(iter(sent.values()), narrow)
    page = render_template(
        "staff/reporting/held.html",
        form=form,
        narrow=narrow,
        listed=listed,
        notes=late_list.notes_of_submissions(numbers),
        today=today,
        forms=forms | sent,
        filters=narrow.in_address(),
        asked=narrow.asked(),
        sort=wanted.order,
    )
    return page, 422 if form.errors else 200
