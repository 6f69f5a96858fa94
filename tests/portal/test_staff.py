from datetime import timedelta

from models import FaxStatus, InboundFax, Role
from pmp import clock
from tests.browser import Browser
from tests.factories import make_user


def test_console_shows_how_long_the_oldest_waits(browser: Browser) -> None:
    for reference, hours in (("new", 1), ("old", 53)):
        InboundFax.create(
            received_at=clock.now() - timedelta(hours=hours),
            source="test",
            source_reference=reference,
            status=FaxStatus.UNMATCHED,
        )
    browser.sign_in_as(make_user(Role.STAFF))

    browser.get("/staff")

    assert "The worker does not run" in browser.text()
    assert "2 Faxes to look at oldest waits 2 days" in browser.text()


def test_console_shows_the_queues_of_the_role_only(browser: Browser) -> None:
    browser.sign_in_as(make_user(Role.AUDITOR))
    browser.get("/staff")
    assert "Faxes to look at" not in browser.text()


def test_practitioner_has_no_console(browser: Browser) -> None:
    browser.sign_in_as(make_user(Role.PRACTITIONER))
    browser.get("/staff", status=404)
