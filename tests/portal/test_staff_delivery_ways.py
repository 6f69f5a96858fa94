"""Deliveries on staff's screens: search, many at once, another way, the pages."""

import csv
import io
import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway import documents
from models import (
    AuditEvent,
    CaseRecipient,
    ChannelName,
    Delivery,
    DeliveryKind,
    DeliveryState,
    DocumentKind,
    ErrorClass,
    Role,
    TicketQuestion,
)
from pmp import audit, clock, deliveries
from pmp import documents as kept
from pmp.deliveries import Route, calling, contacts, delivery_desk
from tests.browser import Browser
from tests.factories import (
    make_crossing,
    make_patient,
    make_pharmacy,
    make_ticket,
    make_user,
)

FAX = Route(ChannelName.FAX, "+18605550123")
LETTER = Route(ChannelName.LETTER, "RAE OAKES\n2 Main Street\nHartford CT 06106")


def made(*routes: Route, **fields: Any) -> Delivery:
    row = deliveries.request(
        kind=fields.pop("kind", DeliveryKind.TICKET_NOTICE),
        subject_id=fields.pop("subject_id", 0),
        routes=routes or (FAX,),
        dedupe_key=f"test:{Delivery.select().count()}",
        at=clock.now(),
    )
    if fields:
        Delivery.update(**fields).where(Delivery.id == row.id).execute()
    return fresh(row)


def fresh(row: Delivery) -> Delivery:
    return Delivery.get_by_id(row.id)


def failed() -> Delivery:
    row = made()
    claimed = deliveries.claim(row.id, carrier="laml", at=clock.now())
    assert claimed is not None
    deliveries.mark_failed(
        claimed, error_class=ErrorClass.REJECTED, text="", at=clock.now()
    )
    return fresh(row)


@pytest.fixture
def staff(browser: Browser) -> Browser:
    browser.sign_in_as(make_user(Role.STAFF, username="staff.lee"))
    return browser


def test_a_recipient_is_searched_for_and_stands_in_no_address(staff: Browser) -> None:
    made(LETTER)
    made()

    staff.get("/staff/deliveries")
    answer = staff.submit(
        {"recipient": "Rae Oakes", "channel": "letter"}, action="/search"
    )
    target = answer.headers["Location"]
    staff.follow()

    assert "Oakes" not in target
    assert "OAKES" not in target.upper()
    assert "channel=letter" in target
    assert "1 delivery" in staff.text()
    page = staff.page.get_data(as_text=True)  # type: ignore[union-attr]
    assert 'value="Rae Oakes"' in page  # what was typed is still there
    for link in re.findall(r'href="([^"]+)"', page):
        assert "oakes" not in link.lower()
    # Sorted or downloaded, it is narrowed still.
    token = target.partition("who=")[2].partition("&")[0]
    staff.get(f"/staff/deliveries?who={token}&sort=made")
    assert "1 delivery" in staff.text()


def test_a_day_that_is_none_is_refused_and_kept(staff: Browser) -> None:
    made()
    staff.get("/staff/deliveries")

    staff.submit({"since": "13/45/2026", "number": "17"}, action="/search", status=422)

    assert "There is no such day" in staff.text()
    page = staff.page.get_data(as_text=True)  # type: ignore[union-attr]
    assert 'value="13/45/2026"' in page
    assert 'value="17"' in page
    staff.get("/staff/deliveries?since=nonsense", status=422)


def test_the_list_is_downloaded_as_it_is_narrowed(staff: Browser) -> None:
    made()
    row = failed()

    answer = staff.get("/staff/deliveries.csv?state=not_arrived")

    lines = list(csv.reader(io.StringIO(answer.get_data(as_text=True)[1:])))
    assert [line[0] for line in lines] == ["Delivery", str(row.id)]
    assert AuditEvent.select().where(
        AuditEvent.event == audit.Event.DELIVERIES_DOWNLOADED
    )


def test_the_landing_page_says_whether_messages_arrive(staff: Browser) -> None:
    staff.get("/staff/deliveries")
    assert "No delivery is like this." in staff.text()
    for _ in range(4):
        row = made()
        claimed = deliveries.claim(row.id, carrier="laml", at=clock.now())
        assert claimed is not None
        deliveries.mark_failed(
            claimed, error_class=ErrorClass.UNKNOWN, text="", at=clock.now()
        )
    made(state=DeliveryState.DELIVERED, final_at=clock.now())

    page = staff.get("/staff/deliveries").get_data(as_text=True)

    assert "4 of 4 tries failed in the last hour" in staff.text()
    assert page.count("<svg") == 1
    assert 'aria-label="Fax: messages that ended' in page
    narrowed = staff.get("/staff/deliveries?channel=fax").get_data(as_text=True)
    assert "<svg" not in narrowed


def test_many_are_held_after_a_look_at_what_will_happen(staff: Browser) -> None:
    first, second, over = made(), made(), failed()
    staff.get("/staff/deliveries?channel=fax")
    chosen = [str(row.id) for row in (first, second, over)]

    staff.submit({"chosen": chosen, "action": "hold"}, action="/batch", status=200)

    assert "Nothing has been done yet." in staff.text()
    assert "It will not be done to this one" in staff.text()
    assert fresh(first).state == DeliveryState.QUEUED
    delivery_desk.hold(second.id, by=None, at=clock.now())
    answer = staff.submit({"chosen": chosen[:2]}, action="/batch")
    assert urlsplit(answer.headers["Location"]).query == "channel=fax"
    staff.follow()
    assert "1 of your choice: held" in staff.text()
    assert f"Delivery {second.id}: Nothing was done: meanwhile" in staff.text()
    assert fresh(first).state == DeliveryState.HELD
    assert fresh(over).state == DeliveryState.FAILED


def test_many_are_cancelled_for_a_reason_and_taken_back(staff: Browser) -> None:
    row = made()
    staff.get("/staff/deliveries")
    staff.submit(
        {"chosen": [str(row.id)], "action": "cancel"}, action="/batch", status=200
    )

    staff.submit({"reason": ""}, action="/batch", status=422)
    assert "Say why they are cancelled" in staff.text()
    staff.submit({"reason": "the case is closed"}, action="/batch")

    assert fresh(row).state == DeliveryState.CANCELLED
    staff.get(f"/staff/deliveries/{row.id}")
    staff.submit(action="/undo")
    staff.follow()
    assert "It is not cancelled any more" in staff.text()
    assert fresh(row).state == DeliveryState.HELD


def test_a_number_that_no_delivery_can_have_is_a_bad_request(staff: Browser) -> None:
    made()
    staff.get("/staff/deliveries")
    fields = {
        "csrf_token": staff.token(),
        "action": "hold",
        "chosen": "1",
        "confirmed": "yes",
        "mark-99999999999999999999": "0-1",
    }

    staff.post("/staff/deliveries/batch", fields, status=400)


def test_no_choice_and_no_such_action_are_refused(staff: Browser) -> None:
    made()
    staff.get("/staff/deliveries")

    staff.submit({"action": "hold"}, action="/batch", status=422)
    assert "Choose at least one delivery" in staff.text()
    staff.get("/staff/deliveries")
    staff.submit({"chosen": ["1"], "action": "explode"}, action="/batch", status=422)
    staff.get("/staff/deliveries")
    back = {"back": "//example.org/", "chosen": ["1"], "action": "hold"}
    staff.submit(back, action="/batch", status=200)
    assert "example.org" not in staff.page.get_data(as_text=True)  # type: ignore[union-attr]


def test_an_action_on_what_has_changed_meanwhile_is_refused(staff: Browser) -> None:
    row = made()
    staff.get(f"/staff/deliveries/{row.id}")
    delivery_desk.cancel(row.id, reason="closed", by=None, at=clock.now())

    staff.submit(action="/hold")
    staff.follow()

    assert "Nothing was done: meanwhile" in staff.text()
    assert "closed" in staff.text()
    assert fresh(row).state == DeliveryState.CANCELLED


def test_another_way_is_chosen_checked_and_taken(staff: Browser) -> None:
    row = made(FAX, LETTER)
    page = f"/staff/deliveries/{row.id}/other-way"
    staff.get(page)
    staff.submit({"way": "number", "number": "860 555 0199", "again": "1"}, status=422)
    assert "The two numbers differ" in staff.text()
    assert "860 555 0199" in staff.page.get_data(as_text=True)  # type: ignore[union-attr]

    typed = {"way": "number", "number": "860 555 0199", "again": "8605550199"}
    staff.submit(typed, status=200)

    assert "Check before it is sent" in staff.text()
    assert "By fax to (860) 555-0199" in staff.text()
    assert fresh(row).state == DeliveryState.QUEUED
    staff.submit({"confirmed": "yes"})
    staff.follow()
    assert "takes its place" in staff.text()
    new = Delivery.get(Delivery.parent == row)
    assert new.address == "+18605550199"
    assert fresh(row).state == DeliveryState.CANCELLED
    assert f"Delivery {row.id}" in staff.text()  # the way back
    staff.get(page)
    assert f"It went on as delivery {new.id}" in staff.text()


def test_the_recipient_says_whether_it_arrived(staff: Browser) -> None:
    doubt = {"error_class": ErrorClass.IN_DOUBT, "attempts": 1, "needs_staff": True}
    first, second = (made(state="held", **doubt) for _ in range(2))

    staff.get(f"/staff/deliveries/{first.id}")
    assert "Did it arrive?" in staff.text()
    assert "Release and send" not in staff.text()
    staff.submit(action="/arrived")
    staff.get(f"/staff/deliveries/{second.id}")
    staff.submit(action="/not-arrived")

    assert fresh(first).state == DeliveryState.DELIVERED
    assert fresh(second).state == DeliveryState.QUEUED


def with_pages(kind: DeliveryKind, document: DocumentKind, **fields: Any) -> Delivery:
    pdf = documents.drawn("test", "<p>Page</p>")
    body = kept.keep(
        kind=document, media_type="application/pdf", body=pdf, at=clock.now()
    )
    return made(LETTER, kind=kind, document=body, **fields)


def test_the_pages_are_seen_on_record_by_who_works_on_them(
    staff: Browser, browser: Browser
) -> None:
    make_crossing(make_patient(last_name="CANARYQUIST"))
    recipient = CaseRecipient.select().first()
    row = with_pages(
        DeliveryKind.THRESHOLD_REPORT,
        DocumentKind.THRESHOLD_REPORT,
        subject_id=recipient.id,
    )

    assert "See the pages" in staff.get(f"/staff/deliveries/{row.id}").get_data(
        as_text=True
    )
    staff.get(f"/staff/deliveries/{row.id}/pages")
    png = staff.get(f"/staff/deliveries/{row.id}/pages/1.png")
    assert png.data.startswith(b"\x89PNG")
    assert staff.get(f"/staff/deliveries/{row.id}.pdf").data.startswith(b"%PDF")
    staff.get(f"/staff/deliveries/{row.id}/pages/2.png", status=404)
    opened = AuditEvent.select().where(
        AuditEvent.event == audit.Event.DELIVERY_PAPER_OPENED
    )
    patient = f"patient:{recipient.case.patient.id}"
    assert {(each.actor, each.subject) for each in opened} == {("staff.lee", patient)}
    browser.sign_in_as(make_user(Role.PRACTITIONER))
    browser.get(f"/staff/deliveries/{row.id}.pdf", status=404)


def test_a_letter_with_a_password_is_never_shown(staff: Browser) -> None:
    row = with_pages(DeliveryKind.CREDENTIAL_LETTER, DocumentKind.CREDENTIAL_LETTER)

    staff.get(f"/staff/deliveries/{row.id}")
    assert "See the pages" not in staff.text()
    for path in ("pages", "pages/1.png"):
        staff.get(f"/staff/deliveries/{row.id}/{path}", status=404)
    staff.get(f"/staff/deliveries/{row.id}.pdf", status=404)
    assert not AuditEvent.select().where(
        AuditEvent.event == audit.Event.DELIVERY_PAPER_OPENED
    )


def test_a_carrier_is_paused_and_resumed(staff: Browser) -> None:
    made()
    calling.use({ChannelName.FAX: "laml"}, at=clock.now())
    staff.get("/staff/deliveries")
    staff.submit({"reason": ""}, action="/carriers/pause")
    staff.follow()
    assert "Say why it is paused." in staff.text()

    staff.submit({"reason": "new contract"}, action="/carriers/pause")
    staff.follow()

    assert "paused by staff" in staff.text()
    assert "new contract" in staff.text()
    assert deliveries.due(at=clock.now() + timedelta(hours=1)) == []
    staff.submit(action="/carriers/resume")
    staff.follow()
    assert "is called again" in staff.text()
    staff.post(
        "/staff/carriers/resume", {"carrier": "none", "csrf_token": staff.token()}
    )


def test_a_caller_is_helped_without_a_patients_name(staff: Browser) -> None:
    row = made(state="delivered", submitted_at=clock.now())
    staff.get("/staff/misdeliveries")
    staff.get("/staff/misdeliveries/find")
    staff.submit({"text": ""}, status=422)
    staff.submit({"text": "860 555 0111"}, status=200)
    assert "No message of ours" in staff.text()

    staff.submit({"text": "860 555 0123"}, status=200)

    assert f"/staff/deliveries/{row.id}/wrong-person" in staff.page.get_data(  # type: ignore[union-attr]
        as_text=True
    )
    made()
    staff.get(f"/staff/deliveries/{row.id}/wrong-person")
    assert "1 message waits to go there too" in staff.text()
    staff.submit({"told_by": "A bakery", "became": "kept"})
    staff.follow()
    staff.submit(action="/notice")
    staff.follow()
    assert "asks them to destroy it" in staff.text()
    pdf = staff.submit(action="/notice.pdf", status=200)
    assert pdf.data.startswith(b"%PDF")
    staff.get("/staff/misdeliveries/1")
    assess = "/misdeliveries/1"
    staff.submit({"assessment": "Kept."}, action=assess, status=422)
    assert "Say whether it is a breach" in staff.text()
    staff.submit({"assessment": "Kept.", "breach": "yes"}, action=assess)
    year = clock.today().year
    staff.get(f"/staff/misdeliveries/log/{year}")
    assert "A bakery" in staff.text()
    assert staff.get(f"/staff/misdeliveries/log/{year}.csv").data
    staff.get("/staff/misdeliveries/log/1999", status=404)


def test_the_console_counts_what_failed_apart_from_what_waits(staff: Browser) -> None:
    failed()
    made(state="held", needs_staff=True)

    page = staff.get("/staff").get_data(as_text=True)

    assert "attention=y&amp;state=not_arrived" in page
    assert re.search(r"<b>1</b>\s*<a[^>]*>Deliveries that failed", page)
    assert re.search(r"<b>2</b>\s*<a[^>]*>Deliveries that need a person", page)


def test_a_delivery_leads_to_all_of_its_recipient(staff: Browser) -> None:
    row = made(LETTER)
    made(LETTER)
    made()

    page = staff.get(f"/staff/deliveries/{row.id}").get_data(as_text=True)
    [link] = re.findall(r'href="(/staff/deliveries\?who=[^"]+)"', page)
    staff.get(link)

    assert "2 deliveries" in staff.text()


def test_a_test_page_is_not_sent_to_a_typed_number_and_the_page_says_why(
    staff: Browser,
) -> None:
    row = made(kind=DeliveryKind.FAX_TEST_PAGE)

    staff.get(f"/staff/deliveries/{row.id}")
    assert "Send it another way" not in staff.text()
    staff.get(f"/staff/deliveries/{row.id}/other-way")
    assert "Ask for a new code for that number" in staff.text()
    assert "The same number again" not in staff.text()


def test_what_waits_for_a_test_page_says_what_sending_it_would_do(
    staff: Browser,
) -> None:
    pharmacy = make_pharmacy(fax=None)
    make_user(Role.PHARMACY, fax=FAX.address, email=None, pharmacy=pharmacy)
    asked = TicketQuestion.create(
        ticket=make_ticket(),
        pharmacy=pharmacy,
        text="Was it thirty?",
        asked_by="staff.lee",
        asked_at=clock.now(),
        due_at=clock.now(),
    )
    row = made(
        *contacts.routes_for(pharmacy),
        kind=DeliveryKind.TICKET_QUESTION,
        subject_id=asked.id,
    )
    held = made(state="held")
    by_itself, unproven = "leaves by itself when the code", "No test page has proven"

    staff.get(f"/staff/deliveries/{row.id}")
    assert by_itself in staff.text()
    assert unproven in staff.text()
    assert "Release and send" not in staff.text()
    way = f"/staff/deliveries/{row.id}/other-way"
    staff.get(way)
    assert by_itself in staff.text()
    assert staff.text().count("(860) 555-0123") == 2  # where it was to go; not offered
    number = {"number": "860-555-0199", "again": "860-555-0199", "way": "number"}
    staff.submit(number, status=200)
    assert unproven in staff.text()
    chosen = {"action": "release", "chosen": [str(row.id), str(held.id)]}
    staff.get("/staff/deliveries")
    staff.submit(chosen, action="/batch", status=200)
    assert staff.text().count(unproven) == 1

    staff.get(f"/staff/deliveries/{held.id}")
    assert "Release and send" in staff.text()
    assert unproven not in staff.text()


def test_a_text_message_shows_its_number_as_people_write_it(staff: Browser) -> None:
    row = made(Route(ChannelName.SMS, "+18605550123"), kind=DeliveryKind.MOBILE_CODE)

    staff.get(f"/staff/deliveries/{row.id}")

    assert "(860) 555-0123" in staff.text()
