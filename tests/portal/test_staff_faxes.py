"""The fax desk: whom a fax may be from, what it was divided into, putting it right."""

from datetime import timedelta

import pytest

from gateway import pages
from models import (
    Application,
    ChannelName,
    ContactCheck,
    Delivery,
    DeliveryAttempt,
    DeliveryKind,
    DeliveryState,
    FaxedReply,
    FaxStatus,
    InboundFax,
    Role,
    TicketAttachment,
    User,
)
from pmp import settings
from pmp.errors import RuleError
from pmp.faxes import dividing, fax_sheets, guesses
from pmp.reaching import own_ways
from pmp.thresholds import case_recipients
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import (
    make_application,
    make_crossing,
    make_patient,
    make_pharmacy,
    make_ticket,
    make_user,
)
from tests.faxes import now, page, receive, tiff

NUMBER, OTHER = "+18605550143", "+18605550199"


@pytest.fixture
def lee(db: settings.Settings) -> User:
    return make_user(Role.STAFF, username="lee")


@pytest.fixture
def desk(browser: Browser, lee: User) -> Browser:
    browser.sign_in_as(lee)
    return browser


def faxed_to(number: str, kind: DeliveryKind, subject: int, **fields: object) -> None:
    """Have faxed something to a number, answered by a machine."""
    made = {
        "created_at": NOW - timedelta(days=2),
        "due_at": NOW,
        "deadline_at": NOW,
        "state": DeliveryState.DELIVERED,
        "channel": ChannelName.FAX,
        "dedupe_key": f"{number} {kind} {subject}",
    }
    delivery = Delivery.create(
        kind=kind, subject_id=subject, address=number, **{**made, **fields}
    )
    DeliveryAttempt.create(
        delivery=delivery,
        number=1,
        idempotency_key=f"{delivery.id}-1",
        started_at=NOW - timedelta(days=2),
        station=f"MACHINE OF {number[-4:]}",
    )


def opened(desk: Browser, fax: InboundFax) -> str:
    desk.get(f"/staff/faxes/{fax.id}")
    return desk.text()


# --- Guesses


def test_the_caller_is_guessed_from_what_we_faxed_there_and_attached_by_one_press(
    desk: Browser,
) -> None:
    first, second, *_ = case_recipients.of_case(make_crossing(make_patient()))
    faxed_to(NUMBER, DeliveryKind.THRESHOLD_REPORT, first.id)
    faxed_to(OTHER, DeliveryKind.THRESHOLD_REPORT, second.id)
    fax = receive(tiff([page()]), number=NUMBER)

    text = opened(desk, fax)
    assert "We faxed a threshold report to this number on 11/21/2026" in text
    assert first.reply_code in text
    assert second.reply_code not in text
    desk.submit({}, action="/attach-to-report")

    [answer] = FaxedReply.select()
    assert (answer.fax, answer.recipient) == (fax, first)
    assert now(fax).status == FaxStatus.MATCHED


def test_the_machine_is_known_again_where_the_number_is_withheld(
    desk: Browser,
) -> None:
    first, second, *_ = case_recipients.of_case(make_crossing(make_patient()))
    faxed_to(NUMBER, DeliveryKind.THRESHOLD_REPORT, first.id)
    faxed_to(OTHER, DeliveryKind.THRESHOLD_REPORT, second.id)
    fax = receive(tiff([page()]), number="")
    InboundFax.update(station="MACHINE OF 0199").execute()

    text = opened(desk, fax)

    assert "to this machine on 11/21/2026" in text
    assert second.reply_code in text
    assert first.reply_code not in text


def test_applicants_users_and_pharmacies_are_named_with_the_reason(
    desk: Browser,
) -> None:
    application = make_application(fax="860 555 0143")
    noise = make_application(fax="860 555 0199", last_name="Noise")
    make_pharmacy(name="Elm Drugs", fax=NUMBER)
    make_user(Role.PRACTITIONER, name="Dr. Oak", phone=NUMBER)
    make_user(Role.PRACTITIONER, name="Dr. Gone", phone=NUMBER, status="closed")
    fax = receive(tiff([page()]), number=NUMBER)

    found = guesses.guesses(fax, at=NOW)
    text = opened(desk, fax)

    assert found[0].code == application.code
    assert {each.who for each in found[1:]} == {"ELM DRUGS", "Dr. Oak"}
    assert "The fax number of this pharmacy" in text
    assert "The telephone number of this user" in text
    assert noise.code not in text
    desk.get("/staff/faxes")
    assert f"registration {application.code}" in desk.text()


def test_what_was_faxed_long_ago_and_unknown_callers_give_no_guess(
    desk: Browser,
) -> None:
    first, *_ = case_recipients.of_case(make_crossing(make_patient()))
    long_ago = NOW - timedelta(days=90)
    faxed_to(NUMBER, DeliveryKind.THRESHOLD_REPORT, first.id, created_at=long_ago)
    make_pharmacy(name="No Number", fax=None, phone=None)

    assert guesses.guesses(receive(tiff([page()]), number=NUMBER), at=NOW) == []
    assert guesses.guesses(receive(tiff([page(), page()]), number=""), at=NOW) == []


# --- A ticket


def test_a_fax_is_put_into_a_ticket_by_hand(desk: Browser) -> None:
    ticket, fax = make_ticket(), receive(tiff([page()]))
    opened(desk, fax)

    desk.submit({"ticket-code": "T-nothing"}, action="/ticket", status=422)
    assert "There is no ticket with this number." in desk.text()
    desk.submit({"ticket-code": ticket.number.lower()}, action="/ticket")

    [paper] = TicketAttachment.select()
    assert (paper.ticket, paper.fax, paper.added_by) == (ticket, fax, "lee")
    assert now(fax).status == FaxStatus.FILED
    assert f"a paper of ticket {ticket.number}" in opened(desk, fax)


# --- Parts


def test_a_divided_fax_leads_to_its_forms_and_each_shows_its_own_pages(
    desk: Browser,
) -> None:
    one, two = make_application(), make_application()
    whole = receive(tiff([page(one.code), page(blank=True), page(two.code)]))
    first, second = fax_sheets.parts_of(whole)

    assert f"page 1, matched ({one.code})" in opened(desk, whole)
    text = opened(desk, second)
    assert "Page 3 of 3" in text
    assert "Page 1 of 3" not in text
    assert f"fax {whole.id}, 3 pages" in text
    desk.get(f"/staff/faxes/{first.id}?whole=1")
    assert "Page 2 of 3" in desk.text()
    assert desk.get(f"/staff/faxes/{second.id}/pages/3.png").status_code == 200
    desk.get(f"/staff/faxes/{second.id}/pages/4.png", status=404)


def test_a_second_form_without_a_code_is_taken_out_and_put_back(desk: Browser) -> None:
    application = make_application()
    fax = receive(tiff([page(application.code), page(), page()]))
    opened(desk, fax)

    desk.submit({"divide-page": "1"}, action="/divide", status=422)
    assert "Choose a page after the first one." in desk.text()
    desk.submit({"divide-page": "2"}, action="/divide")
    desk.follow()

    part = InboundFax.get(InboundFax.part_of == fax)
    assert (part.status, fax_sheets.shown(part)) == (FaxStatus.UNMATCHED, [2, 3])
    assert fax_sheets.shown(fax) == [1]
    assert Application.get_by_id(application.id).status == "confirmation_received"
    desk.submit({}, action="/put-back")
    assert now(part).status == FaxStatus.DISMISSED
    assert fax_sheets.shown(fax) == [1, 2, 3]
    # And once more: the same page may begin a part again.
    opened(desk, fax)
    desk.submit({"divide-page": "2"}, action="/divide")
    assert fax_sheets.shown(fax) == [1]


@pytest.mark.parametrize("over", [FaxStatus.DISMISSED, FaxStatus.FILED])
def test_pages_do_not_go_back_to_a_fax_that_is_over(
    desk: Browser, lee: User, over: FaxStatus
) -> None:
    fax = receive(tiff([page(make_application().code), page()]))
    part = dividing.take_out(fax, page=2, by=lee, at=NOW)
    assert dividing.before(part) == fax
    InboundFax.update(status=over).where(InboundFax.id == fax.id).execute()

    assert "Put its pages back" not in opened(desk, part)
    with pytest.raises(RuleError, match="no fax to which"):
        dividing.put_back(part, by=lee, at=NOW)
    assert now(part).status == FaxStatus.UNMATCHED


def test_the_same_again_leads_to_the_first(desk: Browser) -> None:
    application = make_application()
    first = receive(tiff([page(application.code)]))
    alike = receive(tiff([page(application.code)], compression="group3"))
    again = receive(tiff([page(application.code)]))

    text = opened(desk, alike)
    assert f"Pages that look like these came before: fax {first.id}" in text
    text = opened(desk, again)
    assert f"The same pages came before: fax {first.id}" in text
    assert "did nothing a second time" in text


def test_an_unreadable_file_can_be_saved_and_never_opens_by_itself(
    desk: Browser,
) -> None:
    fax = receive(b"%PDF-1.7\nnothing")

    assert "could not open it" in opened(desk, fax)
    saved = desk.get(f"/staff/faxes/{fax.id}/original")

    assert saved.data == b"%PDF-1.7\nnothing"
    assert saved.headers["Content-Disposition"].startswith("attachment")
    assert saved.mimetype == "application/octet-stream"
    assert saved.headers["X-Content-Type-Options"] == "nosniff"


def test_the_portal_opens_no_file_of_a_stranger(
    desk: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def harmful(*_: object) -> bytes:
        raise AssertionError("opened in the portal")

    fax = receive(tiff([page()]))
    monkeypatch.setattr(pages, "page_png", harmful)

    answer = desk.get(f"/staff/faxes/{fax.id}/pages/1.png")

    assert answer.data.startswith(b"\x89PNG")


# --- A test page that came back


def test_a_test_page_that_came_back_is_confirmed_by_whoever_has_looked_at_it(
    desk: Browser,
) -> None:
    user = make_user(Role.PHARMACY, name="ELM STREET DRUG", fax=None)
    check = own_ways.prove_fax(user, number=NUMBER, by=user, at=NOW)
    fax = receive(tiff([page(check.code)]), number=OTHER)

    assert f"Test page {check.code}: look at it" in opened(desk, fax)
    assert "went to (860) 555-0143 for ELM STREET DRUG" in desk.text()
    assert ContactCheck.get_by_id(check.id).confirmed_at is None
    desk.submit({}, action="/test-page")
    desk.follow()

    assert "(860) 555-0143 is confirmed for ELM STREET DRUG." in desk.text()
    assert now(fax).status == FaxStatus.FILED
    assert ContactCheck.get_by_id(check.id).confirmed_by == "lee"


def test_a_code_that_the_fax_does_not_show_confirms_nothing(desk: Browser) -> None:
    user = make_user(Role.PHARMACY, name="ELM STREET DRUG", fax=None)
    check = own_ways.prove_fax(user, number=NUMBER, by=user, at=NOW)
    fax = receive(tiff([page()]), number=OTHER)

    opened(desk, fax)
    desk.post(
        f"/staff/faxes/{fax.id}/test-page",
        {"code": check.code, "csrf_token": desk.token()},
    )
    desk.follow()

    assert "shows no test page with this code" in desk.text()
    assert now(fax).status == FaxStatus.UNMATCHED
    assert ContactCheck.get_by_id(check.id).confirmed_at is None
