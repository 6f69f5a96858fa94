"""mme: morphine milligram equivalents of a table of fills, without a database."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from typing import TextIO

import click

from pmp import drug_classes
from pmp import mme as equivalents
from pmp.mme import Dose, Outcome, RuleSet

COLUMNS = ("ingredient", "route_form", "strength", "unit", "quantity", "days_supply")


@click.command()
@click.argument("file", type=click.File(encoding="utf-8-sig"), default="-")
@click.option(
    "--ruleset",
    default=equivalents.DEFAULT_RULE_SET,
    show_default=True,
    help="Which published table of factors.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a row.")
def mme(file: TextIO, ruleset: str, *, as_json: bool) -> None:
    """Compute MME per day for each row of FILE (CSV; standard input if left out).

    Columns: ingredient, route_form, strength, unit, quantity, days_supply. Prints the
    rows with outcome, factor, daily_mme, reason and note. Exit 1 if a row could not be
    calculated.
    """
    rows = list(_answers(_rows(file), _rules(ruleset)))
    if as_json:
        for row in rows:
            click.echo(json.dumps(row))
    elif rows:
        out = csv.DictWriter(sys.stdout, list(rows[0]))
        out.writeheader()
        out.writerows(rows)
    if any(row["outcome"] == Outcome.NOT_CALCULATED.value for row in rows):
        raise SystemExit(1)


def _rules(name: str) -> RuleSet:
    try:
        return equivalents.rule_set(name)
    except KeyError:
        known = ", ".join(equivalents.rule_set_names())
        raise click.BadParameter(f"{name!r} is none of {known}") from None


def _rows(file: TextIO) -> Iterator[dict[str, str]]:
    reader = csv.DictReader(file)
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
    if missing:
        raise click.UsageError(f"The file lacks the columns {', '.join(missing)}.")
    for row in reader:
        yield {name: row.get(name) or "" for name in reader.fieldnames or []}


def _answers(
    rows: Iterable[dict[str, str]], rules: RuleSet
) -> Iterator[dict[str, str | None]]:
    for row in rows:
        kind = drug_classes.kind_of(row["ingredient"], row["route_form"])
        dose = Dose(
            key=kind.mme_key,
            drug_class=kind.drug_class if row["ingredient"].strip() else "",
            strength=_number(row["strength"]),
            strength_unit=row["unit"],
            quantity=_number(row["quantity"]),
            days=_number(row["days_supply"]),
        )
        found = equivalents.daily(dose, rules)
        yield {
            **row,
            "outcome": found.outcome.value,
            "factor": _text(found.factor),
            "daily_mme": _text(found.value),
            "reason": found.reason,
            "note": found.note,
            "rule_set": rules.name,
        }


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _text(number: Decimal | None) -> str | None:
    if number is None:
        return None
    text = f"{round(number, 6):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
