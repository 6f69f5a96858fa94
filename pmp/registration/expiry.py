"""Registrations whose signed page does not come: reminded once, then closed.

The term is counted from the submission, and anew from each return: whoever was told to
fax the page again has as long for it as the first time.
"""

from datetime import date, datetime, timedelta
from typing import Any

from peewee import fn

from models import Application, ApplicationStatus
from pmp import audit, clock, database, settings
from pmp.registration import notices

AWAITED = (ApplicationStatus.SUBMITTED, ApplicationStatus.RETURNED)


def expires_on(application: Application) -> date:
    """Give the day until which the signed page may come."""
    since = (
        application.decided_at
        or application.confirmation_received_at
        or application.submitted_at
    )
    limit = timedelta(days=settings.current().registration_days)
    return clock.day_of(since + limit)


def remind(*, at: datetime) -> int:
    """Remind applicants whose page is awaited and whose term ends soon; give how many.

    `registration_reminder_days` before the end, once in a term; 0 reminds nobody.
    """
    chosen = settings.current()
    if not chosen.registration_reminder_days:
        return 0
    left = chosen.registration_days - chosen.registration_reminder_days
    due = _awaited(at - timedelta(days=left)).where(Application.reminded_at.is_null())
    return sum(_remind(application, at=at) for application in due)


def expire(*, at: datetime) -> int:
    """Close registrations whose signed page never came; give how many."""
    late = _awaited(at - timedelta(days=settings.current().registration_days))
    return sum(_expire(application, at=at) for application in late)


def _awaited(before: datetime) -> Any:
    """Give the registrations whose term began before a time, and whose page lacks."""
    began = fn.COALESCE(
        Application.decided_at,
        Application.confirmation_received_at,
        Application.submitted_at,
    )
    return (
        Application.select()
        .where(Application.status.in_(AWAITED))
        .where(began < before)
        .order_by(Application.id)
    )


def _remind(application: Application, *, at: datetime) -> bool:
    with database.atomic():
        reminded = (
            Application.update(reminded_at=at)
            .where(Application.id == application.id)
            .where(Application.status.in_(AWAITED))
            .where(Application.reminded_at.is_null())
            .execute()
        )
        if reminded:
            notices.notify(application, at=at)
            _record(audit.Event.REGISTRATION_REMINDED, application, at)
    return bool(reminded)


def _expire(application: Application, *, at: datetime) -> bool:
    """Close one, unless its page came in this very moment."""
    with database.atomic():
        closed = (
            Application.update(status=ApplicationStatus.EXPIRED)
            .where(Application.id == application.id)
            .where(Application.status == application.status)
            .execute()
        )
        if closed:
            application.status = ApplicationStatus.EXPIRED
            notices.notify(application, at=at)
            _record(audit.Event.REGISTRATION_EXPIRED, application, at)
    return bool(closed)


def _record(event: audit.Event, application: Application, at: datetime) -> None:
    audit.record(
        event,
        actor="system",
        subject=f"registration:{application.code}",
        at=at,
        detail={"profession": application.profession.value},
    )
