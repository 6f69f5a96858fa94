"""The audit record: who did what to what, and when; and whether it is whole."""

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue

from pmp import clock
from pmp.audit import audit_search
from pmp.audit.audit_search import Found
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.forms.staff_audit import AuditForm
from portal.paging import page_asked_for

bp = Blueprint("staff_audit", __name__)


@bp.get("/staff/audit")
@requires(Permission.AUDIT_READ)
def index() -> ResponseReturnValue:
    form = _form()
    page = page_asked_for()
    found = Found([], 0, [])
    if form.validate():
        found = audit_search.search(
            form.search(), by=signed_in_user(), at=clock.now(), page=page
        )
    answer = render_template(
        "staff/audit/index.html",
        form=form,
        found=found,
        page=page,
        pages=-(-found.total // audit_search.PAGE_SIZE),
        filters={k: v for k, v in request.args.items() if v and k != "page"},
        detail=audit_search.detail_words,
    )
    return answer, 422 if form.errors else 200


@bp.get("/staff/audit.csv")
@requires(Permission.AUDIT_READ)
def csv() -> ResponseReturnValue:
    form = _form()
    if not form.validate():
        return index()
    text = audit_search.csv_of(form.search(), by=signed_in_user(), at=clock.now())
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
