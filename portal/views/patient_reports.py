"""The patient report of a look-up: on the page, as PDF and as CSV."""

from typing import Any

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue

from gateway import documents
from pmp import clock, lookup, warnings
from pmp.history import report_table
from pmp.lookup import reports
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.views.look_up import bp


@bp.get("/reports/<token>")
@requires(Permission.REPORT_READ)
def report(token: str) -> ResponseReturnValue:
    context = _report(token, "page")
    return render_template("look_up/report.html", token=token, **context)


@bp.get("/reports/<token>.pdf")
@requires(Permission.REPORT_READ)
def report_pdf(token: str) -> ResponseReturnValue:
    body = documents.pdf("patient_report", **_report(token, "PDF"))
    return _download(body, "application/pdf", "patient-report.pdf")


@bp.get("/reports/<token>.csv")
@requires(Permission.REPORT_READ)
def report_csv(token: str) -> ResponseReturnValue:
    table = report_table.csv_of(_report(token, "CSV")["report"])
    body = table.encode("utf-8-sig")  # so that a spreadsheet reads the accents
    return _download(body, "text/csv; charset=utf-8", "patient-report.csv")


def _report(token: str, what: str) -> dict[str, Any]:
    """Give what page and PDF show: the report, the search, who asked and what for."""
    user, whence = signed_in_user(), _whence()
    made = reports.open_report(token=token, what=what, by=user, **whence)
    asked = lookup.of_token(token=token, by=user, at=whence["at"])
    return {
        "report": made,
        "asked": asked,
        "reader": user,
        "purpose": lookup.PURPOSE_WORDS[asked.purpose],
        "caveat": warnings.CAVEAT,
    }


def _download(body: bytes, media_type: str, filename: str) -> ResponseReturnValue:
    response = make_response(body)
    response.headers["Content-Type"] = media_type
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def _whence() -> dict[str, Any]:
    return {"address": request.remote_addr or "", "at": clock.now()}
