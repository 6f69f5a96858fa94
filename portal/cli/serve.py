"""serve: the portal on waitress."""

import click

from pmp import database
from portal import create_app
from portal.cli import refusals
from portal.serving import THREADS, make_server


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--threads", default=THREADS, show_default=True)
def serve(host: str, port: int, threads: int) -> None:
    """Serve the portal; stop it with Ctrl-C or TERM."""
    with refusals():
        app = create_app()
        database.require_current_schema()
    click.echo(f"Serving on http://{host}:{port}")
    make_server(app, host=host, port=port, threads=threads).run()
