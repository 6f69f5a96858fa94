"""Tickets that say: these reports, joined into my patient, are somebody else's.

A reader of a report names them; staff split the patient, and the reporter is told.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models import (
    CorrectionNotice,
    Dispensation,
    DispensationStatus,
    LookUp,
    ReportedIdentity,
    Ticket,
    TicketIdentity,
    TicketOutcome,
    TicketProblem,
    User,
)
from pmp import audit, bulk, database, lookup, tickets, withheld, wording
from pmp.errors import NotFoundError, RuleError
from pmp.history.identities import Identity, identity_of
from pmp.matching import decisions, whereabouts
from pmp.tickets import whole_records
from pmp.tickets.shown import Shown


@dataclass(frozen=True)
class Person:
    """One way in which a patient was reported, as the report lists it.

    `ids` are the identities that read alike, `entries` their row codes in the report.
    """

    ids: tuple[int, ...]
    identity: Identity
    entries: Sequence[str]

    @property
    def key(self) -> int:
        return self.ids[0]


def people(*, token: str, by: User, at: datetime, address: str = "") -> list[Person]:
    """Give how the patient of a report was reported; on the audit record first.

    NotFoundError for an unknown, foreign or expired token.
    """
    look_up = lookup.of_token(token=token, by=by, at=at)
    if look_up.patient is None:
        raise NotFoundError("This search has no report.")
    patient_id = whereabouts.now(look_up.patient.id, look_up.at)
    audit.record(
        audit.Event.REPORT_OPENED,
        actor=by.username,
        subject=f"patient:{patient_id}",
        at=at,
        address=address,
        detail={"look_up": look_up.id, "what": "how this person was reported"},
    )
    return _people(patient_id, look_up)


def ask(
    keys: Collection[int],
    *,
    listed: Sequence[Person],
    note: str,
    by: User,
    at: datetime,
) -> Ticket:
    """Open a ticket that says that some of a report's people are somebody else.

    `listed` is what `people` gave. RuleError where none or all are chosen, without
    words, and where the report shows no prescription of those chosen.
    """
    chosen = [each for each in listed if each.key in keys]
    if not chosen:
        raise RuleError("Choose who is not your patient.", field="people")
    if len(chosen) == len(listed):
        raise RuleError(
            "Leave at least one. If none of them is your patient, report the error "
            "in an entry.",
            field="people",
        )
    if not note.strip():
        raise RuleError("Say how you know.", field="note")
    codes = [code for each in chosen for code in each.entries]
    if not codes:
        raise RuleError(
            "The report shows no prescription of those that you chose. Look up a "
            "longer period, or call the program.",
            field="people",
        )
    with database.atomic():
        ticket = tickets.open_ticket(
            _first_shown(codes, by),
            problem=TicketProblem.WRONG_PERSON,
            note=note,
            by=by,
            at=at,
        )
        rows = [
            {"ticket": ticket.id, "identity": number}
            for each in chosen
            for number in each.ids
        ]
        bulk.insert(TicketIdentity, rows)
    return ticket


def named(ticket: Ticket) -> list[int]:
    """Give the identities that are somebody else's, as the reporter says."""
    rows = TicketIdentity.select().where(TicketIdentity.ticket == ticket)
    found = [int(row.__data__["identity"]) for row in rows]
    if found or ticket.dispensation is None:
        return found
    return [int(ticket.dispensation.identity.id)]


def named_in_words(ticket: Ticket) -> list[str]:
    """Say whom the reporter named; empty if they named an entry only."""
    rows = (
        ReportedIdentity.select()
        .join(TicketIdentity)
        .where(TicketIdentity.ticket == ticket)
        .order_by(ReportedIdentity.id)
    )
    told = [
        (each.name, wording.us_date(each.birth_date), each.place)
        for each in dict.fromkeys(map(identity_of, rows))
    ]
    return [", ".join(filter(None, parts)) for parts in told]


def is_about_people(ticket: Ticket) -> bool:
    """Tell whether a ticket can be resolved by a split."""
    return ticket.problem is TicketProblem.WRONG_PERSON


def resolve_by_split(  # noqa: PLR0913 - a ticket's and a split's
    ticket: Ticket,
    identities: Collection[int],
    *,
    to: int | None,
    note: str,
    seen: str,
    by: User,
    at: datetime,
    revision: int,
) -> list[CorrectionNotice]:
    """Split the patient of a ticket, end the ticket by it, and tell the reporter."""
    patient_id = whole_records.patient_of(ticket)

    def split(reason: str) -> None:
        decisions.split(
            patient_id, identities, to=to, reason=reason, seen=seen, by=by, at=at
        )

    return tickets.resolve(
        ticket,
        outcome=TicketOutcome.IDENTITY_FIXED,
        note=note,
        by=by,
        at=at,
        revision=revision,
        change=split,
    )


def _first_shown(codes: Sequence[str], by: User) -> Shown:
    """Find the newest entry that the report showed: others may have come since."""
    *newer, oldest = codes
    for code in newer:
        with suppress(NotFoundError):
            return tickets.find_shown(code, by=by)
    return tickets.find_shown(oldest, by=by)


def _people(patient_id: int, look_up: LookUp) -> list[Person]:
    rows = ReportedIdentity.select().where(ReportedIdentity.patient == patient_id)
    hidden = withheld.only_withheld_identities([patient_id])
    groups: dict[Identity, list[int]] = {}
    for row in rows.order_by(ReportedIdentity.id):
        if row.id in hidden:
            continue
        groups.setdefault(identity_of(row), []).append(row.id)
    entries = _entries(patient_id, look_up)
    return [
        Person(
            tuple(ids),
            identity,
            [code for number in ids for code in entries.get(number, [])],
        )
        for identity, ids in groups.items()
    ]


def _entries(patient_id: int, look_up: LookUp) -> dict[int, list[str]]:
    """Give the row codes that the report shows, newest first, by identity."""
    rows: Any = (
        Dispensation.select(Dispensation.identity, Dispensation.row_code)
        .where(Dispensation.patient == patient_id)
        .where(Dispensation.status == DispensationStatus.CURRENT)
        .where(withheld.shown())
        .where(Dispensation.filled_on.between(look_up.since, look_up.until))
        .order_by(Dispensation.filled_on.desc(), Dispensation.id.desc())
        .tuples()
    )
    found: dict[int, list[str]] = {}
    for identity, code in rows:
        found.setdefault(identity, []).append(code)
    return found
