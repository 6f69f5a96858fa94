"""What the program says of itself, open to everyone: on the page, to print, as PDF."""

from flask import Blueprint, make_response, render_template
from flask.typing import ResponseReturnValue

from gateway import documents
from pmp import public_pages
from portal.access import public

bp = Blueprint("public_pages", __name__)


@bp.get("/about")
@public
def every() -> ResponseReturnValue:
    return render_template("public_pages/every.html", pages=public_pages.every())


@bp.get("/about/<name>")
@public
def page(name: str) -> ResponseReturnValue:
    return render_template("public_pages/page.html", page=public_pages.page(name))


@bp.get("/about/<name>.pdf")
@public
def page_pdf(name: str) -> ResponseReturnValue:
    response = make_response(documents.public_page_pdf(public_pages.page(name)))
    response.headers["Content-Type"] = "application/pdf"
    return response
