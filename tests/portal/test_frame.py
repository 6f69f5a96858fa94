import json
import re
import sqlite3
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flask import Blueprint, Flask, Response, request
from peewee import OperationalError
from werkzeug.routing import Rule

import models
import portal
from models import AuditEvent, Role, User
from pmp import logs, settings
from pmp.audit import Event
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.permissions import Permission, can
from portal import access, create_app, logging, readiness
from portal.access import machine, public, requires, uploads
from portal.views import BLUEPRINTS
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import make_user

PHI = "ZEPHYRINE CANARYQUIST"


odd_views = Blueprint("odd", __name__)


@odd_views.get("/odd/crash")
@public
def crash() -> str:
    raise ValueError(PHI)


@odd_views.get("/odd/down")
@public
def down() -> str:
    raise OperationalError(PHI)


@odd_views.get("/odd/rule/<kind>")
@public
def refusing(kind: str) -> str:
    kinds = {"no": RuleError, "gone": NotFoundError, "late": ConflictError}
    raise kinds[kind]("These are the words of the rule.")


@odd_views.post("/odd/form")
@public
def form() -> Response:
    return Response(str(len(request.form)), mimetype="text/plain")


@odd_views.post("/odd/upload")
@public
@uploads
def upload() -> Response:
    kind = type(request.files["file"].stream).__name__
    return Response(kind, mimetype="text/plain")


@odd_views.post("/odd/call-back")
@machine
def call_back() -> Response:
    return Response("heard", mimetype="text/plain")


@odd_views.get("/odd/rules")
@requires(Permission.RULE_WRITE)
def rules() -> Response:
    return Response("rules", mimetype="text/plain")


@pytest.fixture
def odd(db: settings.Settings, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """Give a browser on a portal that also has views which go wrong."""
    names = (*BLUEPRINTS, "tests.portal.odd")
    monkeypatch.setattr("portal.BLUEPRINTS", names)
    monkeypatch.setitem(sys.modules, "tests.portal.odd", odd_module())
    return Browser(create_app(db))


def odd_module() -> ModuleType:
    module = ModuleType("tests.portal.odd")
    module.__spec__ = ModuleSpec("tests.portal.odd", None)
    module.bp = odd_views  # type: ignore[attr-defined]
    return module


# --- Who may open what


def test_every_view_says_who_may_open_it(app: Flask) -> None:
    views = {e: v for e, v in app.view_functions.items() if e != "static"}

    assert len(views) > 8
    assert [e for e, view in views.items() if not hasattr(view, "access")] == []


def test_every_module_of_views_is_registered() -> None:
    folder = Path(portal.__file__).parent / "views"
    modules = {f"portal.views.{path.stem}" for path in folder.glob("[a-z]*.py")}

    assert modules - set(BLUEPRINTS) == set()


def test_portal_does_not_start_with_an_unguarded_view(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.view_functions, "forgotten", lambda: "secret")

    with pytest.raises(RuntimeError, match="forgotten"):
        access.refuse_unguarded(app)


def test_nobody_opens_a_page_that_is_not_public(app: Flask, browser: Browser) -> None:
    guarded = [
        rule
        for rule in app.url_map.iter_rules()
        if isinstance(
            getattr(app.view_functions[rule.endpoint], "access", None), Permission
        )
    ]

    assert guarded
    for rule in guarded:
        values = {name: _any_value(rule, name) for name in rule.arguments}
        with app.test_request_context():
            path = rule.build(values)
        assert path is not None, rule
        method = "GET" if "GET" in (rule.methods or ()) else "POST"
        answer = browser.client.open(
            path[1], method=method, headers={"Accept": "text/html"}
        )
        assert answer.status_code in {303, 400, 404, 405}, (rule, answer.status_code)
        if method == "GET":
            assert answer.headers["Location"].startswith("/sign-in?next="), rule


@pytest.mark.parametrize(
    "role", [Role.PRACTITIONER, Role.PHARMACY, Role.DELEGATE, Role.AUDITOR]
)
def test_what_a_role_may_not_open_answers_as_what_is_not_there(
    app: Flask, browser: Browser, role: Role
) -> None:
    browser.sign_in_as(make_user(role))
    unknown = {
        is_staffs: _answer(browser, f"{'/staff' * is_staffs}/of-no-kind", "GET")
        for is_staffs in (True, False)
    }
    for status, page in unknown.values():
        assert status == 404
        assert "There is no such page" in page
    assert _answer(browser, "/account", "GET")[0] == 200  # noise: their own

    refused = 0
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        needed = getattr(view, "access", None)
        if not isinstance(needed, Permission) or can(role, needed):
            continue
        path = _path(app, rule)
        for method in {"GET", *(rule.methods or ())} - {"HEAD", "OPTIONS"}:
            answer = _answer(browser, path, method)
            if method == "POST" and answer[0] == 400:
                continue  # without the form's token nobody is asked who they are
            assert answer == unknown[path.startswith("/staff")], (rule, method)
            refused += 1
    assert refused > 100


def _path(app: Flask, rule: Rule) -> str:
    values = {name: _any_value(rule, name) for name in rule.arguments}
    path = rule.build(values)
    assert path is not None, rule
    return path[1]


def _answer(browser: Browser, path: str, method: str) -> tuple[int, str]:
    """Give status and page, but for what differs with each request."""
    answer = browser.client.open(path, method=method, headers={"Accept": "text/html"})
    page = re.sub(r'(nonce|content|value)="[^"]*"', "", answer.get_data(as_text=True))
    page = page.replace(path, "/of-no-kind")
    return answer.status_code, re.sub(r"Reference\s*<span[^<]*</span>", "", page)


def _any_value(rule: Rule, name: str) -> str:
    """Give what an address may hold at a place: one of its words where it has some."""
    words = getattr(rule._converters.get(name), "items", None)
    return min(words) if words else "1"


def test_role_without_the_permission_is_refused_and_it_is_on_record(
    odd: Browser,
) -> None:
    staff, administrator = make_user(Role.STAFF), make_user(Role.ADMINISTRATOR)
    odd.sign_in_as(staff)
    odd.get("/odd/rules", status=404)
    assert "There is no such page" in odd.text()

    odd.sign_in_as(administrator)
    odd.get("/odd/rules")

    [row] = AuditEvent.select().where(AuditEvent.event == Event.ACCESS_REFUSED)
    assert (row.actor, row.subject) == (staff.username, "permission:rule_write")


def test_menu_shows_only_what_the_user_may_open(browser: Browser) -> None:
    browser.sign_in_as(make_user(Role.STAFF))
    browser.get("/account")
    assert "Work queues" in browser.text()

    browser.sign_in_as(make_user(Role.PRACTITIONER))
    browser.get("/account")
    assert "Work queues" not in browser.text()


# --- Forms from elsewhere


def test_post_without_a_token_is_refused(odd: Browser) -> None:
    odd.post("/odd/form", {"a": "1"}, status=400)
    assert "Reload it" in odd.text()


def test_post_with_the_token_of_another_browser_is_refused(
    odd: Browser, db: settings.Settings
) -> None:
    other = Browser(odd.app)
    odd.get("/sign-in")
    odd.post("/odd/form", {"csrf_token": odd.token()}, status=200)
    other.get("/sign-in")
    odd.post("/odd/form", {"csrf_token": other.token()}, status=400)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil"]
)
def test_post_from_another_site_is_refused_with_a_good_token(
    odd: Browser, origin: str
) -> None:
    odd.get("/sign-in")
    values = {"csrf_token": odd.token()}
    odd.post("/odd/form", values, status=200, headers={"Origin": "http://localhost"})
    odd.post("/odd/form", values, status=403, headers={"Origin": origin})


def test_machine_needs_no_token(odd: Browser) -> None:
    odd.post("/odd/call-back", {"FaxSid": "1"}, status=200)


@pytest.mark.parametrize("path", ["/sign-out", "/account/sign-out-everywhere"])
def test_address_in_a_link_changes_nothing(browser: Browser, path: str) -> None:
    browser.sign_in_as(make_user())
    browser.get(path, status=405)
    browser.get("/account")


# --- Limits


def test_small_forms_take_little_and_uploads_more(odd: Browser) -> None:
    odd.get("/sign-in")
    token = odd.token()
    body = b"x" * 1_000_000
    odd.post("/odd/form", {"csrf_token": token, "a": body.decode()}, status=413)
    assert "too large" in odd.text()

    values = {"csrf_token": token, "file": (BytesIO(body), "a.dat")}
    odd.post("/odd/upload", values, status=200)


def test_upload_over_the_limit_is_refused(odd: Browser, db: settings.Settings) -> None:
    with settings.changed(upload_megabytes=1):
        odd.get("/sign-in")
        body = BytesIO(b"x" * 1_600_000)
        values = {"csrf_token": odd.token(), "file": (body, "a.dat")}
        odd.post("/odd/upload", values, status=413)


def test_uploaded_file_never_becomes_a_temporary_file(odd: Browser) -> None:
    odd.get("/sign-in")
    values = {
        "csrf_token": odd.token(),
        "file": (BytesIO(b"x" * 1_000_000), "a.dat"),
    }
    answer = odd.post("/odd/upload", values, status=200)
    assert answer.get_data(as_text=True) == "BytesIO"


@pytest.mark.parametrize("path", ["/odd/rule/a%00b", "/sign-in?next=%00"])
def test_address_with_a_character_that_cannot_be_stored_is_refused(
    odd: Browser, path: str
) -> None:
    odd.get(path, status=400)
    assert "could not be understood" in odd.text()


@pytest.mark.parametrize("values", [{"name": "a\0b"}, {"na\0me": "a"}])
def test_form_with_a_character_that_cannot_be_stored_is_refused(
    odd: Browser, values: dict[str, str]
) -> None:
    odd.get("/sign-in")
    token = {"csrf_token": odd.token()}
    odd.post("/odd/form", {**token, **values}, status=400)
    odd.post("/odd/form", {**token, "name": "ab"}, status=200)


@pytest.mark.parametrize("page", ["9" * 30, str(2**63 - 1), "0", "-5", "x"])
@pytest.mark.parametrize(
    ("role", "path"),
    [
        (Role.PHARMACY, "/look-ups"),
        (Role.PHARMACY, "/submissions"),
        (Role.STAFF, "/staff/cases"),
        (Role.STAFF, "/staff/deliveries"),
        (Role.STAFF, "/staff/registrations"),
        (Role.STAFF, "/staff/submissions"),
        (Role.STAFF, "/staff/tickets"),
        (Role.AUDITOR, "/staff/audit"),
    ],
)
def test_page_that_no_list_has_is_an_empty_one(
    browser: Browser, role: Role, path: str, page: str
) -> None:
    browser.sign_in_as(make_user(role=role))
    browser.get(f"{path}?page={page}")


# --- Failures


def test_crash_shows_a_reference_and_no_traceback(
    odd: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    odd.get("/odd/crash", status=500)

    page, log = odd.text(), capsys.readouterr().err
    assert PHI not in page
    assert "Traceback" not in page
    assert PHI not in log
    lines = [json.loads(line) for line in log.splitlines()]
    [failure] = [line for line in lines if line["event"] == "failure"]
    assert failure["error"] == "ValueError"
    assert failure["request"] in page
    assert any("crash" in frame for frame in failure["where"])


def test_database_that_is_down_gives_503_and_a_time_to_come_back(
    odd: Browser,
) -> None:
    answer = odd.get("/odd/down", status=503)

    assert answer.headers["Retry-After"] == "30"
    assert "cannot be reached" in odd.text()
    assert PHI not in odd.text()


@pytest.mark.parametrize(
    ("kind", "status"), [("no", 422), ("gone", 404), ("late", 409)]
)
def test_refusal_of_a_rule_becomes_a_page_in_its_words(
    odd: Browser, kind: str, status: int
) -> None:
    odd.get(f"/odd/rule/{kind}", status=status)
    assert "These are the words of the rule." in odd.text()


def test_missing_page_and_wrong_method_have_pages_of_ours(browser: Browser) -> None:
    browser.get("/nowhere", status=404)
    assert "There is no such page" in browser.text()
    browser.post("/healthz", status=405)
    browser.get("/account/stay", status=405)


def test_json_asker_gets_json(odd: Browser) -> None:
    answer = odd.get("/odd/crash", status=500, headers={"Accept": "application/json"})
    assert answer.get_json() == {"error": "Something went wrong on our side"}


# --- Headers and cookies


@pytest.mark.parametrize("path", ["/", "/sign-in", "/healthz", "/nowhere"])
def test_every_answer_carries_the_security_headers(browser: Browser, path: str) -> None:
    answer = browser.client.get(path)

    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"
    policy = answer.headers["Content-Security-Policy"]
    for part in ("default-src 'none'", "form-action 'self'", "base-uri 'none'"):
        assert part in policy
    assert "unsafe" not in policy


def test_static_files_are_kept_by_the_browser_under_an_address_of_their_content(
    browser: Browser,
) -> None:
    page = browser.get("/sign-in").get_data(as_text=True)
    found = re.search(r'href="(/static/style\.css\?v=[0-9a-f]{12})"', page)
    assert found

    answer = browser.client.get(found[1])
    answer.close()

    assert "max-age=31536000" in answer.headers["Cache-Control"]
    assert "Set-Cookie" not in answer.headers


def test_cookie_is_for_https_only_when_the_public_address_is(
    db: settings.Settings,
) -> None:
    plain = create_app(db).test_client().get("/sign-in").headers["Set-Cookie"]
    assert plain.startswith("session=")
    assert "HttpOnly" in plain
    assert "SameSite=Lax" in plain
    assert "Secure" not in plain

    with settings.changed(public_url="https://pmp.example.org") as chosen:
        answer = create_app(chosen).test_client().get("/sign-in")
        secure = answer.headers["Set-Cookie"]
        assert secure.startswith("__Host-session=")
        assert {"Secure", "HttpOnly", "Path=/"} <= set(secure.split("; "))
        assert "max-age" in answer.headers["Strict-Transport-Security"]


# --- The log


def test_log_has_a_line_for_each_request_without_query_token_or_form(
    browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    browser.get("/sign-in?next=/reports/SECRET-TOKEN")
    browser.submit({"username": "CANARY-NAME", "password": "CANARY-WORD"}, status=422)
    browser.get("/reports/SECRET-TOKEN", status=303)

    log = capsys.readouterr().err
    lines = [json.loads(line) for line in log.splitlines()]
    assert [line["status"] for line in lines] == [200, 422, 303]
    routes = [line["route"] for line in lines]
    assert routes == ["/sign-in", "/sign-in", "/reports/<token>"]
    assert len({line["request"] for line in lines}) == 3
    assert "CANARY" not in log
    assert "SECRET" not in log


def test_log_is_set_up_once_however_many_portals_there_are(
    db: settings.Settings,
) -> None:
    create_app(db)
    create_app(db)
    assert sum(isinstance(h, logs.Stderr) for h in logging.logger.handlers) == 1


# --- Health


def test_alive_answers_while_the_database_is_down(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_options: Any) -> None:
        raise OperationalError("down")

    browser.sign_in_as(make_user())
    monkeypatch.setattr(models.database.obj, "connect", refuse)

    assert browser.get("/healthz").get_json() == {"status": "ok"}
    browser.get("/", status=503)


def test_ready_names_what_is_not(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pmp.database.pending", lambda: ["0007_more"])
    monkeypatch.setattr(readiness, "LEAST_FREE_BYTES", 10**18)

    answer = browser.get("/readyz", status=503).get_json()

    assert answer["status"] == "not ready"
    assert "0007_more" in answer["problems"][0]
    assert answer["problems"][1].startswith("disk:")


def test_ready_when_all_is_well(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pmp.database.pending", list)
    monkeypatch.setattr("pmp.database.unknown", list)
    assert browser.get("/readyz").get_json() == {"status": "ready"}


def test_queue_that_is_no_database_is_not_ready(program: settings.Settings) -> None:
    (program.data_dir / "queue.db").write_bytes(b"not a database" * 100)

    found = readiness.problems()

    assert f"queue: {sqlite3.DatabaseError.__name__}" in found
    with settings.changed(queue_url="redis://127.0.0.1:1/0"):
        assert "queue: ConnectionError" in readiness.problems()


def test_metrics_are_for_this_machine_alone(
    new_browser: Callable[..., Browser], staff: User
) -> None:
    here = new_browser()
    text = here.get("/metrics").get_data(as_text=True)
    assert "pmp_sessions 0\n" in text
    here.sign_in_as(staff)
    assert "pmp_sessions 1\n" in here.get("/metrics").get_data(as_text=True)

    new_browser(address="192.0.2.1").get("/metrics", status=404)
    here.get("/metrics", status=404, headers={"X-Forwarded-For": "192.0.2.1"})


@pytest.fixture
def staff(db: settings.Settings) -> User:
    return make_user(Role.STAFF, created_at=NOW)
