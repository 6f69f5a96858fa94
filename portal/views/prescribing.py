"""A prescriber's own entries: what was dispensed under their DEA numbers."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from models import Dispensation, TicketProblem
from pmp import clock
from pmp.dispensations import asked, prescribing
from pmp.permissions import Permission
from pmp.wording import amount, ndc, us_date
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import rule_errors
from portal.forms.prescribing import PrescribingForm
from portal.numbers import whole

bp = Blueprint("prescribing", __name__)
HEADINGS = (
    "Row code",
    "Filled",
    "Written",
    "Last name",
    "First name",
    "Date of birth",
    "NDC",
    "Drug",
    "Schedule",
    "Quantity",
    "Days supply",
    "Refill",
    "Rx number",
    "Prescriber DEA",
    "Pharmacy",
    "Pharmacy DEA",
    "Pharmacy phone",
    "Corrected",
)


@bp.route("/prescribing", methods=["GET", "POST"])
@requires(Permission.PRESCRIBING_READ)
def listing() -> ResponseReturnValue:
    form = _form()
    found = prescribing.NOTHING
    if not form.is_submitted() or form.validate():
        found = prescribing.own(
            form.wanted(),
            number=request.form.get("page", 1, whole),
            by=signed_in_user(),
            at=clock.now(),
        )
    return _page(form, found)


@bp.post("/prescribing.csv")
@requires(Permission.PRESCRIBING_READ)
def listing_csv() -> ResponseReturnValue:
    form = _form()
    if form.validate():
        with rule_errors(form):
            rows = prescribing.every(form.wanted(), by=signed_in_user(), at=clock.now())
            return csv_answer("prescribing.csv", HEADINGS, map(_line, rows))
    return _page(form, prescribing.NOTHING)


def _form() -> PrescribingForm:
    form = PrescribingForm()
    if not form.is_submitted():
        form.since.data = asked.usual_since(clock.today())
    if "all_days" in request.form:
        form.forget_days()
    return form


def _page(form: PrescribingForm, found: prescribing.Prescribed) -> ResponseReturnValue:
    page = render_template(
        "prescribing/list.html",
        form=form,
        found=found,
        not_mine=TicketProblem.DID_NOT_WRITE.value,
        now=clock.now(),
    )
    return page, 422 if form.errors else 200


def _line(row: Dispensation) -> Sequence[Any]:
    return (
        row.row_code,
        us_date(row.filled_on),
        us_date(row.written_on),
        row.identity.last_name,
        row.identity.first_name,
        us_date(row.identity.birth_date),
        ndc(row.product_code),
        row.drug_name,
        row.schedule,
        amount(row.quantity),
        row.days_supply,
        row.fill_number,
        row.prescription_number,
        row.prescriber.dea,
        row.pharmacy.name,
        row.pharmacy.dea,
        row.pharmacy.phone,
        "corrected" if row.corrected else "",
    )
