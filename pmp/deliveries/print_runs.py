"""Print runs: the letters that staff print together, fold and take to the post.

A letter is in one run at a time, which the database sees to. Its states are batched,
printed once a person says that the paper came out, mailed with the day (see mailings),
and perhaps returned. What was cancelled meanwhile is still in the pile as paper: the
run cannot be mailed before somebody says that they pulled it out.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from models import (
    Delivery,
    DeliveryState,
    Document,
    PrintRun,
    PrintRunLetter,
    User,
)
from pmp import audit, database, documents
from pmp.deliveries import barred, letter_codes, letters, outbox, run_rows
from pmp.errors import RuleError

MOST_LETTERS = 200
PUT_BACK = "put back among those that wait"
BARRED = "its address is somebody else's"
PULLED = "not to be mailed, and its paper pulled out"
_WAITS = (DeliveryState.BATCHED, DeliveryState.PRINTED)


@dataclass(frozen=True)
class Letter:
    """A letter of a run: its place in the pile and where it stands."""

    row: PrintRunLetter
    delivery: Delivery
    first_sheet: int  # counted from the top of the pile, as it was printed
    is_barred: bool = False  # its address is somebody else's
    has_pages: bool = True  # else they were destroyed: no paper can be made of it

    @property
    def code(self) -> str:
        return letter_codes.letter_code(self.delivery.id)

    @property
    def name(self) -> str:
        return next(iter(self.delivery.address.splitlines()), "No address")

    @property
    def town(self) -> str:
        return next(reversed(self.delivery.address.splitlines()), "")

    @property
    def is_in(self) -> bool:
        return self.row.taken_out_at is None

    @property
    def to_print(self) -> bool:
        """Whether its paper is still to come out of the printer."""
        return self._may_go and self.delivery.state == DeliveryState.BATCHED

    @property
    def to_mail(self) -> bool:
        return self._may_go and self.delivery.state == DeliveryState.PRINTED

    @property
    def to_pull(self) -> bool:
        """Whether its paper must be pulled out of the pile: it must not be mailed."""
        stays = self.delivery.state in _WAITS and not self.is_barred
        posted = self.delivery.state in run_rows.POSTED
        return self.is_in and not stays and not posted

    @property
    def _may_go(self) -> bool:
        return self.is_in and not self.is_barred


def open_run(
    *,
    kind: str = "",
    most: int = MOST_LETTERS,
    sheets: Callable[[bytes], int],
    by: User,
    at: datetime,
) -> PrintRun:
    """Put the oldest letters that wait into a new run, of one kind or of all.

    At most `most` of them, and 200. Two people who do so at once never get the same
    letter. `sheets` counts the sheets of paper of a PDF. RuleError if none waits.
    """
    query = letters.waiting(kind=kind).limit(max(1, min(most, MOST_LETTERS)))
    counted = [(row, _sheets(row, sheets)) for row in query]
    with database.atomic():
        run = PrintRun.create(kind=kind, opened_by=by.username, opened_at=at)
        taken = [(outbox.taken(row.id), count) for row, count in counted if count]
        ready = [pair for pair in taken if _is_free(pair[0])]
        if not ready:
            raise RuleError(
                "No letter waits any more: somebody else has just put them in a run."
                if taken
                else "No letter waits to be printed."
            )
        for place, (letter, count) in enumerate(_by_kind(ready), start=1):
            PrintRunLetter.create(run=run, delivery=letter, place=place, sheets=count)
            outbox.change(
                letter,
                DeliveryState.BATCHED,
                source=by.username,
                text=f"in print run {run.id}",
                at=at,
            )
        record(audit.Event.LETTERS_BATCHED, run, [row for row, _ in ready], by, at)
    return run


def contents(run: PrintRun) -> list[Letter]:
    """Give the letters of a run, from the top of the pile."""
    return contents_of([run])[run.id]


def contents_of(runs: Sequence[PrintRun]) -> dict[int, list[Letter]]:
    """Give the letters of some runs, by the run's id, from the top of each pile."""
    query = (
        PrintRunLetter.select(PrintRunLetter, Delivery)
        .join(Delivery)
        .where(PrintRunLetter.run.in_(runs))
        .order_by(PrintRunLetter.run, PrintRunLetter.place)
    )
    rows = list(query)
    closed = barred.among(row.delivery.address for row in rows)
    kept = _kept(row.delivery.__data__["document"] for row in rows)
    found: dict[int, list[Letter]] = {run.id: [] for run in runs}
    for row in rows:
        pile = found[row.__data__["run"]]
        last = pile[-1] if pile else None
        sheet = last.first_sheet + last.row.sheets if last else 1
        is_barred = row.delivery.address in closed and barred.closes(row.delivery)
        has_pages = row.delivery.__data__["document"] in kept
        pile.append(Letter(row, row.delivery, sheet, is_barred, has_pages))
    return found


def stage(found: Collection[Letter]) -> str:
    """Say where a run stands, by its letters."""
    if any(letter.to_pull for letter in found):
        return "Pull out what must not go"
    to_print = sum(letter.to_print for letter in found)
    to_mail = sum(letter.to_mail for letter in found)
    if to_print:
        return "Some to be printed again" if to_mail else "To be printed"
    if to_mail:
        return "Printed, to be mailed"
    if any(letter.delivery.state == DeliveryState.MAILED for letter in found):
        return "Mailed"
    return "Done"


def papers(
    run_id: int, *, again: Collection[int] = (), by: User, at: datetime
) -> list[tuple[Delivery, bytes]]:
    """Give delivery and PDF of the letters of a run that are to be printed, on record.

    In the order of the pile. `again` names deliveries of it to print once more, also
    those that came out before; none: all that still have to come out, or, where all
    did, the whole run but for those whose pages are destroyed, as a password's are once
    its letter was mailed.
    """
    run = run_rows.get(run_id)
    with database.atomic():
        inside = [each for each in contents(run) if each.to_print or each.to_mail]
        chosen = [each for each in inside if each.delivery.id in set(again)]
        if not again:
            chosen = [each for each in inside if each.to_print]
            chosen = chosen or [each for each in inside if each.has_pages] or inside
        if not chosen:
            raise RuleError("Nothing of this run is to be printed.")
        bodies = [(each.delivery, _body(each.delivery)) for each in chosen]
        rows = [each.delivery for each in chosen]
        record(audit.Event.LETTERS_PRINTED, run, rows, by, at)
    return bodies


def confirm(
    run_id: int, *, jammed: Collection[int] = (), by: User, at: datetime
) -> int:
    """Record that a run came out of the printer; give how many letters did.

    `jammed` names the deliveries that did not, which stay to be printed again.
    """
    with database.atomic():
        run = run_rows.taken(run_id)
        found = [each for each in contents(run) if each.to_print]
        if not found:
            raise RuleError("Nothing of this run waits to come out of the printer.")
        if strangers := set(jammed) - {each.delivery.id for each in found}:
            listed = ", ".join(map(letter_codes.letter_code, sorted(strangers)))
            raise RuleError(f"Not among those to be printed: {listed}.", field="jammed")
        rows = all_taken(found).values()
        out = [
            row
            for row in rows
            if row.id not in set(jammed) and row.state == DeliveryState.BATCHED
        ]
        for letter in out:
            outbox.change(letter, DeliveryState.PRINTED, source=by.username, at=at)
    return len(out)


def put_back(run_id: int, letter_id: int, *, by: User, at: datetime) -> None:
    """Take a letter out of a run: it waits again, or its paper was pulled out.

    One whose address is somebody else's is held: staff must find another.
    """
    with database.atomic():
        run = run_rows.taken(run_id)
        found = {each.delivery.id: each for each in contents(run)}
        letter = found.get(letter_id)
        if letter is None or not (letter.to_print or letter.to_mail or letter.to_pull):
            raise RuleError("It is not in this run any more.")
        delivery = outbox.taken(letter_id)
        if delivery.state in _WAITS:
            _leave(delivery, run, is_barred=letter.is_barred, by=by, at=at)
        letter.row.taken_out_for = PULLED if letter.to_pull else PUT_BACK
        letter.row.taken_out_at = at
        letter.row.save()
        run_rows.close_if_over(run, at=at)


def _leave(
    delivery: Delivery, run: PrintRun, *, is_barred: bool, by: User, at: datetime
) -> None:
    """Have a letter (got by `taken`) wait again, or for staff if it must not go."""
    delivery.needs_staff = is_barred
    outbox.change(
        delivery,
        DeliveryState.HELD if is_barred else DeliveryState.SUBMITTED,
        source=by.username,
        text=BARRED if is_barred else f"{PUT_BACK}, from print run {run.id}",
        at=at,
    )


def all_taken(found: Collection[Letter]) -> dict[int, Delivery]:
    """Take the deliveries of a run's letters before any is changed, in one order.

    A change locks the audit record; whoever waits for a row after that has a deadlock
    with whoever holds that row and waits for the record.
    """
    ids = sorted(each.delivery.id for each in found if each.is_in)
    return {number: outbox.taken(number) for number in ids}


def _kept(ids: Iterable[int | None]) -> set[int]:
    """Give those of the documents whose pages can still be read."""
    query = (
        Document.select(Document.id)
        .where(Document.id.in_([each for each in ids if each is not None]))
        .where(Document.sealed.is_null(is_null=False))
    )
    return {each.id for each in query}


def _sheets(letter: Delivery, sheets: Callable[[bytes], int]) -> int:
    """Count a letter's sheets; none where its pages are gone: it was used."""
    try:
        return sheets(_body(letter))
    except RuleError:
        return 0


def _by_kind(ready: list[tuple[Delivery, int]]) -> list[tuple[Delivery, int]]:
    """Put letters of a kind together: they are folded and checked alike."""
    return sorted(ready, key=lambda pair: (pair[0].kind.value, pair[0].id))


def _is_free(letter: Delivery) -> bool:
    """Tell whether a letter waits, and no paper of it lies in the pile of a run."""
    waits = letter.state == DeliveryState.SUBMITTED
    return waits and run_rows.place_of(letter.id) is None


def _body(letter: Delivery) -> bytes:
    if letter.document is None or letter.document.sealed is None:
        raise RuleError(
            f"Letter {letter_codes.letter_code(letter.id)} has no pages any more: it"
            " was mailed, used or replaced. Mail the paper that you have, or take it"
            " out of the run."
        )
    return documents.read(letter.document)


def record(
    event: audit.Event, run: PrintRun, rows: list[Delivery], by: User, at: datetime
) -> None:
    """Put on the audit record what was done with which letters of a run."""
    audit.record(
        event,
        actor=by.username,
        subject=f"print-run:{run.id}",
        at=at,
        detail={"deliveries": [row.id for row in rows]},
    )
