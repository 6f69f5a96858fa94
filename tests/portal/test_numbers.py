"""A number that no row can have leads to an answer, on every engine."""

import pytest
from flask import Flask
from werkzeug.exceptions import NotFound

from models import Role
from portal.numbers import MOST, whole
from tests.browser import Browser
from tests.factories import make_identity, make_patient, make_user

GREAT = ["2147483648", "9223372036854775808", "1" * 5000]


def test_no_page_is_of_a_number_that_no_row_can_have(app: Flask) -> None:
    routes = app.url_map.bind("localhost")
    numbered = [
        rule
        for rule in app.url_map.iter_rules()
        if "<int:" in rule.rule and rule.methods and "GET" in rule.methods
    ]

    assert len(numbered) > 20
    for rule in numbered:
        first, rest = rule.rule.split("<int:", 1)
        path = f"{first}{MOST + 1}{rest.partition('>')[2]}".replace("<int:", "<")
        for name in rule.arguments:
            path = path.replace(f"<{name}>", "7")
        with pytest.raises(NotFound):
            routes.match(path, method="GET")


@pytest.mark.parametrize("number", GREAT)
def test_an_address_with_a_great_number_is_of_no_page(
    browser: Browser, number: str
) -> None:
    browser.sign_in_as(make_user(Role.STAFF))

    browser.get(f"/staff/patients/{number}", status=404)
    browser.get(f"/staff/submissions/{number}", status=404)


@pytest.mark.parametrize("number", GREAT)
def test_a_great_number_in_a_query_is_none(browser: Browser, number: str) -> None:
    browser.sign_in_as(make_user(Role.ADMINISTRATOR))

    browser.get(f"/staff/matches?done={number}")
    browser.get(f"/staff/rules/new?of={number}")
    browser.get(f"/staff/matches?page={number}")


@pytest.mark.parametrize("number", GREAT)
def test_a_great_number_of_a_row_that_is_sent_is_none(
    browser: Browser, number: str
) -> None:
    browser.sign_in_as(make_user(Role.PRACTITIONER))
    browser.get("/look-up")
    token = {"csrf_token": browser.token()}

    browser.post("/look-up/again", {**token, "look_up": number}, status=404)
    browser.post("/look-ups", {**token, "page": number}, status=200)


@pytest.mark.parametrize("number", GREAT)
def test_a_great_number_in_a_form_is_refused_at_its_field(
    browser: Browser, number: str
) -> None:
    browser.sign_in_as(make_user(Role.STAFF))
    patient = make_patient()
    make_identity(patient=patient, first_name="OTTO")
    browser.get(f"/staff/patients/{patient.id}/split")

    values = {"identities": number, "to": number, "reason": "Two people."}
    browser.submit(values, status=422)


@pytest.mark.parametrize("text", [*GREAT, "-2147483648", "x", "", "1.5"])
def test_a_number_beyond_a_row_s_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"great|invalid|digits"):
        whole(text)


def test_the_greatest_number_of_a_row_is_read() -> None:
    assert whole(str(MOST)) == MOST
