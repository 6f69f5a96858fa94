"""Statistics: a subject at a time, by month or year; all of a year as CSV and PDF."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from gateway import documents
from pmp import clock, figures
from pmp.errors import NotFoundError
from pmp.figures.subjects import SUBJECTS
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.numbers import whole
from portal.pdf_files import pdf_answer

bp = Blueprint("staff_statistics", __name__)


@bp.get("/staff/statistics")
@requires(Permission.STATISTICS_READ)
def index() -> ResponseReturnValue:
    at = clock.now()
    years = figures.years(at=at)
    year = request.args.get("year", default=years[0], type=whole)
    key = request.args.get("subject") or next(iter(SUBJECTS))
    by_year = request.args.get("by") == "year"
    if year not in years:
        raise NotFoundError("There are no statistics of this year.")
    found = (
        figures.by_year(key, at=at) if by_year else figures.of_year(key, year, at=at)
    )
    return render_template(
        "staff/statistics/index.html",
        figures=found,
        subjects=SUBJECTS.values(),
        years=years,
        year=year,
        by_year=by_year,
        coverage=figures.coverage() if key == "accounts" else [],
        shown=figures.shown,
    )


@bp.get("/staff/statistics/<int:year>.csv")
@requires(Permission.STATISTICS_READ)
def csv(year: int) -> ResponseReturnValue:
    found = figures.report(year, by=signed_in_user(), at=clock.now(), what="CSV")
    return csv_answer(f"statistics-{year}.csv", figures.HEADINGS, figures.table(found))


@bp.get("/staff/statistics/<int:year>.pdf")
@requires(Permission.STATISTICS_READ)
def pdf(year: int) -> ResponseReturnValue:
    at = clock.now()
    found = figures.report(year, by=signed_in_user(), at=at, what="PDF")
    body = documents.long_pdf(
        "yearly_report",
        year=year,
        report=found,
        coverage=figures.coverage(),
        shown=figures.shown,
        at=at,
    )
    return pdf_answer(f"yearly-report-{year}.pdf", body)
