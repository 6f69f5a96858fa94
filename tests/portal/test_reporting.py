"""A pharmacy's banner, its calendar, and reports that nothing was dispensed."""

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from models import CoveredPharmacy, Pharmacy, Role, User, ZeroReport
from pmp import clock, reporting
from pmp.reporting import exemptions
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import (
    make_licence,
    make_pharmacy,
    make_reported_day,
    make_submission,
    make_user,
)
from tests.gateway.conftest import Clock

pytestmark = pytest.mark.usefixtures("db", "now")


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stop the clock on Monday, November 23: what was due on the 20th is late."""
    still = Clock()
    monkeypatch.setattr(clock, "now", still)
    return still


@pytest.fixture
def elm(browser: Browser) -> User:
    user = make_user(
        Role.PHARMACY,
        pharmacy=make_pharmacy(name="ELM STREET", reports_since=date(2026, 9, 1)),
    )
    browser.sign_in_as(user)
    for month in (9, 10):
        for day in (2, 20):
            filled = date(2026, month, day)
            assert user.pharmacy
            make_reported_day(user.pharmacy, filled, came=NOW - timedelta(days=21))
    return user


@pytest.fixture
def chain(elm: User) -> dict[str, Pharmacy]:
    """Have ELM's user report for two more stores; a stranger's is there, too."""
    stores = {}
    for name in ("OAK", "PINE"):
        licence = make_licence(name=name)
        stores[name] = make_pharmacy(
            name=name, licence=licence, reports_since=date(2026, 11, 1)
        )
        CoveredPharmacy.create(
            user=elm, licence=licence, granted_by="staff", granted_at=NOW
        )
    stores["STRANGER"] = make_pharmacy(name="STRANGER")
    return stores


def test_one_click_reports_the_open_days_and_one_more_undoes_it(
    browser: Browser, elm: User
) -> None:
    browser.get("/submissions")
    words = browser.text()
    assert "Late: 11/01/2026 to 11/15/2026 was due on 11/20/2026" in words
    assert "Nothing dispensed 11/01/2026 to 11/15/2026" in words
    browser.submit(action="/submissions/zero")
    browser.follow()

    (zero,) = ZeroReport.select()
    assert (zero.first_day.day, zero.last_day.day) == (1, 15)
    words = browser.text()
    assert "11/01/2026 to 11/15/2026 is recorded" in words
    assert "11/16/2026 to 11/30/2026 is due on 12/05/2026" in words
    assert "Today you reported that nothing was dispensed" in words
    browser.submit(action="/undo")
    browser.follow()

    assert ZeroReport.select().count() == 0
    assert "Late: 11/01/2026 to 11/15/2026" in browser.text()


def test_the_undo_is_offered_on_the_same_day_alone(
    browser: Browser, elm: User, now: Clock
) -> None:
    browser.get("/submissions")
    browser.submit(action="/submissions/zero")
    now.go_on(hours=9)  # after midnight in UTC, still the 23rd in Hartford
    browser.sign_in_as(elm)
    browser.get("/submissions")
    assert "Undo this report" in browser.text()
    now.go_on(hours=8)
    browser.sign_in_as(elm)
    browser.get("/submissions")
    assert "Undo this report" not in browser.text()


def test_after_a_file_the_click_offers_the_days_that_are_left(
    browser: Browser, elm: User
) -> None:
    assert elm.pharmacy
    make_reported_day(elm.pharmacy, date(2026, 11, 7))

    browser.get("/submissions/new")

    assert "Records up to 11/07/2026 have come" in browser.text()
    assert "Nothing dispensed 11/08/2026 to 11/15/2026" in browser.text()


def test_a_notices_link_opens_the_page_with_its_days(
    browser: Browser, elm: User, new_browser: Callable[..., Browser]
) -> None:
    assert elm.pharmacy
    link = (
        f"/submissions/zero?pharmacy={elm.pharmacy.id}&first=2026-11-03&last=2026-11-09"
    )
    browser.get(link)
    browser.submit()
    (zero,) = ZeroReport.select()
    assert (zero.first_day.day, zero.last_day.day) == (3, 9)

    stranger = new_browser()
    stranger.sign_in_as(make_user(Role.PHARMACY, pharmacy=make_pharmacy()))
    stranger.get(link, status=404)
    stranger.get("/submissions/zero?first=nonsense&last=")
    stranger.submit({"pharmacy": str(elm.pharmacy.id)}, status=422)
    stranger.get(f"/reporting/{elm.pharmacy.id}", status=404)
    stranger.get("/submissions")
    stranger.post(
        f"/submissions/zero/{zero.id}/undo",
        {"csrf_token": stranger.token()},
        status=404,
    )
    assert ZeroReport.select().count() == 1


def test_a_notices_link_offers_what_is_still_open_of_its_days(
    browser: Browser, elm: User
) -> None:
    assert elm.pharmacy
    make_reported_day(elm.pharmacy, date(2026, 11, 7))
    link = f"/submissions/zero?pharmacy={elm.pharmacy.id}"

    browser.get(f"{link}&first=2026-11-01&last=2026-11-15")
    browser.submit()

    (zero,) = ZeroReport.select()
    assert (zero.first_day.day, zero.last_day.day) == (8, 15)
    browser.get(f"{link}&first=2026-11-01&last=2026-11-15")  # nothing is open
    browser.get(f"{link}&first=0001-01-01&last=9999-12-31")
    browser.get(f"{link}&first=9999-01-01&last=9999-12-31")


def test_the_calendar_shows_a_year_and_who_reported(
    browser: Browser, elm: User
) -> None:
    assert elm.pharmacy
    late = make_submission(submitted_by=elm, received_at=NOW)
    make_reported_day(
        elm.pharmacy, date(2026, 11, 15), submission=late, came=late.received_at
    )
    browser.get("/reporting")
    words = browser.text()

    assert "Twice a month (1st to 15th, 16th to the end); due 5 days later" in words
    assert re.search(r"11/16/2026 to 11/30/2026 12/05/2026 Not over yet", words)
    assert re.search(
        r"11/01/2026 to 11/15/2026 11/20/2026 Reported 3 days late"
        rf" 11/23/2026 10:14 AM ET Submission {late.id}",
        words,
    )
    assert "09/01/2026 to 09/15/2026" in words
    assert "08/16/2026" not in words  # before it had to report


def test_a_zero_report_is_taken_back_from_the_calendar(
    browser: Browser, elm: User, now: Clock
) -> None:
    zero = reporting.report_zero(
        first=date(2026, 11, 1), last=date(2026, 11, 15), by=elm, at=now()
    )
    now.go_on(days=3)
    browser.sign_in_as(elm)
    browser.get("/reporting")
    browser.submit(action=f"/submissions/zero/{zero.id}/undo")
    browser.follow()

    assert "is not reported as empty any more" in browser.text()
    assert "missing" in browser.text()
    assert ZeroReport.select().count() == 0


def test_a_chain_sees_each_store_and_answers_for_one(
    browser: Browser, elm: User, chain: dict[str, Pharmacy]
) -> None:
    make_reported_day(chain["PINE"], date(2026, 11, 15))
    browser.get("/submissions")
    assert "ELM STREET:" in browser.text()
    assert "1 more of your pharmacies has days to report" in browser.text()
    browser.get("/reporting")
    words = browser.text()
    assert "3 pharmacies that you report for" in words
    assert "STRANGER" not in words
    assert re.search(r"OAK HARTFORD Late by 3 days", words)
    assert re.search(r"PINE HARTFORD Up to date", words)

    browser.get("/submissions/zero")
    browser.submit({"pharmacy": str(chain["OAK"].id)})

    (zero,) = ZeroReport.select()
    assert zero.pharmacy == chain["OAK"]
    browser.get("/reporting")
    assert re.search(r"OAK HARTFORD Up to date", browser.text())
    browser.get(f"/reporting/{chain['OAK'].id}")
    assert "Nothing dispensed" in browser.text()


def test_an_exempt_pharmacy_is_not_asked(browser: Browser, elm: User) -> None:
    assert elm.pharmacy
    exemptions.grant(
        elm.pharmacy,
        first=date(2026, 11, 1),
        last=None,
        reason="Flooded",
        by=make_user(),
        at=NOW,
    )
    browser.get("/submissions")

    assert "you are exempt" in browser.text()
    assert "Late" not in browser.text()


def test_a_new_user_without_a_row_sees_its_calendar(browser: Browser) -> None:
    licence = make_licence(name="NEW DRUG", dea="BV5100110")
    browser.sign_in_as(make_user(Role.PHARMACY, licence=licence))
    browser.get("/reporting")
    assert "NEW DRUG" in browser.text()
    browser.get("/submissions")
    browser.submit(action="/submissions/zero")
    (zero,) = ZeroReport.select()
    assert zero.pharmacy.name == "NEW DRUG"


def test_practitioners_and_staff_have_no_calendar(browser: Browser) -> None:
    for role in (Role.PRACTITIONER, Role.STAFF):
        browser.sign_in_as(make_user(role))
        for path in ("/reporting", "/submissions/zero"):
            browser.get(path, status=404)
