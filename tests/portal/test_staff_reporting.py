"""Staff's pages about reporting: who is late, a pharmacy, held records, the policy."""

import re
from datetime import date, timedelta

import pytest

from models import (
    AuditEvent,
    ClosedDay,
    Delivery,
    DispenserKind,
    InboundFax,
    Pharmacy,
    ReportingExemption,
    ReportingNote,
    ReportingNotice,
    ReportingSchedule,
    Role,
    SubmissionStatus,
    User,
    ZeroReport,
)
from pmp import audit, clock, downloads, faxes, reporting
from pmp.reporting import held_records, notices
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
from tests.portal.lists import lines, shown, sorted_by

pytestmark = pytest.mark.usefixtures("db", "now")


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Clock:
    still = Clock()
    monkeypatch.setattr(clock, "now", still)
    return still


@pytest.fixture
def staff(browser: Browser) -> User:
    user = make_user(Role.STAFF)
    browser.sign_in_as(user)
    return user


@pytest.fixture
def admin(browser: Browser) -> User:
    user = make_user(Role.ADMINISTRATOR)
    browser.sign_in_as(user)
    return user


@pytest.fixture
def elm() -> Pharmacy:
    """Give a late pharmacy with a fax; noise: one that reported."""
    late = make_pharmacy(
        name="ELM STREET",
        city="NEW HAVEN",
        licence=make_licence(fax="8605550111", phone="8605550112"),
        reports_since=date(2026, 11, 1),
    )
    on_time = make_pharmacy(
        name="OAK", licence=make_licence(), reports_since=date(2026, 11, 1)
    )
    make_reported_day(on_time, date(2026, 11, 15))
    return late


def test_the_late_list_says_who_to_call_and_sends_a_notice(
    browser: Browser, staff: User, elm: Pharmacy
) -> None:
    browser.get("/staff/reporting")
    words = browser.text()
    assert re.search(r"ELM STREET Pharmacy, NEW HAVEN Late by 3 days", words)
    assert "(860) 555-0100" in words
    assert "(860) 555-0111" in words
    assert "not yet" in words
    assert "OAK" not in words
    browser.submit(action=f"/staff/reporting/pharmacies/{elm.id}/notice")
    browser.follow()

    assert "A notice to ELM STREET is on its way" in browser.text()
    assert Delivery.get().channel == "fax"
    browser.submit(action=f"/pharmacies/{elm.id}/notice", status=422)
    assert "A notice was made today" in browser.text()
    browser.get("/staff/reporting")
    assert re.search(r"Late 11/23/2026 Fax:", browser.text())


def test_the_list_is_filtered_and_given_as_csv(
    browser: Browser, staff: User, elm: Pharmacy
) -> None:
    browser.get("/staff/reporting?show=all")
    assert "2 pharmacies" in browser.text()
    assert "Up to date" in browser.text()
    browser.get("/staff/reporting?text=new+haven")
    assert "1 pharmacy" in browser.text()
    browser.get("/staff/reporting?kind=veterinarian")
    assert "No pharmacy is like this" in browser.text()
    browser.get("/staff/reporting?kind=nonsense&page=9&text=%27")

    text = browser.get("/staff/reporting/late.csv").get_data(as_text=True)

    assert text.splitlines()[0].startswith('\ufeff"Pharmacy","DEA"')
    assert '"ELM STREET"' in text
    assert '"11/01/2026","11/15/2026","11/20/2026","3"' in text
    assert "OAK" not in text
    event = AuditEvent.get(AuditEvent.event == "list:downloaded")
    assert (event.subject, event.detail) == ("late_pharmacies", {"rows": 1})


def test_pharmacies_are_sorted_by_name_and_by_how_late(
    browser: Browser, staff: User, elm: Pharmacy
) -> None:
    path, link = "/staff/reporting?show=all", "/staff/reporting/pharmacies/"
    by_lateness = shown(browser, path, link)
    assert by_lateness[0] == str(elm.id)
    assert sorted_by(browser) == {"State": "descending"}
    assert shown(browser, f"{path}&sort=late", link) == by_lateness[::-1]
    assert shown(browser, f"{path}&sort=-pharmacy", link) == by_lateness[::-1]
    assert shown(browser, f"{path}&sort=dea", link) == by_lateness
    assert "/staff/reporting?sort=pharmacy&amp;show=all" in browser.page_text()
    table = lines(browser, "/staff/reporting/late.csv?show=all&sort=-pharmacy")
    assert [row["Pharmacy"] for row in table][-1] == "ELM STREET"


def test_a_file_of_pharmacies_that_would_be_too_long_is_refused(
    browser: Browser, staff: User, elm: Pharmacy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MOST_ROWS", 1)

    browser.get("/staff/reporting/late.csv?show=all", status=422)

    assert "That is 2 pharmacies; a file holds 1." in browser.text()
    assert "ELM STREET" in browser.text()


def test_nobody_late_is_said(browser: Browser, staff: User) -> None:
    browser.get("/staff/reporting")
    assert "Nobody is late" in browser.text()


def test_a_pharmacy_is_exempted_noted_and_its_kind_set(
    browser: Browser, staff: User, elm: Pharmacy
) -> None:
    page = f"/staff/reporting/pharmacies/{elm.id}"
    browser.get(page)
    browser.submit({"exempt-first": "11/01/2026"}, action=f"{page}/exempt", status=422)
    assert "Say why it need not report" in browser.text()
    browser.submit(
        {"exempt-first": "11/01/2026", "exempt-reason": "Flooded"},
        action=f"{page}/exempt",
    )
    browser.follow()
    assert "11/01/2026 to further notice" in browser.text()
    exemption = ReportingExemption.get()
    browser.submit(
        {f"end{exemption.id}-last": "11/30/2026"},
        action=f"/exemptions/{exemption.id}/end",
    )
    browser.follow()
    browser.submit({"note-text": "Will call back."}, action=f"{page}/note")
    browser.follow()
    browser.submit({"kind-kind": "veterinarian"}, action=f"{page}/kind")
    browser.follow()

    assert ReportingExemption.get().last_day == date(2026, 11, 30)
    assert ReportingNote.get().text == "Will call back."
    assert Pharmacy.get_by_id(elm.id).kind is DispenserKind.VETERINARIAN
    words = browser.text()
    assert "Will call back." in words
    assert "Exempt" in words
    browser.submit({"kind-kind": "veterinarian"}, action=f"{page}/kind", status=422)
    assert "of this kind already" in browser.text()
    events = {each.event for each in AuditEvent.select()}
    assert audit.Event.REPORTING_EXEMPTION_CHANGED.value in events
    assert audit.Event.PHARMACY_KIND_CHANGED.value in events


def test_held_records_past_their_term_are_listed_with_a_note(
    browser: Browser, staff: User
) -> None:
    user = make_user(Role.PHARMACY, name="Ada Fielding", pharmacy=make_pharmacy())
    held = {"held": 3, "status": SubmissionStatus.PROCESSED_WITH_ERRORS}
    old = make_submission(
        submitted_by=user, received_at=NOW - timedelta(days=20), **held
    )
    make_submission(submitted_by=user, received_at=NOW - timedelta(days=2), **held)
    held_records.chase(at=NOW)
    browser.get("/staff/reporting/held")
    words = browser.text()
    assert "1 submission, the oldest first" in words
    assert re.search(rf"Submission {old.id} 11/03/2026 Ada Fielding 3 11/10", words)
    assert "1 time, last 11/23/2026" in words
    action = f"/held/{old.id}/note"
    action += "?page=1"
    browser.submit({f"note{old.id}-text": ""}, action=action, status=422)
    browser.submit({f"note{old.id}-text": "Referred."}, action=action)
    browser.follow()
    assert "Referred." in browser.text()


def test_held_records_are_found_sorted_and_a_file(
    browser: Browser, staff: User
) -> None:
    few, many, late = (
        make_submission(
            submitted_by=make_user(
                Role.PHARMACY, name=name, pharmacy=make_pharmacy(), phone="8605550142"
            ),
            received_at=NOW - timedelta(days=days),
            held=held,
            status=SubmissionStatus.PROCESSED_WITH_ERRORS,
        ).id
        for name, days, held in (("ada", 30, 2), ("Bob", 20, 9), ("Cy", 9, 5))
    )
    held_records.chase(at=NOW - timedelta(days=5))
    path, link = "/staff/reporting/held", "/staff/submissions/"

    def numbers(query: str = "") -> list[int]:
        return [int(each) for each in shown(browser, f"{path}{query}", link)]

    assert numbers() == [few, many, late]
    assert numbers("?sort=-held") == [many, late, few]
    assert sorted_by(browser) == {"Held": "descending"}
    assert numbers("?sort=-from") == [late, many, few]
    assert numbers("?told=no") == [late]
    assert numbers(f"?text=b+{many}") == [many]
    browser.submit({f"note{many}-text": "Called."}, action=f"text=b+{many}")
    browser.follow()
    assert f"text=b+{many}" in browser._path()
    assert numbers("?text=zzz") == []
    assert "No submission is like this." in browser.text()

    table = lines(browser, f"{path}.csv?sort=-due&told=")

    assert [int(row["Submission"]) for row in table] == [late, many, few]
    assert [row["Times told"] for row in table] == ["0", "1", "1"]
    assert table[0]["Phone"] == "(860) 555-0142"
    event = AuditEvent.get(AuditEvent.event == "list:downloaded")
    assert (event.actor, event.subject) == (staff.username, "held_records")


def test_the_schedule_is_looked_at_before_it_is_in_force(
    browser: Browser, admin: User
) -> None:
    browser.get("/staff/reporting/schedules")
    assert "Nothing was written yet" in browser.text()
    browser.get("/staff/reporting/schedules/new?preset=business_day")
    browser.submit({"starts_on": "12/01/2026"}, status=422)
    assert "Say why" in browser.text()
    browser.submit({"starts_on": "12/01/2026", "reason": "The law."}, status=200)
    words = browser.text()
    assert "Check the schedule" in words
    assert "Every day; due one business day later" in words
    assert "today: Twice a month" in words
    assert re.search(r"Mon 12/07/2026 12/04/2026 to 12/06/2026", words)
    assert ReportingSchedule.select().count() == 0
    browser.submit()
    browser.follow()

    assert ReportingSchedule.select().count() == len(DispenserKind)
    assert {row.written_by for row in ReportingSchedule.select()} == {admin.username}
    assert "The law." in browser.text()
    assert "To come" in browser.text()
    assert "4 lines, the latest first" in browser.text()
    browser.get("/staff/reporting/schedules?sort=who")
    assert sorted_by(browser) == {"Who": "ascending"}
    found = re.findall(r"12/01/2026 (Pr|Ve|Ph|Out)", browser.text())
    assert found == ["Out", "Ph", "Pr", "Ve"]
    assert reporting.period_of(date(2026, 12, 4)).due == date(2026, 12, 7)
    vet = reporting.period_of(date(2026, 12, 8), DispenserKind.VETERINARIAN)
    assert (vet.last - vet.first).days == 6


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"starts_on": "11/22/2026"}, "is over"),
        ({"starts_on": "12/01/2026"}, "Nothing would change"),
        ({"pharmacy_grace_days": "40"}, "from 0 to 31"),
        ({"pharmacy_grace_days": ""}, "from 0 to 31"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_and_kept_as_typed(
    browser: Browser, admin: User, changes: dict[str, str], words: str
) -> None:
    browser.get("/staff/reporting/schedules/new")
    browser.submit({"reason": "Because"} | changes, status=422)

    assert words in browser.text()
    assert browser.page is not None
    assert b"Because" in browser.page.data


def test_closed_days_are_added_one_by_one_as_a_list_and_computed(
    browser: Browser, admin: User
) -> None:
    browser.get("/staff/reporting/closed-days?year=2027")
    browser.submit({"federal-year": "2027"}, action="/federal")
    browser.follow()
    assert "12 closed days added" in browser.text()
    assert "Fri 12/31/2027" in browser.text()
    browser.submit(
        {"one-day": "03/26/2027", "one-name": "Good Friday"}, action="/closed-days/add"
    )
    browser.follow()
    browser.submit({"many-lines": "02/12/2027"}, action="/paste", status=422)
    assert "Line 1: give the day a name" in browser.text()
    browser.submit({"many-lines": "soon Feast"}, action="/paste", status=422)
    assert "Line 1: Write the date" in browser.text()
    lines = "02/12/2027, Lincoln's Birthday\n\n2027-03-26 Good Friday\n"
    browser.submit({"many-lines": lines}, action="/paste")
    browser.follow()
    assert "1 closed day added. 1 known before." in browser.text()
    browser.submit(action="/2027-02-12/remove")
    browser.follow()

    assert ClosedDay.select().count() == 13
    assert "is a business day again" in browser.text()
    path = "/staff/reporting/closed-days/nonsense/remove"
    browser.post(path, {"csrf_token": browser.token()}, status=404)


def test_staff_read_the_policy_and_only_an_administrator_writes_it(
    browser: Browser, staff: User
) -> None:
    browser.get("/staff/reporting/schedules")
    assert "Change the schedule" not in browser.text()
    browser.get("/staff/reporting/closed-days")
    assert "Add the day" not in browser.text()
    browser.get("/staff/reporting/schedules/new", status=404)
    token = {"csrf_token": browser.token()}
    browser.post("/staff/reporting/closed-days/federal", token, status=404)
    browser.sign_in_as(make_user(Role.PHARMACY, pharmacy=make_pharmacy()))
    for page in ("", "/held", "/schedules", "/closed-days", "/late.csv"):
        browser.get(f"/staff/reporting{page}", status=404)


def answered(elm: Pharmacy) -> InboundFax:
    """Have a notice come back by fax."""
    notices.run(at=NOW)
    notice = ReportingNotice.get(ReportingNotice.pharmacy == elm)
    fax = faxes.receive(
        body=b"II*\x00" + str(notice.id).encode(),
        media_type="image/tiff",
        from_number="8605550111",
        source="test",
        source_reference=f"{notice.id}",
        at=NOW,
    )
    faxes.file_by_codes(fax, codes=[str(notice.reply_code)], pages=1, at=NOW)
    found: InboundFax = InboundFax.get_by_id(fax.id)
    return found


def test_a_faxed_answer_is_looked_at_and_filed_or_undone(
    browser: Browser, staff: User, elm: Pharmacy
) -> None:
    fax = answered(elm)
    browser.get("/staff/faxes")
    assert "nothing dispensed 11/01/2026 to 11/15/2026: recorded" in browser.text()
    browser.get(f"/staff/faxes/{fax.id}")
    assert "An answer to a reporting notice" in browser.text()
    browser.submit(action=f"/faxes/{fax.id}/refuse")
    browser.follow()
    assert ZeroReport.select().count() == 0
    assert "Every fax has found its registration" in browser.text()
    browser.get("/staff/reporting")
    assert "ELM STREET" in browser.text()


def test_a_signed_answer_is_filed_with_one_click(
    browser: Browser, staff: User, elm: Pharmacy
) -> None:
    fax = answered(elm)
    browser.get(f"/staff/faxes/{fax.id}")
    browser.submit(action=f"/faxes/{fax.id}/file")

    assert InboundFax.get_by_id(fax.id).status == "filed"
    assert ZeroReport.get().reported_by == f"fax {fax.id}"
    page = f"/staff/reporting/pharmacies/{elm.id}"
    browser.get(page)
    assert f"fax {fax.id}" in browser.text()


def test_the_console_counts_who_is_late(
    browser: Browser, staff: User, elm: Pharmacy
) -> None:
    notices.run(at=NOW)
    browser.get("/staff")
    assert re.search(r"1 Pharmacies that are late", browser.text())
