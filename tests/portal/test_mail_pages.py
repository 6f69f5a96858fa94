"""Pages about email: what came back, and certificates for sealed email."""

import io
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from models import (
    AuditEvent,
    ChannelName,
    Delivery,
    DeliveryKind,
    ErrorClass,
    MailCertificate,
    MailProblem,
    Role,
    User,
)
from pmp import clock, deliveries, downloads, settings
from pmp.accounts import passwords
from pmp.deliveries import Route, mail_problems
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import make_user
from tests.portal.lists import lines, sorted_by
from tests.servers.certificates import make_mail_certificate, pem, private_pem

PASSWORD = "correct horse battery staple"


@pytest.fixture
def doctor(db: settings.Settings) -> User:
    return make_user(
        Role.PRACTITIONER,
        username="dr.oakes",
        email="Oakes@example.org",
        password_hash=passwords.hash_secret(PASSWORD),
    )


@pytest.fixture
def staff(db: settings.Settings) -> User:
    return make_user(Role.STAFF, username="staff.lee", email="lee@example.org")


@pytest.fixture
def sealing() -> Iterator[None]:
    with settings.changed(mail_documents="smime"):
        yield


def came_back(address: str) -> Delivery:
    """Have an email to an address refused for good."""
    made = deliveries.request(
        kind=DeliveryKind.TICKET_NOTICE,
        subject_id=1,
        routes=[Route(ChannelName.EMAIL, address)],
        dedupe_key=f"test:{address}",
        at=NOW,
    )
    claimed = deliveries.claim(made.id, carrier="smtp", at=NOW)
    assert claimed is not None
    deliveries.mark_failed(
        claimed, error_class=ErrorClass.REJECTED, text="550 5.1.1 no such user", at=NOW
    )
    return made


def sign_in(browser: Browser) -> None:
    browser.get("/sign-in")
    browser.submit({"username": "dr.oakes", "password": PASSWORD}, status=303)
    browser.follow()


def test_a_user_hears_at_sign_in_that_email_came_back_until_it_is_settled(
    browser: Browser, doctor: User
) -> None:
    came_back("other@example.org")
    sign_in(browser)
    assert "came back" not in browser.text()

    came_back("oakes@example.org")
    browser.submit({}, action="/sign-out", status=303)
    sign_in(browser)
    assert "Email that we sent you came back" in browser.text()
    browser.get("/account")
    assert "there is no such mailbox" in browser.text()
    assert "give the right one under How the program reaches you" in browser.text()

    browser.submit({}, action="/account/email-works", status=303)
    browser.follow()
    assert "The note is gone" in browser.text()
    assert "came back on" not in browser.text()
    assert [each.address for each in MailProblem.select()] == ["other@example.org"]
    event = AuditEvent.get(AuditEvent.event == "mail:problem_settled")
    assert event.actor == "dr.oakes"


def test_staff_see_the_addresses_of_users_and_settle_them(
    browser: Browser, doctor: User, staff: User
) -> None:
    delivery = came_back("oakes@example.org")
    came_back("nobody.has.this@example.org")
    browser.sign_in_as(staff)

    browser.get("/staff")
    assert "Email addresses that mail came back from" in browser.text()
    browser.get("/staff/mail-problems")
    assert "1 address" in browser.text()
    assert "dr.oakes" in browser.text()
    assert "nobody.has.this" not in browser.text()
    browser.get(f"/staff/deliveries/{delivery.id}")

    browser.get("/staff/mail-problems")
    problem = MailProblem.get(address="oakes@example.org")
    action = f"/staff/mail-problems/{problem.id}/works-again"
    browser.submit({}, action=action, status=303)
    browser.follow()
    assert "No email has come back" in browser.text()
    assert mail_problems.of_user(doctor) is None


def test_addresses_are_sorted_and_come_as_a_file(
    browser: Browser, doctor: User, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user(Role.PRACTITIONER, username="dr.ash", email="ash@example.org")
    came_back("oakes@example.org")
    came_back("ash@example.org")
    browser.sign_in_as(staff)
    path = "/staff/mail-problems"

    assert [row["Users"] for row in lines(browser, f"{path}.csv")] == [
        "dr.oakes",
        "dr.ash",
    ]
    table = lines(browser, f"{path}.csv?sort=address")
    assert [row["Users"] for row in table] == ["dr.ash", "dr.oakes"]
    event = AuditEvent.get(AuditEvent.event == "list:downloaded")
    assert (event.subject, event.detail) == ("mail_problems", {"rows": 2})
    browser.get(f"{path}?sort=-address")
    assert sorted_by(browser) == {"Address": "descending"}
    assert browser.text().index("oakes@") < browser.text().index("ash@")
    monkeypatch.setattr(downloads, "MOST_ROWS", 1)
    browser.get(f"{path}.csv", status=422)
    assert "That is 2 addresses; a file holds 1." in browser.text()


def test_who_is_not_staff_sees_nobody_elses_address(
    browser: Browser, doctor: User
) -> None:
    browser.sign_in_as(doctor)

    browser.get("/staff/mail-problems", status=404)
    browser.get("/staff/mail-problems.csv", status=404)
    browser.get("/staff/mail-certificates", status=404)


@pytest.mark.usefixtures("sealing")
def test_a_user_adds_and_withdraws_a_certificate_of_their_own(
    browser: Browser, doctor: User
) -> None:
    browser.sign_in_as(doctor)
    browser.get("/account")
    assert "Your certificate for sealed email" in browser.text()
    browser.get("/account/certificate")
    assert "You have given us no certificate" in browser.text()

    browser.submit({"certificate": (io.BytesIO(b""), "")}, status=422)
    assert "Choose the file of your certificate" in browser.text()
    browser.submit({"certificate": (io.BytesIO(private_pem()), "k.pem")}, status=422)
    assert "holds a private key" in browser.text()
    wrong = pem(make_mail_certificate("other@example.org"))
    browser.submit({"certificate": (io.BytesIO(wrong), "c.cer")}, status=422)
    assert "it is for other@example.org" in browser.text()

    own = pem(make_mail_certificate("oakes@example.org"))
    browser.submit({"certificate": (io.BytesIO(own), "c.cer")}, status=303)
    browser.follow()
    assert "Rae Oakes" in browser.text()
    assert "Test Mail Authority" in browser.text()

    browser.submit({}, action="/account/certificate/withdraw", status=303)
    browser.follow()
    assert "You have given us no certificate" in browser.text()
    kept = MailCertificate.get()
    assert (kept.added_by, kept.withdrawn_by) == ("dr.oakes", "dr.oakes")


def test_without_the_policy_there_is_no_such_page(
    browser: Browser, doctor: User
) -> None:
    browser.sign_in_as(doctor)

    browser.get("/account")
    assert "sealed" not in browser.text()
    browser.get("/account/certificate", status=404)


def test_staff_keep_certificates_of_those_without_an_account(
    browser: Browser, staff: User
) -> None:
    browser.sign_in_as(staff)
    browser.get("/staff/mail-certificates")
    assert "The program does not seal email" in browser.text()

    own = pem(make_mail_certificate("ward@example.org"))
    browser.submit(
        {"address": "typo@example.org", "certificate": (io.BytesIO(own), "c.cer")},
        status=422,
    )
    assert "This certificate is not for typo@example.org" in browser.text()
    browser.submit(
        {"address": "Ward@example.org", "certificate": (io.BytesIO(own), "c.cer")},
        status=303,
    )
    browser.follow()
    assert "ward@example.org" in browser.text()

    kept = MailCertificate.get()
    action = f"/staff/mail-certificates/{kept.id}/withdraw"
    browser.submit({}, action=action, status=303)
    browser.follow()
    assert "There is no certificate yet" in browser.text()


@pytest.mark.each_engine
def test_certificates_are_narrowed_sorted_and_a_file(
    browser: Browser, staff: User
) -> None:
    browser.sign_in_as(staff)
    for name, holder, days in (("b", "Rae", 10), ("a", "amy", 90), ("c", "Zoe", -1)):
        MailCertificate.create(
            address=f"{name}@example.org",
            pem="",
            fingerprint=name * 64,
            holder=holder,
            issuer="Test Mail Authority",
            not_after=clock.now() + timedelta(days=days),
            added_by="staff.lee",
            added_at=NOW,
        )
    path = "/staff/mail-certificates"

    def found(query: str) -> str:
        browser.get(f"{path}{query}")
        return "".join(re.findall(r"\b([abc])@example.org", browser.text()))

    assert found("") == "cba"
    assert "3 certificates, the first to be over first" in browser.text()
    assert found("?sort=holder") == "abc"
    assert sorted_by(browser) == {"Made out to": "ascending"}
    standings = [found(f"?standing={each}") for each in ("over", "soon_over", "good")]
    assert standings == ["c", "b", "a"]
    assert found("?text=amy") == "a"
    assert found("?text=zzz") == ""
    assert "No certificate is like this." in browser.text()

    table = lines(browser, f"{path}.csv?sort=-address&standing=good")

    assert [row["Address"] for row in table] == ["a@example.org"]
    event = AuditEvent.get(AuditEvent.event == "list:downloaded")
    assert (event.actor, event.subject) == ("staff.lee", "mail_certificates")
    assert event.detail == {"rows": 1}


def test_a_pass_phrase_is_shown_once(browser: Browser, doctor: User) -> None:
    browser.sign_in_as(doctor)
    browser.get("/account/pass-phrase", status=404)
    with settings.changed(mail_documents="pdf"):
        browser.get("/account")
        assert "Your pass phrase for reports by email" in browser.text()
        browser.get("/account/pass-phrase")
        assert "shown this once" not in browser.text()

        browser.submit({}, action="/account/pass-phrase", status=200)
        assert "shown this once" in browser.text()
        assert browser.page is not None
        assert "no-store" in browser.page.headers["Cache-Control"]
        found = re.search(r"(?:[0-9A-Z]{4}-){4}[0-9A-Z]{4}", browser.text())
        assert found is not None

        browser.get("/account/pass-phrase")
        assert found[0] not in browser.text()
        assert "It cannot be shown again" in browser.text()
        browser.submit({}, action="/account/pass-phrase/withdraw", status=303)
        browser.follow()
        assert "No more PDFs are sent to you" in browser.text()
    events = [each.event for each in AuditEvent.select()]
    assert events[-2:] == ["mail:phrase_made", "mail:phrase_withdrawn"]
