"""Report PDFs that are kept, opened again, proved genuine, and destroyed in time."""

from datetime import date, timedelta

import pytest

from models import (
    AuditEvent,
    Disclosure,
    Document,
    LookUp,
    MatchDecision,
    MatchReview,
    Patient,
    Purpose,
    ReportCopy,
    ReportedIdentity,
    ReportSeen,
    Role,
    User,
)
from pmp import audit, disclosures, dispensations, lookup, settings, verification
from pmp.accounts.lock_out import ThrottledError
from pmp.dispensations.row_codes import SIGNS
from pmp.errors import NotFoundError, RuleError
from pmp.lookup import Criteria, report_codes, report_copies, reports
from pmp.matching import decisions, undoing
from pmp.settings import Settings
from tests.conftest import NOW
from tests.factories import make_dispensation, make_identity, make_patient, make_user

PDF = b"%PDF-1.4 not opened here"
ADDRESS = "203.0.113.9"


@pytest.fixture
def doctor(db: Settings) -> User:
    return make_user(Role.PRACTITIONER, name="Ruth Adams")


@pytest.fixture
def patient(db: Settings) -> Patient:
    return make_patient(first_name="MARIA", last_name="DELGADO")


def look_up(by: User) -> LookUp:
    criteria = Criteria(
        "Maria",
        "Delgado",
        date(1971, 4, 28),
        Purpose.TREATING,
        since=date(2025, 11, 24),
        until=date(2026, 11, 23),
    )
    lookup.search(criteria=criteria, by=by, at=NOW)
    made: LookUp = LookUp.select().order_by(LookUp.id.desc()).get()
    return made


def kept(by: User, **changes: object) -> ReportCopy:
    given: dict[str, object] = {
        "code": report_codes.new_code(),
        "body": PDF,
        "pages": 2,
        "entries": 9,
        "at": NOW,
    }
    return report_copies.keep(look_up(by), **(given | changes))  # type: ignore[arg-type]


def test_codes_are_read_however_they_are_typed_and_slips_are_found() -> None:
    code = report_codes.new_code()
    bare = code.replace("-", "")

    for typed in (code, code.lower(), bare[1:], f" {bare} ", code.replace("-", " ")):
        assert report_codes.read(typed) == code
    for place in range(1, len(bare)):
        for sign in set(SIGNS) - {bare[place]}:
            with pytest.raises(ValueError, match="wrong"):
                report_codes.read(bare[:place] + sign + bare[place + 1 :])
    assert report_codes.read(report_codes.EXAMPLE) == report_codes.EXAMPLE
    assert report_codes.new_code() != code


def test_a_copy_is_kept_encrypted_and_its_user_alone_opens_it(
    doctor: User, patient: Patient
) -> None:
    copy = kept(doctor)
    other = make_user(Role.PRACTITIONER)
    staff = make_user(Role.STAFF)

    assert report_copies.open_copy(copy.id, by=doctor, address=ADDRESS, at=NOW) == PDF
    for by, number in ((other, copy.id), (staff, copy.id), (doctor, copy.id + 1)):
        with pytest.raises(NotFoundError):
            report_copies.open_copy(number, by=by, at=NOW)

    assert PDF not in bytes(Document.get_by_id(copy.document.id).sealed or PDF)
    [disclosure] = Disclosure.select()
    assert (disclosure.patient, disclosure.recipient) == (patient, "Ruth Adams")
    assert disclosure.what == "patient report (PDF of 11/23/2026 10:14 AM ET)"
    opened = AuditEvent.get(event=audit.Event.REPORT_DOWNLOADED.value)
    assert (opened.actor, opened.address) == (doctor.username, ADDRESS)
    assert audit.verify() == []


def decided(kind: str, by: User, *people: ReportedIdentity) -> MatchDecision:
    """Have staff join the patients of two identities, or split the second off."""
    at, (one, other) = NOW + timedelta(hours=1), people
    if kind == "split":
        mark, gone = decisions.mark_of(one.patient.id), [other.id]
        return decisions.split(
            one.patient.id, gone, reason="Two.", seen=mark, by=by, at=at
        )
    review = MatchReview.create(
        identity=other, candidate=one.patient, score=20, opened_at=NOW
    )
    mark = decisions.mark_of(one.patient.id, other.patient.id)
    return decisions.join(review, reason="One.", seen=mark, by=by, at=at)


def test_a_copy_that_shows_two_people_is_not_opened_once_they_are_split(
    doctor: User, patient: Patient
) -> None:
    staff, own = make_user(Role.STAFF), ReportedIdentity.get(patient=patient)
    stranger = make_identity(patient, first_name="MARIANA", last_name="DELGADO")
    copy = kept(doctor)
    decision = decided("split", staff, own, stranger)
    later = NOW + timedelta(hours=2)

    with pytest.raises(NotFoundError, match="divided"):
        report_copies.open_copy(copy.id, by=doctor, at=later)
    assert Disclosure.select().count() == 0

    undoing.undo(decision, by=staff, at=later)
    assert report_copies.open_copy(copy.id, by=doctor, at=later) == PDF


def test_a_copy_made_while_two_were_one_is_not_opened_once_they_are_not(
    doctor: User, patient: Patient
) -> None:
    staff, own = make_user(Role.STAFF), ReportedIdentity.get(patient=patient)
    stranger = make_identity(first_name="MARIANA", last_name="DELGADO")
    before = kept(doctor)
    decision = decided("join", staff, own, stranger)
    during = report_copies.keep(
        before.look_up,  # its report was opened again
        code=report_codes.new_code(),
        body=PDF,
        pages=2,
        entries=9,
        at=NOW + timedelta(hours=2),
    )
    later = NOW + timedelta(hours=3)
    assert report_copies.open_copy(during.id, by=doctor, at=later) == PDF
    undoing.undo(decision, by=staff, at=later)

    with pytest.raises(NotFoundError, match="divided"):
        report_copies.open_copy(during.id, by=doctor, at=later)
    assert report_copies.open_copy(before.id, by=doctor, at=later) == PDF


def test_a_copy_of_a_number_that_went_is_in_the_accounting_of_who_it_is(
    doctor: User, patient: Patient
) -> None:
    own = ReportedIdentity.get(patient=patient)
    newer = make_identity(first_name="MARIANA", last_name="DELGADO")
    copy = kept(doctor)
    LookUp.update(patient=newer.patient).where(LookUp.id == copy.look_up.id).execute()
    decided("join", make_user(Role.STAFF), own, newer)

    report_copies.open_copy(copy.id, by=doctor, at=NOW + timedelta(hours=2))

    [told] = disclosures.accounting(patient.id)
    assert told.patient == patient
    assert told.what.startswith("patient report (PDF of")


def test_a_copy_with_an_entry_that_went_to_another_person_is_not_opened(
    doctor: User, patient: Patient
) -> None:
    entry = make_dispensation(patient=patient, filled_on=date(2026, 11, 1))
    copy = kept(doctor)
    ReportSeen.create(look_up=copy.look_up, seen_at=NOW, entries={entry.row_code: 1})
    assert report_copies.open_copy(copy.id, by=doctor, at=NOW) == PDF
    other = {"identity": make_identity(last_name="STRANGER")}
    staff = make_user(Role.STAFF)
    dispensations.correct(entry, changes=other, reason="mixed up", by=staff, at=NOW)

    with pytest.raises(NotFoundError, match="another person's"):
        report_copies.open_copy(copy.id, by=doctor, at=NOW)


def test_copies_are_listed_by_look_up_the_latest_first(
    doctor: User, patient: Patient
) -> None:
    first = kept(doctor)
    later = report_copies.keep(
        first.look_up,
        code=report_codes.new_code(),
        body=PDF,
        pages=1,
        entries=1,
        at=NOW + timedelta(hours=1),
    )
    noise = kept(make_user(Role.PRACTITIONER))

    found = reports.copies_of([first.look_up.id, 999])

    assert found == {first.look_up.id: [later, first]}
    assert noise.look_up.id not in found
    assert reports.copies_of([]) == {}


def test_anybody_learns_that_a_code_is_genuine_and_nothing_of_the_patient(
    doctor: User, patient: Patient
) -> None:
    copy = kept(doctor)
    kept(doctor)  # noise

    told = verification.verify(copy.code.lower(), by=None, address=ADDRESS, at=NOW)

    assert (told.is_genuine, told.made_at, told.pages) == (True, NOW, 2)
    assert told.made_for == "a practitioner"
    assert told.short_hash == copy.sha256[:12]
    assert told.copy is None


def test_its_user_and_staff_learn_who_made_it_and_when(
    doctor: User, patient: Patient
) -> None:
    copy = kept(doctor)
    told = {
        by.role: verification.verify(copy.code, by=by, address=ADDRESS, at=NOW)
        for by in (doctor, make_user(Role.STAFF), make_user(Role.PHARMACY))
    }

    assert told[Role.PRACTITIONER].copy == copy
    assert told[Role.PRACTITIONER].is_own
    assert told[Role.STAFF].copy == copy
    assert not told[Role.STAFF].is_own
    assert told[Role.PHARMACY].copy is None


def test_an_unknown_code_is_said_so_and_a_slip_at_its_field(
    doctor: User, patient: Patient
) -> None:
    kept(doctor)

    told = verification.verify(report_codes.EXAMPLE, by=None, address=ADDRESS, at=NOW)
    assert not told.is_genuine
    with pytest.raises(RuleError) as refused:
        verification.verify("V-7K3Q9X-2M4P8", by=None, address=ADDRESS, at=NOW)
    assert refused.value.field == "code"
    asked = AuditEvent.get(event=audit.Event.REPORT_VERIFIED.value)
    assert (asked.actor, asked.subject) == ("public", "report_copy:unknown")


def test_one_place_asks_so_often_and_others_go_on(doctor: User) -> None:
    def ask(address: str = ADDRESS, by: User | None = None, minutes: int = 0) -> None:
        verification.verify(
            report_codes.EXAMPLE,
            by=by,
            address=address,
            at=NOW + timedelta(minutes=minutes),
        )

    for _ in range(verification.MOST_QUESTIONS):
        ask()

    with pytest.raises(ThrottledError):
        ask()
    ask("203.0.113.10")
    ask(by=doctor)
    ask(minutes=11)


def test_old_copies_are_destroyed_and_their_codes_stay(
    doctor: User, patient: Patient
) -> None:
    with settings.changed(report_copy_days=30):
        old = kept(doctor, at=NOW - timedelta(days=31))
        young = kept(doctor, at=NOW - timedelta(days=29))

        assert report_copies.purge(at=NOW) == 1
        assert report_copies.purge(at=NOW) == 0

        with pytest.raises(NotFoundError, match="kept for 30 days"):
            report_copies.open_copy(old.id, by=doctor, at=NOW)
        assert report_copies.open_copy(young.id, by=doctor, at=NOW) == PDF
        assert list(reports.copies_of([old.look_up.id, young.look_up.id])) == [
            young.look_up.id
        ]
        told = verification.verify(old.code, by=doctor, address=ADDRESS, at=NOW)
        assert told.is_genuine
    assert Disclosure.select().count() == 1
