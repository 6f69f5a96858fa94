"""outbox list, retry, cancel, run, bounce: deliveries, from the command line."""

import json
import sys
from typing import Any

import click
from peewee import PeeweeException

from gateway import asking, schedule, sending
from models import Delivery, DeliveryState
from pmp import clock, deliveries
from pmp.deliveries import (
    bounce_reports,
    bounces,
    delivery_desk,
    delivery_lists,
    doubts,
)
from pmp.deliveries.bounces import Taken
from pmp.deliveries.delivery_lists import Wanted
from pmp.wording import us_time
from portal.cli import with_program

TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: the mail server keeps it and tries again


@click.group()
def outbox() -> None:
    """Look after email, fax and letters on their way."""


@outbox.command("list")
@click.option("--state", type=click.Choice([each.value for each in DeliveryState]))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@with_program
def list_(state: str | None, *, as_json: bool) -> None:
    """List deliveries, the newest first: id, kind, channel, state, attempts, due."""
    wanted = Wanted(state=DeliveryState(state) if state else None)
    rows = delivery_lists.every(wanted)
    if as_json:
        click.echo(json.dumps([_row(each) for each in rows]))
        return
    for each in rows:
        click.echo(
            f"{each.id}\t{each.kind}\t{each.channel}\t{each.state}\t"
            f"{each.attempts}\t{us_time(each.due_at)}"
        )


@outbox.command()
@click.argument("delivery_id", type=int)
@with_program
def retry(delivery_id: int) -> None:
    """Have DELIVERY_ID sent now: one that waits, is held, or failed."""
    delivery_desk.retry(delivery_id, by=None, at=clock.now())
    click.echo(f"Delivery {delivery_id} is sent as soon as a worker is free.")


@outbox.command()
@click.argument("delivery_id", type=int)
@click.option("--reason", default="from the command line")
@with_program
def cancel(delivery_id: int, reason: str) -> None:
    """Never send DELIVERY_ID."""
    delivery_desk.cancel(delivery_id, reason=reason, by=None, at=clock.now())
    click.echo(f"Delivery {delivery_id} is cancelled.")


@outbox.command()
@with_program
def run() -> None:
    """Do here, now, what a worker would do for deliveries: send all that is due."""
    schedule.sweep_leases()
    for delivery_id in doubts.open_doubts(at=clock.now()):
        asking.about_doubt(delivery_id)
    count = 0
    at = clock.now()
    # What fails gets a later time, so that this comes to an end.
    while ids := deliveries.due(at=at):
        for delivery_id in ids:
            sending.attempt(delivery_id)
        count += len(ids)
    click.echo(f"{count} deliveries tried.")


@outbox.command()
def bounce() -> None:
    """Take in an email that came back, as it is, from standard input.

    For a pipe from the mail server. Exit 0: it is taken in, or needs nobody; 1: it is
    no report about a message of ours; 75: try again later.
    """
    raw = sys.stdin.buffer.read(bounce_reports.LARGEST)
    try:
        taken, about = _take_in(raw)
    except (PeeweeException, SystemExit) as error:  # database, settings or schema
        click.echo(f"Try again later: {type(error).__name__}.", err=True)
        raise SystemExit(TRY_AGAIN) from error
    if taken == Taken.LATER:
        click.echo(f"Try again later: {about} is being sent just now.", err=True)
        raise SystemExit(TRY_AGAIN)
    if taken in {Taken.NOT_UNDERSTOOD, Taken.FORGED}:
        click.echo(f"Not taken in: {about}.", err=True)
        raise SystemExit(1)
    click.echo(f"{taken.value.capitalize()}: {about}.")


@with_program
def _take_in(raw: bytes) -> tuple[Taken, str]:
    return bounces.take_in(raw, at=clock.now())


def _row(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "kind": delivery.kind.value,
        "subject_id": delivery.subject_id,
        "channel": delivery.channel.value,
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "due_at": delivery.due_at.isoformat(),
        "error_class": delivery.error_class.value if delivery.error_class else None,
        "possible_duplicate": delivery.possible_duplicate,
        "needs_staff": delivery.needs_staff,
        "parent": delivery.parent.id if delivery.parent else None,
    }
