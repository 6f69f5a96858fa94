"""Papers of requests are destroyed six years after the request ended, no day sooner."""

from datetime import UTC, date, datetime, timedelta

import pytest

from models import (
    AuditEvent,
    Disclosure,
    Document,
    OfficialRequest,
    PatientRequest,
    PatientRequestState,
    Role,
    User,
)
from pmp import settings
from pmp.disclosures import (
    official_requests,
    paper_expiry,
    patient_requests,
    releases,
    request_letters,
)
from pmp.disclosures.accountings import years_before
from pmp.disclosures.denials import Ground
from pmp.disclosures.request_letters import LetterKind
from pmp.errors import NotFoundError, RuleError
from tests.conftest import NOW
from tests.factories import make_dispensation, make_identity, make_user
from tests.pmp.test_official_requests import asked
from tests.pmp.test_patient_requests import fresh, paper, taken

pytestmark = pytest.mark.usefixtures("db")
SIX_YEARS = datetime(2032, 11, 23, 15, 14, tzinfo=UTC)


@pytest.fixture
def staff() -> User:
    return make_user(username="staff.lee")


def given(staff: User) -> PatientRequest:
    """Give a request with a letter about more time and a paper that was handed over."""
    request = taken(make_identity().patient, staff)
    patient_requests.extend(request.id, reason="Away.", by=staff, at=NOW)
    letter = request_letters.gather(request.id, LetterKind.MORE_TIME, by=staff, at=NOW)
    request_letters.keep(letter, body=b"%PDF-more")
    paper(request, staff)
    patient_requests.end(request.id, PatientRequestState.GIVEN, by=staff, at=NOW)
    return fresh(request)


def released(staff: User) -> OfficialRequest:
    row = make_identity()
    make_dispensation(row)
    request = official_requests.take(asked(), by=staff, at=NOW)
    official_requests.add_patient(request.id, row.patient.id, by=staff, at=NOW)
    official_requests.hand_on(request.id, revision=2, by=staff, at=NOW)
    chief = make_user(Role.ADMINISTRATOR, username="admin.chief")
    gathered = releases.gather(request.id, by=chief, at=NOW)
    releases.release(gathered, revision=3, body=b"%PDF-official", pages=1)
    return official_requests.get(request.id)


def destroyed() -> list[dict[str, object]]:
    events = AuditEvent.select().where(AuditEvent.event.contains("paper_destroyed"))
    return [event.detail for event in events.order_by(AuditEvent.id)]


def test_papers_and_letters_go_when_their_years_are_over(staff: User) -> None:
    request = given(staff)
    official = released(staff)
    told = Disclosure.select().count()

    assert paper_expiry.purge(at=SIX_YEARS) == 0
    late = SIX_YEARS + timedelta(days=1)
    assert paper_expiry.purge(at=late) == 3
    assert paper_expiry.purge(at=late) == 0

    assert {each.purged_at for each in Document.select()} == {late}
    assert [(each.get("what"), each["code"]) for each in destroyed()] == [
        ("paper", request.code),
        ("more-time", request.code),
        (None, official.code),
    ]
    assert Disclosure.select().count() == told
    with pytest.raises(NotFoundError):
        patient_requests.open_paper(request.id, by=staff, at=late)
    with pytest.raises(NotFoundError):
        releases.open_paper(official.id, by=staff, at=late)
    assert not patient_requests.is_kept(fresh(request))


def test_the_letter_of_a_denial_goes_with_its_request(staff: User) -> None:
    request = taken(make_identity().patient, staff)
    patient_requests.end(
        request.id,
        PatientRequestState.DENIED,
        note="No paper.",
        ground=Ground.NOT_SHOWN,
        by=staff,
        at=NOW,
    )
    letter = request_letters.gather(request.id, LetterKind.DENIAL, by=staff, at=NOW)
    request_letters.keep(letter, body=b"%PDF-no")

    assert paper_expiry.purge(at=SIX_YEARS + timedelta(days=1)) == 1

    (standing,) = request_letters.standing(fresh(request))
    assert not standing.is_owed
    assert [each["what"] for each in destroyed()] == ["denial"]


def test_what_is_open_keeps_its_papers(staff: User) -> None:
    request = given(staff)
    patient_requests.reopen(request.id, by=staff, at=NOW)

    assert paper_expiry.purge(at=SIX_YEARS + timedelta(days=1)) == 0
    assert patient_requests.is_kept(fresh(request))


def test_a_program_may_keep_them_longer_and_not_shorter(staff: User) -> None:
    given(staff)
    with settings.changed(request_paper_years=8):
        assert paper_expiry.purge(at=SIX_YEARS + timedelta(days=1)) == 0
    with pytest.raises(settings.SettingsError, match="PMP_REQUEST_PAPER_YEARS"):
        settings.load(
            {
                "PMP_SECRET_KEY": "s" * 40,
                "PMP_DOCUMENT_KEY": "d" * 40,
                "PMP_REQUEST_PAPER_YEARS": "5",
            }
        )


def test_who_asks_again_after_that_needs_a_paper_made_anew(staff: User) -> None:
    request = given(staff)
    late = SIX_YEARS + timedelta(days=1)
    paper_expiry.purge(at=late)
    patient_requests.reopen(request.id, by=staff, at=late)

    with pytest.raises(RuleError, match="Make the paper first"):
        patient_requests.end(request.id, PatientRequestState.GIVEN, by=staff, at=late)


def test_february_29_is_the_28th_of_other_years() -> None:
    assert years_before(date(2032, 2, 29), 6) == date(2026, 2, 28)
    assert years_before(date(2032, 2, 28), 6) == date(2026, 2, 28)
