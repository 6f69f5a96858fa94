"""The portal: pages for practitioners, pharmacies and the program's staff."""

from datetime import timedelta
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from flask import Flask, Request, current_app, g, request
from flask_wtf import CSRFProtect

import models
from pmp import database, kept_settings
from pmp import settings as program_settings
from pmp.settings import Settings
from portal import access, failures, headers, logging, page
from portal.numbers import NumberInAddress
from portal.templating import Templates
from portal.views import BLUEPRINTS

ROOT = Path(__file__).parent.parent
NO_DATABASE = {"static"}


class PortalRequest(Request):
    """A request whose files stay in memory: no patient data in temporary files."""

    def _get_file_stream(self, *_args: Any, **_kwargs: Any) -> IO[bytes]:
        return BytesIO()


class Portal(Flask):
    request_class = PortalRequest
    jinja_environment = Templates


def create_app(settings: Settings | None = None) -> Flask:
    """Make the web application; SettingsError when the settings will not do."""
    if settings is not None:
        program_settings.use(settings)
    if models.database.obj is None:
        database.begin_use()
    app = Portal("portal", template_folder=str(ROOT / "templates"))
    configure(app)
    app.url_map.converters["int"] = NumberInAddress
    # In this order: an id for the log, limits before the form is read, the database,
    # who it is, and only then the form's token.
    logging.begin(app)
    headers.begin(app)
    app.before_request(_open_database)
    app.teardown_request(_close_database)
    access.begin(app)
    csrf = CSRFProtect(app)
    failures.begin(app)
    page.begin(app)
    _register(app, csrf)
    return app


def configure(app: Flask) -> None:
    """Give an application what the settings say."""
    chosen = program_settings.current()
    secure = headers.is_https()
    app.config.update(
        SECRET_KEY=chosen.secret_key.get_secret_value(),
        SESSION_COOKIE_NAME="__Host-session" if secure else "session",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=chosen.session_hours),
        WTF_CSRF_TIME_LIMIT=None,  # a form is good for as long as its session
        WTF_CSRF_SSL_STRICT=False,  # headers.py checks the origin, behind a proxy too
    )


def _register(app: Flask, csrf: CSRFProtect) -> None:
    modules = [import_module(name) for name in BLUEPRINTS]
    # A blueprint with many pages has them in several modules.
    for blueprint in dict.fromkeys(module.bp for module in modules):
        app.register_blueprint(blueprint)
    for view in app.view_functions.values():
        if getattr(view, "access", None) == access.Access.MACHINE:
            csrf.exempt(view)
    access.refuse_unguarded(app)


def _open_database() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    if request.endpoint in NO_DATABASE or hasattr(view, "needs_no_database"):
        return
    g.opened = models.database.connect(reuse_if_open=True)
    kept_settings.refresh()


def _close_database(_error: BaseException | None = None) -> None:
    if g.pop("opened", False):
        models.database.close()
