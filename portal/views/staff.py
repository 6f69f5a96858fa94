"""Where staff begin: what waits for a person, and for how long."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from pmp import clock, received, statistics, system_health
from pmp.permissions import Permission
from pmp.thresholds import full_checks
from portal.access import requires

bp = Blueprint("staff", __name__)


@bp.get("/staff")
@requires(Permission.STAFF_CONSOLE)
def console() -> ResponseReturnValue:
    now = clock.now()
    return render_template(
        "staff/console.html",
        queues=statistics.staff_queues(at=now),
        check=full_checks.last(),
        worker_seen=statistics.worker_seen(),
        health=system_health.parts(at=now),
        worker_is_silent=statistics.worker_is_silent(at=now),
        received_through=received.last_day(),
        now=now,
    )
