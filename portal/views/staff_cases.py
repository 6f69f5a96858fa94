"""Many threshold cases at once: release, close, download the list."""

from flask import (
    Blueprint,
    Response,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from pmp import clock
from pmp.errors import RuleError
from pmp.permissions import Permission
from pmp.thresholds import (
    case_lists,
    outcomes,
    reached,
    several_cases,
    threshold_rules,
)
from pmp.thresholds.case_lists import Row
from pmp.thresholds.several_cases import Done
from pmp.wording import us_date, words
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import rule_errors
from portal.forms.staff_cases import CaseFilterForm, SeveralForm, asked
from portal.paging import page_asked_for, sort_asked_for

bp = Blueprint("staff_cases", __name__)

COLUMNS = (
    "Case",
    "Rule",
    "Version",
    "Status",
    "Reached on",
    "Prescribers",
    "Pharmacies",
    "Recipients",
    "Answered",
    "Found",
)


@bp.get("/staff/cases.csv")
@requires(Permission.CASE_WORK)
def listing() -> ResponseReturnValue:
    form = CaseFilterForm(request.args)
    if form.validate():
        with rule_errors(form):
            wanted, now = form.wanted(sort_asked_for()), clock.now()
            rows = case_lists.rows_of(wanted, by=signed_in_user(), at=now)
            return csv_answer("threshold-cases.csv", COLUMNS, map(_line, rows))
    return cases_page(form)


@bp.get("/staff/rules/outcomes.csv")
@requires(Permission.RULE_READ)
def rule_outcomes() -> Response:
    rows = outcomes.csv_rows(outcomes.every())
    return csv_answer("threshold-outcomes.csv", outcomes.csv_header(), rows)


@bp.post("/staff/cases/release")
@requires(Permission.CASE_WORK)
def release() -> ResponseReturnValue:
    form, chosen = SeveralForm(), SeveralForm().chosen()
    if form.validate_on_submit() and request.form.get("confirmed"):
        with rule_errors(form):
            done = several_cases.release(chosen, by=signed_in_user(), at=clock.now())
            return _told(done, "released: the reports are on their way")
    try:
        review = several_cases.review_release(chosen)
    except RuleError as refusal:
        return _back(refusal)
    page = render_template(
        "staff/cases/release.html", form=form, review=review, asked=asked()
    )
    return page, 422 if form.errors else 200


@bp.post("/staff/cases/close")
@requires(Permission.CASE_WORK)
def close() -> ResponseReturnValue:
    form, chosen = SeveralForm(), SeveralForm().chosen()
    if form.validate_on_submit() and request.form.get("confirmed"):
        with rule_errors(form):
            done = several_cases.close(
                chosen,
                reason=form.reason.data or "",
                by=signed_in_user(),
                at=clock.now(),
            )
            return _told(done, "closed")
    try:
        review = several_cases.review_close(chosen)
    except RuleError as refusal:
        return _back(refusal)
    page = render_template(
        "staff/cases/close.html", form=form, review=review, asked=asked()
    )
    return page, 422 if form.errors else 200


def cases_page(form: CaseFilterForm) -> ResponseReturnValue:
    """Show the list of cases that a filter asks for."""
    form.offer(case_lists.rule_names())
    wanted, now = form.wanted(sort_asked_for()), clock.now()
    page = render_template(
        "staff/cases/index.html",
        form=form,
        listed=case_lists.listed(wanted, page=page_asked_for(), at=now),
        filters=form.in_address(),
        sort=wanted.order,
        may_be_chosen=several_cases.may_be_chosen,
        sentence=threshold_rules.sentence,
        counted_words=reached.counted_words,
    )
    return page, 422 if form.errors else 200


def _line(row: Row) -> tuple[object, ...]:
    case = row.case
    return (
        case.id,
        threshold_rules.sentence(case.rule),
        case.rule.version,
        words(case.status),
        us_date(case.crossed_on),
        case.prescribers,
        case.pharmacies,
        row.recipients,
        row.answered,
        us_date(case.detected_at),
    )


def _told(done: Done, what: str) -> ResponseReturnValue:
    flash(f"{done.cases} {'case is' if done.cases == 1 else 'cases are'} {what}.")
    for case_id, why in done.refused.items():
        flash(f"Not done, case {case_id}: {why}", "warn")
    return _to_list()


def _back(refusal: RuleError) -> ResponseReturnValue:
    flash(refusal.message, "warn")
    return _to_list()


def _to_list() -> ResponseReturnValue:
    return redirect(url_for("staff_rules.cases", **asked()), 303)
