"""fax receive: a fax from a file, by hand or by a fax server's hook."""

from pathlib import Path

import click

from gateway import inbound, pages, tasks
from models import InboundFax
from portal.cli import with_program


@click.group()
def fax() -> None:
    """Take in faxes."""


@fax.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--from", "from_number", default="", help="The sender's number.")
@with_program
def receive(file: Path, from_number: str) -> None:
    """Take in FILE (PDF, TIFF or PNG) as a fax and read its code.

    Exit 1 if it is no fax, or if staff must say what it is. The same file again is
    the same fax.
    """
    try:
        taken = inbound.receive_file(
            file.read_bytes(), from_number=from_number, source="command line"
        )
    except pages.UnreadableFax as refusal:
        click.echo(str(refusal), err=True)
        raise SystemExit(1) from refusal
    tasks.read_fax.call_local(taken.id)
    read = InboundFax.get_by_id(taken.id)
    about = f", registration {read.application.code}" if read.application else ""
    click.echo(f"Fax {read.id}: {read.status}, {read.pages} pages{about}.")
    if read.application is None:
        click.echo(read.note, err=True)
        raise SystemExit(1)
