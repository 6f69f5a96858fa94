"""roster preview, import, undo, list: files of licences, contacts and providers."""

import csv
import json
from pathlib import Path
from typing import Any

import click

from models import RosterImport, RosterState
from pmp import clock
from pmp import roster as licences
from pmp.roster import import_lists, licence_decisions, previews
from pmp.wording import us_time
from portal.cli import with_program
from portal.csv_files import cell

SHOWN = 20
SAMPLES = 3
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.group()
def roster() -> None:
    """Look after the roster of licences."""


@roster.command()
@click.argument("file", type=FILE)
@click.option("--csv", "table", type=NEW_FILE, help="Write every change to this file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@with_program
def preview(file: Path, *, table: Path | None, as_json: bool) -> None:
    """Tell what FILE would change, and give the number to import it by.

    FILE is the Department's, CMS's (NPPES), or contacts by licence, zipped or not: told
    by its header. Exit 1 if a row cannot be used.
    """
    batch = licences.preview(file, by="system", at=clock.now())
    _answer(batch, table=table, as_json=as_json, dry_run=True)


@roster.command("import")
@click.argument("file")
@click.option("--dry-run", is_flag=True, help="Tell what would change, change nothing.")
@click.option("--accept-gone", is_flag=True, help="Even if many licences are gone.")
@click.option("--csv", "table", type=NEW_FILE, help="Write every change to this file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@with_program
def import_file(
    file: str,
    *,
    dry_run: bool,
    accept_gone: bool,
    table: Path | None,
    as_json: bool,
) -> None:
    """Import FILE at once; or the preview, or an import cut off, with the number FILE.

    Exit 1 if a row could not be used; the others were.
    """
    at = clock.now()
    if _is_number(file):
        if dry_run:
            raise click.UsageError("--dry-run is for a file.")
        batch = licences.apply(int(file), by="system", at=at, accept_gone=accept_gone)
    elif not Path(file).is_file():
        raise click.BadParameter(f"There is no file {file}.", param_hint="FILE")
    elif dry_run:
        batch = licences.preview(Path(file), by="system", at=at)
    else:
        batch = licences.import_file(
            Path(file), by="system", at=at, accept_gone=accept_gone
        )
    _answer(batch, table=table, as_json=as_json, dry_run=dry_run)


@roster.command()
@click.argument("number", type=int)
@click.option("--reason", required=True, help="Why; it is on the audit record.")
@with_program
def undo(number: int, reason: str) -> None:
    """Undo import NUMBER: the roster is as it was before.

    Refused where a later import changed the same rows, which are named.
    """
    batch = licences.undo(number, reason=reason, by="system", at=clock.now())
    click.echo(f"Import {batch.id} is {batch.state.value}.")


@roster.command("list")
@click.option("--page", default=1, help="50 a page, the latest first.")
@with_program
def list_(page: int) -> None:
    """List imports: number, kind, state, when, counts, file."""
    listed = import_lists.listed(import_lists.Wanted(), page=page)
    for each in listed.rows if listed.number == page else []:
        click.echo(
            f"{each.id}\t{each.kind}\t{each.state}\t{us_time(each.asked_at)}\t"
            f"{each.new} new, {each.changed} changed, {each.gone} gone,"
            f" {each.invalid} invalid\t{each.filename}"
        )


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) < 10 and not Path(text).exists()


def _answer(
    batch: RosterImport, *, table: Path | None, as_json: bool, dry_run: bool
) -> None:
    if table:
        _write(batch, table)
    if as_json:
        click.echo(json.dumps(_as_json(batch, dry_run=dry_run)))
    else:
        _tell(batch)
    if batch.invalid:
        raise SystemExit(1)


def _as_json(batch: RosterImport, *, dry_run: bool) -> dict[str, Any]:
    names = ("new", "changed", "unchanged", "gone", "skipped", "invalid", "rows_read")
    return {
        "number": batch.id,
        "kind": batch.kind.value,
        "state": batch.state.value,
        "dry_run": dry_run,
        **{name: getattr(batch, name) for name in names},
        "problems": [
            {
                "row": each.row,
                "column": each.column,
                "value": each.value,
                "message": each.message,
            }
            for each in previews.problems(batch)
        ],
    }


def _tell(batch: RosterImport) -> None:
    click.echo(
        f"{batch.new} new, {batch.changed} changed, {batch.unchanged} unchanged,"
        f" {batch.gone} gone, {batch.skipped} of other kinds, {batch.invalid} invalid"
    )
    if batch.state == RosterState.READY:
        for change in previews.samples(batch, most=SAMPLES):
            click.echo(f"{change.what.value}: {change.label}{_differences(change)}")
        click.echo(f"Nothing is changed yet. To apply it: roster import {batch.id}")
    else:
        click.echo(f"Import {batch.id} is {batch.state.value}.")
        if found := licence_decisions.count():
            click.echo(f"Users' licences that wait for staff: {found}")
    for problem in previews.problems(batch, most=SHOWN):
        click.echo(f"row {problem.row}: {problem.message}", err=True)
    if batch.invalid > SHOWN:
        click.echo(f"… and {batch.invalid - SHOWN} more rows (see --csv)", err=True)


def _differences(change: Any) -> str:
    if change.what.value != "changed":
        return ""
    parts = [
        f"{name} “{before}” → “{after}”"
        for name, before, after in previews.lines(change)
    ]
    return f": {'; '.join(parts)}"


def _write(batch: RosterImport, table: Path) -> None:
    with table.open("w", newline="", encoding="utf-8-sig") as sheet:
        writer = csv.writer(sheet, quoting=csv.QUOTE_ALL)
        writer.writerow(previews.HEADINGS)
        writer.writerows(
            [cell(value) for value in row] for row in previews.every_line(batch)
        )
