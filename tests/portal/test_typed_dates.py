"""A day as people type it: read, or refused in words at its field."""

from datetime import date

import pytest

from models import Role
from portal.forms import typed_date
from tests.browser import Browser
from tests.factories import make_user

SAID = "is not between 1880 and 2200"


@pytest.mark.parametrize("text", ["04/28/1971", "4-28-1971", "04281971", "1971-04-28"])
def test_a_day_is_read_in_the_usual_forms(text: str) -> None:
    assert typed_date(text) == date(1971, 4, 28)


@pytest.mark.parametrize("text", ["01/01/1880", "12/31/2200"])
def test_the_first_and_the_last_day_that_may_be_meant_are_read(text: str) -> None:
    assert f"{typed_date(text):%m/%d/%Y}" == text


@pytest.mark.parametrize("text", ["01/01/0001", "12/31/1879", "2201-01-01", "12319999"])
def test_a_year_that_nobody_means_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=SAID):
        typed_date(text)


@pytest.mark.parametrize("until", ["01/01/0001", "12/31/9999"])
def test_a_look_up_until_a_year_that_nobody_means_is_refused(
    browser: Browser, until: str
) -> None:
    browser.sign_in_as(make_user(Role.PRACTITIONER))
    browser.get("/look-up")
    typed = {"first_name": "Anna", "last_name": "Kowalski", "until": until}

    browser.submit({**typed, "birth_date": "04/28/1971"}, status=422)

    assert SAID in browser.text()


@pytest.mark.parametrize("until", ["01/01/0001", "12/31/9999"])
def test_own_look_ups_until_a_year_that_nobody_means_are_refused(
    browser: Browser, until: str
) -> None:
    browser.sign_in_as(make_user(Role.PRACTITIONER))
    browser.get("/look-ups")

    asked = {"csrf_token": browser.token(), "until": until}
    browser.post("/look-ups", asked, status=422)

    assert SAID in browser.text()


@pytest.mark.parametrize("page", ["look-ups", "audit", "submissions"])
@pytest.mark.parametrize("until", ["01/01/0001", "12/31/9999"])
def test_lists_of_staff_until_a_year_that_nobody_means_say_so(
    browser: Browser, page: str, until: str
) -> None:
    browser.sign_in_as(make_user(Role.ADMINISTRATOR))

    answer = browser.client.get(f"/staff/{page}?until={until}&since={until}")

    assert answer.status_code in {200, 422}
    assert SAID in answer.get_data(as_text=True)
