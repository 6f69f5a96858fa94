"""A registration from its form to its signed fax, and where it stands.

What the roster says about an applicant is for staff only: nothing here tells the
applicant whether a licence exists. The decision is in pmp.registration.approval.
"""

from dataclasses import asdict
from datetime import datetime
from itertools import zip_longest
from typing import Any

from peewee import IntegrityError

from models import (
    Application,
    ApplicationDraft,
    ApplicationStatus,
    ChannelName,
    Profession,
    User,
    UserStatus,
)
from pmp import audit, database
from pmp.accounts import lock_out
from pmp.errors import RuleError
from pmp.registration import drafts, expiry, notices
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
        message = "Confirm that you alone will use the account."
        raise RuleError(message, field="attested")
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
            audit.record(
                audit.Event.REGISTRATION_SUBMITTED,
                actor=by.username if by else "applicant",
                subject=f"registration:{made.code}",
                at=at,
                address=address,
                detail={"profession": profession.value},
            )
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
    lock_out.note_refusal(None, address=address, at=at, reason=lock_out.REGISTRATION)
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


def confirmation_received(
    application: Application, *, by: str, at: datetime, late: bool = False
) -> None:
    """Take note that the signed page has come; nothing if it had, or all is decided.

    `late` lets it count for a registration that has expired: staff say so by hand.
    """
    awaited = (*expiry.AWAITED, *([ApplicationStatus.EXPIRED] if late else ()))
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
            .where(Application.status.in_(awaited))
            .execute()
        )
        if moved:
            audit.record(
                audit.Event.REGISTRATION_CONFIRMATION_RECEIVED,
                actor=by,
                subject=f"registration:{application.code}",
                at=at,
            )
            row = Application.get_by_id(application.id)
            notices.notify(row, at=at, ways=(ChannelName.EMAIL,))


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
        "expires_on": expiry.expires_on(application),
    }
