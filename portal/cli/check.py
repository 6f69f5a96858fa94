"""check: everything that is wrong with this deployment."""

import click

from pmp import deployment


@click.command()
def check() -> None:
    """List every problem of settings, keys, files and database; exit 1 on one."""
    problems = deployment.problems()
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        raise SystemExit(1)
    click.echo("Nothing is wrong.")
