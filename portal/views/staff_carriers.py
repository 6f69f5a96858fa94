"""Carriers and mail servers: staff stop calling one, and begin again."""

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from models import ChannelName
from pmp import clock
from pmp.deliveries import circuits
from pmp.errors import RuleError
from pmp.permissions import Permission
from portal.access import requires, signed_in_user

bp = Blueprint("staff_carriers", __name__)


@bp.post("/staff/carriers/pause")
@requires(Permission.DELIVERY_WATCH)
def pause() -> ResponseReturnValue:
    carrier = request.form.get("carrier", "")
    try:
        circuits.pause(
            carrier,
            reason=request.form.get("reason", ""),
            channel=_channel(),
            by=signed_in_user(),
            at=clock.now(),
        )
    except RuleError as refusal:
        flash(refusal.message, "warn")
    else:
        flash(f"{carrier} is paused: what is to go by it waits until you resume it.")
    return redirect(url_for("staff_deliveries.listing"), 303)


@bp.post("/staff/carriers/resume")
@requires(Permission.DELIVERY_WATCH)
def resume() -> ResponseReturnValue:
    carrier = request.form.get("carrier", "")
    try:
        circuits.resume(
            carrier, channel=_channel(), by=signed_in_user(), at=clock.now()
        )
    except RuleError as refusal:
        flash(refusal.message, "warn")
    else:
        flash(f"{carrier} is called again: what waited goes out as its turn comes.")
    return redirect(url_for("staff_deliveries.listing"), 303)


def _channel() -> ChannelName | None:
    name = request.form.get("channel", "")
    return ChannelName(name) if name in set(ChannelName) else None
