"""asap: check submissions, make made-up ones, submit one as an upload would."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from gateway import drop_folder, submissions_in
from models import SubmissionSource
from pmp import asap as standard
from pmp import clock, uploads
from pmp.accounts import users
from pmp.asap import generate as synthetic
from pmp.asap.programme import parse_profile, parse_severities, parse_versions
from pmp.errors import RuleError
from pmp.settings import SettingsError
from pmp.uploads import reports
from pmp.uploads.programme import programme
from pmp.wording import words
from portal.cli import with_program

_MOST_PROBLEMS = 10_000
_WRITTEN = ("4.2", "4.2A", "4.2B", "5.0")


@click.group()
def asap() -> None:
    """Submissions in the ASAP standard."""


@asap.command()
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--accept", metavar="VERSIONS", help="Versions to accept: 4.1,4.2B.")
@click.option("--profile", help="What is wanted of elements: PAT17=required.")
@click.option("--severities", help="How grave rules are: R05=error,W01=fatal.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a file.")
def check(
    files: tuple[Path, ...],
    *,
    accept: str | None,
    profile: str | None,
    severities: str | None,
    as_json: bool,
) -> None:
    """Read and check each FILE; nothing is stored and no database is needed.

    The programme's settings say what is accepted, where there are some and no option
    says otherwise.  Exit 1 if a file is refused, or a record of it would be held.
    """
    rules = _programme(accept, profile, severities)
    bad = False
    for file in files:
        found = _checked(file, rules)
        bad = bad or found["verdict"] == "refused" or found["records"]["held"] > 0
        if as_json:
            click.echo(json.dumps(found))
        else:
            _print(found)
    if bad:
        raise SystemExit(1)


def _versions(_context: object, _option: object, given: str) -> list[str]:
    versions = [version.strip() for version in given.split(",")]
    for version in versions:
        if version not in _WRITTEN:
            known = ", ".join(_WRITTEN)
            raise click.BadParameter(f"{version!r} is none of {known}.")
    return versions


@asap.command()
@click.option("--seed", type=int, required=True, help="The same seed, the same bytes.")
@click.option("--days", type=click.IntRange(1, 3650), default=30, show_default=True)
@click.option(
    "--scale",
    type=click.FloatRange(0.01, 1000),
    default=1.0,
    show_default=True,
    help="1 is 10 pharmacies, 250 prescribers and 4,000 people.",
)
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    default=synthetic.UNTIL.isoformat(),
    show_default=True,
    help="The last day.",
)
@click.option(
    "--defects",
    type=click.FloatRange(0, 0.5),
    default=synthetic.DEFECTS,
    show_default=True,
    help="The share of records that are held.",
)
@click.option(
    "--versions",
    default=",".join(synthetic.VERSIONS),
    show_default=True,
    callback=_versions,
    help="Of the standard, the most common first.",
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True)
def generate(  # noqa: PLR0913 - what a state is like
    *,
    seed: int,
    days: int,
    scale: float,
    until: datetime,
    defects: float,
    versions: list[str],
    out: Path,
) -> None:
    """Write made-up submissions and truth.csv, which says what each record is.

    The order of the files' names is the order in which to submit them.
    """
    out.mkdir(parents=True, exist_ok=True)
    files = records = 0
    with (out / "truth.csv").open("w", encoding="utf-8", newline="") as stream:
        stream.write(",".join(synthetic.TRUTH_COLUMNS) + "\n")
        for made in synthetic.submissions(
            seed=seed,
            days=days,
            scale=scale,
            until=until.date(),
            defects=defects,
            versions=versions,
        ):
            (out / made.name).write_bytes(made.body)
            stream.write(made.lines)
            files, records = files + 1, records + made.records
    click.echo(f"{files} files with {records} records in {out}")


def _programme(
    accept: str | None, profile: str | None, severities: str | None
) -> standard.Programme:
    """Give the programme of the settings, or the usual one, with what options say."""
    try:
        found = programme()
    except SettingsError:
        found = standard.USUAL
    try:
        if accept is not None:
            found = replace(found, accepted=parse_versions(accept))
        if profile is not None:
            found = replace(found, uses=parse_profile(profile))
        if severities is not None:
            found = replace(found, gravities=parse_severities(severities))
    except ValueError as fault:
        raise click.UsageError(str(fault)) from fault
    return found


def _checked(file: Path, rules: standard.Programme) -> dict[str, Any]:
    """Give what `--json` prints of one file."""
    with file.open("rb") as stream:
        reading = standard.read(_chunks(stream), today=_today(), programme=rules)
        problems: list[dict[str, object]] = []
        for record in reading:
            if record.problems and len(problems) < _MOST_PROBLEMS:
                # What is fatal is among the problems of the file already.
                problems += [
                    problem.as_json()
                    for problem in record.problems
                    if problem.severity is not standard.Severity.FATAL
                ]
    return {
        "file": str(file),
        "sha256": reading.sha256,
        "verdict": reading.verdict,
        "version": reading.version,
        "transactions": len(reading.transactions),
        "pharmacies": len(set(reading.pharmacies)),
        "test": reading.test,
        "records": {
            "read": reading.counts.read,
            "good": reading.counts.good,
            "held": reading.counts.held,
            "duplicate": reading.counts.duplicate,
            "zero_reports": reading.counts.zero_reports,
        },
        "problems": [each.as_json() for each in reading.problems] + problems,
    }


def _today() -> date:
    """Give the day; where nothing is configured the zone does not matter much."""
    try:
        return clock.today()
    except SettingsError:
        return clock.now().date()


def _chunks(stream: Any) -> Iterator[bytes]:
    while chunk := stream.read(standard.CHUNK):
        yield chunk


def _print(found: dict[str, Any]) -> None:
    counts = ", ".join(f"{name} {count}" for name, count in found["records"].items())
    click.echo(f"{found['file']}: {found['verdict'].replace('_', ' ')} ({counts})")
    for line in _lines(found["problems"]):
        click.echo(line)


def _lines(problems: Iterable[dict[str, Any]]) -> Iterator[str]:
    for problem in problems:
        where = problem["element"] or problem["segment_id"]
        place = f"segment {problem['segment']} {where}".strip()
        head = f"  {problem['severity']} {problem['code']} {place}: "
        yield f"{head}{problem['message']} {problem['fix']}"


@asap.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--as", "username", metavar="USER", required=True, help="Who submits it.")
@click.option(
    "--dry-run", is_flag=True, help="Check it against what is stored; no more."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--report",
    metavar="DIR|FILE",
    type=click.Path(path_type=Path),
    help="Write the report there as well, as .txt and .json.",
)
@with_program
def submit(
    file: Path, username: str, *, dry_run: bool, as_json: bool, report: Path | None
) -> None:
    """Submit FILE as USER, as an upload on the page would, and process it at once.

    Exit 1 if it is refused or a record is held.  What is printed and written names no
    patient.
    """
    try:
        received = uploads.receive(
            filename=file.name,
            body=file.read_bytes(),
            by=users.named(username),
            at=clock.now(),
            dry_run=dry_run,
            source=SubmissionSource.COMMAND,
        )
    except RuleError as refusal:
        if report:
            _write_refusal(report, file.name, refusal, dry_run=dry_run)
        raise
    done = uploads.process(received.id, at=clock.now())
    found = reports.as_json(done, file=str(file))
    if report:
        _write(report, reports.report_of(done))
    if as_json:
        click.echo(json.dumps(found))
    else:
        click.echo(f"Submission {done.id}: {words(done.status).lower()}")
        _print(found)
    if done.held or found["verdict"] == "refused":
        raise SystemExit(1)


def _write_refusal(at: Path, name: str, refusal: RuleError, *, dry_run: bool) -> None:
    before = isinstance(refusal, uploads.SubmittedBeforeError)
    made = reports.refusal_of(
        name,
        code="F08" if before else "F10" if refusal.field == "file" else "F09",
        why=refusal.message,
        dry_run=dry_run,
        at=clock.now(),
    )
    _write(at, made)


def _write(at: Path, report: reports.Report) -> None:
    """Write a report's files in a folder, or beside a name with .txt and .json."""
    if not at.is_dir():
        stem = at.name.removesuffix(".txt").removesuffix(".json")
        report, at = replace(report, stem=stem), at.parent
    with drop_folder.Folder.opened(at) as folder:
        submissions_in.write_report(folder, report)
