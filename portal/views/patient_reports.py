"""The patient report of a look-up: page, PDF, CSV, its copies, and their codes."""

from typing import Any

from flask import g, make_response, render_template, request
from flask.typing import ResponseReturnValue

from gateway import documents
from pmp import clock, delegates, leaflets, verification, warnings
from pmp.history import PatientReport, arrangement, report_table
from pmp.lookup import report_codes, report_copies, reports
from pmp.lookup.reports import OpenReport
from pmp.permissions import Permission
from pmp.thresholds import case_recipients
from portal.access import public, requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.patient_reports import VerifyForm
from portal.views.look_up import bp


@bp.get("/reports/<token>")
@requires(Permission.REPORT_READ)
def report(token: str) -> ResponseReturnValue:
    opened = _opened(token, "page")
    chosen = arrangement.read(request.args)
    return render_template(
        "look_up/report.html",
        token=token,
        chosen=chosen,
        listed=arrangement.arrange(opened.report, chosen),
        marked=arrangement.rows(opened.report, chosen),
        choices=_choices(opened.report),
        sent_to_me=case_recipients.of_user(
            signed_in_user(), patient_id=opened.report.patient_id
        ),
        **_context(opened),
    )


@bp.get("/reports/<token>.pdf")
@requires(Permission.REPORT_READ)
def report_pdf(token: str) -> ResponseReturnValue:
    opened, code = _opened(token, "PDF"), report_codes.new_code()
    body = documents.long_pdf("patient_report", code=code, **_context(opened))
    report_copies.keep(
        opened.look_up,
        code=code,
        body=body,
        pages=documents.page_count(body),
        entries=len(opened.report.entries),
        at=opened.report.made_at,
    )
    if request.args.get("leaflets"):
        # For the patient: the copy that is kept, and its code, are of the report alone.
        handouts = map(documents.leaflet_pdf, leaflets.every())
        body = documents.joined([body, *handouts])
    return _download(body, "application/pdf", "patient-report.pdf")


@bp.get("/reports/<token>.csv")
@requires(Permission.REPORT_READ)
def report_csv(token: str) -> ResponseReturnValue:
    table = report_table.csv_of(_opened(token, "CSV").report)
    body = table.encode("utf-8-sig")  # so that a spreadsheet reads the accents
    return _download(body, "text/csv; charset=utf-8", "patient-report.csv")


@bp.get("/report-copies/<int:copy_id>.pdf")
@requires(Permission.REPORT_READ)
def report_copy(copy_id: int) -> ResponseReturnValue:
    body = report_copies.open_copy(copy_id, by=signed_in_user(), **_whence())
    return _download(body, "application/pdf", "patient-report.pdf")


@bp.route("/verify", methods=["GET", "POST"])
@public
def verify() -> ResponseReturnValue:
    form, verdict = VerifyForm(), None
    if form.validate_on_submit():
        with rule_errors(form):
            verdict = verification.verify(form.code.data or "", by=g.user, **_whence())
    page = render_template("look_up/verify.html", form=form, verdict=verdict)
    return page, 422 if form.errors else 200


def _opened(token: str, what: str) -> OpenReport:
    return reports.open_report(token=token, what=what, by=signed_in_user(), **_whence())


def _choices(report: PatientReport) -> dict[str, list[tuple[str | int, str]]]:
    """Give what the list can be filtered by; people are named by their place in it."""
    return {
        "classes": [(name, name) for name in arrangement.classes(report)],
        "prescribers": [
            (place, each.name) for place, each in enumerate(report.prescribers, 1)
        ],
        "pharmacies": [
            (place, each.name) for place, each in enumerate(report.pharmacies, 1)
        ],
    }


def _context(opened: OpenReport) -> dict[str, Any]:
    """Give what page and PDF show: the report, the search, who asked and what for."""
    return {
        "report": opened.report,
        "asked": opened.look_up,
        "reader": signed_in_user(),
        "for_whom": delegates.behalf(opened.look_up),
        "purpose": opened.purpose,
        "caveat": warnings.CAVEAT,
        "freshness": {each.pharmacy_id: each for each in opened.freshness},
        "last_look": opened.last_look,
        "remarks": opened.remarks,
    }


def _download(body: bytes, media_type: str, filename: str) -> ResponseReturnValue:
    response = make_response(body)
    response.headers["Content-Type"] = media_type
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def _whence() -> dict[str, Any]:
    return {"address": request.remote_addr or "", "at": clock.now()}
