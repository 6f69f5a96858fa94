"""Pages of a fax that staff take out of it, or put back: the program divided it wrong.

The file itself stays whole; only to which fax a page belongs is changed.
"""

from datetime import datetime

from models import FaxSheet, FaxStatus, InboundFax, User
from pmp import audit, database
from pmp.errors import ConflictError, RuleError
from pmp.faxes import fax_sheets
from pmp.faxes.filing import record

TRAY = (FaxStatus.UNMATCHED, FaxStatus.UNREADABLE)
DIVISIBLE = (*TRAY, FaxStatus.MATCHED)


def can_divide(fax: InboundFax) -> list[int]:
    """Give the pages with which another form may begin; none if it is one page."""
    if fax.status not in DIVISIBLE:
        return []
    return [sheet.number for sheet in fax_sheets.of(fax)][1:]


def before(part: InboundFax) -> InboundFax | None:
    """Give the fax to which a part's pages can be put back: it has those before it.

    None if that one is over: nobody would see them there.
    """
    if part.part_of is None or part.status not in TRAY:
        return None
    own = fax_sheets.of(part)
    if not own:
        return None
    family = (InboundFax.part_of == part.part_of) | (InboundFax.id == part.part_of.id)
    sheet = (
        FaxSheet.select(FaxSheet, InboundFax)
        .join(InboundFax)
        .where(family)
        .where(FaxSheet.number < own[0].number)
        .order_by(FaxSheet.number.desc())
        .first()
    )
    return sheet.fax if sheet and sheet.fax.status in DIVISIBLE else None


def take_out(fax: InboundFax, *, page: int, by: User, at: datetime) -> InboundFax:
    """Make a fax of its own of a page and those after it; it waits in the tray.

    RuleError where nothing would be left, or the fax is decided.
    """
    if page not in can_divide(fax):
        raise RuleError("Choose a page after the first one.", field="page")
    with database.atomic():
        moved = [each for each in fax_sheets.of(fax) if each.number >= page]
        taken = (
            FaxSheet.delete()
            .where(FaxSheet.fax == fax)
            .where(FaxSheet.number >= page)
            .execute()
        )
        if taken != len(moved):
            raise ConflictError("Somebody else has divided this fax meanwhile.")
        part = fax_sheets.make_part(fax, moved)
        part.status = FaxStatus.UNMATCHED
        part.note = f"{by.username} took its pages out of fax {fax.id}."
        part.save(only=[InboundFax.status, InboundFax.note])
        _count(fax)
        detail = {"how": "divided", "page": page, "part": part.id}
        record(audit.Event.FAX_HANDLED, fax, by.username, at, detail)
    return part


def put_back(part: InboundFax, *, by: User, at: datetime) -> InboundFax:
    """Give a part's pages to the fax that has those before it; RuleError if none."""
    to = before(part)
    if to is None:
        raise RuleError("There is no fax to which these pages could go back.")
    with database.atomic():
        moved = (
            InboundFax.update(
                status=FaxStatus.DISMISSED,
                note=f"Its pages are with fax {to.id}.",
                handled_by=by.username,
                handled_at=at,
            )
            .where(InboundFax.id == part.id)
            .where(InboundFax.status.in_(TRAY))
            .execute()
        )
        open_still = (
            InboundFax.update(pages=InboundFax.pages)
            .where(InboundFax.id == to.id)
            .where(InboundFax.status.in_(DIVISIBLE))
            .execute()
        )
        if not (moved and open_still):
            raise ConflictError("Somebody else was faster: this fax is dealt with.")
        FaxSheet.update(fax=to).where(FaxSheet.fax == part).execute()
        _count(to)
        detail = {"how": "put back", "to": to.id}
        record(audit.Event.FAX_HANDLED, part, by.username, at, detail)
    return to


def _count(fax: InboundFax) -> None:
    """Count a part's pages anew; of a fax as it came, those of its file stay."""
    if fax.part_of:
        fax.pages = len(fax_sheets.of(fax))
        fax.save(only=[InboundFax.pages])
