"""Inbound faxes: kept once, attached by their code, or left to staff, with why."""

from typing import Any

import pytest

from models import (
    Application,
    ApplicationStatus,
    AuditEvent,
    Delivery,
    DeliveryKind,
    Document,
    FaxStatus,
    InboundFax,
)
from pmp import audit, documents, faxes, settings
from pmp.errors import ConflictError, RuleError
from pmp.faxes import inbound_media
from pmp.registration import approval
from pmp.registration.approval import ReturnReason
from pmp.registration.registration_codes import new_code
from tests.conftest import NOW
from tests.factories import make_application, make_user

BODY = b"II*\x00 a page with pen on it"


def received(reference: str = "one", body: bytes = BODY, **fields: Any) -> InboundFax:
    return faxes.receive(
        body=body,
        media_type="image/tiff",
        from_number=fields.get("from_number", "860-555-0124"),
        source="test",
        source_reference=reference,
        at=NOW,
    )


def now(fax: InboundFax) -> InboundFax:
    row: InboundFax = InboundFax.get_by_id(fax.id)
    return row


def in_tray(body: bytes = BODY) -> InboundFax:
    fax = received(reference=repr(body), body=body)
    faxes.file_by_codes(fax, codes=[], pages=1, at=NOW)
    return now(fax)


# --- Receiving


def test_a_fax_is_kept_encrypted(db: settings.Settings) -> None:
    fax = received()
    assert fax.document is not None
    assert fax.document.sealed is not None
    assert BODY not in bytes(fax.document.sealed)
    assert documents.read(fax.document) == BODY
    assert fax.from_number == "+18605550124"


def test_a_replay_is_the_same_fax(db: settings.Settings) -> None:
    assert received() == received(body=b"II*\x00 other bytes")
    assert InboundFax.select().count() == 1
    assert AuditEvent.select().count() == 1


def test_the_same_bytes_again_are_a_dismissed_duplicate(db: settings.Settings) -> None:
    application = make_application()
    first = received()
    faxes.file_by_codes(first, codes=[application.code], pages=1, at=NOW)
    received("noise", body=b"II*\x00 another page")

    again = received("two")

    assert again.status == FaxStatus.DISMISSED
    assert again.note == f"The same pages as fax {first.id}."
    assert again.application == application
    assert Document.select().count() == 2
    faxes.file_by_codes(again, codes=[application.code], pages=1, at=NOW)
    assert now(again).status == FaxStatus.DISMISSED


def test_the_pages_that_were_returned_come_again_and_a_person_looks(
    db: settings.Settings,
) -> None:
    application, first = make_application(), received()
    faxes.file_by_codes(first, codes=[application.code], pages=1, at=NOW)
    approval.return_(application, reason=ReturnReason.UNSIGNED, by=make_user(), at=NOW)
    again = inbound_media.announce(
        source="laml", source_reference="two", from_number="", station="", at=NOW
    )
    inbound_media.keep(again, body=BODY, media_type="image/tiff", at=NOW)

    faxes.file_by_codes(now(again), codes=[application.code], pages=1, at=NOW)

    assert (now(again).status, now(again).same_as) == ("unmatched", first)
    status = Application.get_by_id(application.id).status
    assert status == ApplicationStatus.RETURNED


# --- Filing by code


def test_a_known_code_attaches_the_fax(db: settings.Settings) -> None:
    application, noise = make_application(), make_application()
    fax = received()
    codes = ["https://example.org", application.code.lower()]
    faxes.file_by_codes(fax, codes=codes, pages=2, at=NOW)
    fax = now(fax)
    assert (fax.status, fax.application, fax.pages) == ("matched", application, 2)
    assert fax.codes == [application.code]
    statuses = [Application.get_by_id(row.id).status for row in (application, noise)]
    assert statuses == ["confirmation_received", "submitted"]


def test_filing_twice_changes_nothing_more(db: settings.Settings) -> None:
    application, fax = make_application(), received()
    for _ in range(2):
        faxes.file_by_codes(fax, codes=[application.code], pages=1, at=NOW)
    event = audit.Event.REGISTRATION_CONFIRMATION_RECEIVED
    assert AuditEvent.select().where(AuditEvent.event == event).count() == 1


def test_a_second_page_of_one_registration_is_attached_too(
    db: settings.Settings,
) -> None:
    application = make_application()
    for body in (BODY, b"II*\x00 signed this time"):
        fax = received(repr(body), body=body)
        faxes.file_by_codes(fax, codes=[application.code], pages=1, at=NOW)
    assert [fax.status for fax in faxes.of(application)] == ["matched", "matched"]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (ApplicationStatus.APPROVED, "is approved"),
        (ApplicationStatus.REJECTED, "is rejected"),
        (ApplicationStatus.EXPIRED, "is expired"),
    ],
)
def test_a_closed_registration_leaves_the_fax_to_staff(
    db: settings.Settings, status: ApplicationStatus, reason: str
) -> None:
    application, fax = make_application(status=status), received()
    faxes.file_by_codes(fax, codes=[application.code], pages=1, at=NOW)
    assert now(fax).status == FaxStatus.UNMATCHED
    assert reason in now(fax).note
    assert Application.get_by_id(application.id).status == status


def test_no_code_an_unknown_one_and_two_are_each_told(db: settings.Settings) -> None:
    one, two = make_application(), make_application()
    unknown = new_code()
    notes = []
    for codes in ([], ["CTR-00000-00001"], [unknown], [one.code, two.code]):
        fax = received(repr(codes), body=repr(codes).encode())
        faxes.file_by_codes(fax, codes=codes, pages=1, at=NOW)
        assert now(fax).status == FaxStatus.UNMATCHED
        notes.append(now(fax).note)
    no_code = "No registration code could be read."
    assert notes[:3] == [no_code, no_code, f"There is no registration {unknown}."]
    assert notes[3].startswith("It holds more than one registration")
    assert {Application.get_by_id(row.id).status for row in (one, two)} == {"submitted"}


def test_a_file_without_pages_is_unreadable(db: settings.Settings) -> None:
    fax = received()
    faxes.file_by_codes(fax, codes=[], pages=0, at=NOW)
    assert now(fax).status == FaxStatus.UNREADABLE
    assert faxes.tray() == [fax]


# --- At the desk


def test_staff_attach_a_fax_by_hand(db: settings.Settings) -> None:
    application, fax, staff = make_application(), in_tray(), make_user()
    faxes.attach(fax, code=application.code, by=staff, at=NOW)
    assert now(fax).application == application
    assert now(fax).handled_by == staff.username
    status = Application.get_by_id(application.id).status
    assert status == ApplicationStatus.CONFIRMATION_RECEIVED
    assert faxes.tray() == []


def test_a_wrong_code_attaches_nothing(db: settings.Settings) -> None:
    closed = make_application(status=ApplicationStatus.REJECTED)
    fax = in_tray()
    for code in ("nonsense", new_code(), closed.code):
        with pytest.raises(RuleError) as refused:
            faxes.attach(fax, code=code, by=make_user(), at=NOW)
        assert refused.value.field == "code"
    assert faxes.tray() == [fax]


def test_two_at_the_desk_the_second_is_told(db: settings.Settings) -> None:
    application, fax = make_application(), in_tray()
    faxes.dismiss(fax, reason="advertisement", by=make_user(username="lee"), at=NOW)
    with pytest.raises(ConflictError, match="lee was faster"):
        faxes.attach(fax, code=application.code, by=make_user(), at=NOW)
    status = Application.get_by_id(application.id).status
    assert status == ApplicationStatus.SUBMITTED


def test_a_returned_fax_tells_the_applicant(db: settings.Settings) -> None:
    application, fax = make_application(), in_tray()
    faxes.return_(
        fax,
        code=application.code,
        reason=ReturnReason.UNREADABLE,
        note="",
        by=make_user(),
        at=NOW,
    )
    assert now(fax).status == FaxStatus.RETURNED
    status = Application.get_by_id(application.id).status
    assert status == ApplicationStatus.RETURNED
    notice = Delivery.get()
    assert notice.kind == DeliveryKind.REGISTRATION_NOTICE
    assert notice.subject_id == application.id


def test_putting_aside_needs_a_reason(db: settings.Settings) -> None:
    fax = in_tray()
    with pytest.raises(RuleError):
        faxes.dismiss(fax, reason=" ", by=make_user(), at=NOW)
    assert faxes.tray() == [fax]


def test_each_look_at_a_page_is_on_record(db: settings.Settings) -> None:
    fax, staff = in_tray(), make_user()
    assert faxes.viewed(fax, page=1, by=staff, at=NOW) == BODY
    [event] = AuditEvent.select().where(AuditEvent.event == audit.Event.FAX_VIEWED)
    assert (event.actor, event.subject) == (staff.username, f"fax:{fax.id}")


def test_likely_registrations_come_first(db: settings.Settings) -> None:
    make_application(fax="8605550199")
    theirs = make_application(fax="860 555 0124")
    make_application(fax="8605550198")
    make_application(fax="860 555 0124", status=ApplicationStatus.REJECTED)
    fax = in_tray()
    found = faxes.candidates(fax)
    assert found[0] == theirs
    assert len(found) == 3
