"""For staff: drugs that nobody knows, the drug table, rule sets, withheld counts."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pmp import clock, drugs, identifiers, mme, settings, sorting, withheld
from pmp.dispensations import drug_changes, unknown_products
from pmp.dispensations.unknown_products import Unknown
from pmp.drugs import product_search, staff_products
from pmp.errors import NotFoundError, RuleError
from pmp.paging import page_of
from pmp.permissions import Permission
from pmp.wording import ndc as written_ndc
from pmp.wording import us_date
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import rule_errors
from portal.forms.staff_drugs import (
    UNITS,
    ChangesForm,
    NdcForm,
    PeriodForm,
    ProductForm,
)
from portal.paging import page_asked_for, sort_asked_for

bp = Blueprint("staff_drugs", __name__)

FOUND = 25
HEADINGS = (
    "NDC", "Fills", "Pharmacies", "First filled", "Last filled", "First reported",
)  # fmt: skip
COUNT_HEADINGS = (
    "Drug", "Why withheld", "Pharmacy", "Fills", "Patients", "First", "Last",
)  # fmt: skip

CHANGE_WORDS = {
    "difference": unknown_products.difference,
    "can_be_undone": unknown_products.can_be_undone,
}


@bp.get("/staff/drugs")
@requires(Permission.PRODUCT_READ)
def index() -> ResponseReturnValue:
    return _index(NdcForm(request.args))


@bp.get("/staff/drugs.csv")
@requires(Permission.PRODUCT_READ)
def index_csv() -> ResponseReturnValue:
    form = NdcForm(request.args)
    if form.validate():
        with rule_errors(form):
            rows = unknown_products.file_of(
                sort_asked_for(), by=signed_in_user(), at=clock.now()
            )
            name = f"unknown-drugs-{clock.today().isoformat()}.csv"
            return csv_answer(name, HEADINGS, map(_line, rows))
    return _index(form)


@bp.get("/staff/drugs/changes")
@requires(Permission.PRODUCT_READ)
def changes() -> ResponseReturnValue:
    form = ChangesForm(request.args)
    form.validate()
    return _changes(form)


@bp.get("/staff/drugs/changes.csv")
@requires(Permission.PRODUCT_READ)
def changes_csv() -> ResponseReturnValue:
    form = ChangesForm(request.args)
    if form.validate():
        with rule_errors(form):
            wanted, now = form.wanted(sort_asked_for()), clock.now()
            rows = drug_changes.rows_of(wanted, by=signed_in_user(), at=now)
            return csv_answer("drug-changes.csv", drug_changes.HEADINGS, rows)
    return _changes(form)


@bp.get("/staff/drugs/rule-sets")
@requires(Permission.PRODUCT_READ)
def rule_sets() -> ResponseReturnValue:
    return render_template(
        "staff/drugs/rule_sets.html",
        rule_sets=mme.rule_sets(),
        active=mme.rule_set(settings.current().mme_rule_set),
        keys=sorted({key for each in mme.rule_sets() for key in each.bands}),
        factor_words=mme.factor_words,
        policy=settings.current(),
    )


@bp.get("/staff/drugs/withheld")
@requires(Permission.WITHHELD_READ)
def withheld_counts() -> ResponseReturnValue:
    form = _period()
    rows = []
    if form.validate():
        with rule_errors(form):
            rows = list(_counts(form))
    page = render_template("staff/drugs/withheld.html", form=form, rows=rows)
    return page, 422 if form.errors else 200


@bp.get("/staff/drugs/withheld.csv")
@requires(Permission.WITHHELD_READ)
def withheld_csv() -> ResponseReturnValue:
    form = _period()
    if not form.validate():
        raise RuleError("Write the first and the last day, such as 04/28/2026.")
    rows = [
        (
            each.drug,
            each.why,
            each.pharmacy,
            each.fills,
            each.patients,
            us_date(each.first),
            us_date(each.last),
        )
        for each in _counts(form)
    ]
    name = f"withheld-{clock.today().isoformat()}.csv"
    return csv_answer(name, COUNT_HEADINGS, rows)


@bp.get("/staff/drugs/<ndc>")
@requires(Permission.PRODUCT_READ)
def product(ndc: str) -> ResponseReturnValue:
    code = _code(ndc)
    form = ProductForm()
    if facts := drugs.facts_for([code]).get(code):
        form.offer(facts)
    return _product_page(code, form)


@bp.post("/staff/drugs/<ndc>")
@requires(Permission.PRODUCT_WRITE)
def write(ndc: str) -> ResponseReturnValue:
    code = _code(ndc)
    form = ProductForm()
    preview = None
    if request.form.get("edit") != "yes" and form.validate():
        with rule_errors(form):
            if form.confirmed.data == "yes":
                change = unknown_products.write(
                    code,
                    form.typed(),
                    reason=form.reason.data or "",
                    by=signed_in_user().username,
                    at=clock.now(),
                )
                flash(_written(change.filled))
                return redirect(url_for(".product", ndc=code), 303)
            preview = staff_products.preview(code, form.typed())
    return _product_page(code, form, preview)


@bp.post("/staff/drugs/changes/<int:change_id>/undo")
@requires(Permission.PRODUCT_WRITE)
def undo(change_id: int) -> ResponseReturnValue:
    change = unknown_products.undo(
        change_id, by=signed_in_user().username, at=clock.now()
    )
    flash(f"The change of {written_ndc(change.ndc)} is undone.")
    return redirect(url_for(".product", ndc=change.ndc), 303)


@bp.post("/staff/drugs/fill-in")
@requires(Permission.PRODUCT_WRITE)
def fill_in() -> ResponseReturnValue:
    filled = unknown_products.fill_in(by=signed_in_user().username, at=clock.now())
    flash(_written(filled))
    return redirect(url_for(".index"), 303)


def _product_page(
    ndc: str,
    form: ProductForm,
    preview: staff_products.Preview | None = None,
) -> ResponseReturnValue:
    """Give what is known of an NDC, and the form; once it is sound, what follows."""
    form.confirmed.data = "yes" if preview else ""
    page = render_template(
        "staff/drugs/product.html",
        ndc=ndc,
        form=form,
        preview=preview,
        facts=drugs.facts_for([ndc]).get(ndc),
        row=product_search.named(ndc),
        sources=unknown_products.sources(ndc),
        stored=unknown_products.stored(ndc),
        units=UNITS,
        fields=[part for part in form if part.type not in _NOT_TYPED],
        changes=unknown_products.changes(ndc),
        **CHANGE_WORDS,
    )
    return page, 422 if form.errors else 200


_NOT_TYPED = frozenset({"HiddenField", "CSRFTokenField"})


def _changes(form: ChangesForm) -> ResponseReturnValue:
    wanted = form.wanted(sort_asked_for())
    page = render_template(
        "staff/drugs/changes.html",
        form=form,
        listed=drug_changes.listed(wanted, page=page_asked_for()),
        filters=form.in_address(),
        sort=wanted.order,
        **CHANGE_WORDS,
    )
    return page, 422 if form.errors else 200


def _written(filled: int) -> str:
    words = "1 stored fill has" if filled == 1 else f"{filled} stored fills have"
    return f"The drug table is written. {words} the facts now."


def _code(ndc: str) -> str:
    if len(ndc) == 12 and ndc.isascii() and ndc.isdigit():
        return ndc
    try:
        return identifiers.parse_ndc(ndc)
    except ValueError as fault:
        raise NotFoundError(str(fault)) from fault


def _index(form: NdcForm) -> ResponseReturnValue:
    asked, sort = form.q.data or "", sort_asked_for()
    unknown = unknown_products.listed(sort)
    page = render_template(
        "staff/drugs/index.html",
        form=form,
        asked=asked,
        found=product_search.find(asked, limit=FOUND) if asked else [],
        typed_ndc=_readable(asked),
        listed=page_of(unknown, number=page_asked_for()),
        some_known=any(each.is_known_now for each in unknown),
        filters=form.in_address(),
        sort=sorting.known(
            sort, unknown_products.SORTS, otherwise=unknown_products.FREQUENT
        ),
        now=clock.now(),
    )
    return page, 422 if form.errors else 200


def _line(each: Unknown) -> tuple[Any, ...]:
    return (
        written_ndc(each.ndc),
        each.fills,
        each.pharmacies,
        us_date(each.first),
        us_date(each.last),
        us_date(each.since),
    )


def _readable(typed: str) -> str:
    try:
        return identifiers.parse_ndc(typed)
    except ValueError:
        return ""


def _period() -> PeriodForm:
    """Give the period asked for; without one, the last twelve months."""
    form = PeriodForm(request.args)
    today = clock.today()
    if not request.args:
        form.since.data, form.until.data = today - timedelta(days=365), today
    return form


def _counts(form: PeriodForm) -> list[withheld.Count]:
    today = clock.today()
    return list(
        withheld.counts(
            since=form.since.data or today - timedelta(days=365),
            until=form.until.data or today,
            by=signed_in_user(),
            address=request.remote_addr or "",
            at=clock.now(),
        )
    )
