"""A pharmacy's reporting calendar, and its reports that nothing was dispensed."""

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import Pharmacy, User
from pmp import clock, reporting
from pmp.permissions import Permission
from pmp.reporting import banner, dispensers, late_list, schedules, standing, zeros
from pmp.wording import span_words
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.reporting import ZeroReportForm
from portal.numbers import whole

bp = Blueprint("reporting", __name__)

FARTHEST = 2 * standing.YEAR
SHOWN = 40  # periods, unless all of the year are asked for


@bp.get("/reporting")
@requires(Permission.SUBMIT)
def calendar() -> ResponseReturnValue:
    user, today = signed_in_user(), clock.today()
    pharmacies = dispensers.of_user(user)
    if len(pharmacies) == 1:
        return _year(pharmacies[0], alone=True)
    return render_template(
        "reporting/chain.html",
        states=banner.states(pharmacies, today=today),
        reported=standing.last_reports(pharmacies),
        due=reporting.next_due(user, today=today),
    )


@bp.get("/reporting/<int:pharmacy_id>")
@requires(Permission.SUBMIT)
def pharmacy(pharmacy_id: int) -> ResponseReturnValue:
    found = dispensers.own(signed_in_user(), pharmacy_id)
    return _year(found or dispensers.by_id(pharmacy_id), alone=False)


@bp.route("/submissions/zero", methods=["GET", "POST"])
@requires(Permission.SUBMIT)
def zero() -> ResponseReturnValue:
    user = signed_in_user()
    pharmacies = dispensers.of_user(user)
    form = ZeroReportForm(pharmacies)
    if form.validate_on_submit() and form.first.data and form.last.data:
        with rule_errors(form):
            made = reporting.report_zero(
                first=form.first.data,
                last=form.last.data,
                by=user,
                at=clock.now(),
                pharmacy=dispensers.own(user, form.pharmacy.data or None),
            )
            days = span_words(made.first_day, made.last_day)
            flash(
                f"Your report that nothing was dispensed {days} is recorded."
                " You can undo it below."
            )
            return redirect(_back(), 303)
    elif not form.is_submitted():
        _offer(form, user)
    page = render_template("submissions/zero.html", form=form, pharmacies=pharmacies)
    return page, 422 if form.errors else 200


@bp.post("/submissions/zero/<int:zero_id>/undo")
@requires(Permission.SUBMIT)
def undo(zero_id: int) -> ResponseReturnValue:
    taken = zeros.withdraw(zero_id, by=signed_in_user(), at=clock.now())
    days = span_words(taken.first_day, taken.last_day)
    flash(f"Undone: {days} is not reported as empty any more.")
    return redirect(_back(), 303)


def _year(found: Pharmacy, *, alone: bool) -> ResponseReturnValue:
    today = clock.today()
    periods = late_list.year(found, today=today)
    shown = periods if request.args.get("all") else periods[:SHOWN]
    return render_template(
        "reporting/calendar.html",
        pharmacy=found,
        alone=alone,
        due=banner.of_pharmacy(found, by=signed_in_user(), today=today),
        terms=schedules.sentence(schedules.terms_now(today=today)[found.kind]),
        periods=shown,
        more=len(periods) - len(shown),
        senders=standing.senders(shown),
        counts=late_list.compliance(periods),
        zero_reports=zeros.of([found] if found.id else []),
    )


def _offer(form: ZeroReportForm, user: User) -> None:
    """Fill in what a notice's link names, else what is open."""
    asked = dispensers.own(user, request.args.get("pharmacy", type=whole))
    due = (
        banner.of_pharmacy(asked, by=user, today=clock.today())
        if asked
        else reporting.next_due(user, today=clock.today())
    )
    first, last = _day("first"), _day("last")
    if asked and first and last:
        first, last = banner.open_of(asked, first, last, today=clock.today())
    running = min(due.period.last, clock.today())
    form.offer(due.pharmacy, first or due.open_from, last or running)


def _day(name: str) -> date | None:
    """Give the day in the address; None for none, or for one that no notice names."""
    try:
        day = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
    return day if abs(clock.today() - day) < FARTHEST else None


def _back() -> str:
    if request.form.get("back") == "calendar":
        return url_for("reporting.calendar")
    return url_for("submissions.listing")
