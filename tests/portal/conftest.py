"""Fixtures for pages: the app, a checked test client, a real browser on a server."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Page
from waitress.server import create_server

import models
from models import User
from pmp import clock, database, settings
from pmp.accounts import sessions
from tests.browser import Browser
from tests.portals import portal_for


@pytest.fixture
def app(db: settings.Settings) -> Flask:
    """Give the portal on an empty database, on each engine in turn."""
    return portal_for(db)


@pytest.fixture
def browser(app: Flask) -> Browser:
    """Give a test client that checks every page; see tests.browser."""
    return Browser(app)


@pytest.fixture
def new_browser(app: Flask) -> Callable[..., Browser]:
    """Make more browsers: other people, other addresses."""
    return lambda **options: Browser(app, **options)


@pytest.fixture
def live(program: settings.Settings, tmp_path: Path) -> Iterator[str]:
    """Give the address of a live portal (waitress, SQLite), tables made."""
    database.begin_use()
    with models.database.connection_context():
        models.database.create_tables(models.TABLES)
        app = portal_for(program)
        server = create_server(app, host="127.0.0.1", port=0, threads=4)

        def serve() -> None:
            # close() takes the socket away while the loop may be waiting on it.
            with suppress(OSError):
                server.run()

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.effective_port}"
        server.close()
        thread.join(timeout=10)


@pytest.fixture
def open_context(chromium: Chromium, live: str) -> Iterator[Callable[..., Any]]:
    """Open windows on the live portal: `width=375`, `scripts=False`, `user=`."""
    opened: list[BrowserContext] = []

    def open_one(
        width: int = 1280, *, scripts: bool = True, user: User | None = None
    ) -> BrowserContext:
        context = chromium.new_context(
            base_url=live,
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        context.set_default_timeout(10_000)
        if user is not None:
            context.add_cookies([_cookie_of(user, live)])
        opened.append(context)
        return context

    yield open_one
    for context in opened:
        context.close()


@pytest.fixture
def page(open_context: Callable[..., BrowserContext]) -> Page:
    """Give a window of 1280 pixels on the live portal; nobody is signed in."""
    return open_context().new_page()


@pytest.fixture
def phone(open_context: Callable[..., BrowserContext]) -> Page:
    """Give a window of 375 pixels on the live portal; nobody is signed in."""
    return open_context(375).new_page()


@pytest.fixture
def plain_page(open_context: Callable[..., BrowserContext]) -> Page:
    """Give a window without JavaScript on the live portal."""
    return open_context(scripts=False).new_page()


def _cookie_of(user: User, live: str) -> Any:
    """Make the cookie of a signed-in browser, signed as the portal signs it."""
    token = sessions.begin(
        user=user, address="127.0.0.1", browser="Chromium", at=clock.now()
    )
    app = portal_for(settings.current())
    serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    value = serializer.dumps({"_user_id": token})
    name = str(app.config["SESSION_COOKIE_NAME"])
    return {"name": name, "value": value, "url": live}
