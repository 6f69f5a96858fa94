"""The rows of print runs: one taken, one closed, and the place of a letter in one."""

from datetime import datetime

from models import Delivery, DeliveryState, PrintRun, PrintRunLetter
from pmp import database
from pmp.errors import NotFoundError

# Nothing is left to do to the paper of a letter that the post has, or had.
POSTED = (DeliveryState.MAILED, DeliveryState.RETURNED)


def get(run_id: int) -> PrintRun:
    """Give a run; NotFoundError if there is none."""
    run: PrintRun | None = PrintRun.get_or_none(PrintRun.id == run_id)
    if run is None:
        raise NotFoundError("There is no such print run.")
    return run


def taken(run_id: int) -> PrintRun:
    """Read a run so that nobody else works on it before this transaction ends.

    To be done before any of its letters is taken.
    """
    get(run_id)
    query = PrintRun.select().where(PrintRun.id == run_id)
    if not database.is_sqlite():  # SQLite's transactions are IMMEDIATE
        query = query.for_update()
    run: PrintRun = query.get()
    return run


def place_of(letter_id: int) -> PrintRunLetter | None:
    """Give the place that a letter has in a run; None if no run has it."""
    place: PrintRunLetter | None = (
        PrintRunLetter.select()
        .where(PrintRunLetter.delivery == letter_id)
        .where(PrintRunLetter.taken_out_at.is_null())
        .first()
    )
    return place


def close_if_over(run: PrintRun, *, at: datetime) -> None:
    """Close a run of which nothing waits any more; open one again of which it does."""
    waits = (
        PrintRunLetter.select(PrintRunLetter.id)
        .join(Delivery)
        .where(PrintRunLetter.run == run)
        .where(PrintRunLetter.taken_out_at.is_null())
        .where(Delivery.state.not_in(POSTED))
        .exists()
    )
    run.closed_at = None if waits else run.closed_at or at
    run.save(only=[PrintRun.closed_at])
