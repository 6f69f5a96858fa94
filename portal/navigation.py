"""The menu: an entry shows when its page exists and the user may open it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from flask import current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from models import Role, User
from pmp import clock, readers, settings
from pmp.delegates import reviewing
from pmp.tickets import dispenser_questions
from portal.access import may, signed_in_user

# The group of an entry, its words, its page. The first that a user may open is where
# they land after sign-in; a group of which they may open one entry is no group.
PATIENTS, SUBMISSIONS, REPORTS = "Patients", "Submissions", "Reports and tickets"
IDENTITIES, MAIL, THRESHOLDS = "Patients and drugs", "Faxes and mail", "Thresholds"
PROGRAM, REGISTRATIONS = "Program", "Registrations"
ENTRIES = (
    ("", "Look up a patient", "/look-up"),
    (PATIENTS, "Tomorrow's schedule", "/schedule"),
    (PATIENTS, "My look-ups", "/look-ups"),
    (PATIENTS, "Changed since my look-ups", "/look-ups/changed"),
    (PATIENTS, "My prescribing", "/prescribing"),
    (PATIENTS, "My delegates", "/delegates"),
    (SUBMISSIONS, "Submissions", "/submissions"),
    (SUBMISSIONS, "Reporting calendar", "/reporting"),
    (SUBMISSIONS, "Our dispensing", "/dispensing"),
    (REPORTS, "Questions from the program", "/questions"),
    (REPORTS, "Threshold reports", "/threshold-reports"),
    (REPORTS, "Inaccuracy tickets", "/tickets"),
    ("", "Work queues", "/staff"),
    (REGISTRATIONS, "Registrations", "/staff/registrations"),
    (REGISTRATIONS, "Delegates", "/staff/delegates"),
    (MAIL, "Faxes", "/staff/faxes"),
    (MAIL, "Letters", "/staff/letters"),
    (MAIL, "Deliveries", "/staff/deliveries"),
    (MAIL, "Fax numbers", "/staff/fax-numbers"),
    (SUBMISSIONS, "All submissions", "/staff/submissions"),
    (SUBMISSIONS, "Reporting", "/staff/reporting"),
    ("", "Tickets", "/staff/tickets"),
    (IDENTITIES, "Who is who", "/staff/matches"),
    (IDENTITIES, "Drugs", "/staff/drugs"),
    (IDENTITIES, "Unusual look-ups", "/staff/look-ups"),
    (IDENTITIES, "Protected persons", "/staff/protected-persons"),
    (IDENTITIES, "Disclosures", "/staff/disclosures"),
    (THRESHOLDS, "Threshold cases", "/staff/cases"),
    (THRESHOLDS, "Faxed replies", "/staff/replies"),
    (THRESHOLDS, "Threshold rules", "/staff/rules"),
    (PROGRAM, "Users", "/staff/users"),
    (PROGRAM, "Sign-in help", "/staff/sign-in-help"),
    (PROGRAM, "Licences of users", "/staff/licences"),
    (PROGRAM, "Roster of licences", "/staff/roster"),
    (PROGRAM, "Announcements", "/staff/announcements"),
    (PROGRAM, "Public pages", "/staff/public-pages"),
    (PROGRAM, "Settings", "/staff/settings"),
    (PROGRAM, "Statistics", "/staff/statistics"),
    (PROGRAM, "Audit", "/staff/audit"),
)

# What waits on a page for the user at the screen: its number stands in the menu.
WAITING: dict[str, Callable[[User], int]] = {
    "/look-ups/changed": readers.waiting,
    "/questions": dispenser_questions.count,
    "/delegates": lambda user: len(reviewing.to_review(user, at=clock.now())),
}


@dataclass(frozen=True)
class Entry:
    """A link of the menu."""

    words: str
    url: str
    current: bool
    group: str = ""
    waiting: int = 0


@dataclass(frozen=True)
class Group:
    """Entries under one heading; `words` is empty where one stands alone."""

    words: str
    entries: list[Entry]

    @property
    def current(self) -> bool:
        """Whether the page at the screen is in it."""
        return any(entry.current for entry in self.entries)


def entries() -> list[Entry]:
    """List what the user at the screen may open, in the menu's order."""
    shown = [each for each in _menu() if _is_on(each[-1])]
    here = max(
        (url for *_, url in shown if _is_under(request.path, url)), key=len, default=""
    )
    return [_entry(group, words, url, here) for group, words, url in shown]


def groups() -> list[Group]:
    """Give the entries in their groups, each where its first entry stands."""
    found: dict[str, list[Entry]] = {}
    for entry in entries():
        found.setdefault(entry.group or entry.words, []).append(entry)
    return [
        Group(_counted(words, listed) if len(listed) > 1 else "", listed)
        for words, listed in found.items()
    ]


def landing_page() -> str:
    """Give the address of the page where the user at the screen begins."""
    return next((entry.url for entry in entries()), "/account")


def may_open(url: str) -> bool:
    """Tell whether a page answers at an address, and to the user at the screen."""
    adapter = current_app.create_url_adapter(request)
    if adapter is None:
        return False
    try:
        endpoint, _ = adapter.match(url.partition("?")[0], method="GET")
    except (HTTPException, RequestRedirect):
        return False
    permission = getattr(current_app.view_functions[endpoint], "access", None)
    return permission is not None and may(permission)


def _menu() -> list[tuple[str, str, str]]:
    """Give the entries of the user's role: the same until the program starts anew."""
    menus: dict[Role, list[tuple[str, str, str]]]
    menus = current_app.extensions.setdefault("menus", {})
    role = signed_in_user().role
    if role not in menus:
        menus[role] = [entry for entry in ENTRIES if may_open(entry[-1])]
    return menus[role]


def _is_on(url: str) -> bool:
    """Tell whether the state's policy has what a page is for."""
    return settings.current().delegates or not url.endswith("/delegates")


def _entry(group: str, words: str, url: str, here: str) -> Entry:
    waiting = WAITING[url](signed_in_user()) if url in WAITING else 0
    entry = Entry(words, url, url == here, group, waiting)
    return replace(entry, words=_counted(words, [entry]))


def _counted(words: str, entries: list[Entry]) -> str:
    """Put what waits behind the words of an entry, or of its group."""
    total = sum(entry.waiting for entry in entries)
    return f"{words} ({total})" if total else words


def _is_under(path: str, url: str) -> bool:
    return path == url or path.startswith(f"{url}/")
