"""Through when data have come in."""

from datetime import datetime

import pytest

from models import Document, DocumentKind, Submission, SubmissionStatus
from pmp import received
from tests.conftest import NOW
from tests.factories import make_user

pytestmark = pytest.mark.usefixtures("db")


def test_data_have_come_in_through_the_day_of_the_last_real_submission() -> None:
    user = make_user()
    document = Document.create(
        kind=DocumentKind.SUBMISSION, media_type="", sha256="", size=0, created_at=NOW
    )

    def submission(at: datetime, status: SubmissionStatus, **fields: bool) -> None:
        Submission.create(
            filename="a.dat",
            sha256="",
            document=document,
            submitted_by=user,
            received_at=at,
            status=status,
            **fields,
        )

    assert received.last_day() is None
    late_evening_in_hartford = NOW.replace(day=21, hour=3)
    submission(late_evening_in_hartford, SubmissionStatus.PROCESSED)
    submission(NOW, SubmissionStatus.FAILED_STRUCTURE)
    submission(NOW, SubmissionStatus.PROCESSED, dry_run=True)
    submission(NOW, SubmissionStatus.PROCESSED, test=True)

    day = received.last_day()

    assert day is not None
    assert day.isoformat() == "2026-11-20"
