"""Threshold reports as they were sent: kept, opened, proved genuine, destroyed."""

from datetime import date, timedelta

import pytest

from models import (
    AuditEvent,
    CaseRecipient,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Disclosure,
    Dispensation,
    Document,
    DocumentKind,
    Patient,
    RecipientAnswer,
    ReportedIdentity,
    Role,
    ThresholdReportCopy,
    User,
)
from pmp import audit, dispensations, documents, settings, thresholds, verification
from pmp.errors import NotFoundError
from pmp.thresholds import (
    answers,
    case_recipients,
    shown_rows,
    threshold_copies,
    threshold_reports,
)
from pmp.thresholds.answers import Reply
from pmp.thresholds.threshold_copies import Drawing
from pmp.thresholds.threshold_reports import ThresholdReport
from pmp.verification import Verdict
from tests.conftest import NOW
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_identity,
    make_patient,
    make_user,
)

pytestmark = pytest.mark.usefixtures("db")

ADDRESS = "203.0.113.9"


def draw(report: ThresholdReport) -> Drawing:
    return Drawing(f"%PDF {report.code} {len(report.entries)}".encode(), 6)


def never(_report: ThresholdReport) -> Drawing:
    raise AssertionError("drawn again")


@pytest.fixture
def patient() -> Patient:
    return make_patient(last_name="CANARYQUIST")


@pytest.fixture
def recipient(patient: Patient) -> CaseRecipient:
    """Give the first of six recipients, to whom nothing has left yet."""
    make_crossing(make_patient(last_name="CANARYWICK"))
    return case_recipients.of_case(make_crossing(patient))[0]


@pytest.fixture
def doctor(recipient: CaseRecipient) -> User:
    return make_user(Role.PRACTITIONER, prescriber=recipient.prescriber)


def sent() -> None:
    Delivery.update(state=DeliveryState.SENT).execute()


def entry_of(recipient: CaseRecipient) -> Dispensation:
    found: Dispensation = Dispensation.get(
        Dispensation.prescriber == recipient.prescriber
    )
    return found


def drawn(recipient: CaseRecipient) -> ThresholdReportCopy:
    threshold_copies.copy(recipient, draw=draw, at=NOW)
    copy = shown_rows.standing(recipient)
    assert copy is not None
    return copy


def asked(copy: ThresholdReportCopy, by: User | None = None) -> Verdict:
    return verification.verify(str(copy.code), by=by, address=ADDRESS, at=NOW)


def test_a_report_is_drawn_once_and_its_code_stands_in_what_is_kept(
    recipient: CaseRecipient,
) -> None:
    first = threshold_copies.copy(recipient, draw=draw, at=NOW)
    again = threshold_copies.copy(recipient, draw=never, at=NOW)

    [copy] = ThresholdReportCopy.select()
    assert first == again
    assert str(copy.code).encode() in first
    assert (copy.pages, len(copy.entries)) == (6, 3)
    assert first not in bytes(copy.document.sealed or b"")


def test_the_chart_copy_is_a_disclosure_and_on_record(
    recipient: CaseRecipient, doctor: User, patient: Patient
) -> None:
    kept = threshold_copies.copy(recipient, draw=draw, at=NOW)

    _, body = threshold_copies.download(
        recipient.id, draw=never, by=doctor, at=NOW, address=ADDRESS
    )

    assert body == kept
    [disclosure] = Disclosure.select()
    assert disclosure.patient == patient
    opened = AuditEvent.get(AuditEvent.event == audit.Event.CASE_OPENED)
    assert (opened.actor, opened.address) == (doctor.username, ADDRESS)


def test_nobody_else_downloads_it(recipient: CaseRecipient) -> None:
    stranger = make_user(Role.PRACTITIONER)

    with pytest.raises(NotFoundError):
        threshold_copies.download(recipient.id, draw=draw, by=stranger, at=NOW)
    assert Disclosure.select().count() == 0
    assert ThresholdReportCopy.select().count() == 0


def test_staff_open_what_was_sent_on_the_patients_record(
    recipient: CaseRecipient, patient: Patient
) -> None:
    staff = make_user()
    case_id = recipient.case.id
    with pytest.raises(NotFoundError, match="not been made"):
        threshold_copies.open_for_staff(case_id, recipient.id, by=staff, at=NOW)
    kept = threshold_copies.copy(recipient, draw=draw, at=NOW)

    _, body = threshold_copies.open_for_staff(case_id, recipient.id, by=staff, at=NOW)

    assert body == kept
    row = AuditEvent.get(AuditEvent.event == audit.Event.THRESHOLD_COPY_OPENED)
    assert (row.actor, row.subject) == (staff.username, f"patient:{patient.id}")
    other = case_id - 1  # the noise
    with pytest.raises(NotFoundError):
        threshold_copies.open_for_staff(other, recipient.id, by=staff, at=NOW)


def test_what_was_sent_is_kept_once_for_the_delivery_and_the_chart(
    recipient: CaseRecipient,
) -> None:
    body = threshold_copies.copy(recipient, draw=draw, at=NOW)
    kept = recipient.document
    assert kept is not None

    assert documents.same(kind=kept.kind, sha256=kept.sha256) == kept
    documents.purge(kept, at=NOW)
    assert documents.same(kind=kept.kind, sha256=kept.sha256) is None
    assert body


def test_a_report_as_it_was_faxed_is_destroyed_with_its_copy(
    recipient: CaseRecipient,
) -> None:
    sent()
    kind = DeliveryKind.THRESHOLD_REPORT
    late = NOW + timedelta(days=31)
    faxed, young, other = (
        documents.keep(
            kind=DocumentKind.THRESHOLD_REPORT,
            media_type="application/pdf",
            body=f"%PDF-1.4 {number}".encode(),
            at=at,
        )
        for number, at in enumerate((NOW, late, NOW))
    )
    mine, theirs = Delivery.select().where(Delivery.kind == kind).limit(2)
    for delivery, document in ((mine, faxed), (theirs, young)):
        Delivery.update(document=document).where(Delivery.id == delivery.id).execute()

    with settings.changed(threshold_copy_days=30):
        assert threshold_copies.purge(at=late) == 1

    assert Document.get_by_id(faxed.id).purged_at == late
    assert Document.get_by_id(young.id).sealed
    assert Document.get_by_id(other.id).sealed  # no delivery's


def test_old_copies_are_destroyed_and_their_codes_stay(
    recipient: CaseRecipient, doctor: User
) -> None:
    sent()
    old = drawn(recipient)
    young = drawn(case_recipients.of_case(recipient.case)[1])
    at = NOW + timedelta(days=31)
    ThresholdReportCopy.update(made_at=at).where(
        ThresholdReportCopy.id == young.id
    ).execute()

    with settings.changed(threshold_copy_days=30):
        assert threshold_copies.purge(at=at) == 1
        assert threshold_copies.purge(at=at) == 0
        with pytest.raises(NotFoundError, match="kept for 30 days"):
            threshold_copies.download(recipient.id, draw=never, by=doctor, at=at)

    assert Document.get_by_id(young.document.id).sealed
    assert asked(old).is_genuine


# --- Is it genuine?


def test_anybody_learns_that_a_report_is_genuine_and_nothing_of_the_patient(
    recipient: CaseRecipient,
) -> None:
    copy = drawn(recipient)

    told = asked(copy)

    assert (told.is_genuine, told.what) == (True, "Patient Threshold Report")
    assert (told.made_for, told.pages, told.since) == ("a prescriber", 6, "")
    assert told.short_hash == copy.sha256[:12]
    assert told.threshold_copy is None
    row = AuditEvent.get(AuditEvent.event == audit.Event.REPORT_VERIFIED)
    assert row.subject == f"threshold_report_copy:{copy.id}"


def test_its_recipient_and_staff_learn_which_it_is(
    recipient: CaseRecipient, doctor: User
) -> None:
    copy = drawn(recipient)

    assert asked(copy, doctor).threshold_copy == copy
    assert asked(copy, doctor).is_own
    assert asked(copy, make_user()).threshold_copy == copy
    assert not asked(copy, make_user()).is_own
    assert asked(copy, make_user(Role.PRACTITIONER)).threshold_copy is None


def test_the_holder_of_a_paper_learns_that_it_was_corrected(
    recipient: CaseRecipient,
) -> None:
    sent()
    copy = drawn(recipient)
    dispensations.correct(
        entry_of(recipient),
        changes={"days_supply": 7},
        reason="x",
        by=make_user(),
        at=NOW,
    )

    assert asked(copy).since == "Something in this report has been corrected since."


def test_the_holder_of_a_paper_learns_that_it_was_withdrawn(
    recipient: CaseRecipient,
) -> None:
    sent()
    copy = drawn(recipient)
    dispensations.void(entry_of(recipient), reason="x", by=make_user(), at=NOW)

    assert "withdrawn this report" in asked(copy).since


def test_a_drawing_that_was_replaced_before_it_left_is_still_known(
    recipient: CaseRecipient, patient: Patient
) -> None:
    first = drawn(recipient)
    make_dispensation(patient=patient, filled_on=date(2026, 10, 30))
    thresholds.evaluate([patient.id], at=NOW)
    second = drawn(CaseRecipient.get_by_id(recipient.id))

    assert first.code != second.code
    assert len(second.entries) == 4
    assert asked(first).since == "This report was made anew since."
    assert asked(second).since == ""


# --- Two people taken for one


def of_two_people(patient: Patient, recipient: CaseRecipient) -> None:
    """Have one entry of the report, not the recipient's, be found to be another's."""
    sent()
    stranger: ReportedIdentity = make_identity(last_name="STRANGER")
    other = (
        Dispensation.select()
        .where(Dispensation.patient == patient)
        .where(Dispensation.prescriber != recipient.prescriber)
        .first()
    )
    other.patient, other.identity = stranger.patient, stranger
    other.save()
    thresholds.evaluate([patient.id], at=NOW)


def test_a_report_of_two_people_shows_each_no_more_than_their_own_rows(
    recipient: CaseRecipient, doctor: User, patient: Patient
) -> None:
    drawn(recipient)
    of_two_people(patient, recipient)
    recipient = case_recipients.received(recipient.id, by=doctor)

    report = threshold_reports.report(recipient, at=NOW)

    assert report.is_parted
    assert [entry.is_mine for entry in report.entries] == [True]
    assert report.patient == "CANARYQUIST, ANNA"
    assert "STRANGER, ANNA" not in report.also_reported_as
    assert len(report.call_sheet) == 1  # the pharmacy of that row
    with pytest.raises(NotFoundError, match="another person's"):
        threshold_copies.download(recipient.id, draw=never, by=doctor, at=NOW)
    assert Disclosure.select().count() == 0


def test_also_a_drawing_whose_entries_nobody_knows_is_kept_back_of_two_people(
    recipient: CaseRecipient, doctor: User, patient: Patient
) -> None:
    drawn(recipient)
    ThresholdReportCopy.update(entries=[]).execute()
    of_two_people(patient, recipient)

    with pytest.raises(NotFoundError, match="another person's"):
        threshold_copies.download(recipient.id, draw=never, by=doctor, at=NOW)


def test_no_drawing_is_made_for_who_says_not_my_patient(
    recipient: CaseRecipient, doctor: User
) -> None:
    reply = Reply(RecipientAnswer.NOT_MY_PATIENT)
    answers.answer(recipient.id, reply, by=doctor, at=NOW)

    assert not threshold_copies.may_download(CaseRecipient.get_by_id(recipient.id))
    with pytest.raises(NotFoundError, match="No chart copy"):
        threshold_copies.download(recipient.id, draw=never, by=doctor, at=NOW)

    reply = Reply(RecipientAnswer.MY_PATIENT)
    answers.answer(recipient.id, reply, by=doctor, at=NOW)
    assert threshold_copies.may_download(CaseRecipient.get_by_id(recipient.id))


def test_what_was_drawn_before_they_said_so_is_theirs_to_keep(
    recipient: CaseRecipient, doctor: User
) -> None:
    sent()
    body = threshold_copies.copy(recipient, draw=draw, at=NOW)
    reply = Reply(RecipientAnswer.NOT_MY_PATIENT)
    answers.answer(recipient.id, reply, by=doctor, at=NOW)

    assert threshold_copies.may_download(CaseRecipient.get_by_id(recipient.id))
    got = threshold_copies.download(recipient.id, draw=never, by=doctor, at=NOW)
    assert got[1] == body


def test_a_report_that_was_stopped_in_time_is_nobodys(
    recipient: CaseRecipient, doctor: User
) -> None:
    drawn(recipient)
    assert case_recipients.of_user(doctor) == [recipient]
    dispensations.void(entry_of(recipient), reason="x", by=make_user(), at=NOW)
    assert Delivery.get(subject_id=recipient.id).state == DeliveryState.CANCELLED

    assert case_recipients.of_user(doctor) == []
    assert case_recipients.listed(doctor) == ([], 0)
    with pytest.raises(NotFoundError):
        case_recipients.received(recipient.id, by=doctor)
    assert case_recipients.received_entry(entry_of(recipient), by=doctor) is None


def test_a_withdrawn_report_that_was_sent_stays_in_its_users_history(
    recipient: CaseRecipient, doctor: User
) -> None:
    sent()
    dispensations.void(entry_of(recipient), reason="x", by=make_user(), at=NOW)

    assert case_recipients.listed(doctor, show="withdrawn") == ([recipient], 1)
    assert case_recipients.listed(doctor, show="open") == ([], 0)
    assert case_recipients.received(recipient.id, by=doctor) == recipient
