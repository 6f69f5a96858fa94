"""Re-verification: what the roster says about the licences of users, for staff.

A licence that is gone or lapsed is a question that staff answer: suspend, or keep with
a reason; of a pharmacy that a user reports for as well, whether they still may. A user
who was suspended for it is proposed again once the licence is in force. A changed
address of record or name is noted. Nothing happens by itself.

Asked at the end of each import, and every night, since a licence runs out between two.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from peewee import IntegrityError

from models import (
    AuditEvent,
    CoveredPharmacy,
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
from pmp import audit, clock, database, settings
from pmp.registration.comparison import is_active
from pmp.roster.licence_file import GONE
from pmp.wording import us_date, zip_code

MAY_COME_IN = (UserStatus.ACTIVE, UserStatus.AWAITING_FIRST_SIGN_IN)
_ADDRESS = ("street", "city", "state", "zip")
_NAMED = ("name", "code")
NOT_IN_FORCE = frozenset(
    {FindingKind.GONE, FindingKind.LAPSED, FindingKind.COVERED_LAPSED}
)
NOTES = frozenset({FindingKind.RENAMED, FindingKind.MOVED})


class Found(NamedTuple):
    """Something to ask or tell of one user."""

    user_id: int
    licence_id: int
    kind: FindingKind
    before: str
    after: str

    @property
    def question(self) -> "Question":
        """What it is about; each is asked once."""
        return self.user_id, self.kind, self.licence_id


Question = tuple[int, FindingKind, int | None]


def recheck(batch: RosterImport, *, at: datetime) -> int:
    """Ask anew what holds of users' licences, in the transaction of an import's end.

    What was asked and does not hold any more is closed. Give how many are new.
    """
    return _ask(batch, at=at)


def recheck_between_imports(*, at: datetime) -> int:
    """Ask as `recheck` does, for the worker's night: licences run out by themselves.

    Each question in a transaction of its own. Not while an import is applied or undone:
    that asks itself at its end.
    """
    return 0 if is_being_changed() else _ask(None, at=at)


def is_being_changed() -> bool:
    """Tell whether the roster is between two states: a batch is applied or undone."""
    taken = RosterImport.turn.is_null(is_null=False)
    return bool(RosterImport.select().where(taken).exists())


def holds(finding: LicenceFinding, *, today: date) -> bool:
    """Tell whether a finding that asks for a decision is still so."""
    if finding.kind in NOTES:
        return True
    user = finding.user
    if user.licence is None:
        return False
    if finding.kind in NOT_IN_FORCE:
        licence = finding.licence or user.licence
        has_ended = not in_force(licence, today=today)
        return has_ended and user.status in MAY_COME_IN and _is_theirs(finding)
    return is_active(user.licence, day=today) and suspended_for(user) is not None


def in_force(licence: Licence, *, today: date) -> bool:
    """Tell whether a licence counts as in force: some days longer than its last one.

    PMP_LICENCE_GRACE_DAYS, since a renewal takes its time to reach the roster.
    """
    grace = timedelta(days=settings.current().licence_grace_days)
    return is_active(licence, day=today - grace)


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


def _ask(batch: RosterImport | None, *, at: datetime) -> int:
    today = clock.day_of(at)
    users = _users()
    found = [
        *_standing(users, today=today),
        *_covered(today=today),
        *_changes(batch, users),
    ]
    _close(batch, {each.question for each in found}, at=at)
    return sum(_write(each, batch, at=at) for each in list(_unanswered(found)))


def _write(each: Found, batch: RosterImport | None, *, at: datetime) -> bool:
    """Write a question down; False where another process was quicker."""
    try:
        with database.atomic():
            finding = LicenceFinding.create(
                user=each.user_id,
                licence=each.licence_id,
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
    except IntegrityError:
        return False
    return True


def _is_theirs(finding: LicenceFinding) -> bool:
    """Tell whether a user may still report for the pharmacy that a finding is about."""
    if finding.kind != FindingKind.COVERED_LAPSED:
        return True
    covered = CoveredPharmacy.select().where(CoveredPharmacy.user == finding.user)
    return covered.where(CoveredPharmacy.licence == finding.licence).exists()


def _users() -> list[Any]:
    query = (
        User.select(User, Licence)
        .join(Licence)
        .where(User.status.in_((*MAY_COME_IN, UserStatus.SUSPENDED)))
        .order_by(User.id)
    )
    return list(query)


def _standing(users: Iterable[Any], *, today: date) -> Iterator[Found]:
    for user in users:
        licence = user.licence
        if user.status in MAY_COME_IN and not in_force(licence, today=today):
            is_gone = licence.status == GONE
            kind = FindingKind.GONE if is_gone else FindingKind.LAPSED
        elif (
            user.status == UserStatus.SUSPENDED
            and is_active(licence, day=today)
            and suspended_for(user)
        ):
            kind = FindingKind.IN_FORCE_AGAIN
        else:
            continue
        yield Found(user.id, licence.id, kind, "", status_of(licence))


def _covered(*, today: date) -> Iterator[Found]:
    """Give the pharmacies that users report for as well whose licence has ended."""
    rows: Any = (
        CoveredPharmacy.select(CoveredPharmacy, Licence)
        .join(Licence)
        .switch(CoveredPharmacy)
        .join(User)
        .where(User.status.in_(MAY_COME_IN))
        .order_by(CoveredPharmacy.id)
    )
    for row in rows:
        if not in_force(row.licence, today=today):
            licence = row.licence
            words = f"{licence.name}, {licence.code}: {status_of(licence)}"
            kind = FindingKind.COVERED_LAPSED
            yield Found(row.__data__["user"], licence.id, kind, "", words)


def _changes(batch: RosterImport | None, users: Iterable[Any]) -> Iterator[Found]:
    """Give names and addresses of record that the import has changed."""
    if batch is None or batch.state != RosterState.APPLIED:
        return
    of_licence = {user.licence_id: user for user in users}
    query = RosterChange.select().where(
        RosterChange.batch == batch,
        RosterChange.target == RosterTarget.LICENCE,
        RosterChange.what == RosterWhat.CHANGED,
        # Most of a file's licences are nobody's who has an account.
        RosterChange.target_id.in_(
            User.select(User.licence).where(User.licence.is_null(is_null=False))
        ),
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
                yield _noted(user, kind, before, now)


def _noted(
    user: Any, kind: FindingKind, before: dict[str, str], now: dict[str, str]
) -> Found:
    lines = (_line(kind, before), _line(kind, now))
    return Found(user.id, user.licence.id, kind, *lines)


def _line(kind: FindingKind, parts: dict[str, str]) -> str:
    if kind == FindingKind.RENAMED:
        return f"{parts['name']} {parts['code']}"
    town = f"{parts['state']} {zip_code(parts['zip'])}".strip()
    lines = (parts["street"], parts["city"], town)
    return ", ".join(line for line in lines if line) or "no address"


def _close(batch: RosterImport | None, held: set[Question], *, at: datetime) -> None:
    """Close what was asked and is not so any more; notes of an import undone, too."""
    open_ones: Any = LicenceFinding.select().where(LicenceFinding.settled_at.is_null())
    undone = batch is not None and batch.state == RosterState.UNDONE
    for finding in open_ones:
        if finding.kind in NOTES:
            over = undone and finding.batch == batch
        else:
            over = _question(finding) not in held
        if over:
            _overtake(finding, at=at)


def _question(row: Any) -> Question:
    return row.user_id, row.kind, row.licence_id


def _overtake(finding: Any, *, at: datetime) -> None:
    verdict = FindingVerdict.OVERTAKEN
    with database.atomic():
        changed = (
            LicenceFinding.update(verdict=verdict, settled_by="system", settled_at=at)
            .where(LicenceFinding.id == finding.id)
            .where(LicenceFinding.settled_at.is_null())
            .execute()
        )
        if not changed:
            return
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
    last = {_question(row): row for row in rows}
    for each in found:
        row = last.get(each.question)
        if row is None:
            yield each
        elif row.settled_at is None:
            if row.after != each.after:
                LicenceFinding.update(after=each.after).where(
                    LicenceFinding.id == row.id
                ).execute()
        elif row.verdict != FindingVerdict.KEPT or row.after != each.after:
            yield each
