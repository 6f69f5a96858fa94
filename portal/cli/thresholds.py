"""thresholds run, thresholds simulate: evaluate the rules, or try one out."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import click

from models import ChannelName, Connective, Profession
from pmp import clock
from pmp.errors import NotFoundError, RuleError
from pmp.thresholds import full_checks, simulation, threshold_rules
from pmp.thresholds.simulation import Channels, Comparison, Simulation
from pmp.thresholds.threshold_rules import Terms
from portal.cli import with_program

DAY = click.DateTime(["%Y-%m-%d", "%m/%d/%Y"])


@click.group()
def thresholds() -> None:
    """Find the patients who reach a threshold."""


@thresholds.command()
@with_program
def run() -> None:
    """Evaluate every patient now, as the worker does each night."""
    found = full_checks.run(at=clock.now())
    cases = _count(found.changed, "case", "cases")
    patients = _count(found.patients, "patient", "patients")
    click.echo(f"{cases} made, counted again or withdrawn, of {patients}.")
    if found.missed:
        click.echo(f"{_count(found.missed, 'patient', 'patients')} missed.", err=True)
    if found.put_right:
        named = ", ".join(map(str, found.cases))
        click.echo(
            f"{found.put_right} of them were put right though nothing had touched "
            f"them: {named}.",
            err=True,
        )


@thresholds.command()
@click.argument("rule", required=False)
@click.option("--rule", "named", help="The same as RULE.")
@click.option("--prescribers", type=click.IntRange(1), help="At least.")
@click.option("--pharmacies", type=click.IntRange(1), help="At least.")
@click.option(
    "--connective",
    type=click.Choice([each.value for each in Connective]),
    help="Both numbers, or one of them.",
)
@click.option("--days", "window_days", type=click.IntRange(1), help="Of the window.")
@click.option("--amount", type=click.IntRange(1), help="Of other kinds of rules.")
@click.option("--schedule", "schedules", multiple=True, help="CII, …; several times.")
@click.option("--since", "--from", "since", type=DAY, help="First day.")
@click.option("--until", "--to", "until", type=DAY, help="Last day.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@with_program
def simulate(
    rule: str | None,
    named: str | None,
    since: datetime | None,
    until: datetime | None,
    *,
    as_json: bool,
    **given: Any,
) -> None:
    """Show what RULE (its name) would have sent; nothing is written or sent.

    Numbers that are given stand in for those of the rule. Without days: the last whole
    quarter.
    """
    if not (name := rule or named):
        raise RuleError("Name a rule. To try new numbers, name one and add them.")
    terms = _changed(_named(name), given)
    first, last = simulation.last_quarter(clock.today())
    found = simulation.compare(
        terms,
        since=since.date() if since else first,
        until=until.date() if until else last,
        today=clock.today(),
    )
    if as_json:
        click.echo(json.dumps(_as_json(found)))
    else:
        _print(found)


def _named(name: str) -> Terms:
    known = {
        terms.name: terms
        for terms in (
            threshold_rules.DEFAULT,
            *threshold_rules.PRESETS,
            *map(threshold_rules.terms_of, threshold_rules.newest()),
        )
    }
    for each, terms in known.items():
        if each.casefold() == name.casefold():
            return terms
    raise NotFoundError(f"No rule is called {name}. There are: {', '.join(known)}.")


def _changed(terms: Terms, given: Mapping[str, Any]) -> Terms:
    """Put the numbers that were given in the place of the rule's own; RuleError."""
    changes = {name: value for name, value in given.items() if value}
    if "connective" in changes:
        changes["connective"] = Connective(changes["connective"])
    changed = replace(terms, **changes)
    threshold_rules.require_sound(changed, "To try it out.")
    return changed


def _print(found: Comparison) -> None:
    would = found.would
    if tonight := found.tonight:
        cases = _count(tonight.cases, "case", "cases")
        reports = _count(tonight.reports, "report", "reports")
        click.echo(f"If it is put in force now: {cases}, {reports}.")
    for each in would.cases:
        kept = ", kept back by the cool-down" if each.is_kept else ""
        click.echo(
            f"{each.crossing.crossed_on.isoformat()} patient {each.patient_id}: "
            f"{_count(each.prescribers, 'prescriber', 'prescribers')}, "
            f"{_count(each.pharmacies, 'pharmacy', 'pharmacies')}, "
            f"{_count(len(each.crossing.fills), 'entry', 'entries')}{kept}"
        )
    click.echo(f"{would.rule.name}: {threshold_rules.sentence(would.rule)}")
    _print_counts(would)
    if found.now:
        click.echo(f"In force: {threshold_rules.sentence(found.now.rule)}")
        _print_counts(found.now)
        more = _count(found.more, "patient", "patients")
        click.echo(f"{more} more, {found.fewer:,} fewer.")


def _print_counts(found: Simulation) -> None:
    cases = _count(len(found.cases), "case", "cases")
    patients = _count(found.patients, "patient", "patients")
    reports = _count(found.reports, "report", "reports")
    click.echo(
        f"  {cases} of {patients} from {found.since.isoformat()} to "
        f"{found.until.isoformat()}, {found.kept} kept back by the cool-down; "
        f"{reports}."
    )
    for whose, channels in found.channels.items():
        words = _NAMES[whose]
        ways = ", ".join(f"{number} by {way}" for way, number in _ways(channels))
        who = _count(found.recipients[whose], *words)
        click.echo(f"  {who}: {ways or 'no report'}.")


_NAMES = {
    Profession.PRACTITIONER: ("prescriber", "prescribers"),
    Profession.PHARMACY: ("pharmacy", "pharmacies"),
}


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _ways(channels: Channels) -> list[tuple[str, int]]:
    """Give channels with their counts, in words; those that nobody has are left out."""
    ways = [*ChannelName, None]
    return [
        (way.value if way else "no known way", channels[way])
        for way in ways
        if channels.get(way)
    ]


def _as_json(found: Comparison) -> dict[str, Any]:
    return {
        "would": _counts(found.would),
        "now": _counts(found.now) if found.now else None,
        "tonight": found.tonight and asdict(found.tonight),
        "patients_more": found.more,
        "patients_fewer": found.fewer,
    }


def _counts(found: Simulation) -> dict[str, Any]:
    return {
        "rule": found.rule.name,
        "sentence": threshold_rules.sentence(found.rule),
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "cases": len(found.cases),
        "kept": found.kept,
        "patients": found.patients,
        "reports": found.reports,
        "recipients": {
            whose.value: number for whose, number in found.recipients.items()
        },
        "channels": {
            whose.value: dict(_ways(channels))
            for whose, channels in found.channels.items()
        },
        "samples": [
            {
                "patient": each.patient_id,
                "crossed_on": each.crossing.crossed_on.isoformat(),
                "prescribers": each.prescribers,
                "pharmacies": each.pharmacies,
                "entries": len(each.crossing.fills),
                "kept": each.is_kept,
            }
            for each in found.cases
        ],
    }
