"""worker: the gateway, which sends what is due and takes in what comes."""

import click

from pmp import database, settings
from portal.cli import refusals


@click.command()
@click.option("--threads", default=4, show_default=True)
def worker(threads: int) -> None:
    """Run the worker; TERM or Ctrl-C stops it once it has finished what it holds."""
    with refusals():
        settings.current()
        database.begin_use()
        database.require_current_schema()
    # The queue is opened by importing it: only now do the settings stand.
    from gateway.worker import run_worker  # noqa: PLC0415

    click.echo("The worker is ready.")
    run_worker(threads=threads)
