"""Commands: flask --app wsgi <group> <verb>.

Exit 0 = done, 1 = done with problems or a refusal, 2 = wrong call. Errors are one line
on stderr each.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ParamSpec

import click
from flask import Flask

from pmp import database, kept_settings, settings
from pmp.errors import RuleError

P = ParamSpec("P")

# Module of portal.cli → name of its click command or group in that module.
COMMANDS = {
    "asap": "asap",
    "bench": "bench",
    "check": "check",
    "db": "db",
    "demo": "demo",
    "drugs": "drugs",
    "fax": "fax",
    "match": "match",
    "mme": "mme",
    "outbox": "outbox",
    "roster": "roster",
    "serve": "serve",
    "thresholds": "thresholds",
    "user": "user",
    "verify_audit": "verify_audit",
    "worker": "worker",
}


def register(app: Flask) -> None:
    """Give the application its commands."""
    for module, command in COMMANDS.items():
        if find_spec(f"portal.cli.{module}") is None:
            continue
        app.cli.add_command(getattr(import_module(f"portal.cli.{module}"), command))


@contextmanager
def refusals() -> Iterator[None]:
    """Turn a refusal of the program into a line on stderr and exit code 1."""
    try:
        yield
    except (RuleError, settings.SettingsError, database.SchemaError) as refusal:
        for line in str(refusal).splitlines():
            click.echo(line, err=True)
        raise SystemExit(1) from refusal


def with_program(command: Callable[P, Any]) -> Callable[P, Any]:
    """Run a command with settings read and the database open at its schema.

    Put it below `@click.command`: settings, schema and rule errors become lines on
    stderr and exit code 1.
    """

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> Any:
        with refusals():
            settings.current()
            database.begin_use()
            database.require_current_schema()
            with database.connected():
                kept_settings.refresh()
                return command(*args, **kwargs)

    return wrapped
