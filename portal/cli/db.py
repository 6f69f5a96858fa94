"""db upgrade, db status, db check: the schema and its migrations."""

import click

from pmp import database, settings, tables
from portal.cli import refusals


@click.group()
def db() -> None:
    """Look after the database's schema."""


@db.command()
def upgrade() -> None:
    """Apply the migrations that are pending, under a lock."""
    with refusals():
        _open()
        applied = database.upgrade()
    for name in applied:
        click.echo(f"applied {name}")
    click.echo("The database is up to date.")


@db.command()
def status() -> None:
    """List pending migrations; exit 1 while there is one."""
    with refusals():
        _open()
        with database.connected():
            names = database.pending()
    for name in names:
        click.echo(f"pending {name}")
    if names:
        raise SystemExit(1)
    click.echo("Nothing is pending.")


@db.command()
def check() -> None:
    """Compare the schema with what this version expects; exit 1 on a difference."""
    with refusals():
        _open()
        with database.connected():
            differences = tables.differences()
    for line in differences:
        click.echo(line)
    if differences:
        raise SystemExit(1)
    click.echo("The schema is as this version expects it.")


def _open() -> None:
    settings.current()
    database.begin_use()
