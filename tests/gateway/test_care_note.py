"""A note between recipients: nothing of it in an email, all of it behind a cover."""

import pytest

from gateway import messages
from gateway.message import Message
from models import (
    CareNote,
    ChannelName,
    Delivery,
    DeliveryAttempt,
    DeliveryKind,
    Disclosure,
    Role,
)
from pmp import deliveries
from pmp.deliveries import Route
from pmp.errors import RuleError
from pmp.thresholds import care_notes, case_recipients, threshold_cases
from tests.conftest import NOW
from tests.factories import make_crossing, make_patient, make_user
from tests.gateway.test_threshold_report import text_of

pytestmark = pytest.mark.usefixtures("db")
TEXT = "I taper the CANARYDRUG.\nPlease <b>fill</b> weekly; 王."


@pytest.fixture
def note() -> CareNote:
    case = make_crossing(make_patient(last_name="CANARYQUIST"))
    make_crossing(make_patient(last_name="NOISE"))
    sender, reader, *_ = case_recipients.of_case(case)
    user = make_user(Role.PRACTITIONER, prescriber=sender.prescriber)
    return care_notes.send(sender.id, reader.id, text=TEXT, by=user, at=NOW)


def by(note: CareNote, channel: ChannelName, address: str) -> Message:
    delivery: Delivery = deliveries.request(
        kind=DeliveryKind.CARE_NOTE,
        subject_id=note.id,
        routes=[Route(channel, address)],
        dedupe_key=f"test:{channel}",
        at=NOW,
    )
    return messages.compose(
        delivery, DeliveryAttempt(delivery=delivery, number=1, started_at=NOW)
    )


def test_an_email_only_says_that_a_note_waits(note: CareNote) -> None:
    message = by(note, ChannelName.EMAIL, "doctor@example.org")

    whole = f"{message.subject} {message.text}"
    assert f"/threshold-reports/{note.addressee.id}\n" in message.text
    for word in ("CANARY", "taper", note.addressee.reply_code):
        assert word not in whole
    assert message.pdf is None
    assert Disclosure.select().count() == 0


def test_a_fax_has_a_cover_sheet_and_the_note(note: CareNote) -> None:
    message = by(note, ChannelName.FAX, "+18605550143")

    cover, page = text_of(message.pdf or b"")
    assert "CANARY" not in cover
    assert "wrong number" in cover
    assert "CANARYQUIST" in page
    assert "I taper the CANARYDRUG. Please <b>fill</b> weekly; [U+738B]." in page
    assert note.addressee.reply_code in page
    [disclosure] = Disclosure.select()
    assert disclosure.address == "+18605550143"
    assert disclosure.patient == note.sender.case.patient


def test_a_note_of_a_withdrawn_case_is_not_sent(note: CareNote) -> None:
    threshold_cases.withdraw(note.sender.case, reason="Gone.", at=NOW)

    with pytest.raises(RuleError):
        by(note, ChannelName.FAX, "+18605550143")
    assert Disclosure.select().count() == 0
