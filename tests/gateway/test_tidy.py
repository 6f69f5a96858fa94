"""What nobody finishes is not kept: the night's job."""

from datetime import timedelta

from gateway import schedule
from models import CsvFile, EntryDraft
from pmp import clock, csv_submissions, settings
from tests.factories import make_user


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
