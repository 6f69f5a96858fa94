"""fax receive: a fax from a file, by hand or by a fax server's hook; fax check."""

from pathlib import Path

import click

from gateway import carrier_check, inbound, pages, tasks
from models import InboundFax
from portal.cli import refusals, with_program

_MARKS = {True: "ok", False: "WRONG", None: "?"}


@click.group()
def fax() -> None:
    """Take in faxes; try the fax carrier."""


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


@fax.command()
def check() -> None:
    """Try the fax carrier of the settings without sending anything.

    One line for each thing: ok, WRONG with what to do, or ? where it cannot be told
    from here. Exit 1 if anything is wrong.
    """
    is_wrong = False
    with refusals():
        for found in carrier_check.findings():
            line = f"{_MARKS[found.is_good]:<6} {found.text}"
            click.echo(line, err=found.is_good is False)
            is_wrong = is_wrong or found.is_good is False
    if is_wrong:
        raise SystemExit(1)
