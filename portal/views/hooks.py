"""What other systems call: reports of faxes and texts, and where a fax is fetched."""

from typing import Any

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue

from gateway import tasks
from pmp import clock
from pmp.deliveries import callbacks
from portal.access import machine

bp = Blueprint("hooks", __name__)


@bp.post("/hooks/fax/laml/status")
@machine
def laml_status() -> ResponseReturnValue:
    if not tasks.laml_status(**_call()):
        abort(403)
    return "", 204


@bp.post("/hooks/fax/laml/received")
@machine
def laml_received() -> ResponseReturnValue:
    taken = tasks.laml_received(**_call())
    if taken is None:
        abort(403)
    answer, fax, media_url = taken
    if fax is not None:
        tasks.nudge(tasks.fetch_fax, fax.id, media_url)
    return Response(answer, mimetype="application/xml")


@bp.post("/hooks/sms/twilio/status")
@machine
def sms_status() -> ResponseReturnValue:
    if not tasks.sms_status(**_call()):
        abort(403)
    return "", 204


@bp.post("/hooks/sms/twilio/received")
@machine
def sms_received() -> ResponseReturnValue:
    answer = tasks.sms_received(**_call())
    if answer is None:
        abort(403)
    return Response(answer, mimetype="application/xml")


@bp.get("/media/<token>")
@machine
def media(token: str) -> ResponseReturnValue:
    try:
        body = callbacks.media(token, at=clock.now())
    except callbacks.MediaGone:
        abort(410)
    return Response(
        body, mimetype="application/pdf", headers={"Cache-Control": "no-store"}
    )


def _call() -> dict[str, Any]:
    """Give a call as it came: signatures are over its raw body and its address."""
    query = request.query_string.decode("ascii", "replace")
    return {
        "path": f"{request.path}?{query}" if query else request.path,
        "body": request.get_data(cache=False),
        "headers": dict(request.headers),
        "address": request.remote_addr or "",
        "at": clock.now(),
    }
