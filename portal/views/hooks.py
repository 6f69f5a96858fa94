"""What other systems call: reports of faxes and texts, and where a fax is fetched."""

from typing import Any

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue

from gateway import tasks
from gateway.tasks import laml_hooks, sinch_hooks
from pmp import clock
from pmp.deliveries.media import MediaGone, fetched
from portal.access import machine, uploads

bp = Blueprint("hooks", __name__)


# Whoever types an address at a carrier may end it with a stroke.
@bp.post("/hooks/fax/laml/status")
@bp.post("/hooks/fax/laml/status/", endpoint="laml_status_slash")
@machine
def laml_status() -> ResponseReturnValue:
    if not laml_hooks.status(**_call()):
        abort(403)
    return "", 204


@bp.post("/hooks/fax/laml/received")
@bp.post("/hooks/fax/laml/received/", endpoint="laml_received_slash")
@machine
def laml_received() -> ResponseReturnValue:
    taken = laml_hooks.received(**_call())
    if taken is None:
        abort(403)
    answer, fax, media_url = taken
    if fax is not None:
        tasks.nudge(tasks.fetch_fax, fax.id, media_url)
    return Response(answer, mimetype="application/xml")


@bp.post("/hooks/letters/lob")
@machine
def lob_status() -> ResponseReturnValue:
    if not tasks.lob_status(**_call()):
        abort(403)
    return "", 204


@bp.post("/hooks/sms/twilio/status")
@machine
def sms_status() -> ResponseReturnValue:
    if not tasks.sms_status(**_call()):
        abort(403)
    return "", 204


@bp.post("/hooks/fax/sinch/status")
@machine
@uploads
def sinch_status() -> ResponseReturnValue:
    key = request.args.get("attempt", "")
    if not sinch_hooks.may_report(key=key, **_caller()):
        return _ask_for_password()
    sinch_hooks.status(_event(), key=key, at=clock.now())
    return "", 204


@bp.post("/hooks/fax/sinch/received")
@bp.post("/hooks/fax/sinch/received/", endpoint="sinch_received_slash")
@machine
@uploads
def sinch_received() -> ResponseReturnValue:
    if not sinch_hooks.may_announce(**_caller()):
        return _ask_for_password()
    fax = sinch_hooks.received(_event(), at=clock.now())
    if fax is not None:
        tasks.nudge(tasks.fetch_fax, fax.id)
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
        body = fetched(
            token,
            at=clock.now(),
            address=request.remote_addr or "",
            head=request.method == "HEAD",
        )
    except MediaGone:
        abort(410)
    return Response(
        body, mimetype="application/pdf", headers={"Cache-Control": "no-store"}
    )


@bp.errorhandler(laml_hooks.UnreadableCallError)
def unreadable(_error: laml_hooks.UnreadableCallError) -> ResponseReturnValue:
    return "", 400


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


def _caller() -> dict[str, Any]:
    """Give who calls and the password in its address, before its body is read."""
    given = request.authorization
    password = given.password if given is not None and given.type == "basic" else None
    return {
        "password": password or "",
        "address": request.remote_addr or "",
        "at": clock.now(),
    }


def _event() -> sinch_hooks.Event:
    """Give a call-back in either form: JSON, or a form with the fax as a file."""
    if request.mimetype != "multipart/form-data":
        return sinch_hooks.Event(request.get_data(cache=False))
    file = request.files.get("file")
    fax = request.form.get("fax", "")
    return sinch_hooks.Event(fax.encode(), file.read() if file is not None else None)


def _ask_for_password() -> ResponseReturnValue:
    """Refuse a caller; some send the password of an address only when asked for it."""
    return "", 401, {"WWW-Authenticate": 'Basic realm="fax"'}
