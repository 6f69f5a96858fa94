"""Every command that the documentation names exists and explains itself."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from portal import cli

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")]
NAMED = sorted(
    {
        tuple(found.split())
        for page in PAGES
        for found in re.findall(
            r"flask --app wsgi ([a-z][a-z-]*(?: (?!-)[a-z][a-z-]+)?)", page.read_text()
        )
    }
)


@pytest.fixture
def commands() -> Flask:
    app = Flask("portal")
    cli.register(app)
    return app


@pytest.mark.parametrize("words", NAMED, ids=" ".join)
def test_a_named_command_exists(commands: Flask, words: tuple[str, ...]) -> None:
    told = CliRunner().invoke(commands.cli, [words[0], "--help"])
    assert told.exit_code == 0, told.output
    if "COMMAND" in told.output:
        told = CliRunner().invoke(commands.cli, [*words, "--help"])
        assert told.exit_code == 0, told.output


def test_every_command_says_what_it_does(commands: Flask) -> None:
    assert set(commands.cli.commands) >= {"demo", "serve", "worker", "verify-audit"}
    for name, command in commands.cli.commands.items():
        assert command.help, name
