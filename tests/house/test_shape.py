"""The house is shaped to be read, and every setting is documented."""

import ast
import re
from pathlib import Path

from pmp import settings

ROOT = Path(__file__).parents[2]
ROOMS = ("pmp", "gateway", "portal", "bench")
FILE_LINES = 400
# Tables with their words; see docs/decisions/0003.
MODELS_LINES = 2950
FUNCTION_LINES = 50


def _files() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def test_no_file_holds_two_things() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path in _files()
        if (lines := path.read_text().count("\n")) > FILE_LINES
    }
    assert found == set()
    assert (ROOT / "models.py").read_text().count("\n") <= MODELS_LINES


def test_no_function_is_longer_than_a_page() -> None:
    found = {
        f"{path.relative_to(ROOT)}:{node.name} {node.end_lineno - node.lineno + 1}"
        for path in _files()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    }
    assert found == set()


def test_no_file_is_named_for_nothing() -> None:
    for path in _files():
        assert path.stem not in {"utils", "helpers", "manager", "data", "info", "base"}


def test_every_setting_is_in_the_documentation_and_no_other() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    documented = set(re.findall(r"^\| `(PMP_[A-Z0-9_]+)`", text, flags=re.MULTILINE))
    wanted = {
        f"{settings.PREFIX}{name.upper()}" for name in settings.Settings.model_fields
    }
    assert documented == wanted


def test_documentation_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(
            r"\]\((?!https?:|mailto:|#)([^)#]+)", page.read_text()
        ):
            assert (page.parent / target).exists(), f"{page.name} → {target}"


def test_the_project_speaks_of_itself_alone() -> None:
    """No path of a machine, no host of a package registry in what is pinned."""
    for name in (
        "requirements.txt",
        "requirements-dev.txt",
        "requirements-bench.txt",
    ):
        text = (ROOT / name).read_text()
        assert "://" not in text
        assert "--index-url" not in text
        assert "--hash=sha256:" in text
