"""The pages of faxes are destroyed when their time is over, and not before."""

from datetime import timedelta
from typing import Any

import pytest

from models import AuditEvent, Document, FaxStatus, InboundFax
from pmp import audit, documents, faxes, settings
from pmp.errors import NotFoundError
from pmp.fax_parts import Sheet
from pmp.faxes import fax_expiry, fax_sheets, filing, other_papers
from pmp.faxes.other_papers import OtherPaper
from tests.conftest import NOW
from tests.factories import make_application, make_user

pytestmark = pytest.mark.usefixtures("db")
YEARS_AGO = NOW - timedelta(days=2200)


def received(name: str, status: FaxStatus, **fields: Any) -> InboundFax:
    fax = faxes.receive(
        body=b"II*\x00" + name.encode(),
        media_type="image/tiff",
        from_number="8605550143",
        source="test",
        source_reference=name,
        at=YEARS_AGO,
    )
    InboundFax.update(status=status, pages=1, **fields).where(
        InboundFax.id == fax.id
    ).execute()
    found: InboundFax = InboundFax.get_by_id(fax.id)
    return found


def kept(fax: InboundFax) -> bool:
    document = Document.get_by_id(fax.document.id)  # type: ignore[union-attr]
    return document.sealed is not None


def test_old_faxes_that_are_dealt_with_lose_their_pages_and_keep_their_row() -> None:
    over = [
        received(status.value, status)
        for status in (FaxStatus.FILED, FaxStatus.RETURNED, FaxStatus.DISMISSED)
    ]
    waiting = [
        received(status.value, status)
        for status in (FaxStatus.UNMATCHED, FaxStatus.MATCHED, FaxStatus.RECEIVED)
    ]
    lately = received("lately", FaxStatus.FILED, handled_at=NOW - timedelta(days=9))

    assert fax_expiry.purge(at=NOW) == 3

    assert not any(map(kept, over))
    assert all(map(kept, [*waiting, lately]))
    events = AuditEvent.select().where(AuditEvent.event == audit.Event.FAX_HANDLED)
    assert {each.subject for each in events} == {f"fax:{each.id}" for each in over}
    with pytest.raises(NotFoundError, match="no longer kept"):
        faxes.viewed(InboundFax.get_by_id(over[0].id), page=1, by=make_user(), at=NOW)
    assert fax_expiry.purge(at=NOW) == 0


def test_a_file_that_one_of_its_parts_needs_is_kept() -> None:
    whole = received("whole", FaxStatus.FILED)
    part = fax_sheets.make_part(whole, [Sheet(2)])

    assert fax_expiry.purge(at=NOW) == 0
    InboundFax.update(status=FaxStatus.DISMISSED).where(
        InboundFax.id == part.id
    ).execute()

    assert fax_expiry.purge(at=NOW) == 1


def test_the_days_are_a_setting() -> None:
    fax = received("one", FaxStatus.FILED)

    with settings.changed(fax_days=2300):
        assert fax_expiry.purge(at=NOW) == 0
    assert kept(fax)


def test_the_same_file_after_the_purge_is_a_fax_with_pages_again() -> None:
    old = received("one", FaxStatus.FILED)
    assert fax_expiry.purge(at=NOW) == 1

    new, again = (_again("one") for _ in range(2))
    other_way = _again("one", by="mail:")

    assert new != old
    assert again == new
    assert new.document is not None
    assert documents.read(new.document) == b"II*\x00one"
    assert new.status == FaxStatus.RECEIVED
    assert (other_way.status, other_way.same_as) == (FaxStatus.DISMISSED, new)


def _again(name: str, *, by: str = "") -> InboundFax:
    return faxes.receive(
        body=b"II*\x00" + name.encode(),
        media_type="image/tiff",
        from_number="8605550143",
        source="test",
        source_reference=by + name,
        at=NOW,
    )


# --- Other papers with a code


def test_papers_of_another_kind_are_refused_by_their_own_rule(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind = OtherPaper(
        read_code=lambda text: text if text.startswith("FXT-") else None,
        refusal=lambda code: "It is closed." if code.endswith("9") else "",
    )
    monkeypatch.setattr(other_papers, "PAPERS", (kind,))
    application = make_application()
    fax = received("several", FaxStatus.RECEIVED)
    sheets = [Sheet(1, ("FXT-1",)), Sheet(2, (application.code,)), Sheet(3, ("FXT-9",))]

    for part in filing.file_by_sheets(fax, sheets, at=NOW):
        filing.file_part(part, paper=None, at=NOW)

    good, form, refused = fax_sheets.parts_of(fax)
    found = [InboundFax.get_by_id(each.id) for each in (good, form, refused)]
    assert [each.status for each in found] == ["filed", "matched", "unmatched"]
    assert [each.note for each in found] == ["", "", "It is closed."]
