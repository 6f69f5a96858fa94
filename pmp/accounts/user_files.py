"""All that staff see of one account: letters, registrations, messages, its history."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models import (
    Application,
    AuditEvent,
    CoveredPharmacy,
    Credential,
    Delegation,
    Delivery,
    DeliveryKind,
    NewAccount,
    RoleChange,
    Session,
    User,
)
from pmp import audit, delegates, identifiers
from pmp.accounts import coverage, new_accounts, role_changes, sessions
from pmp.deliveries import contacts

MOST_DELIVERIES = 10
MOST_EVENTS = 25
# Kinds whose subject is the user.
OWN_KINDS = (
    DeliveryKind.CREDENTIAL_LETTER,
    DeliveryKind.CONTACT_CHANGE,
)


@dataclass(frozen=True)
class UserFile:
    """An account with what hangs on it; each list has the newest first."""

    user: User
    sessions: list[Session]
    letter: Credential | None  # the last single-use password
    registrations: list[Application]
    covered: list[CoveredPharmacy]
    deliveries: list[Delivery]
    changes: list[RoleChange]
    proposal: NewAccount | None  # by which two administrators made the account
    delegations: list[Delegation]  # as a delegate, or as a supervisor
    history: list[AuditEvent]


def opened(user: User, *, by: User, at: datetime) -> UserFile:
    """Give the file of an account; that it was opened is put on record."""
    subject = f"user:{user.id}"
    audit.record(audit.Event.USER_VIEWED, actor=by.username, subject=subject, at=at)
    return UserFile(
        user,
        sessions.of_user(user, at=at),
        _last_letter(user),
        _registrations(user),
        coverage.of(user),
        _deliveries(user),
        role_changes.of(user),
        new_accounts.that_made(user),
        [*delegates.of_delegate(user), *delegates.of_supervisor(user)],
        _history(user),
    )


def _last_letter(user: User) -> Credential | None:
    found: Credential | None = (
        Credential.select()
        .where(Credential.user == user)
        .order_by(Credential.id.desc())
        .first()
    )
    return found


def _registrations(user: User) -> list[Application]:
    return list(
        Application.select()
        .where(Application.user == user)
        .order_by(Application.submitted_at.desc())
    )


def _deliveries(user: User) -> list[Delivery]:
    """Give the last messages about the account, or to its numbers and addresses."""
    about = Delivery.kind.in_(OWN_KINDS) & (Delivery.subject_id == user.id)
    return list(
        Delivery.select()
        .where(about | Delivery.address.in_(_addresses(user)))
        .order_by(Delivery.id.desc())
        .limit(MOST_DELIVERIES)
    )


def _addresses(user: User) -> list[str]:
    licence: Any = user.licence
    numbers = [user.fax, user.mobile, licence.fax if licence else None]
    letter = "\n".join(contacts.address_lines(licence)) if licence else ""
    dialled = [identifiers.e164(number) for number in numbers if number]
    return [each for each in (user.email, letter, *dialled) if each]


def _history(user: User) -> list[AuditEvent]:
    """Give the last that was done about the account, or by it; not who looked at it."""
    return list(
        AuditEvent.select()
        .where(
            (AuditEvent.subject == f"user:{user.id}")
            | (AuditEvent.actor == user.username)
        )
        .where(AuditEvent.event != audit.Event.USER_VIEWED.value)
        .order_by(AuditEvent.id.desc())
        .limit(MOST_EVENTS)
    )
