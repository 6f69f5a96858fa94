"""Staff decide on a registration: approve, return with a reason, reject.

Nobody approves what they typed themselves, and what differs from the roster needs two
people: one asks for an override with a reason, another approves.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum

from peewee import IntegrityError

from models import (
    Application,
    ApplicationStatus,
    FaxStatus,
    InboundFax,
    Licence,
    User,
)
from pmp import audit, database, desk_holds, registration
from pmp.accounts import credentials
from pmp.errors import ConflictError, RuleError
from pmp.registration import comparison, notices
from pmp.registration.enrolment import enrol
from pmp.wording import words


class Check(StrEnum):
    """What a person must see on the faxed page."""

    SIGNED = "signed"
    DATED = "dated"
    UNALTERED = "unaltered"


REPLACED = "Your registration {} was approved; this one is no longer needed."


class ReturnReason(StrEnum):
    """Why a page is sent back."""

    UNSIGNED = "unsigned"
    UNDATED = "undated"
    UNREADABLE = "unreadable"
    ALTERED = "altered"
    WRONG_PAGE = "wrong_page"
    DIFFERS = "differs"


RETURN_WORDS = {
    ReturnReason.UNSIGNED: "The page is not signed. Sign it and fax it again.",
    ReturnReason.UNDATED: "The signature has no date. Date it and fax the page again.",
    ReturnReason.UNREADABLE: "The page could not be read. Fax it again, with the fine"
    " setting if your machine has one.",
    ReturnReason.ALTERED: "Something on the page was changed by hand. Register again"
    " with the right answers, and fax the new page.",
    ReturnReason.WRONG_PAGE: "This was not the confirmation page. Fax the page that"
    " carries your registration code.",
    ReturnReason.DIFFERS: "What you gave differs from the Department's records. Call us"
    " before you fax again.",
}


def approve(
    application: Application, *, checked: Collection[str], by: User, at: datetime
) -> User:
    """Approve: make the account and have its letter mailed to the address of record.

    `checked` are the `Check`s that `by` has seen on the page: all are needed. Raises
    RuleError while something stands in the way, ConflictError if another was faster.
    """
    if missing := [check for check in Check if check not in checked]:
        unseen = ", ".join(missing)
        raise RuleError(f"Check that the page is {unseen}.", field="checked")
    if comparison.typed_by(application) == by.username:
        raise RuleError("You typed this registration: someone else must approve it.")
    with database.atomic():
        _take_repeats(application)
        row = _taken(application, {ApplicationStatus.CONFIRMATION_RECEIVED})
        desk_holds.end(row, by=by, at=at)
        _refuse_who_closed(row, by)
        licence = _cleared_licence(row, by=by, at=at)
        override = row.override_reason
        row.licence = licence
        row.user = user = _enrolled(row, licence, by=by, at=at)
        _decide(row, ApplicationStatus.APPROVED, by=by, at=at)
        credentials.request_letter(user, at=at)
        notices.notify(row, at=at, ways=notices.NO_LETTER)
        detail = {"user": user.id, "override": override}
        _record(audit.Event.REGISTRATION_APPROVED, row, by=by, at=at, detail=detail)
        _close_repeats(row, by=by, at=at)
    return user


def _take_repeats(application: Application) -> None:
    """Take an application and its repeats in one order, so that none wait for another.

    Two of them approved at once would else each hold the row that the other closes.
    """
    if database.is_sqlite():
        return
    same = comparison.same_licence(application)
    list(same.order_by(Application.id).for_update())


def _close_repeats(row: Application, *, by: User, at: datetime) -> None:
    """Close the same applicant's other open registrations: one is approved.

    Somebody who wants to change an answer registers again, so several are common.
    Another person's who names the same licence stay: staff must see them.
    """
    for other in comparison.repeats_of(row):
        if other.status in registration.OPEN:
            other.reason = REPLACED.format(row.code)
            _decide(other, ApplicationStatus.REJECTED, by=by, at=at)
            detail = {"replaced_by": row.code}
            event = audit.Event.REGISTRATION_REJECTED
            _record(event, other, by=by, at=at, detail=detail)


def _refuse_who_closed(row: Application, by: User) -> None:
    if comparison.account_closed_by(row) == by.username:
        raise RuleError(
            "You closed an account to make room for this registration: someone else"
            " must approve it."
        )


def _enrolled(row: Application, licence: Licence, *, by: User, at: datetime) -> User:
    try:
        with database.atomic():
            return enrol(row, licence, by=by, at=at)
    except IntegrityError as taken:  # user_of_licence_once: another was faster
        message = "This licence was given an account just now."
        raise ConflictError(message) from taken


def ask_override(
    application: Application, *, reason: str, by: User, at: datetime
) -> None:
    """Ask that a difference from the roster be overlooked; another person approves.

    Until the decision, `decided_by` holds who asked.
    """
    if not reason.strip():
        raise RuleError("Say why it may be approved all the same.", field="reason")
    with database.atomic():
        row = _taken(application, {ApplicationStatus.CONFIRMATION_RECEIVED})
        desk_holds.end(row, by=by, at=at)
        row.override_reason, row.decided_by = reason.strip(), by.username
        row.save(only=[Application.override_reason, Application.decided_by])
        detail = {"reason": reason.strip()}
        event = audit.Event.REGISTRATION_OVERRIDE_ASKED
        _record(event, row, by=by, at=at, detail=detail)


def may_override(application: Application, by: User) -> bool:
    """Tell whether an override was asked for, by somebody else than `by`."""
    asked = application.override_reason and application.decided_at is None
    return bool(asked) and application.decided_by != by.username


def return_(
    application: Application,
    *,
    reason: ReturnReason,
    note: str = "",
    by: User,
    at: datetime,
) -> None:
    """Send the page back: the applicant is told why, and may fax it again."""
    sentence = RETURN_WORDS[reason]
    with database.atomic():
        row = _taken(application, registration.OPEN)
        desk_holds.end(row, by=by, at=at)
        row.reason = f"{sentence}\n{note.strip()}" if note.strip() else sentence
        row.override_reason, row.reminded_at = "", None
        _decide(row, ApplicationStatus.RETURNED, by=by, at=at)
        notices.notify(row, at=at)
        detail = {"reason": reason.value}
        _record(audit.Event.REGISTRATION_RETURNED, row, by=by, at=at, detail=detail)


def reject(application: Application, *, reason: str, by: User, at: datetime) -> None:
    """Refuse the registration for good, with a reason that the applicant reads."""
    if not reason.strip():
        raise RuleError("Say why; the applicant will read it.", field="reason")
    with database.atomic():
        row = _taken(application, registration.OPEN)
        desk_holds.end(row, by=by, at=at)
        row.reason = reason.strip()
        _decide(row, ApplicationStatus.REJECTED, by=by, at=at)
        notices.notify(row, at=at)
        _record(audit.Event.REGISTRATION_REJECTED, row, by=by, at=at, detail={})


def _taken(
    application: Application, may_be: Collection[ApplicationStatus]
) -> Application:
    """Read the row so that nobody changes it before this transaction ends."""
    query = Application.select().where(Application.id == application.id)
    if not database.is_sqlite():  # SQLite's transactions are IMMEDIATE
        query = query.for_update()
    row: Application = query.get()
    if row.status in may_be:
        return row
    if row.status in registration.OPEN:
        raise RuleError("The signed page has not come yet.")
    raise ConflictError(
        f"{row.decided_by or 'Someone else'} was faster: this registration is"
        f" {words(row.status).lower()}."
    )


def _decide(row: Application, to: ApplicationStatus, *, by: User, at: datetime) -> None:
    row.status, row.decided_by, row.decided_at = to, by.username, at
    row.save()
    back = to == ApplicationStatus.RETURNED
    (
        InboundFax.update(
            status=FaxStatus.RETURNED if back else FaxStatus.FILED,
            handled_by=by.username,
            handled_at=at,
        )
        .where(InboundFax.application == row)
        .where(InboundFax.status == FaxStatus.MATCHED)
        .execute()
    )


def _cleared_licence(application: Application, *, by: User, at: datetime) -> Licence:
    found = comparison.compare(application, at=at)
    if found.bars or found.licence is None:
        raise RuleError(" ".join(found.bars))
    if found.differences and not may_override(application, by):
        raise RuleError(
            "This differs from the roster: "
            + " ".join(found.differences)
            + " A second person must approve it, after one has asked for an override."
        )
    return found.licence


def _record(
    event: audit.Event,
    application: Application,
    *,
    by: User,
    at: datetime,
    detail: Mapping[str, object],
) -> None:
    audit.record(
        event,
        actor=by.username,
        subject=f"registration:{application.code}",
        at=at,
        detail=dict(detail),
    )
