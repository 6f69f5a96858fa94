"""What every template can lean on: settings, user, menu, filters, static files."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask, current_app, g, url_for
from jinja2 import StrictUndefined

from models import Announcement
from pmp import announcements, clock, clock_hours, delegates, settings, wording
from pmp.accounts import browsers, sessions
from pmp.faxes import fax_sheets
from pmp.roster import import_lists
from portal import navigation
from portal.access import may


def begin(app: Flask) -> None:
    """Give the templates their filters and names."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        wording.FILTERS,
        described_by=_described_by,
        first_input_id=_first_input_id,
        flat_messages=_flat_messages,
        waiting=_waiting,
        browser_name=browsers.browser_name,
        hours=clock_hours.spoken_hours,
        sheets=fax_sheets.shown,
        pages_in_file=fax_sheets.in_file,
        announced=announcements.text_html,
        behalf=delegates.behalf,
        import_kind=import_lists.kind_words,
        import_state=import_lists.state_words,
    )
    app.jinja_env.globals.update(
        static_url=_static_url,
        may=may,
        may_open=navigation.may_open,
        announcements_now=_announcements,
    )
    app.context_processor(_context)
    app.extensions["static hashes"] = {}


def _context() -> dict[str, Any]:
    session = g.get("session")
    now = clock.now()
    return {
        "program": settings.current(),
        "user": g.get("user"),
        "navigation": navigation.groups() if g.get("user") else [],
        "session_seconds": sessions.seconds_left(session, at=now) if session else 0,
        "zone_words": wording.us_time(now).rsplit(" ", 1)[-1],
    }


def _announcements() -> list[Announcement]:
    """List what is announced to whom is at the screen, without what they dismissed."""
    user, today = g.get("user"), clock.today()
    if user is None:
        return announcements.shown_to(None, today=today)
    return announcements.waiting_for(user, today=today)


def _static_url(name: str) -> str:
    hashes: dict[str, str] = current_app.extensions["static hashes"]
    if name not in hashes or current_app.debug:
        content = Path(current_app.static_folder or "", name).read_bytes()
        hashes[name] = hashlib.sha256(content).hexdigest()[:12]
    return url_for("static", filename=name, v=hashes[name])


def _waiting(since: datetime, now: datetime) -> str:
    """Say how long something waits: 40 minutes, 5 hours, 3 days."""
    minutes = max(0, int((now - since).total_seconds() // 60))
    for size, word in ((24 * 60, "day"), (60, "hour")):
        if minutes >= size:
            return f"{minutes // size} {word}{'s' if minutes >= 2 * size else ''}"
    return f"{minutes} minute{'' if minutes == 1 else 's'}"


def _described_by(part: Any, hint: str = "") -> str:
    """Name the elements that describe a field: its hint and its error."""
    named = [f"{part.id}-hint"] if hint or part.description else []
    return " ".join([*named, f"{part.id}-error"] if part.errors else named)


def _first_input_id(part: Any) -> str:
    """Name the element that an error links to: a group's first button, else the box."""
    is_group = part.type in {"RadioField", "SelectMultipleField"}
    return f"{part.id}-0" if is_group else str(part.id)


def _flat_messages(messages: Any) -> list[str]:
    """Give the messages of a field that may itself hold fields."""
    if isinstance(messages, dict):
        messages = list(messages.values())
    if isinstance(messages, list | tuple):
        return [line for each in messages for line in _flat_messages(each)]
    return [str(messages)]
