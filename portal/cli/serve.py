"""serve: the portal on waitress, in one process or in several."""

from functools import partial

import click

from pmp import database
from portal import create_app, processes
from portal.cli import refusals
from portal.processes import Processes
from portal.serving import THREADS, make_server


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--threads", default=THREADS, show_default=True, help="Of each process.")
@click.option(
    "--processes",
    "count",
    type=click.IntRange(min=1),
    default=processes.cores,
    show_default="one for each processor",
)
def serve(host: str, port: int, threads: int, count: int) -> None:
    """Serve the portal; stop it with Ctrl-C or TERM."""
    with refusals():
        app = create_app()
        database.require_current_schema()
    database.close_idle()
    listening = processes.listen(host, port)
    click.echo(f"Serving on http://{host}:{port}")
    processes.settle()
    make = partial(make_server, app, listening, threads=threads)
    if count == 1:
        processes.run(make())
    else:
        Processes(make, count).run()
