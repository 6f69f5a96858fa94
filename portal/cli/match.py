"""match: tell which rows of a list are one person, without a database."""

import csv
import re
from collections.abc import Iterator
from datetime import date
from typing import TextIO

import click

from pmp.matching.candidates import Kept, Pool
from pmp.matching.identities import Identity

COLUMNS = (
    "id",
    "last",
    "first",
    "dob",
    "sex",
    "street",
    "city",
    "state",
    "zip",
    "phone",
)
_DATE = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)", re.ASCII)


@click.group()
def match() -> None:
    """Which reported identities are one person."""


@match.command()
@click.argument("rows", metavar="IN.csv", type=click.File(encoding="utf-8-sig"))
@click.argument("out", metavar="OUT.csv", type=click.File("w", encoding="utf-8"))
def link(rows: TextIO, out: TextIO) -> None:
    """Copy IN.csv to OUT.csv with two more columns: person, a number, and why.

    Columns: id, last, first, dob (1980-02-16 or 19800216), sex, street, city, state,
    zip, phone; middle, suffix, species and animal_name may be there. Exit 1 if a row
    has no readable date of birth: it is a person of its own.
    """
    reader = csv.DictReader(rows)
    given = list(reader.fieldnames or [])
    missing = [name for name in COLUMNS if name not in given]
    if missing:
        raise click.UsageError(f"The file lacks the columns {', '.join(missing)}.")
    writer = csv.DictWriter(
        out, [*given, "person", "why"], extrasaction="ignore", lineterminator="\n"
    )
    writer.writeheader()
    unreadable = 0
    for row, person, why in _people(reader):
        unreadable += why == _NO_DATE
        writer.writerow({**row, "person": person, "why": why})
    if unreadable:
        click.echo(f"{unreadable} rows have no readable date of birth.", err=True)
        raise SystemExit(1)


_NO_DATE = "no readable date of birth"


def _people(
    rows: Iterator[dict[str, str]],
) -> Iterator[tuple[dict[str, str], int, str]]:
    """Give each row with its person, numbered from 1 as they come, and the reason."""
    pool, people = Pool(), 0
    for row in rows:
        born = _day(row["dob"] or "")
        if born is None:
            people += 1
            yield row, people, _NO_DATE
            continue
        identity = _identity(row, born)
        person, likeness, doubts = pool.decide(identity)
        why = "first of this person"
        if likeness:
            reasons = "; ".join(f"{k} {says}" for k, says in likeness.evidence.items())
            why = f"{likeness.rule}: {reasons}"
        elif doubts:
            why = f"to be reviewed with person {doubts[0][0]}: {doubts[0][1].rule}"
        if not person:
            person = people = people + 1
        pool.add(Kept(identity, person))
        yield row, person, why


def _identity(row: dict[str, str], born: date) -> Identity:
    def text(name: str) -> str:
        return (row.get(name) or "").strip()

    return Identity(
        last=text("last"),
        first=text("first"),
        middle=text("middle"),
        suffix=text("suffix"),
        birth_date=born,
        sex=text("sex").upper()[:1],
        street=text("street"),
        city=text("city"),
        state=text("state"),
        zip=text("zip"),
        phone=text("phone"),
        species=text("species") or "human",
        animal_name=text("animal_name"),
    )


def _day(text: str) -> date | None:
    found = _DATE.fullmatch(text.strip())
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None
