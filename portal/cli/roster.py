"""roster import: the Department's licence file, and the file of contacts."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from pmp import clock
from pmp import roster as licence_file
from pmp.roster import roster_contacts, roster_files
from pmp.roster.roster_files import FileKind, Outcome
from portal.cli import with_program

SHOWN = 20


@click.group()
def roster() -> None:
    """Look after the roster of licences."""


@roster.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Tell what would change, change nothing.")
@click.option("--accept-gone", is_flag=True, help="Even if many licences are gone.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@with_program
def import_file(file: Path, *, dry_run: bool, accept_gone: bool, as_json: bool) -> None:
    """Import FILE: the Department's own, or contacts by licence (told by its header).

    Exit 1 if a row could not be used; the others were.
    """
    kind = roster_files.kind_of(file)
    outcome = _imported(kind, file, dry_run=dry_run, accept_gone=accept_gone)
    if as_json:
        counts = {"invalid": outcome.invalid, **asdict(outcome)}
        click.echo(json.dumps({"kind": kind, "dry_run": dry_run, **counts}))
    else:
        _tell(outcome)
    if outcome.problems:
        raise SystemExit(1)


def _imported(
    kind: FileKind, file: Path, *, dry_run: bool, accept_gone: bool
) -> Outcome:
    at = clock.now()
    if kind == FileKind.CONTACTS:
        if dry_run:
            return roster_contacts.preview(file)
        return roster_contacts.apply(file, by="system", at=at)
    if dry_run:
        return licence_file.preview(file)
    return licence_file.apply(file, by="system", at=at, accept_gone=accept_gone)


def _tell(outcome: Outcome) -> None:
    click.echo(
        f"{outcome.new} new, {outcome.changed} changed, {outcome.unchanged} unchanged,"
        f" {outcome.gone} gone, {outcome.skipped} of other kinds,"
        f" {outcome.invalid} invalid"
    )
    for problem in outcome.problems[:SHOWN]:
        click.echo(f"row {problem.row}: {problem.message}", err=True)
    if outcome.invalid > SHOWN:
        click.echo(f"… and {outcome.invalid - SHOWN} more rows (see --json)", err=True)
