"""Staff's pages about drugs: the unknown, the table, rule sets, withheld counts."""

from datetime import date, timedelta
from typing import Any

import pytest

from models import (
    AuditEvent,
    Dispensation,
    Product,
    ProductChange,
    Role,
    User,
)
from pmp import clock, downloads, settings
from pmp.dispensations import unknown_products
from pmp.drugs.staff_products import Typed
from tests.browser import Browser
from tests.factories import (
    make_dispensation,
    make_patient,
    make_pharmacy,
    make_product,
    make_user,
)
from tests.pmp.test_unknown_products import NDC, make_unknown
from tests.portal.lists import lines, shown, sorted_by

pytestmark = pytest.mark.usefixtures("db")

TYPED: dict[str, Any] = {
    "name": "Example oxycodone 10 mg tablet",
    "ingredient": "oxycodone hydrochloride",
    "strength": "10",
    "strength_unit": "mg",
    "form": "TABLET",
    "route": "ORAL",
    "schedule": "CII",
    "reason": "Read to us from the package.",
}


@pytest.fixture
def staff(browser: Browser) -> User:
    user = make_user(Role.STAFF)
    browser.sign_in_as(user)
    return user


def test_unknown_drugs_are_listed_with_who_reported_them_and_no_patient(
    browser: Browser, staff: User
) -> None:
    pharmacy = make_pharmacy(name="ELM CITY DRUG", phone="+12035550100")
    make_unknown(pharmacy=pharmacy, patient=make_patient(last_name="CANARYQUIST"))

    browser.get("/staff/drugs")
    listed = browser.text()
    browser.get(f"/staff/drugs/{NDC}")
    shown = browser.text()

    assert "55501-0123-01" in listed
    assert "1 NDC" in listed
    assert "ELM CITY DRUG" in shown
    assert "(203) 555-0100" in shown
    assert "CANARYQUIST" not in listed + shown


def test_the_console_has_a_tile_that_leads_there(browser: Browser, staff: User) -> None:
    make_unknown()

    browser.get("/staff")

    assert "1 Drugs we do not know" in browser.text()


def test_a_product_is_seen_before_it_is_written_and_fills_in_its_fills(
    browser: Browser, staff: User
) -> None:
    fill = make_unknown()
    browser.get(f"/staff/drugs/{NDC}")

    browser.submit(TYPED, status=200)
    preview = browser.text()
    assert "15 MME/day" in preview
    assert "1 stored fill gets these facts" in preview
    assert Product.select().count() == 0
    browser.submit()
    browser.follow()

    assert "1 stored fill has the facts now" in browser.text()
    assert Dispensation.get_by_id(fill.id).mme_key == "oxycodone"
    assert ProductChange.get().changed_by == staff.username
    browser.submit(action="/undo")
    browser.follow()
    assert "is undone" in browser.text()
    assert Dispensation.get_by_id(fill.id).ingredient == ""


def test_what_was_typed_can_be_changed_after_the_preview(
    browser: Browser, staff: User
) -> None:
    browser.get(f"/staff/drugs/{NDC}")
    browser.submit(TYPED | {"strength": "7.5"}, status=200)

    values = {**TYPED, "strength": "7.5", "edit": "yes", "csrf_token": browser.token()}
    browser.post(f"/staff/drugs/{NDC}", values, status=200)

    page = browser.page
    assert page is not None
    assert 'value="7.5"' in page.get_data(as_text=True)
    assert "Add the product" in browser.text()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"strength": "ten"}, "Write a number above 0"),
        ({"strength_unit": "furlong"}, "is no unit of strength"),
        ({"ingredient": ""}, "Write the ingredient"),
        ({"reason": ""}, "Say how you know"),
    ],
)
def test_a_mistake_is_said_at_its_field_and_all_typed_stays(
    browser: Browser, staff: User, change: dict[str, str], words: str
) -> None:
    browser.get(f"/staff/drugs/{NDC}")

    browser.submit(TYPED | change, status=422)

    assert words in browser.text()
    page = browser.page
    assert page is not None
    assert 'value="Example oxycodone 10 mg tablet"' in page.get_data(as_text=True)
    assert Product.select().count() == 0


def test_a_known_product_is_found_by_name_and_ndc_and_its_history_read(
    browser: Browser, staff: User
) -> None:
    make_product(
        ndc="62856040530", name="DAYVIGO 5 MG TABLET", ingredient="LEMBOREXANT"
    )

    for asked in ("dayvigo", "62856-405-30", "62856-405", "62856040530", "lembo"):
        browser.get(f"/staff/drugs?q={asked}")
        assert "DAYVIGO 5 MG TABLET" in browser.text(), asked
    browser.get("/staff/drugs?q=55501-0123-01")
    assert "Add 55501-0123-01" in browser.text()
    browser.get("/staff/drugs?q=zzzz")
    assert "No product" in browser.text()


def test_changes_are_listed_with_who_and_why(browser: Browser, staff: User) -> None:
    make_product(ndc=NDC, schedule="CIII", source="fda")
    browser.get(f"/staff/drugs/{NDC}")
    browser.submit({"schedule": "CII", "reason": "FDA corrected it."}, status=200)
    browser.submit()

    browser.get("/staff/drugs/changes")

    assert "schedule CIII → CII" in browser.text()
    assert staff.username in browser.text()
    assert "FDA corrected it." in browser.text()


@pytest.mark.each_engine
def test_changes_are_narrowed_sorted_and_a_file(browser: Browser, staff: User) -> None:
    typed = Typed("Oxycodone 5 mg tablet", "oxycodone hydrochloride", "TABLET", "ORAL")
    for days, ndc, reason, filled in (
        (1, "00001111122", "From the package", 4),
        (3, "00001111133", "The pharmacy said so", 9),
        (2, "00001111144", "FDA", 0),
    ):
        at = clock.now() - timedelta(days=days)
        made = unknown_products.write(ndc, typed, reason=reason, by="lee", at=at)
        ProductChange.update(filled=filled).where(ProductChange.id == made.id).execute()
        if filled == 9:
            unknown_products.undo(made.id, by="lee", at=at)
    path, link = "/staff/drugs/changes", "/staff/drugs/"
    one, two, three = (f"000011111{each}" for each in (22, 33, 44))

    assert shown(browser, path, link) == [one, three, two]
    assert "3 changes, the latest first" in browser.text()
    assert shown(browser, f"{path}?sort=-filled", link) == [two, one, three]
    assert sorted_by(browser) == {"Stored fills filled in": "descending"}
    assert shown(browser, f"{path}?standing=undone", link) == [two]
    assert shown(browser, f"{path}?text=lee+fda", link) == [three]
    assert shown(browser, f"{path}?text=00001-1111-22", link) == [one]
    assert shown(browser, f"{path}?text=zzz", link) == []
    assert "No change is like this." in browser.text()

    table = lines(browser, f"{path}.csv?standing=stands&sort=changed")

    assert [row["How they knew"] for row in table] == ["FDA", "From the package"]
    assert table[0]["What"] == "added to the drug table"
    event = AuditEvent.get(AuditEvent.event == "list:downloaded")
    assert (event.actor, event.subject) == (staff.username, "drug_changes")
    assert event.detail == {"rows": 2}


def test_known_products_of_waiting_fills_are_filled_in_by_a_button(
    browser: Browser, staff: User
) -> None:
    fill = make_unknown()
    make_product(ndc=NDC)
    browser.get("/staff/drugs")

    browser.submit(action="/fill-in")
    browser.follow()

    assert "1 stored fill has the facts now" in browser.text()
    assert Dispensation.get_by_id(fill.id).schedule == "CII"


def test_the_list_downloads_as_csv(browser: Browser, staff: User) -> None:
    make_unknown(filled_on=date(2026, 11, 1))

    answer = browser.get("/staff/drugs.csv")

    assert '"55501-0123-01","1","1","11/01/2026"' in answer.get_data(as_text=True)


def test_unknown_drugs_are_sorted_by_their_headings(
    browser: Browser, staff: User
) -> None:
    for number, fills in ((3, 1), (1, 3), (2, 2)):
        for _ in range(fills):
            make_unknown(f"5550200000{number}", filled_on=date(2026, 11, number))
    path, link = "/staff/drugs", "/staff/drugs/"

    assert shown(browser, path, link) == ["55502000001", "55502000002", "55502000003"]
    assert "3 NDCs, the most frequent first" in browser.text()
    by_day = shown(browser, f"{path}?sort=-filled&q=oxy", link)
    assert by_day == ["55502000003", "55502000002", "55502000001"]
    assert sorted_by(browser) == {"Filled": "descending"}
    assert "/staff/drugs?sort=filled&amp;q=oxy" in browser.page_text()
    table = lines(browser, f"{path}.csv?sort=fills")
    assert [row["Fills"] for row in table] == ["1", "2", "3"]
    event = AuditEvent.get(AuditEvent.event == "list:downloaded")
    assert (event.subject, event.detail) == ("unknown_drugs", {"rows": 3})


def test_a_file_of_drugs_that_would_be_too_long_is_refused(
    browser: Browser, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_unknown()
    monkeypatch.setattr(downloads, "MOST_ROWS", 0)

    browser.get("/staff/drugs.csv", status=422)

    assert "That is 1 NDCs; a file holds 0." in browser.text()
    assert "55501-0123-01" in browser.text()


def test_a_long_list_has_pages(browser: Browser, staff: User) -> None:
    pharmacy, patient = make_pharmacy(), make_patient()
    for number in range(52):
        make_unknown(f"55502{number:06d}", pharmacy=pharmacy, patient=patient)

    browser.get("/staff/drugs?page=2")

    assert "52 NDCs" in browser.text()
    assert browser.text().count("55502-") == 2


def test_rule_sets_show_each_factor_and_which_is_active(
    browser: Browser, staff: User
) -> None:
    with settings.changed(mme_rule_set="cdc-2016"):
        browser.get("/staff/drugs/rule-sets")

    text = browser.text()
    assert "CDC 2016, methadone by graded bands active" in text
    assert "to 20 mg: 4, to 40 mg: 8, to 60 mg: 10, over 60 mg: 12" in text
    assert "NIH HEAL" in text


def test_withheld_counts_are_for_administrators_alone(
    browser: Browser, staff: User
) -> None:
    make_dispensation(
        ingredient="NALOXONE HYDROCHLORIDE",
        withheld="administrators",
        pharmacy=make_pharmacy(name="ELM CITY DRUG"),
    )
    for path in ("/staff/drugs/withheld", "/staff/drugs/withheld.csv"):
        browser.get(path, status=404)
    browser.sign_in_as(make_user(Role.ADMINISTRATOR))

    browser.get("/staff/drugs/withheld?since=01/01/2026&until=12/31/2026")
    assert "NALOXONE HYDROCHLORIDE" in browser.text()
    assert "ELM CITY DRUG" in browser.text()
    answer = browser.get("/staff/drugs/withheld.csv?since=01/01/2026&until=12/31/2026")
    assert '"NALOXONE HYDROCHLORIDE","administrators"' in answer.get_data(as_text=True)
    counted = AuditEvent.select().where(
        AuditEvent.event == "dispensation:withheld_counted"
    )
    assert counted.count() == 2
    browser.get("/staff/drugs/withheld?since=12/31/2026&until=01/01/2026", status=422)


@pytest.mark.parametrize("role", [Role.PRACTITIONER, Role.PHARMACY, Role.AUDITOR])
def test_others_see_no_drug_pages(browser: Browser, role: Role) -> None:
    browser.sign_in_as(make_user(role))

    browser.get("/staff/drugs", status=404)


def test_an_analyst_reads_and_does_not_write(browser: Browser) -> None:
    browser.sign_in_as(make_user(Role.ANALYST))
    make_unknown()
    browser.get(f"/staff/drugs/{NDC}")

    assert "Add the product" not in browser.text()
    values = {**TYPED, "csrf_token": browser.token()}
    browser.post(f"/staff/drugs/{NDC}", values, status=404)
    assert Product.select().count() == 0


def test_an_address_that_is_no_ndc_is_not_found(browser: Browser, staff: User) -> None:
    browser.get("/staff/drugs/12345", status=404)
