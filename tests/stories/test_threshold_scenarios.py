"""Threshold reports from the file that makes the case to the paper that comes back.

Scenarios 29 to 34, 37 and 39 across submission, rule, worker, carrier, fax and page.
"""

import io
import re
from datetime import timedelta

import pypdf
import pytest
from flask import Flask

from gateway import fax_check, fax_pages, schedule
from models import (
    CareNote,
    Delivery,
    DeliveryAttempt,
    InboundFax,
    RecipientReply,
    Role,
    Submission,
    ThresholdCase,
    Ticket,
    User,
)
from pmp import clock, settings
from pmp.deliveries import media
from pmp.thresholds import case_recipients
from tests.browser import Browser
from tests.factories import (
    make_dea,
    make_dispensation,
    make_pharmacy,
    make_product,
    make_rule,
    make_user,
)
from tests.gateway.conftest import Clock, sends_to, work
from tests.servers.carrier import Carrier, signature
from tests.servers.relay import Relay
from tests.stories.sent_case import NAMES, cross, deliveries_of, pages_of, paper
from tests.submission_files import OXYCODONE, fill, submission

pytestmark = [pytest.mark.story, pytest.mark.usefixtures("db")]
COUNSEL = ("alcohol", "lock", "teenager", "treatment")


def last_page(body: bytes) -> bytes:
    page, written = pypdf.PdfWriter(), io.BytesIO()
    page.add_page(pypdf.PdfReader(io.BytesIO(body)).pages[-1])
    page.write(written)
    return written.getvalue()


# --- 29: when a case is made


def shop_dea(number: int) -> str:
    return make_dea(300_000 + number, "BM")


def visit(person: str, who: int, where: int, ago: int) -> bytes:
    """Give a file with one fill of a person, at one of several pharmacies."""
    day = clock.today() - timedelta(days=ago)
    shop = ("", "", shop_dea(where), f"SHOP {where}")
    record = fill(
        f"{person}{who}{where}",
        last=person,
        filled=f"{day:%Y%m%d}",
        written=f"{day:%Y%m%d}",
        days="5",
        dea=make_dea(400_000 + who, "AB"),
    )
    return submission((shop, [record]))


def submit(browser: Browser, person: str, who: int, where: int, ago: int) -> None:
    """Have a pharmacy submit a file on its page; the worker takes it off the queue."""
    browser.sign_in_as(User.get(User.username == f"shop.{where}"))
    browser.get("/submissions/new")
    body = visit(person, who, where, ago)
    browser.submit({"file": (io.BytesIO(body), "november.dat")})
    work()
    done: Submission = Submission.select().order_by(Submission.id.desc()).get()
    assert done.status == "processed"


def cases() -> list[ThresholdCase]:
    return list(ThresholdCase.select().order_by(ThresholdCase.id))


def test_29_the_fifth_of_both_makes_one_case_and_either_makes_it_under_or(
    browser: Browser,
) -> None:
    make_product(ndc=OXYCODONE)
    rule = make_rule(name="Five", prescribers=5, pharmacies=5)
    for number in range(7):
        shop = make_pharmacy(dea=shop_dea(number), ncpdp=None)
        make_user(Role.PHARMACY, pharmacy=shop, username=f"shop.{number}")
    for number in range(5):
        assert cases() == []
        submit(browser, "ONESHOP", number, 6, 30 - number)
        submit(browser, "BOTH", number, number, 30 - number)

    [case] = cases()
    assert (case.prescribers, case.pharmacies) == (5, 5)
    assert len(case_recipients.of_case(case)) == 10
    submit(browser, "BOTH", 5, 5, 1)  # a sixth changes the case that there is
    [case] = cases()
    assert (case.prescribers, case.pharmacies) == (6, 6)

    browser.sign_in_as(make_user(Role.ADMINISTRATOR))
    browser.get(f"/staff/rules/new?of={rule.id}")
    schedules = {"schedules": ["CII", "CIII", "CIV"]}
    either = {"connective": "or", "status": "active", "reason": "Either is enough."}
    browser.submit(schedules | either, status=200)
    browser.submit(schedules)
    schedule.evaluate()

    [standing] = [each for each in cases() if each.pharmacies == 1]
    assert (standing.prescribers, standing.rule.version) == (5, 2)


# --- 30 to 32: how it leaves


def pass_a_day(now: Clock) -> None:
    """Let the timer find what is due: soon, to ask the carrier, and hours later."""
    for minutes in (5, 125) * 9:
        now.go_on(minutes=minutes)
        schedule.sweep_leases()
        schedule.sweep_deliveries()
        work()


def test_30_to_32_everyone_is_reached_and_a_fax_that_stays_busy_becomes_a_letter(
    browser: Browser, now: Clock
) -> None:
    with Carrier(usual="busy", reports=False) as busy, Relay() as relay:
        with sends_to(busy, mail_url=relay.url):
            case = cross(day=now().date())
            work()
            pass_a_day(now)
        taken = len(busy.taken)
    recipients = case_recipients.of_case(case)
    assert len(recipients) == 6
    [mail] = relay.taken
    assert mail["To"] == "doctor@example.org"
    assert f"/threshold-reports/{recipients[0].id}" in mail.get_content()
    assert not [name for name in NAMES if name in str(mail)]

    reached = [deliveries_of(each) for each in recipients]
    ways = [[each.channel.value for each in one] for one in reached]
    assert ways == [["email"], ["fax", "letter"], ["letter"], *[["fax", "letter"]] * 3]
    tried = DeliveryAttempt.select().join(Delivery).where(Delivery.channel == "fax")
    assert taken == tried.count() > 4 * 2
    assert {attempt.outcome for attempt in tried} == {"busy"}
    browser.sign_in_as(make_user(Role.STAFF))
    browser.get(f"/staff/deliveries/{reached[1][0].id}")
    assert "busy" in browser.text().lower()
    browser.get(f"/staff/cases/{case.id}")
    assert browser.text().count("Letter: waiting to be printed") == 5
    assert not [name for name in NAMES if name in browser.text()]


def test_32_a_fax_has_a_bare_cover_and_one_that_went_astray_is_an_incident(
    browser: Browser, now: Clock, carrier: Carrier
) -> None:
    case = cross(day=now().date())
    work()
    recipient = case_recipients.of_case(case)[-1]
    fax = next(each for each in carrier.taken if each.to == "+18605550142")
    cover, *rest = pages_of(
        media.fetched(fax.media_url.rpartition("/")[2], at=now(), address="")
    )
    assert not [name for name in NAMES if name in cover]
    assert "CANARYQUIST" in " ".join(rest)

    browser.sign_in_as(make_user(Role.STAFF))
    browser.get(f"/staff/deliveries/{deliveries_of(recipient)[0].id}/wrong-person")
    browser.submit({"told_by": "A bakery, (860) 555-0142", "became": "destroyed"})
    browser.get("/staff/misdeliveries?show=open")
    assert "A bakery" in browser.text()

    now.go_on(days=40)
    make_dispensation(
        patient=case.patient, pharmacy=recipient.pharmacy, filled_on=now().date()
    )
    sent = len(carrier.taken)
    schedule.evaluate()
    work()
    later = [each.to for each in carrier.taken[sent:]]
    assert "+18605550142" not in later


# --- 33, 34, 37, 39: what its readers do with it


def fax_back(app: Flask, carrier: Carrier, page: bytes) -> InboundFax:
    """Have a page come in at the carrier: announced, fetched, read by its code."""
    body = fax_check.as_fax(page)
    carrier.media["/in/1.tiff"] = (200, {"Content-Type": "image/tiff"}, body)
    fields = {
        "FaxSid": "FXIN1",
        "From": "+18605550142",
        "FaxStatus": "received",
        "MediaUrl": f"http://{carrier.host}/in/1.tiff",
    }
    path = "/hooks/fax/laml/received"
    headers = signature(f"{settings.current().public_url}{path}", fields)
    assert app.test_client().post(path, data=fields, headers=headers).status_code == 200
    work()
    found: InboundFax = InboundFax.get()
    return found


def test_33_not_mine_comes_back_by_fax_is_ticked_and_opens_a_ticket(
    app: Flask, browser: Browser, now: Clock, carrier: Carrier, sent: ThresholdCase
) -> None:
    recipient = case_recipients.of_case(sent)[-1]
    fax = fax_back(app, carrier, last_page(paper(carrier, "+18605550142", now)))
    assert (fax.status, fax.pages) == ("matched", 1)

    browser.sign_in_as(make_user(Role.STAFF))
    browser.get("/staff/replies")
    assert "1 reply page" in browser.text()
    browser.get("/staff/replies/1")
    assert recipient.reply_code in browser.text()
    browser.submit({"answer": "not_my_patient"})

    [reply] = RecipientReply.select()
    assert (reply.recipient, reply.channel) == (recipient, "fax")
    [ticket] = Ticket.select()
    assert (ticket.problem, ticket.case) == ("not_my_patient", sent)
    assert ticket.dispensation is not None
    assert ticket.dispensation.pharmacy == recipient.pharmacy
    browser.get(f"/staff/cases/{sent.id}")
    assert "Not my patient or customer" in browser.text()
    assert ticket.number in browser.text()


def test_33_by_link_it_is_filed_at_once(browser: Browser, sent: ThresholdCase) -> None:
    browser.sign_in_as(User.get(User.email == "doctor@example.org"))
    recipient = case_recipients.of_case(sent)[0]
    browser.get(f"/threshold-reports/{recipient.id}")
    browser.submit({"answer": "not_my_patient"})

    assert ThresholdCase.get().status == "answered"
    browser.get("/tickets")
    assert Ticket.get().number in browser.text()


def test_34_the_others_are_on_the_call_sheet_and_a_note_reaches_one_by_fax(
    browser: Browser, now: Clock, carrier: Carrier, sent: ThresholdCase
) -> None:
    mine, addressee = (case_recipients.of_case(sent)[n] for n in (0, 1))
    browser.sign_in_as(User.get(User.email == "doctor@example.org"))
    browser.get(f"/threshold-reports/{mine.id}")
    assert browser.text().count("(860) 555-0100") == 3
    browser.get(f"/threshold-reports/{mine.id}/notes/to/{addressee.id}")
    browser.submit({"text": "Shall one of us prescribe for her alone?"})
    before = len(carrier.taken)
    work()

    [fax] = carrier.taken[before:]
    assert fax.to == "+18605550131"
    cover, note, *_ = pages_of(
        media.fetched(fax.media_url.rpartition("/")[2], at=now(), address="")
    )
    assert not [name for name in NAMES if name in cover]
    assert "Shall one of us prescribe for her alone?" in note
    assert CareNote.get().sender == mine
    browser.sign_in_as(make_user(Role.STAFF))
    browser.get(f"/staff/cases/{sent.id}")
    assert "Shall one of us prescribe" in browser.text()


def test_37_and_39_the_chart_copy_is_what_was_faxed_and_counsels(
    browser: Browser, now: Clock, carrier: Carrier, sent: ThresholdCase
) -> None:
    recipient = case_recipients.of_case(sent)[-1]
    faxed = paper(carrier, "+18605550142", now)
    browser.sign_in_as(make_user(Role.PHARMACY, pharmacy=recipient.pharmacy))
    browser.get("/threshold-reports")
    assert recipient.reply_code in browser.text()
    copy = browser.get(f"/threshold-reports/{recipient.id}.pdf").data
    delivery = Delivery.get(address="+18605550142", subject_id=recipient.id)
    assert faxed == fax_pages.stamped(copy, delivery_id=delivery.id)

    words = " ".join(pages_of(copy))
    code = re.search(r"V-\w+-\w+", words)
    assert code
    browser.get("/verify")
    browser.submit({"code": code[0]}, status=200)
    assert recipient.reply_code in browser.text()
    for counsel in COUNSEL:
        assert counsel in words.lower(), counsel
    public, said = Browser(browser.app), ""
    for name in ("patients", "parents", "disposal", "treatment"):
        public.get(f"/leaflets/{name}")
        said += public.text().lower()
    for counsel in COUNSEL:
        assert counsel in said, counsel
