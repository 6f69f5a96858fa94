"""user create, list, suspend, unlock, reopen, …: accounts, from the command line."""

import click

from models import Role
from pmp import accounts, clock
from pmp.accounts import coverage, inactivity, second_factor, users
from pmp.wording import us_time
from portal.cli import with_program

# A delegate is asked for by a supervisor: nobody answers for one who is made here.
ROLES = [role.value for role in Role if role is not Role.DELEGATE]


@click.group()
def user() -> None:
    """Look after accounts."""


@user.command()
@click.option("--username", required=True)
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--email", default="")
@with_program
def create(username: str, role: str, email: str) -> None:
    """Make an account and print its single-use password, once.

    Its owner goes to /activate with both and sets a password of their own.
    """
    made, secret = users.create_with_secret(
        username=username, role=Role(role), email=email, at=clock.now()
    )
    click.echo(f"User name: {made.username}")
    click.echo(f"Single-use password (shown this once): {secret}")


@user.command("list")
@with_program
def list_() -> None:
    """List the accounts: user name, role, status, last sign-in."""
    for each in users.every():
        seen = us_time(each.last_sign_in_at) or "never"
        click.echo(f"{each.username}\t{each.role}\t{each.status}\t{seen}")


@user.command()
@click.argument("username")
@click.option("--reason", default="from the command line")
@with_program
def suspend(username: str, reason: str) -> None:
    """Shut USERNAME out at once."""
    found = users.named(username)
    accounts.suspend(user=found, reason=reason, by=None, at=clock.now())
    click.echo(f"{found.username} is suspended.")


@user.command()
@click.argument("username")
@with_program
def unlock(username: str) -> None:
    """Let USERNAME, locked or suspended, try again."""
    found = users.named(username)
    accounts.unlock(user=found, by=None, at=clock.now())
    click.echo(f"{found.username} may sign in again.")


@user.command()
@click.argument("username")
@click.option("--reason", required=True)
@with_program
def reopen(username: str, reason: str) -> None:
    """Open USERNAME's account again, which was closed because nobody used it."""
    found = users.named(username)
    inactivity.reopen(found, reason=reason, by=None, at=clock.now())
    click.echo(f"{found.username} may sign in again.")


@user.command("lost-factor")
@click.argument("username")
@click.option("--reason", required=True)
@with_program
def lost_factor(username: str, reason: str) -> None:
    """Take a lost second factor off USERNAME's account.

    Such as the last administrator's: who may run commands needs no second person.
    """
    found = users.named(username)
    second_factor.remove(found, by="system", at=clock.now(), reason=reason)
    click.echo(f"{found.username} has no second factor any more.")


@user.command()
@click.argument("username")
@click.argument("licence")
@click.option("--withdraw", is_flag=True, help="Take it back.")
@with_program
def cover(username: str, licence: str, *, withdraw: bool) -> None:
    """Let pharmacy USERNAME report for the pharmacy with LICENCE as well."""
    found = users.named(username)
    if withdraw:
        coverage.withdraw(found, licence=licence, by=None, at=clock.now())
        click.echo(f"{found.username} may no longer report for {licence}.")
    else:
        granted = coverage.grant(found, licence=licence, by=None, at=clock.now())
        click.echo(f"{found.username} may report for {granted.name}.")
