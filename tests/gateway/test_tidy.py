"""The night's job: what is over, or nobody finishes, is not kept."""

from datetime import timedelta

from gateway import schedule
from models import (
    CsvFile,
    Document,
    DocumentKind,
    EntryDraft,
    PatientRequest,
    PatientRequestState,
    WaitingVoid,
)
from pmp import clock, csv_submissions, documents, settings
from tests.factories import (
    make_dispensation,
    make_patient,
    make_submission,
    make_user,
)
from tests.pmp.test_patient_requests import taken


def wait_until(hours: int) -> WaitingVoid:
    entry = make_dispensation()
    void: WaitingVoid = WaitingVoid.create(
        submission=make_submission(),
        record_number=1,
        pharmacy=entry.pharmacy,
        prescription_number=entry.prescription_number,
        filled_on=entry.filled_on,
        fill_number=0,
        partial=0,
        product_code=entry.product_code,
        quantity=entry.quantity,
        written="",
        waits_until=clock.now() + timedelta(hours=hours),
    )
    return void


def test_voids_that_waited_long_enough_are_dropped(db: settings.Settings) -> None:
    wait_until(-1)
    kept = wait_until(1)

    schedule.tidy()

    assert list(WaitingVoid.select()) == [kept]


def test_the_night_deletes_old_drafts_and_spreadsheets(db: settings.Settings) -> None:
    now = clock.now()
    user = make_user()
    for days in (1, db.draft_days + 1):
        EntryDraft.create(user=user, updated_at=now - timedelta(days=days))
    for hours in (2, 26):
        csv_submissions.receive(
            filename="a.csv",
            body=b"A,B,C\n1,2,3\n",
            by=user,
            at=now - timedelta(hours=hours),
        )
    schedule.tidy()

    assert EntryDraft.select().count() == 1
    (kept,) = CsvFile.select()
    assert kept.document.sealed is not None


def test_the_night_destroys_papers_of_requests_that_ended_long_ago(
    db: settings.Settings,
) -> None:
    staff = make_user()
    for years in (5, 7):
        at = clock.now() - timedelta(days=years * 366)
        document = documents.keep(
            kind=DocumentKind.PATIENT_REPORT,
            media_type="application/pdf",
            body=b"%PDF",
            at=at,
        )
        PatientRequest.update(
            document=document,
            state=PatientRequestState.GIVEN,
            ended_at=at,
        ).where(PatientRequest.id == taken(make_patient(), staff).id).execute()

    schedule.tidy()

    kept, gone = Document.select().order_by(Document.id)
    assert kept.purged_at is None
    assert gone.purged_at is not None
