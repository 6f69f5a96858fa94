"""Notes between recipients of one report: who may write to whom, and how often."""

import pytest

from models import (
    AuditEvent,
    CareNote,
    CaseRecipient,
    ChannelName,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Disclosure,
    Dispensation,
    RecipientAnswer,
    ReplyChannel,
    Role,
    ThresholdCase,
    User,
)
from pmp import audit, dispensations, settings
from pmp.errors import NotFoundError, RuleError
from pmp.thresholds import answers, care_notes, case_recipients, threshold_cases
from pmp.thresholds.answers import Reply
from tests.conftest import NOW
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_licence,
    make_patient,
    make_prescriber,
    make_user,
)

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def recipients() -> list[CaseRecipient]:
    """Give the recipients of a case of four entries: two doctors' fills may go."""
    patient = make_patient()
    doctor = make_prescriber(licence=make_licence(fax="8605550143"))
    make_dispensation(patient=patient, prescriber=doctor)
    case = make_crossing(patient, fills=3)
    make_crossing(make_patient(last_name="NOISE"))
    return case_recipients.of_case(case)


@pytest.fixture
def writer(recipients: list[CaseRecipient]) -> User:
    return make_user(Role.PRACTITIONER, prescriber=recipients[1].prescriber)


def with_fax(recipients: list[CaseRecipient]) -> CaseRecipient:
    return next(
        each for each in recipients if each.prescriber and each.prescriber.licence
    )


def sender_of(recipients: list[CaseRecipient], writer: User) -> CaseRecipient:
    return next(each for each in recipients if each.prescriber == writer.prescriber)


@pytest.fixture
def sender(recipients: list[CaseRecipient], writer: User) -> CaseRecipient:
    return sender_of(recipients, writer)


@pytest.fixture
def reader(recipients: list[CaseRecipient], sender: CaseRecipient) -> CaseRecipient:
    found = with_fax(recipients)
    assert found != sender
    return found


def send(
    sender: CaseRecipient, to: CaseRecipient, by: User, text: str = "Call me."
) -> CareNote:
    return care_notes.send(sender.id, to.id, text=text, by=by, at=NOW)


def test_a_note_goes_by_the_addressees_own_channel_and_is_on_record(
    sender: CaseRecipient, reader: CaseRecipient, writer: User
) -> None:
    note = send(sender, reader, writer, "  I taper.\nYou?  ")

    [delivery] = Delivery.select().where(Delivery.kind == DeliveryKind.CARE_NOTE)
    assert (delivery.channel, delivery.address) == (ChannelName.FAX, "+18605550143")
    assert delivery.subject_id == note.id
    assert note.text == "I taper.\nYou?"
    event = AuditEvent.get(AuditEvent.event == audit.Event.CARE_NOTE_SENT)
    assert (event.actor, event.subject) == (writer.username, f"case:{sender.case.id}")
    assert "taper" not in str(event.detail)


def test_both_see_it_and_the_sender_sees_its_way(
    sender: CaseRecipient, reader: CaseRecipient, writer: User
) -> None:
    send(sender, reader, writer)

    [mine] = care_notes.open_for(sender, by=writer, at=NOW)
    assert (mine.is_mine, [each.state for each in mine.deliveries]) == (
        True,
        ["queued"],
    )
    assert CareNote.get().opened_at is None
    other = make_user(Role.PRACTITIONER, prescriber=reader.prescriber)
    before = Disclosure.select().count()
    for _ in range(2):
        [theirs] = care_notes.open_for(reader, by=other, at=NOW)
        assert not theirs.is_mine
    assert CareNote.get().opened_at == NOW
    assert Disclosure.select().count() == before + 1
    assert len(care_notes.of_case(sender.case)) == 1


def test_a_third_recipient_sees_nothing(
    recipients: list[CaseRecipient],
    sender: CaseRecipient,
    reader: CaseRecipient,
    writer: User,
) -> None:
    send(sender, reader, writer)

    third = next(each for each in recipients if each not in (sender, reader))

    assert care_notes.open_for(third, by=make_user(), at=NOW) == []


def test_the_same_note_again_is_one_note(
    sender: CaseRecipient, reader: CaseRecipient, writer: User
) -> None:
    assert send(sender, reader, writer) == send(sender, reader, writer)
    assert Delivery.select().where(Delivery.kind == "care_note").count() == 1


def test_so_many_a_day_and_no_more(
    sender: CaseRecipient, reader: CaseRecipient, writer: User
) -> None:
    with settings.changed(care_notes_per_day=2):
        send(sender, reader, writer, "one")
        send(sender, reader, writer, "two")
        with pytest.raises(RuleError) as refused:
            send(sender, reader, writer, "three")
    assert refused.value.field == "text"
    assert CareNote.select().count() == 2


def test_no_note_about_a_case_that_has_ended(
    sender: CaseRecipient, reader: CaseRecipient, writer: User
) -> None:
    threshold_cases.withdraw(sender.case, reason="Gone.", at=NOW)
    sender = CaseRecipient.get_by_id(sender.id)

    assert care_notes.addressees(sender) == {}
    with pytest.raises(RuleError):
        send(sender, reader, writer)
    assert CareNote.select().count() == 0


def test_a_note_that_waits_is_stopped_when_the_case_ends(
    sender: CaseRecipient, reader: CaseRecipient, writer: User
) -> None:
    send(sender, reader, writer)

    threshold_cases.close(
        ThresholdCase.get_by_id(sender.case.id), reason="x", by=make_user(), at=NOW
    )

    delivery = Delivery.get(Delivery.kind == DeliveryKind.CARE_NOTE)
    assert delivery.state == DeliveryState.CANCELLED


def test_nobody_writes_who_or_to_whom_it_is_not_their_patient(
    sender: CaseRecipient, reader: CaseRecipient, writer: User
) -> None:
    CaseRecipient.update(answer="not_my_patient").where(
        CaseRecipient.id == reader.id
    ).execute()
    with pytest.raises(NotFoundError):
        send(sender, reader, writer)

    CaseRecipient.update(answer="not_my_patient").where(
        CaseRecipient.id == sender.id
    ).execute()
    assert care_notes.addressees(CaseRecipient.get_by_id(sender.id)) == {}


def test_notes_that_wait_are_stopped_by_not_my_patient(
    sender: CaseRecipient, reader: CaseRecipient, writer: User
) -> None:
    send(sender, reader, writer)
    reply = Reply(RecipientAnswer.NOT_MY_PATIENT)

    answers.write_down(
        reader, reply, channel=ReplyChannel.PHONE, by=make_user(), at=NOW
    )

    states = {each.kind: each.state for each in case_recipients.deliveries_of(reader)}
    assert states == {"threshold_report": "queued"}
    delivery = Delivery.get(Delivery.kind == DeliveryKind.CARE_NOTE)
    assert delivery.state == DeliveryState.CANCELLED


def test_a_note_that_came_too_late_is_kept_from_who_says_not_mine(
    sender: CaseRecipient, reader: CaseRecipient, writer: User
) -> None:
    note = send(sender, reader, writer)
    other = make_user(Role.PRACTITIONER, prescriber=reader.prescriber)
    reader.answer = RecipientAnswer.NOT_MY_PATIENT
    reader.save()

    assert not care_notes.may_go(CareNote.get_by_id(note.id))
    assert care_notes.open_for(reader, by=other, at=NOW) == []
    assert CareNote.get().opened_at is None
    assert len(care_notes.open_for(sender, by=writer, at=NOW)) == 1


def test_no_note_where_two_people_were_taken_for_one(
    sender: CaseRecipient, reader: CaseRecipient, writer: User
) -> None:
    note = send(sender, reader, writer)
    row = threshold_cases.entries(sender.case)[0]
    row.patient = make_patient(last_name="ANOTHER")
    row.save()
    other = make_user(Role.PRACTITIONER, prescriber=reader.prescriber)

    assert care_notes.addressees(sender) == {}
    assert not care_notes.may_go(note)
    assert care_notes.open_for(reader, by=other, at=NOW) == []


def test_who_is_on_no_entry_any_more_gets_no_note(
    sender: CaseRecipient, reader: CaseRecipient, writer: User
) -> None:
    entry = Dispensation.get(
        (Dispensation.prescriber == reader.prescriber)
        & (Dispensation.patient == reader.case.patient)
    )
    dispensations.correct(
        entry,
        changes={"prescriber": sender.prescriber},
        reason="Wrong.",
        by=make_user(),
        at=NOW,
    )
    assert CaseRecipient.get_by_id(reader.id).case.status == "queued"

    with pytest.raises(NotFoundError):
        send(sender, reader, writer)


def test_a_stranger_sends_nothing(sender: CaseRecipient, reader: CaseRecipient) -> None:
    stranger = make_user(Role.PRACTITIONER, prescriber=make_prescriber())

    with pytest.raises(NotFoundError):
        send(sender, reader, stranger)


@pytest.mark.parametrize("text", ["  ", "x" * 1001])
def test_an_empty_or_long_note_is_refused(
    sender: CaseRecipient, reader: CaseRecipient, writer: User, text: str
) -> None:
    with pytest.raises(RuleError) as refused:
        send(sender, reader, writer, text)

    assert refused.value.field == "text"
