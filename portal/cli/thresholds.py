"""thresholds run, thresholds simulate: evaluate the rules, or try one out."""

from datetime import datetime, timedelta

import click

from pmp import clock
from pmp import thresholds as evaluation
from pmp.errors import NotFoundError
from pmp.thresholds import threshold_rules
from pmp.thresholds.threshold_rules import Terms
from portal.cli import with_program

DAY = click.DateTime(["%Y-%m-%d", "%m/%d/%Y"])
YEAR = timedelta(days=365)


@click.group()
def thresholds() -> None:
    """Find the patients who reach a threshold."""


@thresholds.command()
@with_program
def run() -> None:
    """Evaluate every patient now, as the worker does each night."""
    changed = evaluation.run(clock.now())
    for case in changed:
        click.echo(f"case {case.id} {case.status.value} {case.crossed_on.isoformat()}")
    click.echo(f"{len(changed)} cases made, counted again or withdrawn.")


@thresholds.command()
@click.argument("rule")
@click.option("--from", "since", type=DAY, help="First day; a year ago if not given.")
@click.option("--to", "until", type=DAY, help="Last day; today if not given.")
@with_program
def simulate(rule: str, since: datetime | None, until: datetime | None) -> None:
    """Show what RULE (its name) would have made; nothing is written or sent."""
    last = until.date() if until else clock.today()
    first = since.date() if since else last - YEAR
    chosen = _named(rule)
    found = evaluation.simulate(chosen, first, last)
    click.echo(f"{chosen.name}: {threshold_rules.sentence(chosen)}")
    for each in found:
        crossing = each.crossing
        click.echo(
            f"{crossing.crossed_on.isoformat()} patient {each.patient_id}: "
            f"{crossing.prescribers} prescribers, {crossing.pharmacies} pharmacies, "
            f"{len(crossing.fills)} entries"
        )
    click.echo(f"{len(found)} cases from {first.isoformat()} to {last.isoformat()}.")


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
