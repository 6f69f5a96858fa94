"""What a user sent when the session was over: kept an hour, sealed, for them alone.

Nothing that was typed is lost silently. Searches for patients and forms with passwords
are never kept, nor are files.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from models import KeptForm, User
from pmp import database, documents
from pmp.permissions import Permission

GOOD_FOR = timedelta(hours=1)
LARGEST = 64 * 1024
NEVER_OF = frozenset(
    {Permission.ACCOUNT, Permission.LOOK_UP, Permission.PATIENT_SCHEDULE}
)
NEVER_NAMED = frozenset({"csrf_token", "password", "current", "secret"})


@dataclass(frozen=True)
class Kept:
    """A form as it was sent: where to, and its fields in their order."""

    path: str
    fields: list[tuple[str, str]]
    kept_at: datetime


def keep(user: User, *, path: str, fields: list[tuple[str, str]], at: datetime) -> bool:
    """Keep a form in place of an earlier one; False if there is nothing to keep."""
    worth = [(name, value) for name, value in fields if name not in NEVER_NAMED]
    body = json.dumps(worth).encode()
    if len(body) > LARGEST or not any(value.strip() for _, value in worth):
        return False
    with database.atomic():
        drop(user)
        KeptForm.create(
            user=user,
            path=path,
            sealed=documents.seal(body, purpose=_for(user)),
            kept_at=at,
        )
    return True


def of(user: User, *, at: datetime) -> Kept | None:
    """Give what is kept of a user, if it is not too old."""
    row = KeptForm.get_or_none(
        (KeptForm.user == user) & (KeptForm.kept_at > at - GOOD_FOR)
    )
    if row is None:
        return None
    body = documents.unseal(bytes(row.sealed), purpose=_for(user))
    fields = [(str(name), str(value)) for name, value in json.loads(body)]
    return Kept(row.path, fields, row.kept_at)


def drop(user: User) -> None:
    """Forget what is kept of a user: it is sent now, or not wanted."""
    KeptForm.delete().where(KeptForm.user == user).execute()


def forget_old(*, at: datetime) -> None:
    """Forget what nobody came back for."""
    KeptForm.delete().where(KeptForm.kept_at <= at - GOOD_FOR).execute()


def _for(user: User) -> str:
    return f"kept-form:{user.id}"
