"""match: tell which rows of a list are one person, without a database."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

import click

from pmp.errors import RuleError
from pmp.matching import lists
from pmp.matching.likeness import Crowd
from portal.cli import refusals

_MOST_NAMED = 20
_DELIMITERS = ",;\t|"
_CHUNK = 1 << 20


@click.group()
def match() -> None:
    """Which reported identities are one person."""


@match.command()
@click.argument("rows", metavar="IN.csv", type=click.Path(exists=True, dir_okay=False))
@click.argument("out", metavar="OUT.csv", type=click.File("w", encoding="utf-8"))
@click.option("--columns", help="Which column is which: last=SURNAME,dob=BORN")
@click.option("--encoding", help="Of IN.csv; found out without it.")
@click.option("--day-first", is_flag=True, help="16/02/1980 rather than 02/16/1980.")
@click.option(
    "--relatives",
    type=click.Choice(["auto", "yes", "no"]),
    default="auto",
    show_default=True,
    help="no: nobody in the list is anybody's twin, parent or child.",
)
@click.option(
    "--reviews",
    type=click.File("w", encoding="utf-8"),
    help="Write the pairs to look at, and why, to a file.",
)
@click.option("--json", "as_json", is_flag=True, help="The summary as JSON.")
def link(  # noqa: PLR0913 - options of a command
    rows: str,
    out: TextIO,
    columns: str | None,
    encoding: str | None,
    relatives: str,
    reviews: TextIO | None,
    *,
    day_first: bool,
    as_json: bool,
) -> None:
    """Copy IN.csv to OUT.csv with two more columns: person, a number, and why.

    Columns are found by their usual headings (last or surname, first or given_name,
    dob or date_of_birth, ...); last, first and dob must be there, and sex, street,
    city, state, zip, phone, middle, suffix, species and animal_name help. Twins, and
    parent and child of one name, are kept apart; a rough list without relatives is
    judged by weights alone. Exit 1 if a date of birth is there but cannot be read.
    """
    with refusals():
        table = _Table(Path(rows), encoding)
        given = table.headings()
        at = _columns(given, columns)
        crowd, character = _crowd(table, at, relatives)
    asked = _Reviews(reviews, at)
    told_rows = lists.people(
        table.rows(), at, crowd, character.frequencies, day_first=day_first
    )
    rows_told = zip(table.rows(), told_rows, strict=True)
    counts = _write(out, [*given, "person", "why"], rows_told, asked)
    summary = {
        "rows": counts["rows"],
        "people": counts["people"],
        "to_be_reviewed": counts["to_be_reviewed"],
        "unreadable_dates": counts["unreadable_dates"],
        "without_name_or_date": character.gaps,
        "relatives": crowd.relatives,
        "encoding": table.encoding,
        "columns": at,
    }
    click.echo(json.dumps(summary) if as_json else _in_words(summary))
    if counts["unreadable_dates"]:
        raise SystemExit(1)


def _write(
    out: TextIO,
    headings: list[str],
    rows: Iterable[tuple[dict[str, str], lists.Told]],
    asked: "_Reviews",
) -> Counter[str]:
    """Write each row with what became of it; count."""
    writer = csv.DictWriter(out, headings, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    counts: Counter[str] = Counter()
    for row, told in rows:
        writer.writerow({**row, "person": told.person, "why": told.why})
        asked.write(row, told)
        counts.update(_counted(told))
        if told.unreadable and counts["unreadable_dates"] <= _MOST_NAMED:
            place = f"row {told.row}, column {told.unreadable}"
            click.echo(f"{place}: no date of birth that can be read.", err=True)
    return counts


class _Table:
    """A CSV file that is read more than once, a row at a time."""

    def __init__(self, path: Path, encoding: str | None) -> None:
        self._path = path
        self.encoding = encoding or _encoding(path)
        with path.open(encoding=self.encoding, newline="") as stream:
            head = stream.readline()
        self._delimiter = max(_DELIMITERS, key=head.count)

    def headings(self) -> list[str]:
        """Give the headings as they stand."""
        with self._path.open(encoding=self.encoding, newline="") as stream:
            first = next(csv.reader(stream, delimiter=self._delimiter), [])
        # FEBRL's own files have a blank after each comma.
        return [heading.strip() for heading in first]

    def rows(self) -> Iterator[dict[str, str]]:
        """Give each row by heading; what is too much is left out."""
        names = self.headings()
        with self._path.open(encoding=self.encoding, newline="") as stream:
            reader = csv.reader(
                stream, delimiter=self._delimiter, skipinitialspace=True
            )
            next(reader, None)
            for cells in reader:
                if cells:
                    padded = cells + [""] * (len(names) - len(cells))
                    yield dict(zip(names, padded, strict=False))


class _Reviews:
    """The file of pairs to look at, if one is wanted."""

    def __init__(self, stream: TextIO | None, at: dict[str, str]) -> None:
        self._id = at.get("id")
        self._writer = csv.writer(stream, lineterminator="\n") if stream else None
        if self._writer:
            self._writer.writerow(
                ["row", "id", "person", "perhaps_person", "bits", "why", "evidence"]
            )

    def write(self, row: dict[str, str], told: lists.Told) -> None:
        """Write a line for each doubt about a row."""
        if self._writer is None:
            return
        own = row.get(self._id, "") if self._id else ""
        for person, like in told.doubts:
            evidence = lists.reasons(like)
            bits = round(like.bits, 1)
            self._writer.writerow(
                [told.row, own, told.person, person, bits, like.rule, evidence]
            )


def _columns(given: list[str], chosen: str | None) -> dict[str, str]:
    pairs = [part.partition("=") for part in (chosen or "").split(",") if part.strip()]
    wrong = [name for name, sign, _ in pairs if not sign]
    if wrong:
        raise click.UsageError(f"--columns wants NAME=HEADING, not “{wrong[0]}”.")
    try:
        return lists.columns(given, {name.strip(): to.strip() for name, _, to in pairs})
    except RuleError as refusal:
        raise click.UsageError(str(refusal)) from refusal


def _crowd(
    table: _Table, at: dict[str, str], relatives: str
) -> tuple[Crowd, lists.Character]:
    character = lists.look_over(table.rows(), at)
    rough = character.is_rough if relatives == "auto" else relatives == "no"
    return Crowd(character.rows, gaps=True, relatives=not rough), character


def _counted(told: lists.Told) -> dict[str, int]:
    return {
        "rows": 1,
        "people": int(told.is_new),
        "to_be_reviewed": int(bool(told.doubts)),
        "unreadable_dates": int(bool(told.unreadable)),
    }


def _in_words(summary: dict[str, object]) -> str:
    at = summary["columns"]
    read = (
        ", ".join(f"{k} = {v}" for k, v in at.items()) if isinstance(at, dict) else ""
    )
    how = (
        "Twins, and parent and child, are kept apart."
        if summary["relatives"]
        else "Nobody in it seems related: judged by weights alone (--relatives yes"
        " keeps twins, and parent and child, apart)."
    )
    return (
        f"Read {summary['rows']} rows ({summary['encoding']}): {read}.\n{how}\n"
        f"{summary['people']} people; {summary['to_be_reviewed']} rows to be reviewed;"
        f" {summary['unreadable_dates']} dates of birth that cannot be read."
    )


def _encoding(path: Path) -> str:
    """Find out how a file is written: UTF-8, UTF-16 with its mark, or Windows-1252."""
    with path.open("rb") as stream:
        if stream.read(2) in {b"\xff\xfe", b"\xfe\xff"}:
            return "utf-16"
    with ExitStack() as stack:
        stream_of_text = stack.enter_context(path.open(encoding="utf-8-sig"))
        try:
            while stream_of_text.read(_CHUNK):
                pass
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8-sig"
