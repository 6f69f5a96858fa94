"""What staff decide on findings: suspend, keep, reinstate, note, take a pharmacy off.

All that are chosen at once are decided together or not at all; each user is told where
they are reached, and what was decided is on the audit record with its reason.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from models import (
    FindingKind,
    FindingVerdict,
    Licence,
    LicenceFinding,
    NoticeOfAccount,
    User,
)
from pmp import accounts, audit, clock, database, downloads, sorting
from pmp.accounts import account_notices, coverage
from pmp.downloads import Listing
from pmp.errors import ConflictError, RuleError
from pmp.paging import Page, page_of
from pmp.roster import reverification

SIZE = 50
GRAVEST = "what"
SORTS: dict[str, Any] = {
    "user": User.name,
    "what": LicenceFinding.kind.in_(reverification.NOTES),
    "found": LicenceFinding.found_at,
}
FILE = Listing("licences_of_users", "findings")
MOST = 500
VERDICTS = {
    FindingKind.GONE: (FindingVerdict.SUSPENDED, FindingVerdict.KEPT),
    FindingKind.LAPSED: (FindingVerdict.SUSPENDED, FindingVerdict.KEPT),
    FindingKind.COVERED_LAPSED: (FindingVerdict.WITHDRAWN, FindingVerdict.KEPT),
    FindingKind.IN_FORCE_AGAIN: (FindingVerdict.REINSTATED, FindingVerdict.KEPT),
    FindingKind.RENAMED: (FindingVerdict.NOTED,),
    FindingKind.MOVED: (FindingVerdict.NOTED,),
}
TOLD = {
    FindingVerdict.SUSPENDED: NoticeOfAccount.LICENCE_SUSPENDED,
    FindingVerdict.REINSTATED: NoticeOfAccount.LICENCE_REINSTATED,
}


def waiting(*, number: int, sort: str = GRAVEST) -> Page:
    """Give a page of findings to decide on: who may not be a user first.

    Or in another order, one of SORTS; a minus before it turns it round.
    """
    query = _with_users().where(LicenceFinding.settled_at.is_null())
    order = sorting.known(sort, SORTS, otherwise=GRAVEST)
    query = sorting.in_order(query, order, SORTS, then=LicenceFinding.id)
    return page_of(query, number=number, size=SIZE)


def count() -> int:
    """Count the findings that wait for staff."""
    query = LicenceFinding.select().where(LicenceFinding.settled_at.is_null())
    return int(query.count())


def of_user(user: User | None) -> list[LicenceFinding]:
    """Give what the roster has said of a user's licence, the latest first."""
    if user is None:
        return []
    query = LicenceFinding.select().where(LicenceFinding.user == user)
    return list(query.order_by(LicenceFinding.id.desc()))


def file_of_all(*, by: User, at: datetime) -> list[Any]:
    """Give all findings, decided or not, the latest first, for a file; on record.

    RuleError if they are more than a file may hold.
    """
    query = _with_users().order_by(LicenceFinding.id.desc())
    return downloads.rows_of(query, FILE, by=by, at=at)


def chosen(ids: Sequence[int]) -> list[LicenceFinding]:
    """Give open findings by number; RuleError (field `findings`) if there are none."""
    wanted = [number for number in ids if 0 < number < 2**31][:MOST]
    query = _with_users().where(LicenceFinding.id.in_(wanted))
    rows = list(
        query.where(LicenceFinding.settled_at.is_null()).order_by(LicenceFinding.id)
    )
    if not rows:
        raise RuleError("Choose at least one that waits.", field="findings")
    return rows


def settle(
    ids: Sequence[int],
    verdict: FindingVerdict,
    *,
    reason: str,
    by: User,
    at: datetime,
) -> int:
    """Decide on findings; give how many users are told.

    ConflictError, and nothing is done, where one was decided or does not hold any more;
    RuleError where the verdict does not suit one, or a reason is wanted and none given.
    """
    if verdict != FindingVerdict.NOTED and not reason.strip():
        raise RuleError("Say why.", field="reason")
    with database.atomic():
        rows = [_taken(number, verdict, reason, by=by, at=at) for number in ids]
        return sum(_follow(row, reason.strip(), by=by, at=at) for row in rows)


def _taken(
    number: int, verdict: FindingVerdict, reason: str, *, by: User, at: datetime
) -> LicenceFinding:
    taken = (
        LicenceFinding.update(
            verdict=verdict,
            reason=reason.strip(),
            settled_by=by.username,
            settled_at=at,
        )
        .where(LicenceFinding.id == number, LicenceFinding.settled_at.is_null())
        .execute()
    )
    row: LicenceFinding | None = LicenceFinding.get_or_none(LicenceFinding.id == number)
    if not taken or row is None:
        raise ConflictError(
            "Somebody has decided on one of these meanwhile. Look at the list again."
        )
    name = row.user.username
    if verdict not in VERDICTS[row.kind]:
        raise RuleError(f"{name}: this cannot be {verdict.value}.", field="verdict")
    if verdict != FindingVerdict.KEPT and not reverification.holds(
        row, today=clock.day_of(at)
    ):
        raise ConflictError(f"{name}: this is not so any more. Look at the list again.")
    return row


def _follow(row: LicenceFinding, reason: str, *, by: User, at: datetime) -> bool:
    """Do what a verdict says; tell whether its user is told."""
    verdict = row.verdict or FindingVerdict.NOTED
    audit.record(
        audit.Event.LICENCE_SETTLED,
        actor=by.username,
        subject=f"user:{row.user.id}",
        at=at,
        detail={
            "finding": row.id,
            "kind": row.kind.value,
            "verdict": verdict.value,
            "reason": reason,
        },
    )
    if verdict == FindingVerdict.SUSPENDED:
        accounts.suspend(user=row.user, reason=reason, by=by, at=at)
    elif verdict == FindingVerdict.REINSTATED:
        accounts.unlock(user=row.user, by=by, at=at)
    elif verdict == FindingVerdict.WITHDRAWN and row.licence is not None:
        coverage.withdraw(row.user, licence=row.licence.code, by=by, at=at)
    kind = TOLD.get(verdict)
    detail = {"standing": row.after}
    return bool(kind and account_notices.tell(row.user, kind, at=at, detail=detail))


def _with_users() -> Any:
    about: Any = Licence.alias()
    return (
        LicenceFinding.select(LicenceFinding, User, Licence, about)
        .join(User)
        .left_outer_join(Licence)
        .switch(LicenceFinding)
        .left_outer_join(about, on=LicenceFinding.licence == about.id, attr="licence")
    )
