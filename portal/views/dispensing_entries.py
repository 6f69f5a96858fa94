"""One entry of a pharmacy's own: looked at, corrected, removed, restored."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pmp import clock
from pmp.dispensations import own_corrections, own_entries
from pmp.dispensations.own_corrections import Proposed
from pmp.dispensations.own_entries import Done, OwnEntry
from pmp.errors import RuleError
from pmp.permissions import Permission
from pmp.tickets import ticket_desk
from portal.access import requires, signed_in_user
from portal.forms import Form, rule_errors
from portal.forms.dispensing import CorrectEntryForm, RemoveForm, RestoreForm

bp = Blueprint("dispensing_entries", __name__)


@bp.get("/dispensing/<row_code>")
@requires(Permission.DISPENSING_READ)
def entry(row_code: str) -> ResponseReturnValue:
    return render_template("dispensing/entry.html", own=_view(row_code))


@bp.route("/dispensing/<row_code>/correct", methods=["GET", "POST"])
@requires(Permission.DISPENSING_READ)
def correct(row_code: str) -> ResponseReturnValue:
    own = _view(row_code)
    form = CorrectEntryForm()
    form.offer(own.entry)
    proposed = None
    if form.validate_on_submit() and "change" not in request.form:
        proposed = _proposed(own, form)
        if proposed and form.step.data == "save":
            with rule_errors(form):
                return _corrected(row_code, form)
    return _correct_page(own, form, None if form.errors else proposed)


@bp.route("/dispensing/<row_code>/remove", methods=["GET", "POST"])
@requires(Permission.DISPENSING_READ)
def remove(row_code: str) -> ResponseReturnValue:
    own = _view(row_code)
    form = RemoveForm(version=str(own.entry.version))
    if form.validate_on_submit():
        with rule_errors(form):
            done = own_entries.remove(
                row_code,
                version=form.seen,
                reason=form.reason,
                by=signed_in_user(),
                at=clock.now(),
            )
            return _to(done, "is removed. Its history is kept")
    return _page("dispensing/remove.html", own, form)


@bp.route("/dispensing/<row_code>/restore", methods=["GET", "POST"])
@requires(Permission.DISPENSING_READ)
def restore(row_code: str) -> ResponseReturnValue:
    own = _view(row_code)
    form = RestoreForm(version=str(own.entry.version))
    if form.validate_on_submit():
        with rule_errors(form):
            done = own_entries.restore(
                row_code,
                version=form.seen,
                reason=form.reason.data or "",
                by=signed_in_user(),
                at=clock.now(),
            )
            return _to(done, "stands again")
    return _page("dispensing/restore.html", own, form)


def _view(row_code: str) -> OwnEntry:
    return own_entries.view(row_code, by=signed_in_user(), at=clock.now())


def _proposed(own: OwnEntry, form: CorrectEntryForm) -> Proposed | None:
    """Give what would change; None, with words at the fields, if it cannot be."""
    with rule_errors(form):
        proposed = own_corrections.propose(own.entry, form.typed(), at=clock.now())
        for fault in proposed.faults:
            if fault.element in form:
                part = form[fault.element]
                part.errors = [*part.errors, fault.words]
            else:
                form.form_errors = [*form.form_errors, fault.words]
        if not proposed.faults and not proposed.fields:
            raise RuleError("Nothing differs from what the entry says.")
        if not proposed.faults:
            return proposed
    return None


def _corrected(row_code: str, form: CorrectEntryForm) -> ResponseReturnValue:
    done = own_corrections.correct(
        row_code,
        form.typed(),
        version=form.seen,
        reason=form.reason.data or "",
        by=signed_in_user(),
        at=clock.now(),
    )
    return _to(done, "is corrected")


def _correct_page(
    own: OwnEntry, form: CorrectEntryForm, proposed: Proposed | None
) -> ResponseReturnValue:
    """Give the form; once it is sound, the review of what it will do."""
    form.step.data = "save" if proposed else "review"
    name = "review" if proposed else "correct"
    return _page(f"dispensing/{name}.html", own, form, proposed)


def _page(
    template: str, own: OwnEntry, form: Form, proposed: Proposed | None = None
) -> ResponseReturnValue:
    page = render_template(
        template,
        own=own,
        form=form,
        proposed=proposed,
        effect=ticket_desk.effect(own.entry, at=clock.now()),
    )
    return page, 422 if form.errors else 200


def _to(done: Done, what: str) -> ResponseReturnValue:
    words = f"Entry {done.entry.row_code} {what}."
    if done.told or done.readers:
        told = ticket_desk.told_words(done.told, done.readers)
        words += f" Those who were sent it are told: {told}."
    if done.tickets:
        numbers = ", ".join(ticket.number for ticket in done.tickets)
        words += f" It is said in the open tickets about it: {numbers}."
    flash(words)
    return redirect(url_for(".entry", row_code=done.entry.row_code), 303)
