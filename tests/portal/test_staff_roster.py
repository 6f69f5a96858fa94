"""The roster's pages: a file given, previewed, applied, undone; licences confirmed."""

import re
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest

from gateway.queue import huey
from models import (
    AuditEvent,
    CoveredPharmacy,
    Licence,
    LicenceFinding,
    Role,
    RosterImport,
    RosterState,
    User,
    UserStatus,
)
from pmp import clock, downloads, roster, settings
from pmp.roster import batches, reading, reverification
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import make_application, make_licence, make_user
from tests.portal.lists import sorted_by
from tests.roster_sheets import row, sheet


@pytest.fixture
def admin(browser: Browser) -> User:
    user = make_user(Role.ADMINISTRATOR, username="admin.chief")
    browser.sign_in_as(user)
    return user


def work() -> None:
    """Do what a worker would."""
    huey.flush()
    for number in batches.unfinished(at=clock.now()):
        roster.work(number, now=clock.now)


def given(folder: Path, *rows: dict[str, str], name: str = "roster.csv") -> BytesIO:
    return BytesIO(sheet(folder, rows, name=name).read_bytes())


def imported(folder: Path, *rows: dict[str, str]) -> RosterImport:
    return roster.import_file(sheet(folder, rows), by="system", at=NOW)


def upload(browser: Browser, body: BytesIO, name: str = "roster.csv") -> RosterImport:
    browser.get("/staff/roster")
    browser.submit({"file": (body, name)})
    found: RosterImport = RosterImport.select().order_by(RosterImport.id.desc()).get()
    return found


def test_a_file_is_uploaded_previewed_applied_and_undone(
    browser: Browser, admin: User, tmp_path: Path
) -> None:
    imported(tmp_path, row(1), row(2))
    rows = (row(1, City="Avon"), row(3, Name="ANN NEW"), row(4, Zip="ABC"))
    batch = upload(browser, given(tmp_path, *rows))
    page = browser.follow()
    assert page.headers["Refresh"] == "2"
    assert "Waits to be read" in browser.text()

    work()
    browser.get(f"/staff/roster/{batch.id}?list=changed")
    assert "Nothing is changed yet" in browser.text()
    assert "city: Hartford becomes Avon" in " ".join(browser.text().split())
    browser.get(f"/staff/roster/{batch.id}?list=invalid")
    assert "ABC" in browser.text()
    browser.get(f"/staff/roster/{batch.id}?list=gone")
    assert "CSP.0000002" in browser.text()
    told = browser.get(f"/staff/roster/{batch.id}/changes.csv").get_data(as_text=True)
    assert '"changed","2","1","CSP.0000001 Licensee Number1","city","Hartford"' in told

    browser.get(f"/staff/roster/{batch.id}")
    browser.submit(action=f"/staff/roster/{batch.id}/apply")
    browser.follow()
    assert "0 of 3 changes" in browser.text()
    work()
    browser.get(f"/staff/roster/{batch.id}")
    assert "Applied" in browser.text()
    assert Licence.get(credential_id="1").city == "Avon"
    assert batches.get(batch.id).applied_by == "admin.chief"


def test_an_import_is_undone_with_a_reason(
    browser: Browser, admin: User, tmp_path: Path
) -> None:
    imported(tmp_path, row(1))
    batch = imported(tmp_path, row(1, City="Avon"))
    browser.get(f"/staff/roster/{batch.id}")
    assert "Undo this import" in browser.text()
    browser.get(f"/staff/roster/{batch.id}/undo")
    browser.submit({"reason": ""}, status=422)
    assert "Say why the import is undone" in browser.text()
    browser.submit({"reason": "The file of last month."})
    work()
    browser.get(f"/staff/roster/{batch.id}")
    assert "The file of last month." in browser.text()
    assert Licence.get(credential_id="1").city == "Hartford"
    browser.get("/staff/roster")
    assert "2 imports" in browser.text()


def test_a_file_of_something_else_is_refused_at_the_field(
    browser: Browser, admin: User
) -> None:
    browser.get("/staff/roster")
    browser.submit({}, status=422)
    assert "Choose a file" in browser.text()
    browser.submit({"file": (BytesIO(b"a,b\n1,2\n"), "other.csv")}, status=422)
    assert "other.csv is not a roster file" in browser.text()
    browser.submit({"file": "just text"}, status=422)
    browser.submit({"file": (BytesIO(b"PK\x03\x04junk"), "bad.zip")}, status=422)
    assert "bad.zip cannot be unzipped" in browser.text()
    browser.submit({"file": (BytesIO(b""), "empty.csv")}, status=422)
    assert RosterImport.select().count() == 0


def test_a_large_file_is_taken_from_the_folder_on_the_server(
    browser: Browser, admin: User, tmp_path: Path
) -> None:
    reading.folder().mkdir(parents=True)
    sheet(reading.folder(), [row(1), row(2)], name="daily.csv")
    browser.get("/staff/roster")
    assert "daily.csv (0.0 MB)" in browser.text()
    browser.submit({"name": "../pmp.db"}, status=422)
    browser.submit(
        {"name": "daily.csv", "file": (given(tmp_path, row(1)), "x.csv")}, status=422
    )
    assert "Choose one file: x.csv or daily.csv" in browser.text()
    browser.submit({"name": "daily.csv"})
    work()
    browser.follow()
    assert "Apply: 2 new, 0 changed, 0 gone" in browser.text()


def test_half_a_file_wants_a_word_that_it_is_whole(
    browser: Browser, admin: User, tmp_path: Path
) -> None:
    imported(tmp_path, *map(row, range(100)))
    batch = upload(browser, given(tmp_path, *map(row, range(50))))
    work()
    browser.get(f"/staff/roster/{batch.id}")
    browser.submit(action=f"/staff/roster/{batch.id}/apply", status=422)
    assert "50 of 100 licences are not in roster.csv" in browser.text()
    assert batches.get(batch.id).state == RosterState.READY
    browser.submit({"accept_gone": "y"}, action=f"/staff/roster/{batch.id}/apply")
    work()
    assert Licence.select().where(Licence.active).count() == 50


def test_a_preview_of_a_changed_roster_is_compared_again(
    browser: Browser, admin: User, tmp_path: Path
) -> None:
    batch = upload(browser, given(tmp_path, row(1), row(2)))
    work()
    imported(tmp_path, row(1))
    browser.get(f"/staff/roster/{batch.id}")
    assert "has changed since this file was compared" in browser.text()
    token = browser.token()
    path = f"/staff/roster/{batch.id}/apply"
    browser.post(path, {"csrf_token": token}, status=422)
    assert "Read the file again" in browser.text()
    browser.get(f"/staff/roster/{batch.id}")
    browser.submit(action=f"/staff/roster/{batch.id}/again")
    work()
    browser.follow()
    assert "Apply: 1 new, 0 changed, 0 gone" in browser.text()


def test_a_preview_is_dropped_and_then_cannot_be_applied(
    browser: Browser, admin: User, tmp_path: Path
) -> None:
    batch = upload(browser, given(tmp_path, row(1)))
    work()
    browser.get(f"/staff/roster/{batch.id}")
    browser.submit(action=f"/staff/roster/{batch.id}/discard")
    browser.follow()
    assert "is dropped. Nothing was changed" in browser.text()
    token = browser.token()
    path = f"/staff/roster/{batch.id}/apply"
    browser.post(path, {"csrf_token": token}, status=422)
    assert "is discarded by now" in browser.text()
    browser.post(f"/staff/roster/{batch.id}/again", {"csrf_token": token})
    browser.get(f"/staff/roster/{batch.id}/undo")
    assert "There is nothing to undo" in browser.text()


def test_what_stands_in_the_way_of_an_undo_is_named(
    browser: Browser, admin: User, tmp_path: Path
) -> None:
    first = imported(tmp_path, row(1), row(2))
    imported(tmp_path, row(1, City="Avon"), row(2))
    browser.get(f"/staff/roster/{first.id}/undo")
    assert "It cannot be undone" in browser.text()
    assert "CSP.0000001 Licensee Number1 was changed by import 2" in browser.text()
    token = browser.token()
    values = {"csrf_token": token, "reason": "x"}
    browser.post(f"/staff/roster/{first.id}/undo", values, status=422)


@pytest.mark.parametrize("role", [Role.STAFF, Role.AUDITOR, Role.PRACTITIONER])
def test_the_roster_is_for_administrators(browser: Browser, role: Role) -> None:
    browser.sign_in_as(make_user(role))
    for path in ("/staff/roster", "/staff/roster/1", "/staff/roster/1/changes.csv"):
        browser.get(path, status=404)


# --- Licences of users


@pytest.fixture
def desk(browser: Browser, db: settings.Settings, tmp_path: Path) -> Browser:
    """Give staff's browser; a licence is gone, one lapsed, one has moved."""
    imported(tmp_path, *map(row, range(1, 9)))
    for key in (1, 2, 3):
        licence = Licence.get(credential_id=str(key))
        make_user(
            Role.PRACTITIONER,
            username=f"dr.{key}",
            name=f"Doctor {key}",
            licence=licence,
            password_hash="x",
        )
    rows = (row(2, Status="LAPSED", Active="0"), row(3, Address="9 Oak St"))
    imported(tmp_path, *rows, *map(row, range(4, 9)))
    browser.sign_in_as(make_user(Role.STAFF, username="staff.lee"))
    return browser


def ids(*kinds: str) -> list[str]:
    rows = LicenceFinding.select().where(LicenceFinding.kind.in_(kinds))
    return [str(each.id) for each in rows.order_by(LicenceFinding.id)]


def choose(desk: Browser, verdict: str, *kinds: str) -> None:
    desk.get("/staff/licences")
    values = {"csrf_token": desk.token(), "verdict": verdict, "findings": ids(*kinds)}
    desk.post("/staff/licences", values, status=200)


def test_staff_confirm_who_is_suspended_on_a_review_page(desk: Browser) -> None:
    desk.get("/staff")
    assert "Licences of users to confirm" in desk.text()
    choose(desk, "suspended", "gone", "lapsed", "moved")
    assert "Nothing has been done yet" in desk.text()
    assert "It does not suit this one" in desk.text()
    assert User.get(username="dr.1").status == UserStatus.ACTIVE
    values = {
        "csrf_token": desk.token(),
        "verdict": "suspended",
        "findings": ids("gone", "lapsed"),
        "confirmed": "yes",
        "reason": "",
    }
    desk.post("/staff/licences", values, status=422)
    assert "Say why" in desk.text()
    desk.post("/staff/licences", values | {"reason": "Not renewed."})
    desk.follow()
    assert "2 users are suspended. A notice goes to each of them." in desk.text()
    assert "1 licence waits" in desk.text()
    assert User.get(username="dr.2").status == UserStatus.SUSPENDED
    table = desk.get("/staff/licences.csv").get_data(as_text=True)
    assert "Not renewed." in table
    event = AuditEvent.get(AuditEvent.event == "list:downloaded")
    assert event.subject == "licences_of_users"


def test_findings_are_sorted_the_gravest_first_until_another_order_is_wanted(
    desk: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def doctors(query: str = "") -> list[str]:
        desk.get(f"/staff/licences{query}")
        return re.findall(r"dr\.(\d)", desk.text())

    grave_first = doctors()
    assert grave_first[-1] == "3"  # who has only moved
    assert sorted_by(desk) == {"What the roster says": "ascending"}
    assert doctors("?sort=-user") == ["3", "2", "1"]
    assert sorted_by(desk) == {"User": "descending"}
    assert doctors("?sort=reason") == grave_first
    monkeypatch.setattr(downloads, "MOST_ROWS", 1)
    desk.get("/staff/licences.csv", status=303)
    desk.follow()
    assert "a file holds 1." in desk.text()


def test_an_address_is_noted_without_a_reason(desk: Browser) -> None:
    choose(desk, "noted", "moved")
    desk.submit(action="/staff/licences")
    desk.follow()
    assert "1 change is noted." in desk.text()


def test_two_at_the_desk_do_not_decide_the_same(desk: Browser) -> None:
    choose(desk, "kept", "gone")
    LicenceFinding.update(settled_at=NOW, verdict="kept", settled_by="ortiz").execute()
    desk.submit(
        {"reason": "renewal is under way"}, action="/staff/licences", status=422
    )
    assert "Choose at least one that waits" in desk.text()


def test_nonsense_is_refused(desk: Browser) -> None:
    desk.get("/staff/licences")
    token = desk.token()
    for verdict in ("", "overtaken", "hanged"):
        values = {"csrf_token": token, "verdict": verdict, "findings": ids("gone")}
        desk.post("/staff/licences", values, status=422)
    values = {"csrf_token": token, "verdict": "kept", "findings": ["x", "9" * 30]}
    desk.post("/staff/licences", values, status=422)
    assert "Choose at least one" in desk.text()


def test_the_user_s_file_says_what_the_roster_has_said(desk: Browser) -> None:
    user = User.get(username="dr.3")
    made = make_application(user=user, status="approved")
    desk.get(f"/staff/registrations/{made.code}")
    assert "What the roster has said since" in desk.text()
    assert "9 Oak St" in desk.text()


def test_a_pharmacy_that_ended_is_taken_off_an_account_once_confirmed(
    desk: Browser,
) -> None:
    own = make_licence(name="CHAIN")
    chain = make_user(Role.PHARMACY, username="chain", licence=own)
    branch = make_licence(
        name="ELM STREET RX", expires_on=clock.today() - timedelta(days=8)
    )
    CoveredPharmacy.create(user=chain, licence=branch, granted_by="lee", granted_at=NOW)
    reverification.recheck_between_imports(at=clock.now())
    desk.get("/staff/licences")
    assert "Further pharmacy not in force" in desk.text()
    assert f"ELM STREET RX, {branch.code}: ACTIVE, until" in desk.text()
    assert "at night" in desk.text()

    choose(desk, "withdrawn", "covered_lapsed", "gone")
    assert "report for that pharmacy no more" in desk.text()
    assert "It does not suit this one" in desk.text()
    desk.submit({"reason": "Closed for good."}, action="/staff/licences")
    desk.follow()

    assert "1 user is taken off a pharmacy" in desk.text()
    assert not CoveredPharmacy.select().exists()
    table = desk.get("/staff/licences.csv").get_data(as_text=True)
    assert f'"at night","chain","{chain.name}","{branch.code}",' in table


def test_licences_are_for_staff(browser: Browser) -> None:
    browser.sign_in_as(make_user(Role.AUDITOR))
    browser.get("/staff/licences", status=404)
