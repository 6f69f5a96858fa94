"""db upgrade, db status, db check: the schema; db after-restore: what it held."""

from contextlib import suppress

import click

from pmp import clock, database, settings, tables
from pmp.deliveries import restored
from pmp.errors import ConflictError
from pmp.thresholds import threshold_rules
from portal.cli import refusals


@click.group()
def db() -> None:
    """Look after the database's schema."""


@db.command()
def upgrade() -> None:
    """Apply the migrations that are pending, under a lock; write the first rules."""
    with refusals():
        _open()
        applied = database.upgrade()
        _write_first_rules()
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


@db.command()
def after_restore() -> None:
    """Hold for staff what may have been sent after the back-up was taken."""
    with refusals():
        _open()
        with database.connected():
            done = restored.hold_doubtful(at=clock.now())
    click.echo(f"{done.held} faxes and letters are held: look at each on Deliveries.")
    click.echo(f"{done.marked} emails may come twice.")


def _write_first_rules() -> None:
    # Another host that upgrades at the same moment may have just written them.
    with database.connected(), suppress(ConflictError):
        threshold_rules.seed(at=clock.now())


def _open() -> None:
    settings.current()
    database.begin_use()
