"""A pharmacy's own dispensations: the list, the patterns in it, the counts by day.

Filters go by POST, since they may name people: nothing of them is in an address.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from models import Prescriber
from pmp import clock, reporters
from pmp.dispensations import asked, day_counts, dispensing, patterns
from pmp.dispensations.pattern_counts import prescriber_name
from pmp.history.entries import PAYMENTS
from pmp.permissions import Permission
from pmp.wording import amount, ndc, us_date
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import rule_errors
from portal.forms.dispensing import DispensingForm, LogForm, OwnForm, PatternsForm
from portal.numbers import whole

bp = Blueprint("dispensing", __name__)

HEADINGS = (
    "Row code",
    "Status",
    "Filled",
    "Written",
    "Sold",
    "Rx number",
    "Fill number",
    "Partial fill",
    "Refills authorized",
    "Last name",
    "First name",
    "Date of birth",
    "State",
    "NDC",
    "Drug",
    "Schedule",
    "Class",
    "Quantity",
    "Days supply",
    "Payment",
    "Prescriber",
    "Submission",
)


@bp.route("/dispensing", methods=["GET", "POST"])
@requires(Permission.DISPENSING_READ)
def listing() -> ResponseReturnValue:
    form = _list_form()
    found = dispensing.NOTHING
    if not form.is_submitted() or form.validate():
        with rule_errors(form):
            found = dispensing.own(
                form.wanted(request.form.get("sort_by")),
                number=request.form.get("page", 1, whole),
                size=form.size.data,
                by=signed_in_user(),
                at=clock.now(),
            )
    page = render_template(
        "dispensing/list.html", form=form, found=found, now=clock.now()
    )
    return page, 422 if form.errors else 200


@bp.post("/dispensing.csv")
@requires(Permission.DISPENSING_READ)
def listing_csv() -> ResponseReturnValue:
    form = _list_form()
    if form.validate():
        with rule_errors(form):
            rows = dispensing.every(form.wanted(), by=signed_in_user(), at=clock.now())
            return csv_answer("dispensing.csv", HEADINGS, map(_line, rows))
    page = render_template(
        "dispensing/list.html", form=form, found=dispensing.NOTHING, now=clock.now()
    )
    return page, 422


@bp.route("/dispensing/patterns", methods=["GET", "POST"])
@requires(Permission.DISPENSING_READ)
def pattern_page() -> ResponseReturnValue:
    form = PatternsForm()
    _offer(form)
    found = _patterns(form)
    if found and not form.is_submitted():
        form.since.data, form.until.data = found.since, found.until
    page = render_template(
        "dispensing/patterns.html", form=form, found=found, now=clock.now()
    )
    return page, 422 if form.errors else 200


@bp.post("/dispensing/patterns.csv")
@requires(Permission.DISPENSING_READ)
def patterns_csv() -> ResponseReturnValue:
    form = PatternsForm()
    _offer(form)
    found = _patterns(form)
    if found is None:
        page = render_template(
            "dispensing/patterns.html", form=form, found=None, now=clock.now()
        )
        return page, 422
    days = f"{us_date(found.since)} to {us_date(found.until)}"
    lines = [
        [days, each.title, bar.label, bar.words]
        for each in found.patterns
        for bar in each.bars
    ]
    headings = ("Filled", "Pattern", "Who or what", "Numbers")
    return csv_answer("dispensing-patterns.csv", headings, lines)


@bp.route("/dispensing/days", methods=["GET", "POST"])
@requires(Permission.DISPENSING_READ)
def days() -> ResponseReturnValue:
    form = LogForm()
    _offer(form)
    if not form.is_submitted() and "pharmacy" in form:
        form.pharmacy.data = request.args.get("pharmacy", form.chosen, whole)
    first = _month(
        form.month.data if form.is_submitted() else request.args.get("month")
    )
    typed = _typed_days()
    log = form.log(typed, first) if form.is_submitted() and form.validate() else None
    found = day_counts.month(
        first, pharmacy=form.chosen, by=signed_in_user(), at=clock.now(), log=log
    )
    form.month.data = f"{first:%Y-%m}"
    page = render_template(
        "dispensing/days.html",
        form=form,
        found=found,
        typed=typed,
        compared=bool(log),
        now=clock.now(),
    )
    return page, 422 if form.errors else 200


def _list_form() -> DispensingForm:
    form = DispensingForm()
    if not form.is_submitted():
        form.since.data = asked.usual_since(clock.today())
    if "all" in request.form:
        form.only.data = ""
    if "all_days" in request.form:
        form.forget_days()
    _offer(form)
    return form


def _offer(form: OwnForm) -> None:
    form.offer(reporters.pharmacies_of(signed_in_user()))


def _patterns(form: PatternsForm) -> patterns.Patterns | None:
    if not form.is_submitted() or form.validate():
        with rule_errors(form):
            return patterns.find(
                pharmacy=form.chosen,
                since=form.since.data,
                until=form.until.data,
                by=signed_in_user(),
                at=clock.now(),
            )
    return None


def _month(text: str | None) -> date:
    """Read “2026-11”; this month for anything else."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return clock.today().replace(day=1)


def _typed_days() -> dict[date, str]:
    """Give what was typed at each day: fields are named “day-2026-11-03”."""
    found = {}
    for name, text in request.form.items():
        if name.startswith("day-"):
            try:
                found[date.fromisoformat(name.removeprefix("day-"))] = text.strip()
            except ValueError:
                continue
    return found


def _line(row: Any) -> Sequence[Any]:
    prescriber = Prescriber(
        dea=row.dea, last_name=row.prescriber_last, first_name=row.prescriber_first
    )
    return (
        row.row_code,
        "removed" if row.status == "voided" else "corrected" if row.corrected else "",
        us_date(row.filled_on),
        us_date(row.written_on),
        us_date(row.sold_on),
        row.prescription_number,
        row.fill_number,
        row.partial,
        row.refills_authorized,
        row.last_name,
        row.first_name,
        us_date(row.birth_date),
        row.state,
        ndc(row.product_code),
        row.drug_name,
        row.schedule,
        row.drug_class,
        amount(row.quantity),
        row.days_supply,
        PAYMENTS.get(row.payment, ""),
        prescriber_name(prescriber),
        row.submission_id,
    )
