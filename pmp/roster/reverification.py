"""Re-verification: what an import says about the licences of users, for staff.

A licence that is gone or lapsed is a question that staff answer: suspend, or keep with
a reason. A user who was suspended for it is proposed again once the licence is in
force. A changed address of record or name is noted. Nothing happens by itself.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

from models import (
    AuditEvent,
    FindingKind,
    FindingVerdict,
    Licence,
    LicenceFinding,
    RosterChange,
    RosterImport,
    RosterState,
    RosterTarget,
    RosterWhat,
    User,
    UserStatus,
)
from pmp import audit, clock
from pmp.registration.comparison import is_active
from pmp.roster.licence_file import GONE
from pmp.wording import us_date, zip_code

_MAY_COME_IN = (UserStatus.ACTIVE, UserStatus.AWAITING_FIRST_SIGN_IN)
_ADDRESS = ("street", "city", "state", "zip")
_NAMED = ("name", "code")
NOT_IN_FORCE = frozenset({FindingKind.GONE, FindingKind.LAPSED})
NOTES = frozenset({FindingKind.RENAMED, FindingKind.MOVED})


class Found(NamedTuple):
    """Something to ask or tell of one user."""

    user_id: int
    kind: FindingKind
    before: str
    after: str


def recheck(batch: RosterImport, *, at: datetime) -> int:
    """Ask anew what holds of users' licences, in the transaction of an import's end.

    What was asked and does not hold any more is closed. Give how many are new.
    """
    today = clock.day_of(at)
    users = _users()
    found = [*_standing(users, today=today), *_changes(batch, users)]
    _close(batch, {(each.user_id, each.kind) for each in found}, at=at)
    fresh = list(_unanswered(found))
    for each in fresh:
        finding = LicenceFinding.create(
            user=each.user_id,
            batch=batch,
            kind=each.kind,
            before=each.before,
            after=each.after,
            found_at=at,
        )
        audit.record(
            audit.Event.LICENCE_FOUND,
            actor="system",
            subject=f"user:{each.user_id}",
            at=at,
            detail={"finding": finding.id, "kind": each.kind.value},
        )
    return len(fresh)


def holds(finding: LicenceFinding, *, today: date) -> bool:
    """Tell whether a finding that asks for a decision is still so."""
    if finding.kind in NOTES:
        return True
    user = finding.user
    if user.licence is None:
        return False
    in_force = is_active(user.licence, day=today)
    if finding.kind in NOT_IN_FORCE:
        return not in_force and user.status in _MAY_COME_IN
    return in_force and suspended_for(user) is not None


def suspended_for(user: User) -> LicenceFinding | None:
    """Give the finding for which a user is suspended; None if for something else."""
    if user.status != UserStatus.SUSPENDED:
        return None
    query = LicenceFinding.select().where(LicenceFinding.user == user)
    last: LicenceFinding | None = (
        query.where(LicenceFinding.verdict == FindingVerdict.SUSPENDED)
        .order_by(LicenceFinding.settled_at.desc(), LicenceFinding.id.desc())
        .first()
    )
    suspension: AuditEvent | None = (
        AuditEvent.select()
        .where(AuditEvent.subject == f"user:{user.id}")
        .where(AuditEvent.event == audit.Event.USER_SUSPENDED.value)
        .order_by(AuditEvent.id.desc())
        .first()
    )
    if last is None or suspension is None or suspension.at != last.settled_at:
        return None  # whoever suspends again, for another reason, says when to end it
    return last


def status_of(licence: Licence) -> str:
    """Say what the roster says of a licence, as of its last file."""
    if licence.status == GONE:
        return "not in the Department's file"
    until = f", until {us_date(licence.expires_on)}" if licence.expires_on else ""
    return f"{licence.status}{until}"


def _users() -> list[Any]:
    query = (
        User.select(User, Licence)
        .join(Licence)
        .where(User.status.in_((*_MAY_COME_IN, UserStatus.SUSPENDED)))
        .order_by(User.id)
    )
    return list(query)


def _standing(users: Iterable[Any], *, today: date) -> Iterator[Found]:
    for user in users:
        licence = user.licence
        in_force = is_active(licence, day=today)
        if user.status in _MAY_COME_IN and not in_force:
            is_gone = licence.status == GONE
            kind = FindingKind.GONE if is_gone else FindingKind.LAPSED
            yield Found(user.id, kind, "", status_of(licence))
        elif user.status == UserStatus.SUSPENDED and in_force and suspended_for(user):
            yield Found(user.id, FindingKind.IN_FORCE_AGAIN, "", status_of(licence))


def _changes(batch: RosterImport, users: Iterable[Any]) -> Iterator[Found]:
    """Give names and addresses of record that the import has changed."""
    if batch.state != RosterState.APPLIED:
        return
    of_licence = {user.licence_id: user for user in users}
    query = RosterChange.select().where(
        RosterChange.batch == batch,
        RosterChange.target == RosterTarget.LICENCE,
        RosterChange.what == RosterWhat.CHANGED,
    )
    for change in query:
        user = of_licence.get(change.target_id)
        if user is None:
            continue
        for kind, names in (
            (FindingKind.MOVED, _ADDRESS),
            (FindingKind.RENAMED, _NAMED),
        ):
            if change.after.keys() & set(names):
                now = {name: getattr(user.licence, name) for name in names}
                before = {
                    **now,
                    **{k: change.before[k] for k in now.keys() & change.after.keys()},
                }
                yield Found(user.id, kind, _line(kind, before), _line(kind, now))


def _line(kind: FindingKind, parts: dict[str, str]) -> str:
    if kind == FindingKind.RENAMED:
        return f"{parts['name']} {parts['code']}"
    town = f"{parts['state']} {zip_code(parts['zip'])}".strip()
    lines = (parts["street"], parts["city"], town)
    return ", ".join(line for line in lines if line) or "no address"


def _close(
    batch: RosterImport, held: set[tuple[int, FindingKind]], *, at: datetime
) -> None:
    """Close what was asked and is not so any more; notes of an import undone, too."""
    open_ones: Any = LicenceFinding.select().where(LicenceFinding.settled_at.is_null())
    undone = batch.state == RosterState.UNDONE
    for finding in open_ones:
        if finding.kind in NOTES:
            over = undone and finding.batch_id == batch.id
        else:
            over = (finding.user_id, finding.kind) not in held
        if over:
            _overtake(finding, at=at)


def _overtake(finding: Any, *, at: datetime) -> None:
    verdict = FindingVerdict.OVERTAKEN
    LicenceFinding.update(verdict=verdict, settled_by="system", settled_at=at).where(
        LicenceFinding.id == finding.id, LicenceFinding.settled_at.is_null()
    ).execute()
    audit.record(
        audit.Event.LICENCE_SETTLED,
        actor="system",
        subject=f"user:{finding.user_id}",
        at=at,
        detail={
            "finding": finding.id,
            "kind": finding.kind.value,
            "verdict": verdict.value,
        },
    )


def _unanswered(found: Iterable[Found]) -> Iterator[Found]:
    """Leave out what is asked already, and what staff have answered by keeping it."""
    rows: Any = LicenceFinding.select().order_by(LicenceFinding.id)
    last = {(row.user_id, row.kind): row for row in rows}
    for each in found:
        row = last.get((each.user_id, each.kind))
        if row is None:
            yield each
        elif row.settled_at is None:
            if row.after != each.after:
                LicenceFinding.update(after=each.after).where(
                    LicenceFinding.id == row.id
                ).execute()
        elif row.verdict != FindingVerdict.KEPT or row.after != each.after:
            yield each
