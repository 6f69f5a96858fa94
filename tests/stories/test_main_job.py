"""The whole main job, without mocks: from a signed fax to a corrected report.

A real portal and a real worker in processes of their own, a real browser, a mail relay
and a fax carrier that speak their real protocols, on SQLite and on Postgres.
"""

import re
import sqlite3
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import psycopg
import pypdfium2
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from gateway import fax_check
from pmp import clock
from tests.chromium import axe, fits
from tests.stories import people
from tests.stories.installation import Installation, wait_for

PASS_PHRASE = "plain words for a long story"
NAME = "FALLOWS, IMOGEN"

pytestmark = [pytest.mark.story, pytest.mark.browser]


@pytest.fixture
def installation(tmp_path: Path, database_url: str) -> Iterator[Installation]:
    made = Installation(tmp_path, database_url)
    with made.running():
        yield made


class Person:
    """Somebody at a browser of their own; every page they see is checked.

    On Postgres nobody has JavaScript: each page must do its work without.
    """

    def __init__(self, browser: Browser, installation: Installation) -> None:
        self.has_scripts = installation.engine == "sqlite"
        self.context = context = browser.new_context(
            base_url=installation.url,
            viewport={"width": 1280, "height": 900},
            reduced_motion="reduce",
            java_script_enabled=self.has_scripts,
        )
        context.set_default_timeout(15_000)
        self.page: Page = context.new_page()

    def go(self, path: str) -> None:
        self.page.goto(path)
        self.look()

    def look(self) -> None:
        self.page.wait_for_load_state()
        expect(self.page.locator("h1")).to_have_count(1)
        if self.has_scripts:  # axe is a script itself
            axe(self.page)
            fits(self.page)

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.locator(f"main [name={name}]").fill(value)

    def press(self, words: str) -> None:
        main = self.page.locator("main")
        main.get_by_role("button", name=words, exact=True).first.click()
        self.look()

    def follow(self, words: str) -> None:
        self.page.get_by_role("link", name=words).first.click()
        self.look()

    def sees(self, *words: str) -> None:
        text = " ".join(self.page.locator("main").inner_text().split())
        for each in words:
            assert each.casefold() in text.casefold(), f"“{each}” is not in: {text}"

    def does_not_see(self, *words: str) -> None:
        text = self.page.content().casefold()
        for each in words:
            assert each.casefold() not in text

    def download(self, path: str) -> bytes:
        answer = self.page.request.get(path)
        assert answer.status == 200
        return answer.body()

    def sign_in(self, username: str) -> None:
        self.go("/sign-in")
        self.fill(username=username, password=PASS_PHRASE)
        self.press("Sign in")


@pytest.mark.usefixtures("program")
def test_from_a_signed_fax_to_a_corrected_threshold_report(
    installation: Installation, chromium: Browser, tmp_path: Path
) -> None:
    story = Story(installation, chromium, tmp_path)
    story.the_sysadmin_installs_and_imports_the_roster()
    story.a_practitioner_and_a_pharmacy_register()
    story.their_signed_pages_come_back_as_faxes()
    story.staff_compare_and_approve()
    story.letters_are_printed_and_their_owners_come_in()
    story.the_pharmacy_submits_and_sees_what_was_held_and_why()
    story.the_prescriber_looks_the_patient_up()
    story.a_later_file_makes_a_case_and_everyone_is_told()
    story.the_pharmacist_disputes_an_entry()
    story.staff_remove_it_and_everyone_is_told()
    story.the_audit_record_shows_it_and_finds_tampering()
    story.nothing_leaked()
    story.everyone_goes_home()


class Story:
    def __init__(self, inst: Installation, chromium: Browser, folder: Path) -> None:
        self.inst, self.folder = inst, folder
        self.today = clock.today()
        self.cast = people.make(self.today)
        self.applicant = Person(chromium, inst)
        self.pharmacist = Person(chromium, inst)
        self.staff = Person(chromium, inst)
        self.codes: dict[str, str] = {}
        self.secrets: list[str] = []

    # 1

    def the_sysadmin_installs_and_imports_the_roster(self) -> None:
        inst = self.inst
        inst.command("db", "upgrade")
        inst.command("drugs", "seed")
        licences = self.folder / "licences.csv"
        licences.write_text(people.licences(self.cast, self.today))
        contacts = self.folder / "contacts.csv"
        contacts.write_text(people.contacts(self.cast))
        # One of the Department's rows has no name: told, and the others are taken.
        told = inst.command("roster", "import", str(licences), status=1)
        assert told.startswith("53 new")
        assert "changed" in inst.command("roster", "import", str(contacts))
        created = inst.command(
            "user", "create", "--username", "staff.lee", "--role", "staff"
        )
        secret = re.search(r"shown this once\): (\S+)", created)
        assert secret
        inst.serve()
        inst.start("worker")
        self._first_sign_in(self.staff, "staff.lee", secret[1], code="")

    # 2

    def a_practitioner_and_a_pharmacy_register(self) -> None:
        self._register(self.applicant, "practitioner")
        self._register(self.pharmacist, "pharmacy")

    def _register(self, person: Person, kind: str) -> None:
        person.go("/")
        expect(person.page.get_by_role("heading", name="Not a User?")).to_be_visible()
        person.follow("Register to become a User")
        person.page.get_by_label(kind.capitalize(), exact=True).check()
        person.press("Continue")
        self._answer(person, kind)
        person.sees("Before you submit", "I alone will use this account")
        for name in ("attested", "purpose", "disclosure"):
            person.page.locator(f"[name={name}]").check()
        person.press("Submit registration")
        person.sees("Print, review, sign and fax this page", "(860) 713-7242")
        found = re.search(r"CTR-\w{5}-\w{5}", person.page.locator("main").inner_text())
        assert found
        self.codes[kind] = found[0]

    def _answer(self, person: Person, kind: str) -> None:
        doctor, shop = self.cast.practitioners[0], self.cast.shops[0]
        known = doctor if kind == "practitioner" else shop
        if kind == "practitioner":
            person.fill(first_name=doctor.first, last_name=doctor.last, degree="MD")
        else:
            person.fill(pharmacy_name=shop.name, pharmacist_in_charge="Pat Pharmer")
        person.press("Save and continue")
        if kind == "pharmacy":
            person.fill(ncpdp=shop.ncpdp)
        wrong = known.dea[:-1] + str((int(known.dea[-1]) + 1) % 10)
        person.fill(licence_number=known.licence, dea=wrong)
        person.press("Save and continue")
        # A wrong check digit: the field says so, and nothing typed is lost.
        person.sees("There is a problem")
        licence = person.page.locator("main [name=licence_number]")
        assert licence.input_value() == known.licence
        person.fill(dea=known.dea)
        person.press("Save and continue")
        if kind == "pharmacy":
            person.page.get_by_label("Email", exact=True).last.check()
        person.fill(
            street="1 Typed By The Applicant St",
            city=known.city,
            state="CT",
            zip=known.zip,
            phone=known.phone,
            fax=known.fax,
            email=known.email,
        )
        person.press("Review your answers")

    # 3

    def their_signed_pages_come_back_as_faxes(self) -> None:
        first = self._as_faxed(self.applicant, "practitioner")
        tiff = self.folder / "practitioner.tiff"
        tiff.write_bytes(first)
        self.inst.command("fax", "receive", str(tiff), "--from", "2035550100")
        second = self._as_faxed(self.pharmacist, "pharmacy")
        carrier = self.inst.carrier
        carrier.media["/media/in-1"] = (200, {"Content-Type": "image/tiff"}, second)
        fields = {
            "FaxSid": "FXIN1",
            "AccountSid": "project-1",
            "From": "+12035550150",
            "To": "+18607137242",
            "FaxStatus": "received",
            "NumPages": "1",
            "MediaUrl": f"http://{carrier.host}/media/in-1",
        }
        address = f"{self.inst.url}/hooks/fax/laml/received"
        forged = {**fields, "FaxSid": "FXIN2"}
        assert carrier.post(address, fields) == 200
        assert carrier.post(address, fields) == 200  # a carrier repeats itself
        assert self._forged(address, forged) == 403
        self._wait_until_checked(self.applicant, "practitioner")
        self._wait_until_checked(self.pharmacist, "pharmacy")

    def _wait_until_checked(self, person: Person, kind: str) -> None:
        status = f"/registration/{self.codes[kind]}"
        wait_for(lambda: self._shows(person, status, "we are checking your page"))

    def _as_faxed(self, person: Person, kind: str) -> bytes:
        page = person.download(f"/registration/{self.codes[kind]}/confirmation.pdf")
        text = _text(page)
        assert "(860) 713-7242" in text
        assert self.codes[kind] in text
        assert len(pypdfium2.PdfDocument(BytesIO(page))) == 1
        return fax_check.as_fax(page)

    def _forged(self, address: str, fields: dict[str, str]) -> int:
        answer = self.applicant.page.request.post(
            address,
            form=dict(fields),
            headers={"X-SignalWire-Signature": "0" * 40},
        )
        return answer.status

    def _shows(self, person: Person, path: str, words: str) -> bool:
        person.page.goto(path)
        return words in person.page.locator("main").inner_text()

    # 4

    def staff_compare_and_approve(self) -> None:
        staff = self.staff
        staff.go("/staff")
        staff.sees("Registrations")
        for kind in ("practitioner", "pharmacy"):
            staff.go("/staff/registrations")
            staff.sees(self.codes[kind])
            staff.follow(self.codes[kind])
            staff.sees("code read", "Roster")
            source = staff.page.locator("main img").first.get_attribute("src")
            picture = Image.open(BytesIO(staff.download(source or "")))
            assert picture.width > 500
            staff.press("Approve")
            staff.sees("There is a problem")  # nothing was ticked
            for box in staff.page.locator(".keyed [type=checkbox]").all():
                box.check()
            staff.press("Approve")
            staff.sees("approved", "letter")
        staff.go("/staff/registrations")
        staff.does_not_see(*self.codes.values())

    # 5

    def letters_are_printed_and_their_owners_come_in(self) -> None:
        staff = self.staff
        wait_for(lambda: self._letters_waiting() == 2, "two letters to print")
        staff.look()
        body = self._print_letters()
        text = _text(body)
        assert "Typed By The Applicant" not in text
        assert self.cast.practitioners[0].street.upper() in text.upper()
        pairs = re.findall(
            r"((?:dr\.adams|main\.pharmacy)).*?([0-9A-Z]{4}(?:-[0-9A-Z]{4}){3})",
            text,
            flags=re.DOTALL,
        )
        assert {name for name, _ in pairs} == {"dr.adams", "main.pharmacy"}
        letters = dict(pairs)
        self.secrets = list(letters.values())
        self._first_sign_in(
            self.applicant,
            "dr.adams",
            letters["dr.adams"],
            code=self.codes["practitioner"],
        )
        self._first_sign_in(
            self.pharmacist,
            "main.pharmacy",
            letters["main.pharmacy"],
            code=self.codes["pharmacy"],
        )

    def _letters_waiting(self) -> int:
        self.staff.page.goto("/staff/letters")
        counts = self.staff.page.locator("main td[data-label=Letters]")
        waiting = self.staff.page.get_by_role("button", name="Open a print run")
        return int(counts.first.inner_text()) if waiting.count() else 0

    def _print_letters(self) -> bytes:
        page = self.staff.page
        self.staff.press("Open a print run")
        with page.expect_download() as downloaded:
            page.get_by_role("button", name=re.compile(r"^Print \d+ letters")).click()
        body = Path(downloaded.value.path()).read_bytes()
        self.staff.press("The paper came out")
        self.staff.press("Mark as mailed")
        assert self._letters_waiting() == 0
        return body

    def _first_sign_in(
        self, person: Person, username: str, secret: str, *, code: str
    ) -> None:
        person.go("/activate")
        if code:
            person.fill(username=username, secret=secret, code="CTR-00000-00000")
            person.press("Continue")
            person.sees("There is a problem")  # the letter alone is not enough
        person.fill(username=username, secret=secret.lower(), code=code)
        person.press("Continue")
        person.fill(password=PASS_PHRASE)
        person.press("Set the password and sign in")
        expect(person.page.get_by_role("button", name="Sign out")).to_be_visible()

    # 6

    def the_pharmacy_submits_and_sees_what_was_held_and_why(self) -> None:
        for shop in (1, 3, 4):
            licence = self.cast.shops[shop].licence
            self.inst.command("user", "cover", "main.pharmacy", licence)
        pharmacist = self.pharmacist
        self._submit(b"%PDF-1.7 not a submission", "scan.pdf")
        pharmacist.sees("Refused", "PDF")
        self._submit(people.first_file(self.cast, self.today).body, "first.dat")
        pharmacist.sees("Accepted with errors", "11 records", "8 stored", "3 held")
        pharmacist.sees("DSP10", "DSP08", "PRE02", "0040605120")

    def _submit(self, body: bytes, name: str) -> None:
        pharmacist = self.pharmacist
        pharmacist.go("/submissions/new")
        pharmacist.page.locator("main input[type=file]").set_input_files(
            {"name": name, "mimeType": "text/plain", "buffer": body}
        )
        pharmacist.page.get_by_role("button", name="Submit the file").click()
        problems = pharmacist.page.get_by_role("link", name="Submit another file")
        problems.wait_for(timeout=30_000)
        pharmacist.look()

    # 7

    def the_prescriber_looks_the_patient_up(self) -> None:
        doctor = self.applicant
        doctor.go("/look-up")
        doctor.fill(first_name="imogen", last_name="fallows", birth_date="4-28-83")
        doctor.press("Search")
        doctor.sees(NAME, "OxyContin 20 MG", "ALPRAZOLAM 0.5 MG", "60")
        doctor.sees("Opioid", "benzodiazepine", "2 prescribers", "2 pharmacies")
        assert "fallows" not in doctor.page.url.casefold()
        text = _text(doctor.download(f"{doctor.page.url}.pdf"))
        for each in (NAME, "ALPRAZOLAM", "dr.adams"):
            assert each.casefold() in text.casefold()
        doctor.go("/look-up")
        doctor.fill(first_name="nobody", last_name="known", birth_date="01/01/1980")
        doctor.press("Search")
        doctor.sees("found as of")

    # 8

    def a_later_file_makes_a_case_and_everyone_is_told(self) -> None:
        inst = self.inst
        self._submit(people.second_file(self.cast, self.today).body, "second.dat")
        self.pharmacist.sees("1 stored")
        self._faxes_arrive(2)
        numbers = {fax.to for fax in inst.carrier.taken}
        listed = (
            self.cast.practitioners[0].fax,
            self.cast.shops[4].fax,
        )
        assert numbers == {f"+1{number}" for number in listed}
        for fax in inst.carrier.taken:
            text = _text(fax.pages)
            assert NAME in text
            assert "3 prescribers" in text
        wait_for(lambda: self._mail_to_pharmacy() == 1, "the notice by email")
        wait_for(lambda: self._letters_waiting() == 3, "letters to who is no user")
        assert _text(self._print_letters()).count("FALLOWS") >= 3
        self.applicant.go("/threshold-reports")
        self.applicant.sees("3 prescribers", "Please answer")
        self._chart_copy_is_what_was_faxed()

    def _faxes_arrive(self, expected: int) -> None:
        """Wait for so many in all, with their pages: a carrier fetches them later."""
        carrier = self.inst.carrier
        wait_for(
            lambda: sum(bool(fax.pages) for fax in carrier.taken) == expected,
            f"{expected} faxes",
        )
        assert len(carrier.taken) == expected
        carrier.settle()

    def _chart_copy_is_what_was_faxed(self) -> None:
        link = self.applicant.page.locator("main tbody a[href$='.pdf']").first
        chart = self.applicant.download(link.get_attribute("href") or "")
        doctor = self.cast.practitioners[0]
        [fax] = [
            each for each in self.inst.carrier.taken if each.to == f"+1{doctor.fax}"
        ]
        # What was faxed has a line at the head of each page, and else the same words.
        line = r"Fax \d+\s+\|\s+page \d+ of \d+.*?Call \(\d{3}\) \d{3}-\d{4}"
        faxed, lines = re.subn(line, "", _text(fax.pages), flags=re.DOTALL)
        assert faxed.split() == _text(chart).split()
        assert lines == len(pypdfium2.PdfDocument(chart))
        code = re.search(r"V-\w{6}-\w{5}", _text(chart))
        assert code
        self.applicant.go("/verify")
        self.applicant.fill(code=code[0])
        self.applicant.press("Verify")
        self.applicant.sees("Genuine", "Patient Threshold Report")

    def _mail_to_pharmacy(self) -> int:
        link = f"{self.inst.url}/threshold-reports/"
        return sum(
            str(mail["To"]) == self.cast.shops[0].email and link in str(mail)
            for mail in self.inst.relay.taken
        )

    # 9

    def the_pharmacist_disputes_an_entry(self) -> None:
        pharmacist = self.pharmacist
        pharmacist.go("/threshold-reports")
        pharmacist.page.locator("main tbody a, main article a").first.click()
        pharmacist.look()
        pharmacist.sees(NAME, "3 prescribers", "Call sheet")
        row = pharmacist.page.locator("main tr", has_text="HYDROCODONE")
        row.get_by_role("link", name=re.compile("error", re.IGNORECASE)).click()
        pharmacist.look()
        pharmacist.page.get_by_label("not my patient").check()
        pharmacist.fill(note="The prescriber says this was for someone else.")
        pharmacist.press("Send the report")
        number = re.search(r"T\d{6}-\d+", pharmacist.page.content())
        assert number
        self.ticket = number[0]
        wait_for(self._staff_mail, "the mail to staff")
        self.applicant.go("/look-up")
        self.applicant.fill(
            first_name="imogen", last_name="fallows", birth_date="04281983"
        )
        self.applicant.press("Search")
        self.applicant.sees("Accuracy under review", "3 prescribers")

    def _staff_mail(self) -> bool:
        return any(
            self.ticket in str(mail) and str(mail["To"]) == "staff@example.org"
            for mail in self.inst.relay.taken
        )

    # 10

    def staff_remove_it_and_everyone_is_told(self) -> None:
        staff, inst = self.staff, self.inst
        assert (len(inst.carrier.taken), self._mail_to_pharmacy()) == (2, 1)
        staff.go("/staff/tickets")
        staff.sees(self.ticket, "due")
        staff.follow(self.ticket)
        staff.sees("As the pharmacy submitted it", "DSP08")
        staff.press("Take it")
        staff.follow("Remove the entry")
        staff.fill(note="Confirmed with the pharmacy: dispensed to another patient.")
        staff.press("Review")
        staff.sees("will be told: 6")
        staff.press("Remove the entry")
        self._faxes_arrive(4)
        assert "withdrawn" in _text(inst.carrier.taken[-1].pages)
        wait_for(lambda: self._mail_to_pharmacy() == 2, "correction by email")
        wait_for(lambda: self._letters_waiting() == 3, "corrections by letter")
        self.applicant.go("/threshold-reports")
        self.applicant.sees("withdrawn")
        self.pharmacist.go(f"/tickets/{self.ticket}")
        self.pharmacist.sees("removed", "dispensed to another patient")
        self.applicant.go("/look-up")
        self.applicant.fill(
            first_name="imogen", last_name="fallows", birth_date="04/28/1983"
        )
        self.applicant.press("Search")
        self.applicant.sees("2 prescribers", "it was reported in error")
        listed = self.applicant.page.locator(".report-rows").first.inner_text()
        assert "HYDROCODONE" not in listed.upper()

    # 11

    def the_audit_record_shows_it_and_finds_tampering(self) -> None:
        inst = self.inst
        assert inst.command("verify-audit")
        rows = self._sql("SELECT event, actor FROM audit_event")
        events = {event for event, _ in rows}
        assert {
            "roster:imported",
            "registration:submitted",
            "registration:confirmation_received",
            "registration:approved",
            "credential:issued",
            "credential:used",
            "submission:received",
            "submission:processed",
            "look_up:asked",
            "report:opened",
            "threshold_case:detected",
            "ticket:opened",
            "ticket:resolved",
            "dispensation:voided",
            "threshold_case:withdrawn",
            "callback:refused",
            "disclosure:made",
        } <= events
        assert ("registration:approved", "staff.lee") in rows
        self._sql("UPDATE audit_event SET actor = 'nobody' WHERE id = 7")
        inst.command("verify-audit", status=1)

    def nothing_leaked(self) -> None:
        """No patient in logs or mail, no clear password in any row or log."""
        logs, mails = self.inst.logs(), "".join(map(str, self.inst.relay.taken))
        dump = self._dump()
        born = ("1983-04-28", "19830428", "04/28/1983")  # a bare year is in any hash
        for word in ("FALLOWS", "IMOGEN", "HYDROCODONE", *born):
            assert word.casefold() not in logs.casefold()
            assert word.casefold() not in mails.casefold()
        assert self.secrets
        for secret in self.secrets:
            for place in (logs, mails, dump):
                assert secret not in place
        assert PASS_PHRASE not in logs + mails + dump

    def everyone_goes_home(self) -> None:
        for person in (self.applicant, self.pharmacist, self.staff):
            person.context.close()

    def _sql(self, statement: str) -> list[tuple[str, ...]]:
        address = self.inst.environment["PMP_DATABASE_URL"]
        if address.startswith("sqlite:///"):
            with sqlite3.connect(address.removeprefix("sqlite:///")) as connection:
                return connection.execute(statement).fetchall()
        with psycopg.connect(address) as server:
            cursor = server.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def _dump(self) -> str:
        names = [table for (table,) in self._sql(_TABLES[self.inst.engine])]
        rows = [self._sql(f'SELECT * FROM "{name}"') for name in names]  # noqa: S608
        return repr(rows)


_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}


def _text(body: bytes) -> str:
    with pypdfium2.PdfDocument(BytesIO(body)) as document:
        texts = [page.get_textpage().get_text_bounded() for page in document]
    return " ".join(" ".join(texts).split())
