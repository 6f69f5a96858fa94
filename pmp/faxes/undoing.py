"""What staff did at the fax desk, taken back: a fax put aside, a page attached wrong.

Only while nobody was told: what went back to an applicant stays returned.
"""

from collections.abc import Iterable
from datetime import datetime

from models import Application, ApplicationStatus, FaxStatus, InboundFax, User
from pmp import audit, database, desk_holds
from pmp.errors import ConflictError, RuleError
from pmp.faxes import dismiss, fax_sheets
from pmp.faxes.filing import record


def dismiss_all(
    faxes: Iterable[InboundFax], *, reason: str, by: User, at: datetime
) -> tuple[list[InboundFax], list[str]]:
    """Put several faxes aside for one reason; give those, and why others were not."""
    done, refused = [], []
    for fax in faxes:
        try:
            dismiss(fax, reason=reason, by=by, at=at)
        except ConflictError as refusal:
            refused.append(f"Fax {fax.id}: {refusal.message}")
        else:
            done.append(fax)
    return done, refused


def can_come_back(fax: InboundFax) -> bool:
    """Tell whether a fax that somebody put aside can come back to the tray.

    Not one whose pages were given back to another fax, nor a repeat that the program
    put aside by itself.
    """
    if fax.status != FaxStatus.DISMISSED or not fax.handled_by:
        return False
    return not (fax.part_of and not fax_sheets.of(fax))


def bring_back(fax: InboundFax, *, by: User, at: datetime) -> None:
    """Take a fax that was put aside into the tray again."""
    if not can_come_back(fax):
        raise RuleError("This fax was not put aside by anybody.")
    to = FaxStatus.UNMATCHED if fax.pages else FaxStatus.UNREADABLE
    said = f"{by.username} took it back. It had been put aside: {fax.note}"
    with database.atomic():
        moved = (
            InboundFax.update(status=to, note=said, handled_by="", handled_at=None)
            .where(InboundFax.id == fax.id)
            .where(InboundFax.status == FaxStatus.DISMISSED)
            .execute()
        )
        if not moved:
            raise ConflictError("Somebody else has taken this fax back already.")
        record(audit.Event.FAX_HANDLED, fax, by.username, at, {"how": "taken back"})


def detach(fax: InboundFax, *, by: User, at: datetime) -> Application:
    """Take a fax off the registration it is with: it waits in the tray again.

    The registration waits for its page again if no other is there. RuleError once it
    is decided.
    """
    application: Application | None = fax.application
    if application is None or fax.status != FaxStatus.MATCHED:
        raise RuleError("This fax is with no registration that is still to be decided.")
    with database.atomic():
        desk_holds.end(application, by=by, at=at)
        note = f"{by.username} took it off registration {application.code}."
        moved = (
            InboundFax.update(status=FaxStatus.UNMATCHED, application=None, note=note)
            .where(InboundFax.id == fax.id)
            .where(InboundFax.status == FaxStatus.MATCHED)
            .execute()
        )
        if not moved:
            raise ConflictError("Somebody else was faster: this fax is dealt with.")
        _await_page_again(application)
        detail = {"how": "taken off", "registration": application.code}
        record(audit.Event.FAX_HANDLED, fax, by.username, at, detail)
    return application


def _await_page_again(application: Application) -> None:
    others = (
        InboundFax.select()
        .where(InboundFax.application == application)
        .where(InboundFax.status == FaxStatus.MATCHED)
    )
    if others.exists():
        return
    # When the page came stays: the term runs from there, not from the submission.
    (
        Application.update(
            status=ApplicationStatus.SUBMITTED, override_reason="", decided_by=""
        )
        .where(Application.id == application.id)
        .where(Application.status == ApplicationStatus.CONFIRMATION_RECEIVED)
        .execute()
    )
