"""The menu: an entry shows when its page exists and the user may open it."""

from dataclasses import dataclass

from flask import current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from portal.access import may

# The first that a user may open is where they land after sign-in.
ENTRIES = (
    ("Look up a patient", "/look-up"),
    ("My look-ups", "/look-ups"),
    ("Submissions", "/submissions"),
    ("Reporting calendar", "/reporting"),
    ("Our dispensing", "/dispensing"),
    ("Threshold reports", "/threshold-reports"),
    ("Inaccuracy tickets", "/tickets"),
    ("Work queues", "/staff"),
    ("Faxes", "/staff/faxes"),
    ("Registrations", "/staff/registrations"),
    ("All submissions", "/staff/submissions"),
    ("Reporting", "/staff/reporting"),
    ("Letters", "/staff/letters"),
    ("Deliveries", "/staff/deliveries"),
    ("Tickets", "/staff/tickets"),
    ("Threshold cases", "/staff/cases"),
    ("Threshold rules", "/staff/rules"),
    ("Drugs", "/staff/drugs"),
    ("Audit", "/staff/audit"),
)


@dataclass(frozen=True)
class Entry:
    """A link of the menu."""

    words: str
    url: str
    current: bool


def entries() -> list[Entry]:
    """List what the user at the screen may open, in the menu's order."""
    shown = [(words, url) for words, url in ENTRIES if may_open(url)]
    here = max(
        (url for _, url in shown if _is_under(request.path, url)), key=len, default=""
    )
    return [Entry(words, url, url == here) for words, url in shown]


def landing_page() -> str:
    """Give the address of the page where the user at the screen begins."""
    return next((entry.url for entry in entries()), "/account")


def may_open(url: str) -> bool:
    """Tell whether a page answers at an address, and to the user at the screen."""
    adapter = current_app.create_url_adapter(request)
    if adapter is None:
        return False
    try:
        endpoint, _ = adapter.match(url, method="GET")
    except (HTTPException, RequestRedirect):
        return False
    permission = getattr(current_app.view_functions[endpoint], "access", None)
    return permission is not None and may(permission)


def _is_under(path: str, url: str) -> bool:
    return path == url or path.startswith(f"{url}/")
