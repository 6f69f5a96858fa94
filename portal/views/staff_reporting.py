"""For staff: who is late, what they were told and what they faxed back, exemptions."""

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import DispenserKind, Pharmacy
from pmp import clock, faxes, sorting
from pmp.deliveries import contacts, delivery_desk
from pmp.paging import page_of
from pmp.permissions import Permission
from pmp.reporting import (
    dispensers,
    exemptions,
    late_list,
    notices,
    schedules,
    standing,
    zeros,
)
from pmp.wording import phone, us_date, us_time
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import Form, rule_errors
from portal.forms.filters import one_of
from portal.forms.staff_reporting import (
    EndExemptionForm,
    ExemptionForm,
    KindForm,
    LateFilterForm,
    NoteForm,
)
from portal.paging import page_asked_for, sort_asked_for

bp = Blueprint("staff_reporting", __name__)

SIZE = 25
SHOWN = 40
HEADINGS = (
    "Pharmacy", "DEA", "Kind", "Town", "Days from", "Days to", "Due on", "Days late",
    "Periods open", "Times late in a year", "Last report", "Phone", "Fax", "Notices",
    "Last notice",
)  # fmt: skip


@bp.get("/staff/reporting")
@requires(Permission.REPORTING_WATCH)
def late() -> ResponseReturnValue:
    form = LateFilterForm(request.args)
    form.validate()
    return _late_page(form)


@bp.get("/staff/reporting/late.csv")
@requires(Permission.REPORTING_WATCH)
def late_csv() -> ResponseReturnValue:
    form = LateFilterForm(request.args)
    if form.validate():
        with rule_errors(form):
            rows = late_list.file_of(_rows(form), by=signed_in_user(), at=clock.now())
            name = f"late-{clock.today().isoformat()}.csv"
            return csv_answer(name, HEADINGS, _lines(rows))
    return _late_page(form)


@bp.get("/staff/reporting/pharmacies/<int:pharmacy_id>")
@requires(Permission.REPORTING_WATCH)
def pharmacy(pharmacy_id: int) -> ResponseReturnValue:
    return _pharmacy_page(dispensers.by_id(pharmacy_id))


@bp.post("/staff/reporting/pharmacies/<int:pharmacy_id>/notice")
@requires(Permission.REPORTING_WATCH)
def notice(pharmacy_id: int) -> ResponseReturnValue:
    found, form = dispensers.by_id(pharmacy_id), Form()
    if form.validate():
        with rule_errors(form):
            notices.send_now(found, by=signed_in_user(), at=clock.now())
            flash(f"A notice to {contacts.name_of(found)} is on its way.")
            return redirect(url_for(".pharmacy", pharmacy_id=pharmacy_id), 303)
    return _pharmacy_page(found, notice=form)


@bp.post("/staff/reporting/pharmacies/<int:pharmacy_id>/note")
@requires(Permission.REPORTING_WATCH)
def note(pharmacy_id: int) -> ResponseReturnValue:
    found, form = dispensers.by_id(pharmacy_id), NoteForm(prefix="note-")
    if form.validate():
        with rule_errors(form):
            late_list.note(
                form.text.data or "",
                pharmacy=found,
                by=signed_in_user(),
                at=clock.now(),
            )
            flash("The note is kept.")
            return redirect(url_for(".pharmacy", pharmacy_id=pharmacy_id), 303)
    return _pharmacy_page(found, note=form)


@bp.post("/staff/reporting/pharmacies/<int:pharmacy_id>/exempt")
@requires(Permission.REPORTING_WATCH)
def exempt(pharmacy_id: int) -> ResponseReturnValue:
    found, form = dispensers.by_id(pharmacy_id), ExemptionForm(prefix="exempt-")
    if form.validate() and form.first.data:
        with rule_errors(form):
            exemptions.grant(
                found,
                first=form.first.data,
                last=form.last.data,
                reason=form.reason.data or "",
                by=signed_in_user(),
                at=clock.now(),
            )
            flash(f"{contacts.name_of(found)} is exempt for these days.")
            return redirect(url_for(".pharmacy", pharmacy_id=pharmacy_id), 303)
    return _pharmacy_page(found, exempt=form)


@bp.post("/staff/reporting/exemptions/<int:exemption_id>/end")
@requires(Permission.REPORTING_WATCH)
def end_exemption(exemption_id: int) -> ResponseReturnValue:
    found = exemptions.by_id(exemption_id)
    form = EndExemptionForm(prefix=f"end{exemption_id}-")
    if form.validate() and form.last.data:
        with rule_errors(form):
            exemptions.end(
                exemption_id, last=form.last.data, by=signed_in_user(), at=clock.now()
            )
            flash(f"The exemption ends on {us_date(form.last.data)}.")
            to = url_for(".pharmacy", pharmacy_id=found.pharmacy.id)
            return redirect(to, 303)
    return _pharmacy_page(found.pharmacy, **{f"end{exemption_id}": form})


@bp.post("/staff/reporting/pharmacies/<int:pharmacy_id>/kind")
@requires(Permission.REPORTING_WATCH)
def kind(pharmacy_id: int) -> ResponseReturnValue:
    found, form = dispensers.by_id(pharmacy_id), KindForm(prefix="kind-")
    if form.validate():
        with rule_errors(form):
            dispensers.set_kind(
                found,
                DispenserKind(form.kind.data),
                by=signed_in_user(),
                at=clock.now(),
            )
            flash("The kind is changed: its own schedule holds from now on.")
            return redirect(url_for(".pharmacy", pharmacy_id=pharmacy_id), 303)
    return _pharmacy_page(found, kind=form)


@bp.post("/staff/reporting/zero-reports/<int:zero_id>/withdraw")
@requires(Permission.REPORTING_WATCH)
def withdraw_zero(zero_id: int) -> ResponseReturnValue:
    taken = zeros.withdraw(zero_id, by=signed_in_user(), at=clock.now())
    flash("The zero report is taken back: its days are open again.")
    return redirect(url_for(".pharmacy", pharmacy_id=taken.pharmacy.id), 303)


@bp.post("/staff/reporting/faxes/<int:fax_id>/file")
@requires(Permission.FAX_DESK)
def file_answer(fax_id: int) -> ResponseReturnValue:
    faxes.file_answer(faxes.by_id(fax_id), by=signed_in_user(), at=clock.now())
    flash("Filed: the zero report stands.")
    return redirect(url_for("staff_faxes.tray"), 303)


@bp.post("/staff/reporting/faxes/<int:fax_id>/refuse")
@requires(Permission.FAX_DESK)
def refuse_answer(fax_id: int) -> ResponseReturnValue:
    faxes.refuse_answer(faxes.by_id(fax_id), by=signed_in_user(), at=clock.now())
    flash("Put aside: the zero report is taken back, its days are open again.")
    return redirect(url_for("staff_faxes.tray"), 303)


def _late_page(form: LateFilterForm) -> ResponseReturnValue:
    today = clock.today()
    listed = page_of(_rows(form), number=page_asked_for(), size=SIZE)
    page = render_template(
        "staff/reporting/late.html",
        form=form,
        listed=listed,
        details=late_list.details(listed.rows, today=today),
        today=today,
        kinds=schedules.ONE_OF_KIND,
        desk=delivery_desk,
        filters=form.in_address(),
        sort=_late_order(),
    )
    return page, 422 if form.errors else 200


def _late_order() -> str:
    return sorting.known(sort_asked_for(), late_list.SORTS, otherwise=late_list.LATEST)


def _rows(form: LateFilterForm) -> list[late_list.Row]:
    return late_list.late(
        today=clock.today(),
        kind=one_of(DispenserKind, form.kind.data),
        text=form.text.data or "",
        everyone=form.show.data == "all",
        sort=_late_order(),
    )


def _lines(rows: list[late_list.Row]) -> Iterable[list[Any]]:
    details = late_list.details(rows, today=clock.today())
    for row in rows:
        shop, detail = row.pharmacy, details[row.pharmacy.id]
        last, _ = detail.notices[0] if detail.notices else (None, [])
        yield [
            shop.name,
            shop.dea,
            schedules.ONE_OF_KIND[shop.kind],
            shop.city,
            us_date(row.period.first),
            us_date(row.period.last),
            us_date(row.period.due),
            max(0, row.days),
            row.periods,
            detail.late_in_year,
            us_time(detail.last_report),
            phone(detail.phone),
            phone(detail.fax),
            len(detail.notices),
            us_time(last.made_at) if last else "",
        ]


def _pharmacy_page(found: Pharmacy, **sent: Any) -> ResponseReturnValue:
    """Show a pharmacy; `sent` is the form that was refused, if one was."""
    today = clock.today()
    periods = late_list.year(found, today=today)
    shown = periods if request.args.get("all") else periods[:SHOWN]
    told = notices.of(found)[::-1]
    free = exemptions.of(found)
    forms: dict[str, Any] = {
        "note": NoteForm(formdata=None, prefix="note-"),
        "exempt": ExemptionForm(formdata=None, prefix="exempt-"),
        "kind": KindForm(formdata=None, prefix="kind-", kind=found.kind.value),
    }
    for each in free:
        name = f"end{each.id}"
        forms[name] = EndExemptionForm(formdata=None, prefix=f"{name}-", last=today)
    page = render_template(
        "staff/reporting/pharmacy.html",
        pharmacy=found,
        name=contacts.name_of(found),
        phone_number=contacts.phone_of(found),
        fax_number=contacts.fax_of(found),
        is_open=any(each.state in standing.OPEN for each in periods),
        must_report=dispensers.must_report(found),
        kind_words=schedules.ONE_OF_KIND[found.kind],
        terms=schedules.sentence(schedules.terms_now(today=today)[found.kind]),
        periods=shown,
        more=len(periods) - len(shown),
        senders=standing.senders(shown),
        counts=late_list.compliance(periods),
        exemptions=free,
        notices=told,
        deliveries=notices.deliveries_of(told),
        notes=late_list.notes_of(found),
        desk=delivery_desk,
        today=today,
        forms=forms | sent,
        form=next(iter(sent.values()), None),
    )
    return page, 422 if sent else 200
