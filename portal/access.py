"""Who is at the screen, and what they may open.

Each view says `@requires(Permission.X)`, `@public` or `@machine`; the portal does not
start with one that says nothing. Sessions are rows in a table: Flask-Login carries
the token in its cookie and nothing else is trusted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import (
    Flask,
    abort,
    current_app,
    flash,
    g,
    jsonify,
    redirect,
    request,
    url_for,
)
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, login_user
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

import models
from pmp import accounts, clock, delegates, permissions, settings
from pmp.accounts import duties, kept_forms, sessions
from pmp.accounts.duties import Duty
from pmp.permissions import Permission

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])
TOKEN = "_user_id"  # noqa: S105 - where Flask-Login keeps what get_id() gives

# What must be done before other pages open: the pages for it, and what is said.
ALWAYS = ("account.stay", "account.sign_out_everywhere")
DUTY_PAGES = {
    Duty.SECOND_FACTOR: (
        ("second_factor.own", "second_factor.begin", "second_factor.set_up"),
        "Your role signs in with a second factor. Set it up now; it takes two minutes.",
    ),
    Duty.PASSWORD: (
        ("account.account", "second_factor.own", "second_factor.begin"),
        "Choose a new password first.",
    ),
    Duty.ATTESTATION: (
        ("attestation.attest",),
        "Once a year we ask you to confirm how you use your account.",
    ),
    Duty.SUPERVISOR: (("account.account",), delegates.NOBODY),
}


class Access:
    """What a view says about who may open it, beside a Permission."""

    PUBLIC = "public"
    MACHINE = "machine"


@dataclass(frozen=True)
class SignedIn(UserMixin):
    """A live session as Flask-Login wants to see it."""

    token: str
    session: models.Session | None = None

    def get_id(self) -> str:
        return self.token


def requires(permission: Permission) -> Callable[[View], View]:
    """Open a view to signed-in users whose role holds a permission."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
            if g.get("user") is None:
                return _to_sign_in()
            if not permissions.can(g.user.role, permission):
                _refuse(permission)
            if (before := _to_do_first(permission)) is not None:
                return before
            return view(*args, **kwargs)

        guarded.access = permission  # type: ignore[attr-defined]
        return cast("View", guarded)

    return guard


def is_unknown_to_role(endpoint: str) -> bool:
    """Tell whether a view is as good as not there for the role of who has signed in."""
    needed = getattr(current_app.view_functions.get(endpoint), "access", None)
    if not isinstance(needed, Permission) or g.get("user") is None:
        return False
    return not permissions.can(g.user.role, needed)


def public(view: View) -> View:
    """Open a view to everyone."""
    view.access = Access.PUBLIC  # type: ignore[attr-defined]
    return view


def machine(view: View) -> View:
    """Open a view to other systems: no CSRF token, it checks a signature itself."""
    view.access = Access.MACHINE  # type: ignore[attr-defined]
    return view


def uploads(view: View) -> View:
    """Let a view take files as large as the settings allow; the others take little."""
    view.takes_files = True  # type: ignore[attr-defined]
    return view


def several_uploads(view: View) -> View:
    """Let a view take several files, each and together as large as the settings say."""
    view.takes_several_files = True  # type: ignore[attr-defined]
    return uploads(view)


def without_database(view: View) -> View:
    """Let a view answer while the database is down."""
    view.needs_no_database = True  # type: ignore[attr-defined]
    return view


def signed_in_user() -> models.User:
    """Give the user at the screen; only for views that require a permission."""
    user: models.User | None = g.get("user")
    if user is None:
        abort(401)
    return user


def may(permission: Permission | str) -> bool:
    """Tell whether the user at the screen holds a permission; nobody holds none."""
    user = g.get("user")
    return bool(user and permissions.can(user.role, Permission(permission)))


def enter(signed_in: accounts.SignedIn) -> None:
    """Give this browser a new cookie for a session that has just begun."""
    cookie.clear()
    login_user(SignedIn(signed_in.token))
    g.user = signed_in.user


def leave() -> None:
    """Take the cookie's content away; ending the session is for pmp to do."""
    cookie.clear()
    g.user = g.session = None


def safe_path(wanted: str | None) -> str:
    """Give a path of this portal to go on to; the home page for anything else."""
    home = url_for("home.home")
    if not wanted or not wanted.startswith("/") or wanted.startswith("//"):
        return home
    if "\\" in wanted or any(ord(c) < 32 or ord(c) == 127 for c in wanted):
        return home
    parts = urlsplit(wanted)
    return home if parts.scheme or parts.netloc else wanted


def begin(app: Flask) -> None:
    """Recognise the session of each request, before its view runs."""
    manager = LoginManager(app)
    manager.session_protection = None  # sessions are rows; addresses of phones change
    manager.user_loader(SignedIn)
    app.before_request(_recognise)


def refuse_unguarded(app: Flask) -> None:
    """Raise when a view says nothing about who may open it."""
    bare = [
        endpoint
        for endpoint, view in app.view_functions.items()
        if endpoint != "static" and not hasattr(view, "access")
    ]
    if bare:
        raise RuntimeError(f"These views lack @requires or @public: {bare}")


def _recognise() -> None:
    g.user = g.session = None
    token = cookie.get(TOKEN)
    view = current_app.view_functions.get(request.endpoint or "")
    if not token or request.endpoint == "static" or hasattr(view, "needs_no_database"):
        return
    g.session = sessions.find(token, at=clock.now())
    if g.session is not None:
        g.user = g.session.user


def _refuse(permission: Permission) -> None:
    accounts.note_refused_access(
        user=g.user,
        permission=permission,
        address=request.remote_addr or "",
        at=clock.now(),
    )
    abort(404)  # as a page that is not there: which there are is no one's to find out


def _to_do_first(permission: Permission) -> ResponseReturnValue | None:
    """Lead a user to what they must do before anything else, whatever they opened."""
    duty = duties.first(g.user, at=clock.now())
    if duty is None or (duty is Duty.SUPERVISOR and permission is Permission.ACCOUNT):
        return None
    pages, words = DUTY_PAGES[duty]
    if request.endpoint in (*pages, *ALWAYS):
        return None
    if request.accept_mimetypes.best == "application/json":
        return jsonify(error=words), 403
    flash(words, "warn")
    return redirect(url_for(pages[0]), 303)


def _to_sign_in() -> ResponseReturnValue:
    if request.accept_mimetypes.best == "application/json":
        return jsonify(error="Sign in first."), 401
    if TOKEN in cookie:
        kept = _keep_what_was_typed()
        leave()
        flash(_why_signed_out(kept=kept), "warn")
    return redirect(url_for("account.sign_in", next=_page_to_return_to()), 303)


def _keep_what_was_typed() -> bool:
    """Keep a form that came after the session was over, for who signs in again."""
    view = current_app.view_functions.get(request.endpoint or "")
    user = sessions.user_of_expired(cookie.get(TOKEN, ""), at=clock.now())
    if user is None or getattr(view, "access", None) in kept_forms.NEVER_OF:
        return False
    plain = request.mimetype == "application/x-www-form-urlencoded"
    if request.method != "POST" or not plain:
        return False
    fields = list(request.form.items(multi=True))
    return kept_forms.keep(user, path=request.path, fields=fields, at=clock.now())


def _why_signed_out(*, kept: bool) -> str:
    lost = " What you typed was not sent" if request.method == "POST" else ""
    lost += ("; it is kept for an hour." if kept else ".") if lost else ""
    minutes = settings.current().idle_minutes
    return (
        f"Your session has ended: you were signed out, or did nothing for {minutes} "
        f"minutes.{lost} Sign in to go on where you were."
    )


def _page_to_return_to() -> str:
    if request.method in {"GET", "HEAD"}:
        return request.full_path.rstrip("?")
    try:
        current_app.create_url_adapter(request).match(  # type: ignore[union-attr]
            request.path, method="GET"
        )
    except (NotFound, MethodNotAllowed, RequestRedirect):
        return url_for("home.home")
    return request.path
