"""Leaflets for patients, open to everyone: on the page, to print, as PDF."""

from flask import Blueprint, make_response, render_template
from flask.typing import ResponseReturnValue

from gateway import documents
from pmp import leaflets
from portal.access import public

bp = Blueprint("leaflets", __name__)


@bp.get("/leaflets")
@public
def every() -> ResponseReturnValue:
    return render_template("leaflets/every.html", leaflets=leaflets.every())


@bp.get("/leaflets/<name>")
@public
def leaflet(name: str) -> ResponseReturnValue:
    return render_template("leaflets/leaflet.html", leaflet=leaflets.leaflet(name))


@bp.get("/leaflets/<name>.pdf")
@public
def leaflet_pdf(name: str) -> ResponseReturnValue:
    response = make_response(documents.leaflet_pdf(leaflets.leaflet(name)))
    response.headers["Content-Type"] = "application/pdf"
    return response
