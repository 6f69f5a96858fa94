"""Staff at the fax desk and beside the roster: what they see, what they may do."""

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from gateway import pages, sending
from models import (
    Application,
    ApplicationStatus,
    AuditEvent,
    Delivery,
    DeliveryKind,
    FaxStatus,
    InboundFax,
    Role,
    User,
)
from pmp import audit, documents, faxes, settings
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import make_application, make_practitioner_licence, make_user

CHECKED = {"approve-checked": ["signed", "dated", "unaltered"]}


@pytest.fixture
def lee(db: settings.Settings) -> User:
    return make_user(Role.STAFF, username="lee")


@pytest.fixture
def desk(browser: Browser, lee: User) -> Browser:
    browser.sign_in_as(lee)
    return browser


def tiff(shade: int = 255) -> bytes:
    written = io.BytesIO()
    page = Image.new("1", (1728, 1078), 1)
    page.putpixel((shade, 1), 0)
    page.save(written, "TIFF", compression="group4", dpi=(204, 98))
    return written.getvalue()


def faxed(*codes: str, count: int = 1, body: bytes | None = None) -> InboundFax:
    fax = faxes.receive(
        body=body or tiff(),
        media_type="image/tiff",
        from_number="8605550124",
        source="test",
        source_reference=repr((codes, hash(body))),
        at=NOW,
    )
    faxes.file_by_codes(fax, codes=codes, pages=count, at=NOW)
    row: InboundFax = InboundFax.get_by_id(fax.id)
    return row


def to_decide(**fields: Any) -> Application:
    application = make_application(**fields)
    faxed(application.code, body=tiff(100 + application.id))
    row: Application = Application.get_by_id(application.id)
    return row


def address_of(application: Application) -> str:
    return f"/staff/registrations/{application.code}"


def test_the_queue_is_oldest_first_and_says_how_long(desk: Browser) -> None:
    first, second = to_decide(), to_decide(last_name="Zimmer")
    make_application(last_name="Noise")
    Application.update(confirmation_received_at=NOW.replace(day=20)).where(
        Application.id == second.id
    ).execute()
    desk.get("/staff/registrations")
    text = desk.text()
    assert text.index(second.code) < text.index(first.code)
    assert "Noise" not in text
    desk.get("/staff/registrations?list=page")
    assert "Noise" in desk.text()
    desk.get("/staff/registrations?list=nonsense", status=404)


def test_fax_application_and_roster_stand_beside_each_other(desk: Browser) -> None:
    make_practitioner_licence(name="SIMON RODKIN")
    application = to_decide()
    page = desk.get(address_of(application)).get_data(as_text=True)
    [fax] = InboundFax.select()
    assert f"/staff/faxes/{fax.id}/pages/1.png" in page
    for words in ("SIMON RODKIN", "Semyon Rodkin", "✗ differs", "✓ agrees", "CSP."):
        assert words in desk.text()


def test_each_look_at_a_fax_is_on_record(desk: Browser) -> None:
    fax = faxed()
    picture = desk.get(f"/staff/faxes/{fax.id}/pages/1.png")
    assert picture.data.startswith(b"\x89PNG")
    desk.get(f"/staff/faxes/{fax.id}/pages/2.png", status=404)
    desk.get("/staff/faxes/999/pages/1.png", status=404)
    events = AuditEvent.select().where(AuditEvent.event == audit.Event.FAX_VIEWED)
    assert [(e.actor, e.subject) for e in events] == [("lee", f"fax:{fax.id}")]


def test_approve_mails_the_letter(desk: Browser) -> None:
    make_practitioner_licence()
    application = to_decide()
    desk.get(address_of(application))
    desk.submit(CHECKED, action="/approve")
    desk.follow()
    assert "letter to dr.rodkin is being prepared" in desk.text()
    letter = Delivery.get(kind=DeliveryKind.CREDENTIAL_LETTER)
    assert "77 Record Road" in letter.address
    [fax] = InboundFax.select()
    assert fax.status == FaxStatus.FILED


def test_approving_without_looking_is_refused(desk: Browser) -> None:
    make_practitioner_licence()
    application = to_decide()
    desk.get(address_of(application))
    desk.submit({"approve-checked": ["signed"]}, action="/approve", status=422)
    assert "Check that the page is dated, unaltered" in desk.text()
    letters = Delivery.select().where(Delivery.kind == DeliveryKind.CREDENTIAL_LETTER)
    assert letters.count() == 0


def test_an_override_takes_two(
    desk: Browser, new_browser: Callable[..., Browser]
) -> None:
    make_practitioner_licence(active=False)
    application = to_decide()
    desk.get(address_of(application))
    desk.submit({"override-reason": "Renewed today"}, action="/override")
    desk.follow()
    desk.submit(CHECKED, action="/approve", status=422)
    assert "A second person must approve" in desk.text()
    other = new_browser()
    other.sign_in_as(make_user(Role.STAFF, username="ortiz"))
    other.get(address_of(application))
    assert "Renewed today" in other.text()
    other.submit(CHECKED, action="/approve")
    status = Application.get_by_id(application.id).status
    assert status == ApplicationStatus.APPROVED


def test_the_slower_of_two_is_told(
    desk: Browser, new_browser: Callable[..., Browser]
) -> None:
    make_practitioner_licence()
    application = to_decide()
    other = new_browser()
    other.sign_in_as(make_user(Role.STAFF, username="ortiz"))
    for window in (desk, other):
        window.get(address_of(application))
    desk.submit(CHECKED, action="/approve")
    other.submit({"reject-reason": "no"}, action="/reject", status=422)
    assert "lee was faster: this registration is approved" in other.text()


def test_return_and_reject_need_their_reasons(desk: Browser) -> None:
    application = to_decide()
    desk.get(address_of(application))
    desk.submit(action="/return", status=422)
    assert "Choose what the applicant is told" in desk.text()
    desk.submit(action="/reject", status=422)
    assert "Say why" in desk.text()
    desk.submit({"return-reason": "unsigned"}, action="/return")
    row = Application.get_by_id(application.id)
    assert row.status == ApplicationStatus.RETURNED


def test_a_new_letter_for_who_waits(desk: Browser) -> None:
    make_practitioner_licence()
    application = to_decide()
    desk.get(address_of(application))
    desk.submit(CHECKED, action="/approve")
    desk.get(address_of(application))
    desk.submit({"letter-reason": "It came back"}, action="/new-letter")
    letters = Delivery.select().where(Delivery.kind == DeliveryKind.CREDENTIAL_LETTER)
    assert [letter.state for letter in letters.order_by(Delivery.id)] == [
        "cancelled",
        "queued",
    ]


# --- The tray


def test_the_tray_says_why_each_fax_is_there(desk: Browser) -> None:
    faxed(body=tiff(1))
    faxed(body=tiff(2), count=0)
    to_decide()
    desk.get("/staff/faxes")
    assert "No registration code could be read" in desk.text()
    assert "Unreadable" in desk.text()
    assert "2 faxes" in desk.text()


def test_a_fax_is_attached_by_hand(desk: Browser) -> None:
    application, fax = make_application(), faxed()
    desk.get(f"/staff/faxes/{fax.id}")
    assert "The same fax number" in desk.text()
    desk.submit({"attach-code": "CTR-nonsense"}, action="/attach", status=422)
    desk.submit({"attach-code": application.code.lower()}, action="/attach")
    desk.follow()
    status = Application.get_by_id(application.id).status
    assert status == ApplicationStatus.CONFIRMATION_RECEIVED


def test_a_fax_is_returned_or_put_aside(desk: Browser) -> None:
    application = make_application()
    back, aside = faxed(body=tiff(1)), faxed(body=tiff(2))
    desk.get(f"/staff/faxes/{back.id}")
    values = {"return-code": application.code, "return-reason": "unreadable"}
    desk.submit(values, action="/return")
    desk.get(f"/staff/faxes/{aside.id}")
    desk.submit(action="/dismiss", status=422)
    desk.submit({"dismiss-note": "Advertisement"}, action="/dismiss")
    states = [fax.status for fax in InboundFax.select().order_by(InboundFax.id)]
    assert states == [FaxStatus.RETURNED, FaxStatus.DISMISSED]
    assert Delivery.get().subject_id == application.id


@pytest.mark.parametrize("role", [Role.PRACTITIONER, Role.PHARMACY, Role.AUDITOR])
def test_others_see_none_of_it(browser: Browser, role: Role) -> None:
    application, fax = to_decide(), faxed(body=tiff(3))
    browser.sign_in_as(make_user(role))
    for path in (
        "/staff/registrations",
        address_of(application),
        "/staff/faxes",
        f"/staff/faxes/{fax.id}",
        f"/staff/faxes/{fax.id}/pages/1.png",
    ):
        browser.get(path, status=404)


def test_no_page_shows_the_mailed_password(desk: Browser) -> None:
    make_practitioner_licence()
    application = to_decide()
    desk.get(address_of(application))
    desk.submit(CHECKED, action="/approve")
    letter = Delivery.get(kind=DeliveryKind.CREDENTIAL_LETTER)
    sending.attempt(letter.id)
    document = Delivery.get_by_id(letter.id).document
    assert document is not None
    text = " ".join(box.text for box in pages.text_boxes(documents.read(document)))
    [secret] = re.findall(r"(?:\w{4}-){3}\w{4}", text)
    for path in (
        address_of(application),
        "/staff/registrations?list=mail",
        "/staff/deliveries",
        f"/staff/deliveries/{letter.id}",
        "/staff/letters",
    ):
        shown = desk.get(path).get_data(as_text=True)
        assert secret not in shown
        assert secret.replace("-", "") not in shown
