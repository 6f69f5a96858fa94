"""The reporting schedule and the closed days: staff read them, administrators write."""

from datetime import date, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from models import DispenserKind
from pmp import clock, sorting
from pmp.errors import NotFoundError
from pmp.permissions import Permission
from pmp.reporting import closed_days, schedules
from pmp.reporting.calendars import Terms
from pmp.wording import us_date
from portal.access import requires, signed_in_user
from portal.forms import Form, rule_errors
from portal.forms.staff_reporting import (
    LATEST_YEAR,
    ClosedDayForm,
    ClosedDaysForm,
    FederalForm,
    ScheduleForm,
)
from portal.numbers import whole
from portal.paging import sort_asked_for

bp = Blueprint("staff_reporting_policy", __name__)


@bp.get("/staff/reporting/schedules")
@requires(Permission.REPORTING_WATCH)
def index() -> ResponseReturnValue:
    today = clock.today()
    sort = sorting.known(sort_asked_for(), schedules.SORTS, otherwise=schedules.LATEST)
    return render_template(
        "staff/reporting/schedules.html",
        now=schedules.terms_now(today=today),
        to_come=schedules.to_come(today=today),
        history=schedules.history(sort),
        sort=sort,
        kinds=schedules.KIND_WORDS,
        sentence=schedules.sentence,
    )


@bp.route("/staff/reporting/schedules/new", methods=["GET", "POST"])
@requires(Permission.REPORTING_POLICY_WRITE)
def new() -> ResponseReturnValue:
    form = ScheduleForm()
    changed: dict[DispenserKind, Terms] = {}
    today = clock.today()
    if form.validate_on_submit():
        with rule_errors(form):
            if form.confirmed.data == "yes":
                schedules.write(
                    form.terms(),
                    starts_on=form.starts_on.data,
                    reason=form.reason.data,
                    by=signed_in_user(),
                    at=clock.now(),
                )
                flash(f"The schedule holds from {us_date(form.starts_on.data)} on.")
                return redirect(url_for(".index"), 303)
            changed = schedules.changed(
                form.terms(), starts_on=form.starts_on.data, today=today
            )
    elif not form.is_submitted():
        preset = schedules.PRESETS.get(request.args.get("preset", ""))
        terms = preset.terms if preset else schedules.terms_now(today=today)
        form.offer(terms, today + timedelta(days=1))
    return _schedule_page(form, changed)


@bp.get("/staff/reporting/closed-days")
@requires(Permission.REPORTING_WATCH)
def closed() -> ResponseReturnValue:
    return _closed_page(_year())


@bp.post("/staff/reporting/closed-days/add")
@requires(Permission.REPORTING_POLICY_WRITE)
def add() -> ResponseReturnValue:
    form = ClosedDayForm(prefix="one-")
    if form.validate() and form.day.data:
        with rule_errors(form):
            day = form.day.data
            new = closed_days.add(
                [(day, form.name.data or "")], by=signed_in_user(), at=clock.now()
            )
            words = "is a closed day" if new else "was a closed day before"
            flash(f"{us_date(day)} {words}.")
            return redirect(url_for(".closed", year=day.year), 303)
    return _closed_page(clock.today().year, one=form)


@bp.post("/staff/reporting/closed-days/paste")
@requires(Permission.REPORTING_POLICY_WRITE)
def paste() -> ResponseReturnValue:
    form = ClosedDaysForm(prefix="many-")
    if form.validate():
        with rule_errors(form):
            new = closed_days.add(form.days, by=signed_in_user(), at=clock.now())
            flash(_added(new, len(form.days)))
            return redirect(url_for(".closed", year=form.days[0][0].year), 303)
    return _closed_page(clock.today().year, many=form)


@bp.post("/staff/reporting/closed-days/federal")
@requires(Permission.REPORTING_POLICY_WRITE)
def federal() -> ResponseReturnValue:
    form = FederalForm(prefix="federal-")
    if form.validate() and form.year.data:
        year = form.year.data
        new = closed_days.add_federal(year, by=signed_in_user(), at=clock.now())
        flash(_added(new, new))
        return redirect(url_for(".closed", year=year), 303)
    return _closed_page(clock.today().year, federal=form)


@bp.post("/staff/reporting/closed-days/<day>/remove")
@requires(Permission.REPORTING_POLICY_WRITE)
def remove(day: str) -> ResponseReturnValue:
    try:
        which = date.fromisoformat(day)
    except ValueError:
        raise NotFoundError("There is no such day.") from None
    row = closed_days.remove(which, by=signed_in_user(), at=clock.now())
    flash(f"{us_date(which)} ({row.name}) is a business day again.")
    return redirect(url_for(".closed", year=which.year), 303)


def _schedule_page(
    form: Form, changed: dict[DispenserKind, Terms]
) -> ResponseReturnValue:
    """Give the form; once it is sound, what would be due when in six weeks."""
    form["confirmed"].data = "yes" if changed else ""
    today = clock.today()
    page = render_template(
        "staff/reporting/schedule.html",
        form=form,
        changed=changed,
        due=schedules.preview(changed, today=today),
        no_holidays=schedules.unknown_holidays(changed, today=today),
        before=schedules.terms_now(today=today),
        kinds=schedules.KIND_WORDS,
        presets=schedules.PRESETS,
        sentence=schedules.sentence,
        values=_values(form) if changed else [],
    )
    return page, 422 if form.errors else 200


def _values(form: Form) -> list[tuple[str, str]]:
    """Give what was entered, to carry it through the review."""
    given = MultiDict(request.form)
    return [
        (part.name, given[part.name])
        for part in form
        if part.name in given and part.type not in {"HiddenField", "CSRFTokenField"}
    ]


def _closed_page(year: int, **sent: Form) -> ResponseReturnValue:
    forms: dict[str, Form] = {
        "one": ClosedDayForm(formdata=None, prefix="one-"),
        "many": ClosedDaysForm(formdata=None, prefix="many-"),
        "federal": FederalForm(formdata=None, prefix="federal-", year=year),
    }
    page = render_template(
        "staff/reporting/closed_days.html",
        year=year,
        days=closed_days.of_year(year),
        forms=forms | sent,
        form=next(iter(sent.values()), None),
    )
    return page, 422 if sent else 200


def _year() -> int:
    year = request.args.get("year", type=whole) or clock.today().year
    return min(max(year, 2000), LATEST_YEAR)


def _added(new: int, given: int) -> str:
    words = f"{new} closed {'day' if new == 1 else 'days'} added."
    before = given - new
    return words if not before else f"{words} {before} known before."
