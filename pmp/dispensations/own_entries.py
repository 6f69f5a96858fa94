"""One entry of a pharmacy's own: as it stands, what it said before, who disputes it.

An entry of another pharmacy is not told from one that does not exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models import (
    CorrectionNotice,
    Dispensation,
    DispensationStatus,
    DispensationVersion,
    QuestionAnswer,
    ReportedIdentity,
    Submission,
    Ticket,
    User,
)
from pmp import audit, database, dispensations, readers, reporters, tickets, wording
from pmp.errors import NotFoundError
from pmp.permissions import Permission, can
from pmp.thresholds import correction_notices
from pmp.thresholds.correction_notices import Field
from pmp.tickets import dispenser_questions

STAFF = "program staff"


@dataclass(frozen=True)
class Change:
    """One change of an entry: when, by whom, why, and each field before and after.

    `what` is “corrected”, “removed” or “restored”; `submission` is the file that made
    it, if one did.
    """

    at: datetime
    by: str
    what: str
    reason: str
    fields: Sequence[Field]
    submission: Submission | None


@dataclass(frozen=True)
class OwnEntry:
    """An entry with its changes, the newest first, and the open tickets about it."""

    entry: Dispensation
    changes: Sequence[Change]
    tickets: Sequence[Ticket]

    @property
    def stands(self) -> bool:
        return self.entry.status is DispensationStatus.CURRENT


@dataclass(frozen=True)
class Done:
    """What a change of an entry set off: how many people and tickets are told.

    `told` were sent it in a threshold report, `readers` looked it up.
    """

    entry: Dispensation
    told: int
    tickets: Sequence[Ticket]
    readers: int = 0


def find(row_code: str, *, by: User) -> Dispensation:
    """Give an entry of a user's own pharmacies by its row code; else NotFoundError."""
    refused = NotFoundError("Your pharmacy has no entry with this row code.")
    try:
        entry = dispensations.find_by_row_code(row_code)
    except NotFoundError:
        raise refused from None
    if entry.pharmacy not in reporters.pharmacies_of(by):
        raise refused
    return entry


def view(row_code: str, *, by: User, at: datetime) -> OwnEntry:
    """Show one of a user's own entries with its history; audited first."""
    entry = find(row_code, by=by)
    audit.record(
        audit.Event.DISPENSING_VIEWED,
        actor=by.username,
        subject=f"dispensation:{entry.id}",
        at=at,
    )
    return OwnEntry(entry, _changes(entry), _open_tickets(entry))


def remove(row_code: str, *, version: int, reason: str, by: User, at: datetime) -> Done:
    """Void one of a user's own entries; raises as `dispensations.void` does.

    `version` is the one that the user saw; ConflictError if it changed since.
    """
    with database.atomic():
        entry = seen(row_code, version=version, by=by)
        dispensations.void(entry, reason=reason, by=by, at=at)
        words = "The pharmacy removed this entry."
        return done(entry, words, by=by, at=at, answer=QuestionAnswer.REMOVED)


def restore(
    row_code: str, *, version: int, reason: str, by: User, at: datetime
) -> Done:
    """Let a voided one stand again; raises as `dispensations.restore` does."""
    with database.atomic():
        entry = seen(row_code, version=version, by=by)
        dispensations.restore(entry, reason=reason, by=by, at=at)
        return done(entry, "The pharmacy restored this entry.", by=by, at=at)


def seen(row_code: str, *, version: int, by: User) -> Dispensation:
    """Give an entry as a user saw it: a change since then makes the change conflict.

    In the transaction of the change: the tickets that ask about it are kept in place.
    """
    entry = find(row_code, by=by)
    dispenser_questions.hold(entry)
    entry.version = version
    return entry


def done(
    entry: Dispensation,
    words: str,
    *,
    by: User,
    at: datetime,
    answer: QuestionAnswer = QuestionAnswer.CORRECTED,
) -> Done:
    """Say in each open ticket what the pharmacy did; count who is told of it.

    What staff asked about the entry is answered by it.
    """
    disputed = _open_tickets(entry)
    dispenser_questions.answer_by_change(entry, answer, words, by=by, at=at)
    for ticket in disputed:
        tickets.say(ticket, text=words, by=by, at=at)
    told = (
        CorrectionNotice.select()
        .where(CorrectionNotice.dispensation == entry)
        .where(CorrectionNotice.version == entry.version)
        .count()
    )
    return Done(entry, told, disputed, readers.told_of(entry))


def _open_tickets(entry: Dispensation) -> list[Ticket]:
    query = Ticket.select().where(
        Ticket.dispensation == entry, Ticket.resolved_at.is_null()
    )
    return list(query.order_by(Ticket.id))


def _changes(entry: Dispensation) -> list[Change]:
    versions = dispensations.versions_of(entry)
    present = {"status": entry.status, "identity": entry.identity.id}
    after = [each.content for each in versions[1:]] + [present]
    found = [
        Change(
            at=version.changed_at,
            by=_who(version),
            what=_what(version.content, following),
            reason=version.reason,
            fields=_fields(entry, version, following),
            submission=version.submission,
        )
        for version, following in zip(versions, after, strict=False)
    ]
    return found[::-1]


def _what(before: dict[str, Any], after: dict[str, Any]) -> str:
    # A version of before status was kept is of an entry that stood.
    was, is_now = (
        content.get("status", DispensationStatus.CURRENT.value)
        for content in (before, after)
    )
    if was == is_now:
        return "corrected"
    return "removed" if is_now == DispensationStatus.VOIDED else "restored"


def _fields(
    entry: Dispensation, version: DispensationVersion, after: dict[str, Any]
) -> list[Field]:
    fields = correction_notices.changed_fields(entry, version.version + 1)
    before = version.content.get("identity")
    if before is None or before == after.get("identity"):
        return fields
    return [Field("Patient", _patient(before), _patient(after["identity"])), *fields]


def _patient(identity_id: int) -> str:
    return patient_words(ReportedIdentity.get_by_id(identity_id))


def patient_words(identity: ReportedIdentity) -> str:
    """Write a patient as reported: name, birth date, sex, address, phone."""
    name = wording.person_name(
        identity.last_name, identity.first_name, identity.middle_name
    )
    name = f"{name} {identity.suffix}".strip()
    parts = (identity.street, identity.city, identity.state, identity.zip)
    address = ", ".join(part for part in parts if part)
    born = f"born {wording.us_date(identity.birth_date)}"
    phone = wording.phone(identity.phone)
    known = (name, born, identity.sex, address, phone, identity.animal_name)
    return ", ".join(part for part in known if part)


def _who(version: DispensationVersion) -> str:
    user: User | None = User.get_or_none(User.username == version.changed_by)
    staff = user is not None and can(user.role, Permission.TICKET_WORK)
    return STAFF if staff else version.changed_by
