"""Who may import whom: portal → gateway → pmp → models.py, and nothing back."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FLASK = {"flask", "flask_login", "flask_wtf", "wtforms", "werkzeug"}
WIRES = {"huey", "jinja2", "twilio", "smtplib", "xhtml2pdf", "socket", "requests"}
OURS = {"models", "pmp", "gateway", "portal", "wsgi", "bench", "tests"}

FORBIDDEN: dict[str, set[str]] = {
    "models.py": FLASK | WIRES | (OURS - {"models"}),
    "pmp": FLASK | WIRES | {"gateway", "portal", "wsgi", "bench", "tests"},
    "gateway": FLASK | {"portal", "wsgi", "bench", "tests"},
    "portal": WIRES - {"jinja2"} | {"wsgi", "tests"},
}
PURE = [
    "pmp/asap",
    "pmp/chart",
    "pmp/drug_classes.py",
    "pmp/fills.py",
    "pmp/identifiers.py",
    "pmp/mme",
    "pmp/reported_drugs.py",
    "pmp/warnings",
]
LISTENS = {"portal/processes.py"}
# The portal shows; of the gateway it needs a nudge and a PDF to download.
PORTAL_MAY_USE = {"gateway.tasks", "gateway.documents"}
WRITES = {"save", "create", "execute", "delete_instance", "insert", "insert_many"}


@pytest.mark.parametrize("room", sorted(FORBIDDEN))
def test_a_room_imports_only_what_stands_to_its_right(room: str) -> None:
    found = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in _files(room)
        for name in _imports(path)
        if name.split(".")[0] in FORBIDDEN[room]
        and not (name == "socket" and str(path.relative_to(ROOT)) in LISTENS)
    }
    assert found == set()


@pytest.mark.parametrize("corner", PURE)
def test_pure_corners_know_no_tables(corner: str) -> None:
    for path in _files(corner):
        for name in _imports(path):
            assert name.split(".")[0] not in {"models", "peewee", "gateway", "portal"}
            assert name not in {"pmp.database", "pmp.settings", "pmp.audit"}


def test_pages_use_of_the_gateway_only_the_nudge_and_the_documents() -> None:
    found = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in _files("portal")
        for name in _imports(path)
        if name.startswith("gateway")
        and "cli" not in path.parts
        and not any(name.startswith(allowed) for allowed in PORTAL_MAY_USE)
    }
    assert found == set()


def test_pages_never_write_to_a_table() -> None:
    found = {
        f"{path.relative_to(ROOT)}:{node.lineno} .{node.func.attr}()"
        for path in _files("portal")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in WRITES
        and _names_a_table(node.func.value)
    }
    assert found == set()


def _names_a_table(value: ast.expr) -> bool:
    """Tell whether `.save()` and the like stand on a model, a row or a query."""
    import models  # noqa: PLC0415 - only this test looks at the tables

    tables = {table.__name__ for table in models.TABLES}
    rows = {name.lower() for name in tables}
    names = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
    return bool(names & (tables | rows))


def _files(room: str) -> Iterator[Path]:
    path = ROOT / room
    assert path.exists(), room
    return iter([path] if path.is_file() else sorted(path.rglob("*.py")))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
