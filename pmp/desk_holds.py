"""What one member of staff has on the desk: others see it, and leave it alone.

A hold ends by itself after `desk_hold_minutes`, when the work is done, when it is put
back, or when somebody takes it over by name. Nobody must take a thing to decide it; who
has taken it keeps all others from it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from models import Application, DeskHold, InboundFax, User
from pmp import audit, database, settings
from pmp.errors import ConflictError
from pmp.wording import us_time


def subject_of(what: Application | InboundFax) -> str:
    """Give the name under which a thing is held, such as fax:12."""
    if isinstance(what, InboundFax):
        return f"fax:{what.id}"
    return f"registration:{what.code}"


def take(
    what: Application | InboundFax, *, by: User, at: datetime, over: bool = False
) -> None:
    """Put a thing on one's own desk, or keep it there anew.

    ConflictError if another has it, unless it is taken `over`.
    """
    subject, minutes = subject_of(what), settings.current().desk_hold_minutes
    until = at + timedelta(minutes=minutes)
    with database.atomic():
        before = holder(what, at=at)
        made = DeskHold.insert(subject=subject, user=by, until=until)
        made.on_conflict_ignore().execute()
        mine = (DeskHold.user == by) | (DeskHold.until <= at)
        query = DeskHold.update(user=by, until=until).where(DeskHold.subject == subject)
        if not (query if over else query.where(mine)).execute():
            raise ConflictError(_words(holder(what, at=at)))
        if before is None or before.user != by:
            detail = {"from": before.user.username} if before else {}
            _record(audit.Event.DESK_TAKEN, subject, by, at, detail)


def take_first(
    waiting: Iterable[Application | InboundFax], *, by: User, at: datetime
) -> Application | InboundFax | None:
    """Take the first thing that nobody else has; None if there is none."""
    for what in waiting:
        held = holder(what, at=at)
        if held and held.user != by:
            continue
        try:
            take(what, by=by, at=at)
        except ConflictError:  # another was faster
            continue
        return what
    return None


def put_back(what: Application | InboundFax, *, by: User, at: datetime) -> None:
    """Take a thing off one's own desk; nothing if it is not there."""
    subject = subject_of(what)
    with database.atomic():
        mine = (DeskHold.subject == subject) & (DeskHold.user == by)
        if DeskHold.delete().where(mine).execute():
            _record(audit.Event.DESK_PUT_BACK, subject, by, at, {})


def end(what: Application | InboundFax, *, by: User, at: datetime) -> None:
    """End the hold on a thing that `by` has dealt with, in the caller's transaction.

    ConflictError if another has it on the desk.
    """
    held = holder(what, at=at)
    if held and held.user != by:
        raise ConflictError(_words(held))
    DeskHold.delete().where(DeskHold.subject == subject_of(what)).execute()


def holder(what: Application | InboundFax, *, at: datetime) -> DeskHold | None:
    """Give the hold on a thing, with its user; None if nobody has it now."""
    return held([what], at=at).get(subject_of(what))


def held(
    things: Iterable[Application | InboundFax], *, at: datetime
) -> dict[str, DeskHold]:
    """Give the holds on things, by `subject_of`."""
    subjects = [subject_of(each) for each in things]
    query = (
        DeskHold.select(DeskHold, User)
        .join(User)
        .where(DeskHold.subject.in_(subjects))
        .where(DeskHold.until > at)
    )
    return {each.subject: each for each in query}


def forget_old(*, at: datetime) -> None:
    """Delete holds that have run out."""
    DeskHold.delete().where(DeskHold.until <= at).execute()


def _words(hold: DeskHold | None) -> str:
    if hold is None:
        return "Somebody else had it a moment ago. Load the page again."
    return (
        f"{hold.user.username} has this on the desk until {us_time(hold.until)}."
        " Nothing was changed. Take it over first, if the two of you agree."
    )


def _record(
    event: audit.Event,
    subject: str,
    by: User,
    at: datetime,
    detail: dict[str, str],
) -> None:
    audit.record(event, actor=by.username, subject=subject, at=at, detail=detail)
