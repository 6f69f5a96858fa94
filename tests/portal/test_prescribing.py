"""A prescriber reviews what was dispensed under their own DEA numbers."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from models import (
    AuditEvent,
    Dispensation,
    DispensationStatus,
    Licence,
    Prescriber,
    Role,
    Ticket,
    TicketProblem,
    User,
)
from pmp import audit, clock
from tests.browser import Browser
from tests.chromium import axe, fits, targets_are_large
from tests.factories import (
    make_dispensation,
    make_patient,
    make_pharmacy,
    make_practitioner_licence,
    make_prescriber,
    make_ticket,
    make_user,
)


@pytest.fixture
def licence(browser: Browser) -> Licence:
    return make_practitioner_licence()


@pytest.fixture
def prescriber(licence: Licence) -> Prescriber:
    assert licence.dea is not None
    return make_prescriber(dea=licence.dea, last_name="RODKIN")


@pytest.fixture
def doctor(browser: Browser, licence: Licence) -> User:
    user = make_user(Role.PRACTITIONER, name="Semyon Rodkin", licence=licence)
    browser.sign_in_as(user)
    return user


def wrote(prescriber: Prescriber, days_ago: int = 5, **fields: Any) -> Dispensation:
    day = clock.today() - timedelta(days=days_ago)
    return make_dispensation(prescriber=prescriber, filled_on=day, **fields)


def test_only_ones_own_entries_of_all_ones_numbers_are_shown(
    browser: Browser, doctor: User, prescriber: Prescriber, licence: Licence
) -> None:
    second = make_prescriber(licence=licence)
    hospital = make_prescriber(dea=prescriber.dea, dea_suffix="12")
    wrote(prescriber, drug_name="FIRST")
    wrote(second, drug_name="SECOND")
    wrote(hospital, drug_name="RESIDENT'S")
    wrote(make_prescriber(), drug_name="ANOTHER'S")
    wrote(prescriber, drug_name="VOIDED", status=DispensationStatus.VOIDED)
    wrote(prescriber, 120, drug_name="LONG AGO")

    browser.get("/prescribing")

    text = browser.text()
    assert "FIRST" in text
    assert "SECOND" in text
    for words in ("RESIDENT", "ANOTHER", "VOIDED", "LONG AGO"):
        assert words not in text
    assert f"{prescriber.dea}" in text
    assert "2 fills" in text


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ({"patient": "kowal anna"}, {"KOW"}),
        ({"patient": "04/28/1971"}, {"KOW"}),
        ({"drug": "alpra"}, {"ALPRAZOLAM"}),
        ({"drug": "00406-0512-01"}, {"KOW"}),
        ({"pharmacy": "elm"}, {"ALPRAZOLAM"}),
        ({"since": "01/01/2099"}, set()),
        ({"patient": "%"}, set()),
    ],
)
def test_the_list_is_narrowed(
    browser: Browser,
    doctor: User,
    prescriber: Prescriber,
    typed: dict[str, str],
    shown: set[str],
) -> None:
    wrote(
        prescriber,
        patient=make_patient(last_name="KOWALSKI", first_name="ANNA"),
        drug_name="KOW",
    )
    wrote(
        prescriber,
        patient=make_patient(last_name="NOVAK", birth_date=clock.today()),
        drug_name="ALPRAZOLAM 1 MG",
        ingredient="alprazolam",
        product_code="00000000001",
        pharmacy=make_pharmacy(name="ELM DRUG"),
    )
    browser.get("/prescribing")

    browser.submit(typed, status=200)

    for words in ("KOW", "ALPRAZOLAM"):
        assert (f" {words} " in browser.text()) is (words in shown) or (
            f"{words} 1 MG" in browser.text()
        ) is (words in shown)
    if not shown:
        assert "No entry is like this" in browser.text()
    assert browser.page is not None
    assert browser.page.request.path == "/prescribing"


def test_what_one_did_not_write_becomes_a_ticket_and_is_marked(
    browser: Browser, doctor: User, prescriber: Prescriber
) -> None:
    entry = wrote(prescriber)

    page = browser.get("/prescribing").get_data(as_text=True)
    link = f"/entries/{entry.row_code}/report-a-problem?problem=did_not_write"
    assert link in page
    browser.get(link)
    browser.submit({"problem": "did_not_write"})

    ticket = Ticket.get()
    assert (ticket.problem, ticket.dispensation) == (
        TicketProblem.DID_NOT_WRITE,
        entry,
    )
    page = browser.get("/prescribing").get_data(as_text=True)
    assert "you reported it" in page
    assert ticket.number in page
    assert link not in page


def test_a_ticket_of_somebody_else_is_not_shown(
    browser: Browser, doctor: User, prescriber: Prescriber
) -> None:
    make_ticket(wrote(prescriber))

    browser.get("/prescribing")

    assert "you reported it" not in browser.text()


def test_the_csv_holds_the_rows_and_no_formula(
    browser: Browser, doctor: User, prescriber: Prescriber
) -> None:
    entry = wrote(prescriber, drug_name="=1+1")
    browser.get("/prescribing")

    answer = browser.post(
        "/prescribing.csv", {"csrf_token": browser.token()}, status=200
    )

    headings, row = csv.reader(io.StringIO(answer.data.decode("utf-8-sig")))
    found = dict(zip(headings, row, strict=True))
    assert found["Row code"] == entry.row_code
    assert found["Drug"] == "'=1+1"
    assert found["Prescriber DEA"] == prescriber.dea


def test_each_sight_is_on_the_record_without_a_name(
    browser: Browser, doctor: User, prescriber: Prescriber
) -> None:
    entry = wrote(prescriber)
    browser.get("/prescribing")
    browser.submit({"patient": "Kowalski"}, status=200)

    rows = list(
        AuditEvent.select().where(
            AuditEvent.event == audit.Event.PRESCRIBING_VIEWED.value
        )
    )
    assert [row.detail["dispensations"] for row in rows] == [[entry.id], []]
    assert rows[1].detail["searched_by"] == ["patient"]
    assert "owalski" not in str(rows[1].detail)


def test_nobody_without_numbers_has_entries(browser: Browser) -> None:
    browser.sign_in_as(make_user(Role.PRACTITIONER))
    wrote(make_prescriber())

    browser.get("/prescribing")

    assert "No pharmacy has reported a prescription" in browser.text()


@pytest.mark.parametrize("role", [Role.PHARMACY, Role.STAFF, Role.AUDITOR])
def test_others_have_no_prescribing(browser: Browser, role: Role) -> None:
    browser.sign_in_as(make_user(role))

    browser.get("/prescribing", status=404)


def test_a_day_that_is_none_is_told_and_what_was_typed_kept(
    browser: Browser, doctor: User, prescriber: Prescriber
) -> None:
    browser.get("/prescribing")

    page = browser.submit({"since": "never", "drug": "oxy"}, status=422)

    assert "Write the date as" in browser.text()
    assert 'value="oxy"' in page.get_data(as_text=True)


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 375])
def test_the_page_is_accessible_and_fits_any_screen(
    live: str, open_context: Callable[..., BrowserContext], width: int
) -> None:
    prescriber = make_prescriber()
    for days in range(3):
        wrote(prescriber, days, corrected=bool(days))
    user = make_user(Role.PRACTITIONER, prescriber=prescriber)
    page = open_context(width, user=user).new_page()

    page.goto("/prescribing")

    axe(page)
    fits(page)
    targets_are_large(page)
