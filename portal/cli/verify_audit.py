"""verify-audit: say whether every row of the audit record is as it was written."""

import click

from pmp import audit
from portal.cli import with_program


@click.command()
@with_program
def verify_audit() -> None:
    """Check the audit record's chain and seal; exit 1 with each fault."""
    faults = audit.verify()
    for fault in faults:
        click.echo(fault, err=True)
    if faults:
        raise SystemExit(1)
    click.echo("The audit record is whole.")
