"""Passwords tried on many accounts: staff see it once an hour, not once a try.

An account locks after a few wrong passwords, and a place is slowed down; who tries one
password on each of three hundred accounts, or from a hundred places, is seen here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import fn

from models import AuditEvent, SignInAttempt
from pmp import audit

WINDOW = timedelta(minutes=10)
# Refusals from one address, whatever the user names: a hospital behind one address
# stays under it, a list of passwords does not.
ADDRESS_LIMIT = 20
EVERYWHERE_LIMIT = 100
"""Refusals from all addresses together: nobody is slowed down, but staff are told."""
QUIET = timedelta(hours=1)
NO_SIGN_IN = "registration code"
"""In place of a user name, none of which has a blank, where such a code was refused.

The throttle by address counts it as well.
"""
PLACES = {True: "one place", False: "several places"}


@dataclass(frozen=True)
class Refused:
    """How many sign-ins were refused within a day, and when somebody tried many.

    `place` says whether from one address; which, the audit record knows.
    """

    count: int
    warned_at: datetime | None = None
    place: str = ""


def look(address: str, *, at: datetime) -> None:
    """Write an alert on the audit record where refusals have become too many.

    In the transaction of a refusal that is on record: so one looks after the other.
    """
    recent = _since(at - WINDOW)
    here = recent & (SignInAttempt.address == address)
    for condition, limit, place in (
        (here, ADDRESS_LIMIT, address),
        (recent, EVERYWHERE_LIMIT, ""),
    ):
        found = SignInAttempt.select().where(condition)
        if (refusals := found.count()) >= limit and not _is_told(place, at=at):
            named = found.where(SignInAttempt.username != "")
            names = named.select(fn.COUNT(SignInAttempt.username.distinct())).scalar()
            audit.record(
                audit.Event.SIGN_INS_ATTACKED,
                actor="system",
                subject="sign-ins",
                at=at,
                address=place,
                detail={"refusals": refusals, "accounts": names},
            )


def last_day(*, at: datetime) -> Refused:
    """Give what was refused within a day, for the staff console."""
    since = at - timedelta(days=1)
    count = SignInAttempt.select().where(_since(since)).count()
    warned = _alerts(since).order_by(AuditEvent.id.desc()).first()
    if warned is None:
        return Refused(count)
    return Refused(count, warned.at, PLACES[bool(warned.address)])


def _since(moment: datetime) -> Any:
    """Give the condition that a refusal is a sign-in's, and later than a moment."""
    return (SignInAttempt.at > moment) & (SignInAttempt.username != NO_SIGN_IN)


def _is_told(place: str, *, at: datetime) -> bool:
    return bool(_alerts(at - QUIET).where(AuditEvent.address == place).exists())


def _alerts(since: datetime) -> Any:
    return (
        AuditEvent.select()
        .where(AuditEvent.event == audit.Event.SIGN_INS_ATTACKED)
        .where(AuditEvent.at > since)
    )
