"""Staff pages of tickets beside the ticket itself: board, steps, papers, routing."""

import io
from datetime import timedelta

import pytest
from PIL import Image

from models import (
    Audience,
    AuditEvent,
    Delivery,
    DeliveryState,
    Disclosure,
    Dispensation,
    DispensationStatus,
    EvidencePack,
    Role,
    ThresholdCase,
    Ticket,
    TicketAttachment,
    TicketMessage,
    TicketOutcome,
    TicketProblem,
    User,
)
from pmp import audit, clock, downloads, tickets
from pmp.thresholds import case_recipients
from pmp.tickets import attachments, handling, routing
from portal.forms.tickets import PROBLEMS
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import (
    entry_of,
    make_crossing,
    make_dispensation,
    make_patient,
    make_pharmacy,
    make_ticket,
    make_user,
)
from tests.portal.lists import lines, shown, sorted_by

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def lee(browser: Browser) -> User:
    user = make_user(username="staff.lee", email="lee@example.org")
    browser.sign_in_as(user)
    return user


def page_of(ticket: Ticket) -> str:
    return f"/staff/tickets/{ticket.number}"


def label() -> bytes:
    written = io.BytesIO()
    Image.new("L", (200, 200), "white").save(written, "PNG")
    return written.getvalue()


def put(ticket: Ticket, by: User, audience: Audience) -> TicketAttachment:
    return attachments.add(
        ticket, body=label(), what="Label", audience=audience, by=by, at=clock.now()
    )


def uphold(ticket: Ticket, by: User) -> None:
    tickets.resolve(
        ticket,
        outcome=TicketOutcome.UPHELD,
        note="Right.",
        by=by,
        at=clock.now(),
        revision=ticket.revision,
    )


def test_a_pharmacists_error_is_routed_with_clocks_and_the_dispenser_is_asked(
    browser: Browser, lee: User
) -> None:
    """Scenario 35: whether clicked or phoned in."""
    entry = make_dispensation()
    clicked = make_ticket(entry, at=clock.now())
    browser.get("/staff/tickets/new")
    browser.submit({"row_code": entry.row_code, "problem": "wrong_days"})
    phoned = Ticket.select().order_by(Ticket.id.desc()).first()

    for ticket in (clicked, phoned):
        browser.get(page_of(ticket))
        assert "Owner: staff.lee" in browser.text()
        assert "take it up in" in browser.text()
        browser.submit(
            {"text": "Thirty or sixty?", "to": "dispenser"},
            action=f"{page_of(ticket)}/message",
        )
        browser.follow()
        assert "The pharmacy is asked. Its answer is due" in browser.text()
        assert "the pharmacy answers in" in browser.text()
        found = tickets.get(ticket.number)
        assert found.dispenser_due_at
        assert found.dispenser_due_at >= found.asked_at + timedelta(hours=72)
    told = Delivery.select().where(Delivery.address == "lee@example.org")
    assert told.count() == 2


def test_a_corrected_entry_is_versioned_recounted_and_everyone_told(
    browser: Browser, lee: User
) -> None:
    """Scenario 36: by the wording that was chosen, which staff may change."""
    case = make_crossing(make_patient())
    Delivery.update(state=DeliveryState.SENT).execute()
    prescriber = case_recipients.of_case(case)[0].prescriber
    entry = Dispensation.get(Dispensation.prescriber == prescriber)
    reporter = make_user(Role.PRACTITIONER, prescriber=prescriber)
    ticket = make_ticket(entry, by=reporter, problem=TicketProblem.WRONG_DATE)
    earlier = (entry.filled_on - timedelta(days=400)).strftime("%m/%d/%Y")
    browser.get(f"{page_of(ticket)}/correct")
    browser.submit({"filled_on": earlier, "fill": "yes", "note": ""}, status=200)
    assert f"has checked row {entry.row_code}. A date was mistyped" in browser.text()
    assert "Check what will happen" not in browser.text()

    browser.submit(status=200)
    assert "will be told: 6" in browser.text()
    browser.submit()
    browser.follow()

    assert "the entry: 6 people: 6 recipients" in browser.text()
    assert "How it was changed" in browser.text()
    assert f"→ {earlier}" in browser.text()
    assert ThresholdCase.get_by_id(case.id).status == "withdrawn"
    assert f"{entry.row_code}. A date was mistyped" in ticket_note(ticket)
    told = Delivery.get(Delivery.dedupe_key == f"ticket-outcome:{ticket.id}")
    assert told.address == reporter.email


def test_what_was_written_can_be_changed_before_it_is_sent(
    browser: Browser, lee: User
) -> None:
    ticket = make_ticket()
    browser.get(f"{page_of(ticket)}/uphold")
    browser.submit({"note": "Rihgt."}, status=200)

    browser.submit({"edit": "yes"}, status=200)

    assert "Check what will happen" not in browser.text()
    browser.submit({"note": "Right."}, status=200)
    browser.submit()
    assert ticket_note(ticket) == "Right."


def ticket_note(ticket: Ticket) -> str:
    return tickets.get(ticket.number).outcome_note


@pytest.mark.parametrize("kind", [choice.value for choice in PROBLEMS])
def test_a_ticket_of_each_kind_is_opened_walked_and_upheld(
    browser: Browser, lee: User, kind: str
) -> None:
    browser.get("/staff/tickets/new")
    entry = make_dispensation()
    browser.submit({"row_code": entry.row_code, "problem": kind, "note": "Caller."})
    browser.follow()
    ticket = Ticket.get()
    assert ticket.problem == kind
    browser.submit(action=f"{page_of(ticket)}/take")
    browser.get(f"{page_of(ticket)}/uphold")
    browser.submit({"fill": "yes"}, status=200)
    browser.submit(status=200)
    browser.submit()

    assert tickets.get(ticket.number).outcome is TicketOutcome.UPHELD


def test_a_note_for_staff_is_hidden_from_reporter(browser: Browser, lee: User) -> None:
    ticket = make_ticket()
    browser.get(page_of(ticket))
    browser.submit({"text": "Same doctor again."}, action=f"{page_of(ticket)}/message")
    browser.follow()
    assert "Same doctor again." in browser.text()

    browser.sign_in_as(ticket.opened_by)
    browser.get(f"/tickets/{ticket.number}")

    assert "Same doctor again." not in browser.text()
    assert TicketMessage.select().count() == 2


def test_each_look_at_a_ticket_is_on_record(browser: Browser, lee: User) -> None:
    ticket = make_ticket()

    browser.get(page_of(ticket))
    browser.get(f"{page_of(ticket)}/void")

    seen = AuditEvent.select().where(AuditEvent.event == audit.Event.TICKET_VIEWED)
    assert [row.subject for row in seen] == [f"ticket:{ticket.number}"] * 2


def test_a_ticket_is_handed_over_and_escalated(browser: Browser, lee: User) -> None:
    ortiz = make_user(username="staff.ortiz", name="Ortiz")
    chief = make_user(Role.ADMINISTRATOR, username="admin.chief", name="Chief")
    ticket = make_ticket()

    browser.get(f"{page_of(ticket)}/assign")
    assert "Ortiz: 0 open" in browser.text()
    browser.submit({"to": str(ortiz.id), "reason": ""}, status=422)
    browser.submit({"reason": "I am away."})
    browser.follow()
    assert "Owner: staff.ortiz" in browser.text()
    browser.get(f"{page_of(ticket)}/escalate")
    assert "Ortiz" not in browser.text()
    browser.submit({"to": str(chief.id), "reason": "Two say no."})
    browser.follow()

    assert "Owner: admin.chief" in browser.text()
    assert "Escalated" in browser.text()


def test_who_comes_second_keeps_what_was_typed(browser: Browser, lee: User) -> None:
    ticket, ortiz = make_ticket(), make_user()
    browser.get(f"{page_of(ticket)}/assign")
    handling.take(tickets.get(ticket.number), by=ortiz, at=clock.now(), revision=1)

    browser.submit({"to": str(lee.id), "reason": "I know them."}, status=422)

    assert "Somebody else has changed this ticket" in browser.text()
    assert "I know them." in browser.text()
    assert tickets.get(ticket.number).assigned_to == ortiz
    browser.submit()
    assert tickets.get(ticket.number).assigned_to == lee


def test_a_resolved_ticket_is_opened_again(browser: Browser, lee: User) -> None:
    ticket = make_ticket()
    uphold(ticket, lee)
    browser.get(f"{page_of(ticket)}/reopen")
    assert "The entry is marked as under review again." in browser.text()

    browser.submit({"reason": "A label came."})
    browser.follow()

    assert "The ticket is open again." in browser.text()
    assert tickets.get(ticket.number).resolved_at is None


def test_a_removed_entry_is_put_back(browser: Browser, lee: User) -> None:
    ticket = make_ticket()
    tickets.resolve(
        ticket,
        outcome=TicketOutcome.VOIDED,
        note="Gone.",
        by=lee,
        at=clock.now(),
        revision=1,
    )
    handling.reopen(ticket, reason="x", by=lee, at=clock.now(), revision=2)
    browser.get(page_of(ticket))
    assert "Put the entry back" in browser.text()
    browser.get(f"{page_of(ticket)}/restore")

    browser.submit({"note": "It stands."}, status=200)
    browser.submit()

    entry = Dispensation.get_by_id(entry_of(ticket).id)
    assert entry.status is DispensationStatus.CURRENT


def test_a_paper_is_added_opened_and_removed(browser: Browser, lee: User) -> None:
    ticket = make_ticket()
    add = f"{page_of(ticket)}/attachments"
    browser.get(add)
    browser.submit({"file": (io.BytesIO(b"<html>"), "x.png"), "what": "x"}, status=422)
    assert "Choose a PDF, PNG, JPEG or TIFF file." in browser.text()
    browser.submit({"file": (io.BytesIO(label()), "jane-roe.png"), "what": "Label"})
    browser.follow()
    assert browser.page
    assert "jane-roe" not in browser.page.text

    paper = TicketAttachment.get()
    answer = browser.client.get(f"/staff/tickets/attachments/{paper.id}")
    assert answer.data == label()
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    browser.get(f"/staff/tickets/attachments/{paper.id}/remove")
    browser.submit()
    browser.follow()

    assert "No paper is in this ticket." in browser.text()
    browser.get(f"/staff/tickets/attachments/{paper.id}", status=404)


def test_an_evidence_pack_is_made_opened_and_accounted_for(
    browser: Browser, lee: User
) -> None:
    ticket = make_ticket(problem=TicketProblem.POSSIBLE_FORGERY)
    put(ticket, lee, Audience.STAFF)
    browser.get(f"{page_of(ticket)}/evidence")
    browser.submit({"reason": ""}, status=422)
    browser.submit({"reason": "A forged prescription."})
    browser.follow()

    pack = EvidencePack.get()
    assert pack.code in browser.text()
    assert pack.document.sha256 in browser.text()
    answer = browser.client.get(f"{page_of(ticket)}/evidence/{pack.code}.pdf")
    assert answer.data.startswith(b"%PDF-")
    assert Disclosure.get().recipient == "Drug Control Division"
    browser.get(f"{page_of(ticket)}/refer")
    browser.submit({"note": "Handed on."}, status=200)
    assert f"Evidence pack: {pack.code}" in browser.text()
    browser.submit()
    assert tickets.get(ticket.number).outcome is TicketOutcome.REFERRED


def test_the_board_filters_and_comes_as_a_file(browser: Browser, lee: User) -> None:
    forged = make_ticket(problem=TicketProblem.POSSIBLE_FORGERY)
    noise = make_ticket()

    browser.get("/staff/tickets?problem=possible_forgery&owner=staff.lee")
    assert forged.number in browser.text()
    assert noise.number not in browser.text()
    answer = browser.client.get("/staff/tickets.csv?problem=possible_forgery")

    assert forged.number in answer.text
    assert noise.number not in answer.text


def test_the_board_is_sorted_by_its_headings(browser: Browser, lee: User) -> None:
    elm, oak, ash = (
        make_ticket(
            make_dispensation(pharmacy=make_pharmacy(name=name)),
            at=NOW - timedelta(days=days),
        ).number
        for name, days in (("Elm Pharmacy", 1), ("Oak Drugs", 9), ("Ash Pharmacy", 2))
    )
    path, link = "/staff/tickets", "/staff/tickets/"

    assert shown(browser, path, link) == [oak, ash, elm]
    assert sorted_by(browser) == {"Due next": "ascending"}
    assert shown(browser, f"{path}?sort=pharmacy", link) == [ash, elm, oak]
    assert sorted_by(browser) == {"Pharmacy": "ascending"}
    by_name = f"{path}?pharmacy=pharmacy&sort=-pharmacy"
    assert shown(browser, by_name, link) == [elm, ash]
    assert "/staff/tickets?sort=ticket&amp;pharmacy=pharmacy" in browser.page_text()
    assert shown(browser, f"{path}?sort=note", link) == [oak, ash, elm]
    table = lines(browser, f"{path}.csv?pharmacy=pharmacy&sort=pharmacy")
    assert [row["Ticket"] for row in table] == [ash, elm]
    browser.get(f"{path}?queue=resolved&sort=resolved&_scheme=x")
    assert "No ticket is here." in browser.text()


def test_a_file_of_tickets_that_would_be_too_long_is_refused(
    browser: Browser, lee: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets_there = [make_ticket(), make_ticket()]
    monkeypatch.setattr(downloads, "MOST_ROWS", 1)

    browser.get("/staff/tickets.csv", status=422)

    assert "That is 2 tickets; a file holds 1." in browser.text()
    assert tickets_there[0].number in browser.text()


def test_a_filter_that_there_is_not_is_said_and_lists_what_is_open(
    browser: Browser, lee: User
) -> None:
    ticket = make_ticket()

    browser.get("/staff/tickets?queue=odd&older=x", status=422)

    assert ticket.number in browser.text()


def test_what_became_of_tickets_is_shown_and_comes_as_a_file(
    browser: Browser, lee: User
) -> None:
    entry = make_dispensation(pharmacy=make_pharmacy(name="=Elm"))
    uphold(make_ticket(entry, at=clock.now()), lee)

    browser.get("/staff/tickets/outcomes")
    assert "By kind" in browser.text()
    assert "=Elm" in browser.text()
    answer = browser.client.get("/staff/tickets/outcomes.csv")
    assert '"\'=Elm"' in answer.text
    browser.get("/staff/tickets/outcomes?since=01/01/2001&until=01/02/2001")
    assert "No ticket was opened on these days." in browser.text()
    browser.get("/staff/tickets/outcomes?since=odd", status=422)


def test_administrators_say_who_takes_what(browser: Browser, lee: User) -> None:
    browser.get("/staff/tickets/routing", status=404)
    chief = make_user(Role.ADMINISTRATOR)
    browser.sign_in_as(chief)
    browser.get("/staff/tickets/routing")

    browser.submit({"duplicate": str(lee.id), "other": str(chief.id)})

    takers = routing.takers()
    assert takers[TicketProblem.DUPLICATE] == [lee.id]
    assert takers[TicketProblem.OTHER] == [chief.id]
    assert takers[TicketProblem.WRONG_DATE] == []
    browser.get("/staff/tickets/routing")
    browser.submit({"duplicate": "99999999"}, status=422)


@pytest.mark.parametrize(
    "path",
    [
        "assign",
        "escalate",
        "reopen",
        "attachments",
        "evidence",
        "evidence/E-AAAAA-AAAAA.pdf",
    ],
)
def test_others_open_none_of_it(browser: Browser, path: str) -> None:
    ticket = make_ticket()
    browser.sign_in_as(ticket.opened_by)

    browser.get(f"{page_of(ticket)}/{path}", status=404)


def test_a_reporter_opens_no_paper_at_the_staff_address(browser: Browser) -> None:
    ticket = make_ticket()
    paper = put(ticket, make_user(), Audience.REPORTER)
    browser.sign_in_as(ticket.opened_by)

    browser.get(f"/staff/tickets/attachments/{paper.id}", status=404)
    browser.get("/staff/tickets.csv", status=404)
    browser.get("/staff/tickets/outcomes", status=404)
