"""A physician without email or mobile: from the form to the first threshold report.

Everything reaches her by fax or letter, and nothing is asked of her that needs more.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import pytest
from flask import Flask

from gateway import documents, fax_check, fax_reading, pages, tasks
from models import (
    Application,
    ChannelName,
    Delivery,
    DeliveryKind,
    DeliveryState,
    InboundFax,
    Profession,
    Role,
    User,
)
from pmp import clock, database, faxes, registration, settings
from pmp import documents as kept_files
from pmp.deliveries import contacts, outbox
from pmp.registration import answers, expiry
from tests.browser import Browser
from tests.factories import make_answers, make_practitioner_licence, make_user
from tests.gateway.conftest import Clock
from tests.gateway.test_credential_letter import SECRET

PASS_PHRASE = "plain words for a long story"
CHECKED = {"approve-checked": ["signed", "dated", "unaltered"]}
GIVEN = asdict(make_answers(email="", preferred_channel="fax"))


@pytest.fixture
def staff(app: Flask, db: settings.Settings) -> Browser:
    make_user(Role.STAFF, username="lee")
    return Browser(app)


def test_a_physician_without_email_can_do_everything(
    browser: Browser, staff: Browser, now: Clock
) -> None:
    make_practitioner_licence()
    application = registers(browser)

    now.go_on(days=21)
    assert expiry.remind(at=clock.now()) == 1
    assert "Your signed page has not come yet" in last_fax(application)

    faxes_in(application, at_most=1)
    decides(staff, application, "return", {"return-reason": "unsigned"})
    assert "The page is not signed" in last_fax(application)

    now.go_on(hours=2)
    faxes_in(application, at_most=2)
    attaches(staff, application)
    decides(staff, application, "approve", CHECKED)
    assert "Your registration is approved" in last_fax(application)

    user, secret = mails_the_letter(application, now)
    assert "Your letter is in the mail" in last_fax(application)
    browser.get(f"/registration/{application.code}")
    assert "It is your turn: watch your mail" in browser.text()
    assert "It goes to an address in N•••••••n, CT" in browser.text()

    comes_in(browser, user, secret, application.code)
    user = User.get_by_id(user.id)
    prescriber = user.prescriber
    assert prescriber is not None
    ways = [each.channel for each in contacts.routes_for(prescriber)]
    assert ChannelName.EMAIL not in ways
    assert ways[-1] == ChannelName.LETTER
    sent = Delivery.select().where(
        Delivery.channel.in_((ChannelName.EMAIL, ChannelName.SMS))
    )
    assert sent.count() == 0


def registers(browser: Browser) -> Application:
    browser.get("/register/practitioner")
    for _ in range(3):
        browser.submit({name: value for name, value in GIVEN.items() if value})
        browser.follow()
    browser.submit({"attested": "y", "purpose": "y", "disclosure": "y"})
    return Application.get()


def faxes_in(application: Application, *, at_most: int) -> None:
    """Fax the confirmation page as it is drawn for her."""
    paper = documents.faxable_pdf(
        "confirmation_page", application.code, **registration.confirmation(application)
    )
    fax = faxes.receive(
        body=fax_check.as_fax(paper) + b" " * at_most,  # another call, another file
        media_type="image/tiff",
        from_number=GIVEN["fax"],
        source="test",
        source_reference=f"call {at_most}",
        at=clock.now(),
    )
    fax_reading.read(fax)
    assert InboundFax.select().count() == at_most


def attaches(staff: Browser, application: Application) -> None:
    """Say that the page that looks like the one before is signed now."""
    fax = faxes.tray()[0]
    staff.sign_in_as(User.get(User.username == "lee"))
    staff.get(f"/staff/faxes/{fax.id}")
    staff.submit(
        {"attach-code": application.code}, action=f"/staff/faxes/{fax.id}/attach"
    )


def decides(
    staff: Browser, application: Application, how: str, said: Mapping[str, object]
) -> None:
    path = f"/staff/registrations/{application.code}"
    staff.sign_in_as(User.get(User.username == "lee"))
    staff.get(path)
    staff.submit(dict(said), action=f"{path}/{how}")


def last_fax(application: Application) -> str:
    """Have the worker send what waits; give the text of her last notice."""
    notices = (
        Delivery.select()
        .where(Delivery.kind == DeliveryKind.REGISTRATION_NOTICE)
        .where(Delivery.subject_id == application.id)
        .order_by(Delivery.id.desc())
    )
    notice: Delivery = notices.get()
    assert notice.channel == ChannelName.FAX
    tasks.send_delivery.call_local(notice.id)
    sent = sorted(
        Path(settings.current().data_dir).rglob("*.pdf"),
        key=lambda f: f.stat().st_mtime,
    )
    body = sent[-1].read_bytes()
    numbers = range(1, documents.page_count(body) + 1)
    return " ".join(b.text for page in numbers for b in pages.text_boxes(body, page))


def mails_the_letter(application: Application, now: Clock) -> tuple[User, str]:
    letter = Delivery.get(Delivery.kind == DeliveryKind.CREDENTIAL_LETTER)
    tasks.send_delivery.call_local(letter.id)
    letter = Delivery.get_by_id(letter.id)
    kept = letter.document
    assert kept is not None
    text = " ".join(box.text for box in pages.text_boxes(kept_files.read(kept)))
    assert application.code not in text  # the letter alone is not enough
    now.go_on(minutes=5)
    with database.atomic():
        outbox.change(letter, DeliveryState.MAILED, source="lee", at=clock.now())
    user = Application.get_by_id(application.id).user
    assert user is not None
    found = re.search(SECRET, text)
    assert found
    return user, found[0]


def comes_in(browser: Browser, user: User, secret: str, code: str) -> None:
    browser.get("/activate")
    typed = {"username": user.username, "secret": secret.lower()}
    browser.submit(typed, status=422)
    browser.submit(typed | {"code": code})
    browser.follow()
    browser.submit({"password": PASS_PHRASE})
    browser.follow()
    browser.get("/activate")
    browser.submit(typed | {"code": code}, status=422)
    assert "was used already" in browser.text()


def test_nothing_that_needs_email_is_required() -> None:
    assert answers.problems(Profession.PRACTITIONER, make_answers(email="")) == {}
    assert (
        answers.problems(
            Profession.PHARMACY, make_answers(Profession.PHARMACY, email="", fax="")
        )
        == {}
    )
