"""What page tests go through: every page fetched is a page checked."""

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from models import User
from pmp import clock
from pmp.accounts import sessions
from tests.page_rules import page_faults

if TYPE_CHECKING:
    from flask.testing import FlaskClient

VOID_INPUTS = {"submit", "button", "reset", "image"}


class FormFinder(HTMLParser):
    """Collects each form of a page: its address and its fields' present values."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self._select: str | None = None
        self._textarea: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.forms.append(
                {
                    "action": given.get("action") or "",
                    "method": (given.get("method") or "get").lower(),
                    "fields": {},
                }
            )
        elif self.forms:
            self._field(tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = None
        if tag == "textarea":
            self._textarea = None

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.forms[-1]["fields"][self._textarea] += data

    def _field(self, tag: str, given: dict[str, str | None]) -> None:
        fields, name = self.forms[-1]["fields"], given.get("name")
        value = given.get("value") or ""
        if tag == "option" and self._select:
            if "selected" in given or self._select not in fields:
                fields[self._select] = value
        elif tag == "select":
            self._select = name
        elif tag == "textarea" and name:
            self._textarea = name
            fields[name] = ""
        elif tag == "input" and name:
            kind = given.get("type") or "text"
            ticked = kind not in {"radio", "checkbox"} or "checked" in given
            if ticked and kind not in VOID_INPUTS | {"file"}:
                fields[name] = value


def _part(value: Any) -> Any:
    if isinstance(value, list):
        return [_part(each) for each in value]
    return FileStorage(*value) if isinstance(value, tuple) else value


def _multipart(values: dict[str, Any]) -> dict[str, Any]:
    """Encode a form with files in memory; the client would leave a temporary file."""
    parts = {name: _part(value) for name, value in values.items()}
    boundary, body = encode_multipart(parts)
    return {
        "data": body,
        "content_type": f'multipart/form-data; boundary="{boundary}"',
    }


class Browser:
    """A Flask test client that holds every page to the house rules.

    `get` and `post` check the status (200, or the one that is named) and the page;
    `submit` fills in a form of the page that was fetched last, CSRF token and all.
    """

    def __init__(self, app: Flask, address: str = "127.0.0.1") -> None:
        self.app = app
        self.client: FlaskClient = app.test_client()
        self.address = address
        self.page: TestResponse | None = None

    def get(self, path: str, *, status: int = 200, **options: Any) -> TestResponse:
        return self._open(path, status=status, method="GET", **options)

    def post(
        self,
        path: str,
        values: dict[str, Any] | None = None,
        *,
        status: int = 303,
        **options: Any,
    ) -> TestResponse:
        """POST just these values: without a token unless they hold one."""
        return self._open(path, status=status, method="POST", data=values, **options)

    def submit(
        self,
        values: dict[str, Any] | None = None,
        *,
        action: str | None = None,
        status: int = 303,
    ) -> TestResponse:
        """Send a form of the last page: the one with this action, else the main one.

        `values` go over what the page has filled in; None takes a field away, and a
        file is (BytesIO(body), "name.dat").
        """
        form = self._form(action)
        fields = {**form["fields"], **(values or {})}
        given = {name: value for name, value in fields.items() if value is not None}
        path = form["action"] or self._path()
        return self._open(path, status=status, method="POST", data=given)

    def follow(self, *, status: int = 200) -> TestResponse:
        """Go where the last answer points."""
        assert self.page is not None
        target = urlsplit(self.page.headers["Location"])
        assert not target.netloc, f"a redirect names a host: {target.geturl()}"
        return self.get(target.geturl(), status=status)

    def sign_in_as(self, user: User) -> None:
        """Begin a session for a user without a password, as sign-in would."""
        token = sessions.begin(
            user=user, address=self.address, browser="test", at=clock.now()
        )
        with self.client.session_transaction() as cookie:
            cookie["_user_id"] = token

    def token(self) -> str:
        """Give the CSRF token that this browser's pages carry."""
        if "csrf_token" not in self._last_text():
            self.get("/sign-in" if self.page is None else self._path())
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self._last_text())
        assert found, "the last page has no CSRF token"
        return found[1]

    def text(self) -> str:
        """Give the words of the last page, without its tags."""
        words = re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", self._last_text())
        return re.sub(r"\s+", " ", words)

    def page_text(self) -> str:
        """Give the last page as it came, tags and all."""
        return self._last_text()

    def _open(self, path: str, *, status: int, **options: Any) -> TestResponse:
        options.setdefault("environ_base", {"REMOTE_ADDR": self.address})
        values = (options.get("data") or {}).values()
        if any(isinstance(value, tuple | list) for value in values):
            options |= _multipart(options["data"])
        response = self.client.open(path, **options)
        self.page = response
        assert response.status_code == status, (
            f"{options['method']} {path}: {response.status_code}, not {status}: "
            f"{self.text()[:600]}"
        )
        faults = page_faults(response, path)
        assert not faults, f"{path}: {faults}"
        return response

    def _last_text(self) -> str:
        if self.page is None or not (self.page.mimetype or "").startswith("text/"):
            return ""
        return self.page.get_data(as_text=True)

    def _path(self) -> str:
        assert self.page is not None
        return str(self.page.request.full_path).rstrip("?")

    def _form(self, action: str | None) -> dict[str, Any]:
        finder = FormFinder()
        finder.feed(self._last_text())
        posts = [form for form in finder.forms if form["method"] == "post"]
        if action is not None:
            posts = [form for form in posts if form["action"].endswith(action)]
        else:
            banner = ("/submissions/zero", "/undo")  # about what is due
            aside = (
                "/sign-out",
                "/sessions/end",
                "/staff/anything",
                "/account/stay",
                "/sign-out-everywhere",
                *banner,
            )
            posts = [form for form in posts if not form["action"].endswith(aside)]
        assert posts, f"no form for {action or 'this page'} on {self._path()}"
        return posts[0]
