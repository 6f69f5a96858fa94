"""Records that are being typed: kept as typed until they are submitted or too old."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from models import EntryDraft, User
from pmp import settings
from pmp.errors import NotFoundError, RuleError

MOST = 100
LONGEST = 500


def of(user: User) -> list[EntryDraft]:
    """List a user's drafts, the latest first."""
    query = EntryDraft.select().where(EntryDraft.user == user)
    return list(query.order_by(EntryDraft.updated_at.desc(), EntryDraft.id.desc()))


def mine(draft_id: int, *, by: User) -> EntryDraft:
    """Give a user's own draft; NotFoundError for any other."""
    found: EntryDraft | None = EntryDraft.get_or_none(
        (EntryDraft.id == draft_id) & (EntryDraft.user == by)
    )
    if found is None:
        raise NotFoundError("This draft is gone: it was submitted, deleted or old.")
    return found


def save(
    typed: Mapping[str, str],
    *,
    by: User,
    at: datetime,
    draft: EntryDraft | None = None,
) -> EntryDraft:
    """Keep what was typed, whatever it is, over a draft or as a new one.

    RuleError for a user who has a hundred.
    """
    kept = {name: text[:LONGEST] for name, text in typed.items() if text}
    if draft is not None:
        EntryDraft.update(elements=kept, updated_at=at).where(
            EntryDraft.id == draft.id
        ).execute()
        return draft
    if EntryDraft.select().where(EntryDraft.user == by).count() >= MOST:
        raise RuleError(f"You have {MOST} drafts. Submit or delete some first.")
    made: EntryDraft = EntryDraft.create(user=by, elements=kept, updated_at=at)
    return made


def forget(draft: EntryDraft) -> None:
    """Delete a draft."""
    EntryDraft.delete().where(EntryDraft.id == draft.id).execute()


def expire(*, at: datetime) -> int:
    """Delete drafts that nobody has touched for `draft_days`; give how many."""
    oldest = at - timedelta(days=settings.current().draft_days)
    query = EntryDraft.delete().where(EntryDraft.updated_at < oldest)
    return int(query.execute())
