"""A registration from its form to its signed fax, and where it stands.

What the roster says about an applicant is for staff only: nothing here tells the
applicant whether a licence exists. The decision is in pmp.registration.approval.
"""

from collections.abc import Collection
from dataclasses import asdict
from datetime import date, datetime, timedelta
from itertools import zip_longest
from typing import Any

from peewee import IntegrityError, fn

from models import (
    Application,
    ApplicationDraft,
    ApplicationStatus,
    ChannelName,
    DeliveryKind,
    Profession,
    User,
    UserStatus,
)
from pmp import audit, clock, database, deliveries, settings
from pmp.accounts import lock_out
from pmp.deliveries import Route
from pmp.errors import RuleError
from pmp.reaching import texts
from pmp.registration import drafts
from pmp.registration.answers import Answers, problems, shown, tidied
from pmp.registration.names import name_key
from pmp.registration.registration_codes import new_code, read_code

OPEN = frozenset(
    {
        ApplicationStatus.SUBMITTED,
        ApplicationStatus.CONFIRMATION_RECEIVED,
        ApplicationStatus.RETURNED,
    }
)
PAGE_SIZE = 50
# More characters of answers than this are printed small, to stay on one page.
ROOMY = 400


def submit(  # noqa: PLR0913 - what, by whom, from where, when
    *,
    profession: Profession,
    answers: Answers,
    attested: bool,
    at: datetime,
    code: str = "",
    by: User | None = None,
    address: str = "",
) -> Application:
    """Take a registration; the same `code` again gives the one that it made.

    `by` is the user who typed it for the applicant, if any: that user may not approve
    it. Raises RuleError for the first field that is wrong.
    """
    for field, problem in problems(profession, answers).items():
        raise RuleError(problem, field=field)
    if not attested:
        raise RuleError(
            "Confirm that you alone will use the account: access may not be delegated.",
            field="attested",
        )
    given = {k: v or None for k, v in asdict(tidied(profession, answers)).items()}
    channel = given.pop("preferred_channel")
    try:
        with database.atomic():
            made = Application.create(
                code=code or new_code(),
                profession=profession,
                status=ApplicationStatus.SUBMITTED,
                preferred_channel=channel,
                attested_at=at,
                submitted_at=at,
                **{name: value or "" for name, value in given.items()},
            )
            drafts.forget(made.code)
            _record(audit.Event.REGISTRATION_SUBMITTED, made, by, at, address=address)
    except IntegrityError:
        known = by_code(code)  # the same form sent twice: codes are handed out by us
        if known is None:
            raise
        return known
    return made


def find(
    *, code: str, name: str, address: str, at: datetime
) -> Application | ApplicationDraft:
    """Find a registration by its code and the applicant's last or pharmacy's name.

    Also one that is still being typed. Raises RuleError, the same for an unknown code
    and a wrong name, and lock_out.Throttled after too many wrong ones from one address.
    """
    lock_out.refuse_a_crowd(address, at=at)
    known = by_code(code) or drafts.by_code(code)
    if known and name_key(name) == name_key(_name_to_give(known)):
        return known
    lock_out.note_refusal(None, address=address, at=at, reason="registration")
    raise RuleError(
        "There is no registration with this code and name. You were shown the code"
        " when you began; both stand on the confirmation page.",
        field="code",
    )


def by_code(text: str) -> Application | None:
    """Give the registration with a code, however typed; None if there is none."""
    code = read_code(text)
    return Application.get_or_none(Application.code == code) if code else None


def _name_to_give(known: Application | ApplicationDraft) -> str:
    if isinstance(known, ApplicationDraft):
        typed = drafts.answers_of(known)
        return typed.last_name or typed.pharmacy_name
    return str(known.last_name or known.pharmacy_name)


def listed(
    statuses: Collection[ApplicationStatus], *, page: int, latest_first: bool = False
) -> tuple[list[Application], int]:
    """Give a page of registrations in these states, and how many there are in all.

    Who has waited longest comes first, or who came last.
    """
    waiting = fn.COALESCE(
        Application.confirmation_received_at, Application.submitted_at
    )
    order = (waiting, Application.id)
    query = (
        Application.select()
        .where(Application.status.in_(statuses))
        .order_by(*(part.desc() for part in order) if latest_first else order)
    )
    return list(query.paginate(page, PAGE_SIZE)), query.count()


def code_of(user: User) -> str:
    """Give the code of the registration a user came from; empty if from none."""
    made: Application | None = (
        Application.select()
        .where(Application.user == user)
        .order_by(Application.id.desc())
        .first()
    )
    return made.code if made else ""


def standing(application: Application) -> ApplicationStatus:
    """Give where a registration stands; active once its user has come in."""
    user = application.user
    if user and user.status != UserStatus.AWAITING_FIRST_SIGN_IN:
        return ApplicationStatus.ACTIVE
    status: ApplicationStatus = application.status
    return status


def confirmation_received(application: Application, *, by: str, at: datetime) -> None:
    """Take note that the signed page has come; nothing if it had, or all is decided."""
    with database.atomic():
        moved = (
            Application.update(
                status=ApplicationStatus.CONFIRMATION_RECEIVED,
                confirmation_received_at=at,
                reason="",
                decided_by="",
                decided_at=None,
            )
            .where(Application.id == application.id)
            .where(
                Application.status.in_(
                    (ApplicationStatus.SUBMITTED, ApplicationStatus.RETURNED)
                )
            )
            .execute()
        )
        if moved:
            audit.record(
                audit.Event.REGISTRATION_CONFIRMATION_RECEIVED,
                actor=by,
                subject=f"registration:{application.code}",
                at=at,
            )


def expires_on(application: Application) -> date:
    """Give the day until which the signed page may come."""
    limit = timedelta(days=settings.current().registration_days)
    return clock.day_of(application.submitted_at + limit)


def confirmation(application: Application) -> dict[str, Any]:
    """Give what the confirmation page shows: its template's context."""
    cells = [each for each in shown(application.profession, application) if each.value]
    half = (len(cells) + 1) // 2
    person = f"{application.first_name} {application.last_name}".strip()
    return {
        "application": application,
        "answers": list(zip_longest(cells[:half], cells[half:])),
        "tight": sum(len(each.value) for each in cells) > ROOMY,
        "signer": application.pharmacist_in_charge or person,
        "expires_on": expires_on(application),
    }


def expire(*, at: datetime) -> int:
    """Close registrations whose signed page never came; give how many."""
    limit = at - timedelta(days=settings.current().registration_days)
    late = (
        Application.select()
        .where(Application.status == ApplicationStatus.SUBMITTED)
        .where(Application.submitted_at < limit)
    )
    return sum(_expire(application, at=at) for application in late)


def _expire(application: Application, *, at: datetime) -> bool:
    """Close one, unless its page came in this very moment."""
    with database.atomic():
        closed = (
            Application.update(status=ApplicationStatus.EXPIRED)
            .where(Application.id == application.id)
            .where(Application.status == ApplicationStatus.SUBMITTED)
            .execute()
        )
        if closed:
            _record(audit.Event.REGISTRATION_EXPIRED, application, None, at)
    return bool(closed)


def notify(application: Application, *, at: datetime, email_only: bool = False) -> None:
    """Tell the applicant that something has changed, in the transaction of its cause.

    By the channel they prefer, else email, else fax, else a letter to the practice or
    pharmacy; by text message too, where they agreed to it. The notice holds the code
    and a link, no more.
    """
    texts.notify(application, at=at)
    routes = _routes(application)
    if email_only:
        routes = [route for route in routes if route.channel == ChannelName.EMAIL]
        if not routes:
            return
    deliveries.request(
        kind=DeliveryKind.REGISTRATION_NOTICE,
        subject_id=application.id,
        routes=routes,
        dedupe_key=f"registration_notice:{application.id}:{application.status}:{at:%Y%m%d%H%M%S}",
        at=at,
    )


def _routes(application: Application) -> list[Route]:
    town = f"{application.city}, {application.state} {application.zip}"
    person = f"{application.first_name} {application.last_name}".strip()
    name = application.pharmacy_name or person
    letter = f"{name}\n{application.street}\n{town}".upper()
    ways = {
        ChannelName.EMAIL: application.email,
        ChannelName.FAX: application.fax,
        ChannelName.LETTER: letter,
    }
    order = sorted(ways, key=lambda way: way != application.preferred_channel)
    return [Route(way, ways[way]) for way in order if ways[way]]


def _record(
    event: audit.Event,
    application: Application,
    by: User | None,
    at: datetime,
    *,
    address: str = "",
) -> None:
    applicant = event == audit.Event.REGISTRATION_SUBMITTED
    audit.record(
        event,
        actor=by.username if by else ("applicant" if applicant else "system"),
        subject=f"registration:{application.code}",
        at=at,
        address=address,
        detail={"profession": application.profession.value},
    )
