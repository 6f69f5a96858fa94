"""drugs import, drugs seed: the table of products."""

import json
import zipfile
from pathlib import Path
from typing import Any

import click

from pmp import clock
from pmp import drugs as products
from pmp.dispensations import unknown_products
from pmp.drugs import Directory, Imported
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
@click.option("--zip", "archive", type=FILE, help="FDA's directory as downloaded.")
@click.option("--product", type=FILE, help="FDA's product.txt.")
@click.option("--package", type=FILE, help="FDA's package.txt.")
@click.option("--mme", type=FILE, help="CDC's MME table of 2018 as CSV.")
@click.option("--dry-run", is_flag=True, help="Say what would change; change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_program
def import_(
    archive: Path | None,
    product: Path | None,
    package: Path | None,
    mme: Path | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Add and renew products from FDA's NDC directory.

    CDC's table (--mme) adds only the NDCs that are lacking; where it differs from the
    drug table it is told. Stored fills whose product was unknown get its facts. Exit 1
    if a line could not be read.
    """
    directory = _directory(archive, product, package)
    if directory is None and mme is None:
        raise click.UsageError("Give --zip, or --product with --package, or --mme.")
    try:
        found = products.import_files(
            directory=directory, cdc=mme, dry_run=dry_run, at=clock.now()
        )
    except KeyError as missing:
        _fail(f"A needed column is missing: {missing.args[0]}")
    except (FileNotFoundError, zipfile.BadZipFile) as fault:
        _fail(str(fault))
    else:
        filled = 0 if dry_run else unknown_products.fill_in(by="system", at=clock.now())
        _tell(found, as_json=as_json, dry_run=dry_run, filled=filled)
        if found.invalid:
            raise SystemExit(1)


def _directory(
    archive: Path | None, product: Path | None, package: Path | None
) -> Directory | None:
    if archive:
        return Directory(archive, archive)
    if product and package:
        return Directory(product, package)
    if product or package:
        raise click.UsageError("--product and --package go together.")
    return None


def _fail(words: str) -> None:
    click.echo(words, err=True)
    raise SystemExit(1)


def _tell(
    found: Imported, *, as_json: bool, dry_run: bool = False, filled: int = 0
) -> None:
    counts = found.counts()
    if as_json:
        more = {"filled_in": filled, "dry_run": dry_run}
        click.echo(json.dumps({**counts, **_lists(found), **more}))
        return
    words = ", ".join(f"{number} {word}" for word, number in counts.items())
    click.echo(f"Dry run: {words}" if dry_run else words)
    if filled:
        click.echo(f"{filled} stored fills of unknown products have facts now")
    _some(found.changes)
    _some(f"{ndc} is no longer listed" for ndc in found.gone)
    if found.comparison:
        numbers = found.comparison.counts()
        click.echo(
            "Beside CDC's table: "
            + ", ".join(f"{number} {word}" for word, number in numbers.items())
        )
        _some(each.sentence for each in found.comparison.differences)
    _some(found.invalid, err=True)


def _lists(found: Imported) -> dict[str, Any]:
    lists: dict[str, Any] = {
        "changes": found.changes,
        "no_longer_listed": found.gone,
        "problems": found.invalid,
    }
    if found.comparison:
        lists["comparison"] = {
            **found.comparison.counts(),
            "differences": [vars(each) for each in found.comparison.differences],
        }
    return lists


def _some(lines: Any, *, err: bool = False) -> None:
    shown = list(lines)
    for line in shown[:SHOWN]:
        click.echo(line, err=err)
    if len(shown) > SHOWN:
        click.echo(f"and {len(shown) - SHOWN} more", err=err)
