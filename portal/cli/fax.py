"""fax receive: a fax from a file, by hand or by a fax server's hook; fax check."""

from pathlib import Path

import click

from gateway import carrier_check, inbound, pages, tasks
from models import InboundFax
from pmp import faxes
from pmp.faxes import fax_sheets
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
    """Take in FILE (PDF, TIFF or PNG) as a fax and read its codes.

    Exit 1 if it is no fax, or if staff must say what it, or a part of it, is. The same
    file again is the same fax.
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
    told = [read, *fax_sheets.parts_of(read)]
    for each in told:
        _tell(each)
    if any(each.status in faxes.TRAY for each in told):
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


def _tell(fax: InboundFax) -> None:
    about = f", registration {fax.application.code}" if fax.application else ""
    click.echo(f"Fax {fax.id}: {fax.status}, {fax.pages} pages{about}.")
    if fax.note:
        click.echo(fax.note, err=True)
