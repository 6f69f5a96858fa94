"""The audit record: who did what to what, and when; and whether it is whole."""

from datetime import date

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue

from pmp import clock
from pmp.audit import audit_search
from pmp.audit.audit_search import Found
from pmp.matching import patient_files
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.staff_audit import AuditForm
from portal.forms.staff_matches import NameForm
from portal.paging import page_asked_for, sort_asked_for

bp = Blueprint("staff_audit", __name__)


@bp.get("/staff/audit")
@requires(Permission.AUDIT_READ)
def index() -> ResponseReturnValue:
    form = _form()
    page = page_asked_for()
    found, wanted = Found([], 0, [], []), form.search(sort_asked_for())
    if form.validate():
        found = audit_search.search(
            wanted, by=signed_in_user(), at=clock.now(), page=page
        )
    answer = render_template(
        "staff/audit/index.html",
        form=form,
        found=found,
        page=page,
        pages=-(-found.total // audit_search.PAGE_SIZE),
        filters=form.in_address(),
        sort=wanted.order,
        detail=audit_search.detail_words,
        checked=audit_search.last_check(),
    )
    return answer, 422 if form.errors else 200


@bp.route("/staff/audit/patient", methods=["GET", "POST"])
@requires(Permission.AUDIT_READ)
def find_patient() -> ResponseReturnValue:
    """Find the number of a patient by name; by POST, for a name is in no address."""
    form = NameForm()
    found = None
    if form.validate_on_submit():
        with rule_errors(form):
            found = patient_files.find_by_name(
                first_name=form.first_name.data or "",
                last_name=form.last_name.data or "",
                birth_date=form.birth_date.data or date.min,
                by=signed_in_user(),
                at=clock.now(),
            )
    page = render_template("staff/audit/patient.html", form=form, found=found)
    return page, 422 if form.errors else 200


@bp.get("/staff/audit.csv")
@requires(Permission.AUDIT_READ)
def csv() -> ResponseReturnValue:
    form = _form()
    if not form.validate():
        return index()
    wanted = form.search(sort_asked_for())
    text = audit_search.csv_of(wanted, by=signed_in_user(), at=clock.now())
    response = make_response(text.encode("utf-8-sig"))
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response


@bp.post("/staff/audit/verify")
@requires(Permission.AUDIT_READ)
def verify() -> ResponseReturnValue:
    faults = audit_search.verify(by=signed_in_user(), at=clock.now())
    return render_template("staff/audit/verify.html", faults=faults, now=clock.now())


def _form() -> AuditForm:
    form = AuditForm(request.args)
    form.offer()
    return form
