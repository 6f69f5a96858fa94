"""For monitors and load balancers: alive, ready, and numbers to watch."""

from flask import Blueprint, abort, jsonify, request
from flask.typing import ResponseReturnValue

from pmp import clock, statistics
from pmp.settings import LOOPBACK
from portal.access import public, without_database
from portal.readiness import problems

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@public
@without_database
def alive() -> ResponseReturnValue:
    return jsonify(status="ok")


@bp.get("/readyz")
@public
@without_database
def ready() -> ResponseReturnValue:
    found = problems()
    if found:
        return jsonify(status="not ready", problems=found), 503
    return jsonify(status="ready")


@bp.get("/metrics")
@public
def metrics() -> ResponseReturnValue:
    # A proxy on this host is loopback too: what it passes on is not for the world.
    forwarded = {"X-Forwarded-For", "Forwarded", "X-Real-Ip"} & set(
        request.headers.keys()
    )
    if request.remote_addr not in LOOPBACK or forwarded:
        abort(404)
    gauges = statistics.gauges(at=clock.now())
    lines = [f"# TYPE {name} gauge\n{name} {value}" for name, value in gauges.items()]
    return "\n".join(lines) + "\n", {"Content-Type": "text/plain; version=0.0.4"}
