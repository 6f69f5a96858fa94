"""A print run goes to the post: on which day, with which numbers; and undone."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from models import DeliveryState, PrintRun, PrintRunLetter, User
from pmp import audit, clock, database
from pmp.deliveries import outbox, print_runs, run_rows
from pmp.deliveries.print_runs import Letter
from pmp.deliveries.tracking_numbers import tracking_number
from pmp.errors import RuleError
from pmp.wording import us_date

EARLIEST = timedelta(days=31)


def mail(
    run_id: int,
    *,
    on: date,
    tracking: Mapping[int, str] | None = None,
    by: User,
    at: datetime,
) -> int:
    """Record that the printed letters of a run went to the post; give how many.

    `tracking` holds what was typed or scanned, by delivery id. RuleError where the
    paper of a cancelled letter is still in the pile, where nothing is printed, and for
    a day that cannot be.
    """
    day = clock.day_of(at)
    if not day - EARLIEST <= on <= day:
        raise RuleError(
            f"{us_date(on)} cannot be: give today or one of the last 31 days.",
            field="on",
        )
    with database.atomic():
        run = run_rows.taken(run_id)
        rows = print_runs.all_taken(print_runs.contents(run))
        # Read again: what somebody cancelled while we waited for a row must not go.
        chosen = _ready_to_mail(print_runs.contents(run))
        _keep_tracking(chosen, tracking or {})
        for each in chosen:
            letter = rows[each.delivery.id]
            letter.needs_staff = False
            text = f"taken to the post on {us_date(on)}"
            outbox.change(
                letter, DeliveryState.MAILED, source=by.username, text=text, at=at
            )
        run.mailed_by, run.mailed_on, run.mailed_at = by.username, on, at
        run.save(only=[PrintRun.mailed_by, PrintRun.mailed_on, PrintRun.mailed_at])
        run_rows.close_if_over(run, at=at)
        gone = [each.delivery for each in chosen]
        print_runs.record(audit.Event.LETTERS_MAILED, run, gone, by, at)
    return len(chosen)


def may_undo_mailing(run: PrintRun, *, at: datetime) -> bool:
    """Tell whether it can still be taken back that a run was mailed: the same day."""
    return run.mailed_at is not None and clock.day_of(run.mailed_at) == clock.day_of(at)


def undo_mailing(run_id: int, *, by: User, at: datetime) -> int:
    """Take back, on the same day, that a run was mailed; give how many letters.

    A credential letter's pages stay destroyed: its paper can be mailed, not printed
    again.
    """
    with database.atomic():
        run = run_rows.taken(run_id)
        if not may_undo_mailing(run, at=at):
            raise RuleError("Only on the day itself can it be taken back.")
        rows = print_runs.all_taken(print_runs.contents(run))
        back = [
            row
            for row in rows.values()
            if row.state == DeliveryState.MAILED and row.final_at == run.mailed_at
        ]
        for letter in back:
            letter.final_at = None
            text = "not taken to the post after all"
            outbox.change(
                letter, DeliveryState.PRINTED, source=by.username, text=text, at=at
            )
        run.mailed_by, run.mailed_on, run.mailed_at = "", None, None
        run.closed_at = None
        run.save()
        print_runs.record(audit.Event.LETTERS_NOT_MAILED, run, back, by, at)
    return len(back)


def _ready_to_mail(found: list[Letter]) -> list[Letter]:
    pull = [f"{each.name} ({each.code})" for each in found if each.to_pull]
    if pull:
        raise RuleError(
            f"First pull out the paper of what must not go: {'; '.join(pull)}. Then"
            " say so below."
        )
    chosen = [each for each in found if each.to_mail]
    if not chosen:
        raise RuleError("First print the run, and say that the paper came out.")
    return chosen


def _keep_tracking(chosen: list[Letter], typed: Mapping[int, str]) -> None:
    wrong, numbers = [], {}
    for each in chosen:
        if text := typed.get(each.delivery.id, "").strip():
            try:
                numbers[each.row.id] = tracking_number(text)
            except ValueError as fault:
                wrong.append(f"{each.name}: {fault}")
    if wrong:
        raise RuleError(" ".join(wrong), field="tracking")
    if twice := {number for number in numbers.values() if _count(numbers, number) > 1}:
        listed = ", ".join(sorted(twice))
        raise RuleError(f"Given to two letters: {listed}.", field="tracking")
    for each in chosen:
        if number := numbers.get(each.row.id):
            each.row.tracking = number
            each.row.save(only=[PrintRunLetter.tracking])


def _count(numbers: Mapping[int, str], number: str) -> int:
    return list(numbers.values()).count(number)
