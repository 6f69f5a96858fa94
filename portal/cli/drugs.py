"""drugs import, drugs seed: the table of products."""

import json
from pathlib import Path

import click

from pmp import clock
from pmp import drugs as products
from pmp.drugs import Imported
from portal.cli import with_program

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
SHOWN = 20


@click.group()
def drugs() -> None:
    """Look after the table of drug products."""


@drugs.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_program
def seed(*, as_json: bool) -> None:
    """Add the common controlled substances that ship with the program."""
    _tell(products.seed(at=clock.now()), as_json=as_json)


@drugs.command("import")
@click.option("--product", type=FILE, required=True, help="FDA's product.txt.")
@click.option("--package", type=FILE, required=True, help="FDA's package.txt.")
@click.option("--mme", type=FILE, help="CDC's MME table of 2018 as CSV.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_program
def import_(product: Path, package: Path, mme: Path | None, *, as_json: bool) -> None:
    """Add and renew products from FDA's NDC directory."""
    try:
        found = products.import_fda(product, package, mme=mme, at=clock.now())
    except KeyError as missing:
        click.echo(f"A needed column is missing: {missing.args[0]}", err=True)
        raise SystemExit(1) from missing
    _tell(found, as_json=as_json)
    if found.invalid:
        raise SystemExit(1)


def _tell(found: Imported, *, as_json: bool) -> None:
    counts = found.counts()
    if as_json:
        click.echo(json.dumps({**counts, "problems": found.invalid}))
        return
    click.echo(", ".join(f"{number} {words}" for words, number in counts.items()))
    for line in found.invalid[:SHOWN]:
        click.echo(line, err=True)
    if len(found.invalid) > SHOWN:
        click.echo(f"and {len(found.invalid) - SHOWN} more", err=True)
