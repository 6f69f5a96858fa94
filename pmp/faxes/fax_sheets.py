"""The pages of a fax's file: which of them are the fax's own, and which are shown."""

from collections.abc import Sequence

from models import FaxSheet, FaxStatus, InboundFax
from pmp.fax_parts import Sheet


def of(fax: InboundFax) -> list[Sheet]:
    """Give the pages that are a fax's own, in order; none where it was never read so.

    Of a fax that was divided: none, they are its parts'.
    """
    query = FaxSheet.select().where(FaxSheet.fax == fax).order_by(FaxSheet.number)
    return [
        Sheet(each.number, tuple(each.codes), each.blank, each.look) for each in query
    ]


def keep(fax: InboundFax, sheets: Sequence[Sheet]) -> None:
    """Write down the pages of a fax."""
    rows = [
        {
            "fax": fax,
            "number": sheet.number,
            "blank": sheet.blank,
            "codes": list(sheet.codes),
            "look": sheet.look,
        }
        for sheet in sheets
    ]
    if rows:
        FaxSheet.insert_many(rows).execute()


def make_part(fax: InboundFax, sheets: Sequence[Sheet]) -> InboundFax:
    """Make a fax of some pages of another's file, still to be filed."""
    whole = fax.part_of or fax
    part: InboundFax = InboundFax.create(
        received_at=fax.received_at,
        source=fax.source,
        source_reference=_reference(whole, sheets[0].number),
        from_number=fax.from_number,
        station=fax.station,
        document=fax.document,
        status=FaxStatus.RECEIVED,
        pages=len(sheets),
        part_of=whole,
    )
    keep(part, sheets)
    return part


def _reference(whole: InboundFax, number: int) -> str:
    """Name a part; the same page may begin one again that was put back before."""
    name = f"fax:{whole.id}/{number}"
    names = InboundFax.source_reference.startswith(name)
    used = {each.source_reference for each in InboundFax.select().where(names)}
    times = next(n for n in range(1, len(used) + 2) if f"{name}/{n}" not in used)
    return f"{name}/{times}"


def shown(fax: InboundFax) -> list[int]:
    """Give the pages to show, counted in the file: its own, without blank ones.

    Where every page is blank they are all shown, so that nobody wonders.
    """
    own = of(fax)
    if not own:
        return list(range(1, fax.pages + 1))
    written = [sheet.number for sheet in own if not sheet.blank]
    return written or [sheet.number for sheet in own]


def in_file(fax: InboundFax) -> int:
    """Count the pages of the whole file that a fax is of."""
    return int(fax.part_of.pages if fax.part_of else fax.pages)


def blank(fax: InboundFax) -> list[int]:
    """Give the fax's own pages that are left out because nothing is on them."""
    return [sheet.number for sheet in of(fax) if sheet.number not in shown(fax)]


def parts_of(fax: InboundFax) -> list[InboundFax]:
    """Give the faxes that a fax was divided into, in the order of their pages."""
    query = InboundFax.select().where(InboundFax.part_of == fax)
    return list(query.order_by(InboundFax.id))
