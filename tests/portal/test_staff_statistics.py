"""Statistics for staff, analysts and auditors: pages, CSV, the yearly report."""

import csv
import io

import pypdf
import pytest

from models import Profession, Role, User
from pmp import clock
from pmp.figures.subjects import SUBJECTS
from tests.browser import Browser
from tests.factories import make_licence, make_user

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def analyst(browser: Browser) -> User:
    user = make_user(Role.ANALYST, created_at=clock.now())
    licence = make_licence(Profession.PRACTITIONER)
    make_user(Role.PRACTITIONER, licence=licence, created_at=clock.now())
    browser.sign_in_as(user)
    return user


@pytest.mark.parametrize("by", ["month", "year"])
@pytest.mark.parametrize("key", SUBJECTS)
def test_each_subject_has_a_picture_and_a_table(
    browser: Browser, analyst: User, key: str, by: str
) -> None:
    browser.get(f"/staff/statistics?subject={key}&by={by}")

    text = str(browser.page and browser.page.get_data(as_text=True))
    assert "<svg" in text
    assert "<caption>" in text
    assert SUBJECTS[key].note in browser.text()


def test_who_of_the_licensed_is_registered(browser: Browser, analyst: User) -> None:
    browser.get("/staff/statistics?subject=accounts")
    assert "100 % Practitioners: 1 of 1" in browser.text()


def test_what_is_not_there_is_not_found(browser: Browser, analyst: User) -> None:
    browser.get("/staff/statistics?subject=horoscopes", status=404)
    browser.get("/staff/statistics?year=1999", status=404)
    browser.get("/staff/statistics/1999.csv", status=404)
    browser.get("/staff/statistics/1999.pdf", status=404)
    browser.get("/staff/statistics?year=many")


def test_a_year_is_a_file_and_a_report(browser: Browser, analyst: User) -> None:
    year = clock.today().year
    answer = browser.get(f"/staff/statistics/{year}.csv")
    lines = list(csv.reader(io.StringIO(answer.get_data(as_text=True))))
    assert ["New accounts", str(year), "Practitioners", "1"] in lines

    body = browser.get(f"/staff/statistics/{year}.pdf").data

    pages = pypdf.PdfReader(io.BytesIO(body)).pages
    text = " ".join(" ".join(page.extract_text() for page in pages).split())
    for subject in SUBJECTS.values():
        assert subject.title in text
    assert f"Page 1 of {len(pages)}" in text


@pytest.mark.parametrize("role", [Role.PRACTITIONER, Role.PHARMACY])
def test_users_do_not_see_them(browser: Browser, role: Role) -> None:
    browser.sign_in_as(make_user(role))
    browser.get("/staff/statistics", status=404)


@pytest.mark.parametrize(
    "role", [Role.STAFF, Role.ADMINISTRATOR, Role.AUDITOR, Role.ANALYST]
)
def test_those_who_steer_see_them(browser: Browser, role: Role) -> None:
    browser.sign_in_as(make_user(role))
    browser.get("/staff/statistics")
    browser.get("/staff")
    assert "Statistics" in browser.text()
