"""What staff ask a user about a look-up, and what the user answers."""

from datetime import datetime

from models import UnusualLookUp, UnusualLookUpMessage, UnusualStatus, User
from pmp import audit, database, delegates
from pmp.errors import NotFoundError, RuleError


def asked(unusual_id: int, *, by: User, at: datetime) -> UnusualLookUp:
    """Give a look-up of a user's own that staff have asked about; NotFoundError."""
    found: UnusualLookUp | None = UnusualLookUp.get_or_none(
        (UnusualLookUp.id == unusual_id)
        & (UnusualLookUp.user == by)
        & (UnusualLookUp.status == UnusualStatus.ASKED)
    )
    if found is None or not delegates.may_see(found.look_up, by=by, at=at):
        raise NotFoundError("There is no such question, or you have answered it.")
    return found


def thread(unusual: UnusualLookUp) -> list[UnusualLookUpMessage]:
    """Give what was asked, answered and noted, the oldest first."""
    return list(
        UnusualLookUpMessage.select()
        .where(UnusualLookUpMessage.unusual == unusual)
        .order_by(UnusualLookUpMessage.id)
    )


def answer(unusual: UnusualLookUp, *, text: str, by: User, at: datetime) -> None:
    """Answer staff; RuleError without words, or if it was answered meanwhile."""
    if not text.strip():
        raise RuleError("Write an answer", field="text")
    with database.atomic():
        changed = (
            UnusualLookUp.update(status=UnusualStatus.ANSWERED)
            .where(UnusualLookUp.id == unusual.id)
            .where(UnusualLookUp.status == UnusualStatus.ASKED)
            .execute()
        )
        if not changed:
            raise RuleError("This question has been answered, or was taken back.")
        UnusualLookUpMessage.create(
            unusual=unusual, at=at, by=by.username, text=text.strip()
        )
        audit.record(
            audit.Event.UNUSUAL_ANSWERED,
            actor=by.username,
            subject=f"look_up:{unusual.look_up.id}",
            at=at,
            detail={"unusual": unusual.id},
        )
