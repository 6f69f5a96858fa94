"""Who has what on the desk, and what was done there taken back."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import Application, InboundFax, User
from pmp import clock, desk_holds, faxes, registration
from pmp.accounts import closing
from pmp.errors import NotFoundError, RuleError
from pmp.faxes import undoing
from pmp.permissions import Permission
from pmp.registration import application_lists, comparison
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.staff_faxes import PutAsideForm
from portal.forms.staff_registrations import CloseAccountForm

bp = Blueprint("staff_desk", __name__)


@bp.post("/staff/faxes/next")
@requires(Permission.FAX_DESK)
def next_fax() -> ResponseReturnValue:
    """Take the fax that waits longest and go to it."""
    by, at = signed_in_user(), clock.now()
    taken = desk_holds.take_first(faxes.tray(), by=by, at=at)
    return _to(taken)


@bp.post("/staff/registrations/next")
@requires(Permission.REGISTRATION_DECIDE)
def next_registration() -> ResponseReturnValue:
    """Take the registration that waits longest for a decision and go to it."""
    return to_next_registration()


def to_next_registration() -> ResponseReturnValue:
    """Go on to who has waited longest, taken; to the empty queue at last."""
    waiting = application_lists.to_decide()
    by, at = signed_in_user(), clock.now()
    taken = desk_holds.take_first(waiting, by=by, at=at)
    return _to(taken) if taken else redirect(url_for("staff_registrations.queue"), 303)


@bp.post("/staff/faxes/<int:fax_id>/<any(take, back):what>")
@requires(Permission.FAX_DESK)
def hold_fax(fax_id: int, what: str) -> ResponseReturnValue:
    return _hold(faxes.by_id(fax_id), what)


@bp.post("/staff/registrations/<code>/<any(take, back):what>")
@requires(Permission.REGISTRATION_DECIDE)
def hold_registration(code: str, what: str) -> ResponseReturnValue:
    return _hold(_application(code), what)


@bp.post("/staff/faxes/put-aside")
@requires(Permission.FAX_DESK)
def put_aside() -> ResponseReturnValue:
    """Review the faxes that were ticked, then put them aside for one reason."""
    chosen = [row for row in faxes.tray() if str(row.id) in request.form.getlist("fax")]
    if not chosen:
        flash("Tick the faxes that shall be put aside.", "warn")
        return redirect(url_for("staff_faxes.tray"), 303)
    is_review = "review" in request.form
    form = PutAsideForm() if is_review else PutAsideForm(formdata=None)
    if is_review and form.validate():
        with rule_errors(form):
            done, refused = undoing.dismiss_all(
                chosen, reason=form.note.data, by=signed_in_user(), at=clock.now()
            )
            count = "1 fax is" if len(done) == 1 else f"{len(done)} faxes are"
            flash(f"{count} put aside.")
            for each in refused:
                flash(each, "warn")
            return redirect(url_for("staff_faxes.tray"), 303)
    page = render_template("staff/faxes/put_aside.html", form=form, rows=chosen)
    return page, 422 if form.errors else 200


@bp.post("/staff/faxes/<int:fax_id>/bring-back")
@requires(Permission.FAX_DESK)
def bring_back(fax_id: int) -> ResponseReturnValue:
    found = faxes.by_id(fax_id)
    try:
        undoing.bring_back(found, by=signed_in_user(), at=clock.now())
        flash("The fax waits in the tray again.")
    except RuleError as refusal:
        flash(refusal.message, "warn")
    return _to(found)


@bp.post("/staff/faxes/<int:fax_id>/detach")
@requires(Permission.FAX_DESK)
def detach(fax_id: int) -> ResponseReturnValue:
    found = faxes.by_id(fax_id)
    try:
        application = undoing.detach(found, by=signed_in_user(), at=clock.now())
        flash(f"The fax is no longer with {application.code}. Say what it is.")
    except RuleError as refusal:
        flash(refusal.message, "warn")
    return _to(found)


@bp.route("/staff/registrations/<code>/accounts/<int:user_id>", methods=["GET", "POST"])
@requires(Permission.REGISTRATION_DECIDE)
def close_account(code: str, user_id: int) -> ResponseReturnValue:
    """Close the account that stands in the way of a registration, after a review."""
    application = _application(code)
    user = _in_the_way(application, user_id)
    form = CloseAccountForm()
    if form.validate_on_submit():
        with rule_errors(form):
            closing.close(
                user,
                reason=form.reason.data,
                by=signed_in_user(),
                at=clock.now(),
                code=application.code,
            )
            flash(f"{user.username} is closed. Another member of staff must approve.")
            return _to(application)
    page = render_template(
        "staff/registrations/close_account.html",
        application=application,
        name=comparison.applicant_name(application),
        account=user,
        form=form,
    )
    return page, 422 if form.errors else 200


def _in_the_way(application: Application, user_id: int) -> User:
    found = comparison.compare(application, at=clock.now())
    for user in found.holders:
        if user.id == user_id and application.status in registration.OPEN:
            return user
    raise NotFoundError("No such account stands in the way of this registration.")


def _hold(what: Application | InboundFax, step: str) -> ResponseReturnValue:
    by, at = signed_in_user(), clock.now()
    try:
        if step == "take":
            desk_holds.take(what, by=by, at=at, over="over" in request.form)
        else:
            desk_holds.put_back(what, by=by, at=at)
    except RuleError as refusal:
        flash(refusal.message, "warn")
    return _to(what)


def _to(what: Application | InboundFax | None) -> ResponseReturnValue:
    if isinstance(what, InboundFax):
        return redirect(url_for("staff_faxes.fax", fax_id=what.id), 303)
    if what is None:
        flash("Nothing waits that nobody else has taken.")
        return redirect(url_for("staff_faxes.tray"), 303)
    return redirect(url_for("staff_registrations.compare", code=what.code), 303)


def _application(code: str) -> Application:
    application = registration.by_code(code)
    if application is None:
        raise NotFoundError("There is no registration with this code.")
    return application
