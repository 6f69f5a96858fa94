"""Messages that reached somebody else: on record, made good, not repeated."""

import pytest

from models import (
    AuditEvent,
    CaseRecipient,
    ChannelName,
    CorrectionNotice,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Disclosure,
    Dispensation,
    Misdelivery,
    User,
    WhatBecame,
)
from pmp import (
    audit,
    deliveries,
    dispensations,
    misdeliveries,
    misdelivery_lists,
)
from pmp.deliveries import Route, barred, contacts, delivery_desk, letters, outbox
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.misdeliveries import Told
from pmp.misdelivery_lists import Wanted
from pmp.reaching import fax_numbers
from pmp.thresholds import case_recipients
from tests.conftest import NOW
from tests.factories import (
    make_crossing,
    make_licence,
    make_patient,
    make_prescriber,
    make_user,
)

pytestmark = pytest.mark.usefixtures("db")

FAX = "+18605550143"
TOLD = Told("A bakery, (860) 555-0199", WhatBecame.DESTROYED, "Page 1 was read.")


@pytest.fixture
def staff() -> User:
    return make_user()


@pytest.fixture
def recipient() -> CaseRecipient:
    make_crossing(make_patient(last_name="CANARYWICK"))
    case = make_crossing(make_patient(last_name="CANARYQUIST"))
    return case_recipients.of_case(case)[0]


def faxed(
    recipient: CaseRecipient, name: str = "one", *, state: str = "delivered"
) -> Delivery:
    made = deliveries.request(
        kind=DeliveryKind.THRESHOLD_REPORT,
        subject_id=recipient.id,
        routes=[
            Route(ChannelName.FAX, FAX),
            Route(ChannelName.LETTER, "RAE OAKES\n2 Main Street"),
        ],
        dedupe_key=f"test:{name}",
        at=NOW,
    )
    made.state = DeliveryState(state)
    made.save()
    return made


def test_it_is_an_incident_a_disclosure_and_on_record(
    recipient: CaseRecipient, staff: User
) -> None:
    delivery = faxed(recipient)

    incident = misdeliveries.record(delivery.id, TOLD, by=staff, at=NOW)

    assert (incident.delivery, incident.became) == (delivery, WhatBecame.DESTROYED)
    [disclosure] = Disclosure.select()
    assert disclosure.patient == recipient.case.patient
    assert (disclosure.recipient, disclosure.address) == (TOLD.by, FAX)
    assert recipient.reply_code in disclosure.what
    assert "mistake" in disclosure.purpose
    row = AuditEvent.get(AuditEvent.event == audit.Event.DELIVERY_MISDELIVERED)
    assert (row.actor, row.subject) == (staff.username, f"delivery:{delivery.id}")


def test_the_message_goes_on_to_its_addressee_by_the_next_way(
    recipient: CaseRecipient, staff: User
) -> None:
    delivery = faxed(recipient)

    misdeliveries.record(delivery.id, TOLD, by=staff, at=NOW)

    child = Delivery.get(Delivery.parent == delivery)
    assert (child.channel, child.state) == (ChannelName.LETTER, DeliveryState.QUEUED)
    assert not Delivery.get_by_id(delivery.id).needs_staff


def test_where_there_is_no_other_way_staff_must_find_one(
    recipient: CaseRecipient, staff: User
) -> None:
    delivery = faxed(recipient)
    delivery.further_routes = []
    delivery.save()

    misdeliveries.record(delivery.id, TOLD, by=staff, at=NOW)

    assert Delivery.get_by_id(delivery.id).needs_staff
    assert Delivery.select().where(Delivery.parent == delivery).count() == 0


def test_nothing_more_goes_to_the_number_and_what_waits_goes_another_way(
    recipient: CaseRecipient, staff: User
) -> None:
    doctor = make_prescriber(licence=make_licence(name="RAE OAKES", fax=FAX))
    other = make_prescriber(licence=make_licence(fax="8605550144"))
    first = faxed(recipient)
    waits = faxed(recipient, "two", state="queued")
    gone = faxed(recipient, "three", state="sent")
    assert contacts.fax_of(doctor) == FAX

    misdeliveries.record(first.id, TOLD, by=staff, at=NOW)

    waits = Delivery.get_by_id(waits.id)
    assert (waits.state, waits.needs_staff) == (DeliveryState.CANCELLED, False)
    child = Delivery.get(Delivery.parent == waits)
    assert (child.channel, child.state) == (ChannelName.LETTER, DeliveryState.QUEUED)
    assert Delivery.get_by_id(gone.id).state == DeliveryState.SENT
    assert contacts.fax_of(doctor) == ""
    assert [way.channel for way in contacts.routes_for(doctor)] == [ChannelName.LETTER]
    assert contacts.fax_of(other) == "+18605550144"


def test_what_waits_without_another_way_is_held(
    recipient: CaseRecipient, staff: User
) -> None:
    waits = faxed(recipient, "two", state="queued")
    waits.further_routes = [["fax", FAX]]  # none that is open
    waits.save()

    misdeliveries.record(faxed(recipient).id, TOLD, by=staff, at=NOW)

    waits = Delivery.get_by_id(waits.id)
    assert (waits.state, waits.needs_staff) == (DeliveryState.HELD, True)
    assert not Delivery.select().where(Delivery.parent == waits).exists()
    with pytest.raises(RuleError, match="says that a message reached"):
        delivery_desk.retry(waits.id, by=staff, at=NOW)


def test_what_staff_held_stays_held_at_its_next_address(
    recipient: CaseRecipient, staff: User
) -> None:
    held = faxed(recipient, "two", state="held")

    misdeliveries.record(faxed(recipient).id, TOLD, by=staff, at=NOW)

    child = Delivery.get(Delivery.parent == held)
    assert (child.channel, child.state) == (ChannelName.LETTER, DeliveryState.HELD)
    assert child.needs_staff
    delivery_desk.retry(child.id, by=staff, at=NOW)
    assert Delivery.get_by_id(child.id).state == DeliveryState.QUEUED


@pytest.mark.parametrize("state", ["submitted", "batched", "printed"])
def test_a_letter_for_the_address_that_is_not_mailed_yet_is_held(
    recipient: CaseRecipient, staff: User, state: str
) -> None:
    def letter(name: str, state: str) -> Delivery:
        made = faxed(recipient, name, state=state)
        made.channel, made.address = ChannelName.LETTER, "A BAKERY\n2 Main Street"
        made.further_routes = []
        made.save()
        return made

    mailed, waits = letter("one", "mailed"), letter("two", state)
    assert not misdeliveries.may_record(waits)
    assert misdeliveries.stopped_by_it(mailed) == [waits]

    misdeliveries.record(mailed.id, TOLD, by=staff, at=NOW)

    assert Delivery.get_by_id(waits.id).state == DeliveryState.HELD
    assert waits not in letters.waiting()


@pytest.mark.parametrize("state", ["queued", "held", "failed", "expired"])
def test_what_we_call_unsent_may_have_come_to_somebody_all_the_same(
    recipient: CaseRecipient, staff: User, state: str
) -> None:
    tried = faxed(recipient, state=state)
    tried.attempts = 1
    tried.save()
    assert misdeliveries.may_record(tried)

    misdeliveries.record(tried.id, TOLD, by=staff, at=NOW)

    tried = Delivery.get_by_id(tried.id)
    assert tried.state == (state if state == "expired" else "failed")
    assert Delivery.get(Delivery.parent == tried).channel == ChannelName.LETTER
    assert Disclosure.select().count() == 1


def test_what_went_on_already_or_was_cancelled_goes_no_further(
    recipient: CaseRecipient, staff: User
) -> None:
    failed, cancelled = (
        faxed(recipient, state, state=state) for state in ("failed", "cancelled")
    )
    Delivery.update(attempts=2).where(
        Delivery.id.in_([failed.id, cancelled.id])
    ).execute()
    outbox.fall_back(failed, at=NOW)

    assert misdeliveries.then_words(failed) == "It went on by another way already"
    assert "no further" in misdeliveries.then_words(cancelled)
    assert "goes on by letter" in misdeliveries.then_words(faxed(recipient))

    for each in (failed, cancelled):
        misdeliveries.record(each.id, TOLD, by=staff, at=NOW)
        assert not Delivery.get_by_id(each.id).needs_staff

    [child] = Delivery.select().where(Delivery.parent.is_null(is_null=False))
    assert child.parent == failed


def test_a_message_that_fails_does_not_fall_back_to_the_number(
    recipient: CaseRecipient, staff: User
) -> None:
    misdeliveries.record(faxed(recipient).id, TOLD, by=staff, at=NOW)
    other = faxed(recipient, "two", state="queued")
    other.address = "+18605550144"
    other.further_routes = [["fax", FAX], ["letter", "RAE OAKES\n2 Main Street"]]
    other.save()

    child = outbox.fall_back(other, at=NOW)

    assert child is not None
    assert (child.channel, child.further_routes) == (ChannelName.LETTER, [])


def test_a_number_that_was_right_after_all_is_used_again(
    recipient: CaseRecipient, staff: User
) -> None:
    doctor = make_prescriber(licence=make_licence(fax=FAX))
    incident = misdeliveries.record(faxed(recipient).id, TOLD, by=staff, at=NOW)

    misdeliveries.assess(
        incident.id, assessment="A crossed line.", bar_address=False, by=staff, at=NOW
    )

    assert contacts.fax_of(doctor) == FAX
    closed = Misdelivery.get_by_id(incident.id)
    assert (closed.assessed_by, closed.assessment) == (
        staff.username,
        "A crossed line.",
    )


def test_it_is_written_down_once_and_closed_once(
    recipient: CaseRecipient, staff: User
) -> None:
    delivery = faxed(recipient)
    incident = misdeliveries.record(delivery.id, TOLD, by=staff, at=NOW)
    with pytest.raises(ConflictError):
        misdeliveries.record(delivery.id, TOLD, by=staff, at=NOW)
    assert Disclosure.select().count() == 1
    assert Delivery.select().where(Delivery.parent == delivery).count() == 1

    def close(words: str) -> None:
        misdeliveries.assess(
            incident.id, assessment=words, bar_address=True, by=staff, at=NOW
        )

    with pytest.raises(RuleError, match="what was decided"):
        close(" ")
    close("The patient is told.")
    with pytest.raises(ConflictError):
        close("Again.")


def test_what_never_left_reached_nobody(recipient: CaseRecipient, staff: User) -> None:
    waiting = faxed(recipient, state="queued")

    assert not misdeliveries.may_record(waiting)
    with pytest.raises(RuleError, match="never reached anybody"):
        misdeliveries.record(waiting.id, TOLD, by=staff, at=NOW)
    with pytest.raises(NotFoundError):
        misdeliveries.record(waiting.id + 99, TOLD, by=staff, at=NOW)
    assert Misdelivery.select().count() == 0
    assert Disclosure.select().count() == 0


def test_a_correction_that_went_astray_is_a_disclosure_of_its_patient(
    recipient: CaseRecipient, staff: User
) -> None:
    Delivery.update(state=DeliveryState.SENT).execute()
    entry = Dispensation.get(Dispensation.patient == recipient.case.patient)
    dispensations.void(entry, reason="x", by=staff, at=NOW)
    notice = CorrectionNotice.select().order_by(CorrectionNotice.id).first()
    delivery = Delivery.get(kind=DeliveryKind.CORRECTION_NOTICE, subject_id=notice.id)
    Delivery.update(state=DeliveryState.DELIVERED).where(
        Delivery.id == delivery.id
    ).execute()

    misdeliveries.record(delivery.id, TOLD, by=staff, at=NOW)

    [disclosure] = Disclosure.select()
    assert disclosure.patient == recipient.case.patient
    assert f"Correction {notice.id}" in disclosure.what


def test_of_each_kind_of_message_it_is_known_whether_it_is_about_a_patient() -> None:
    assert set(DeliveryKind) == misdeliveries.SUBJECTS.keys() | misdeliveries.NO_PATIENT
    assert not misdeliveries.SUBJECTS.keys() & misdeliveries.NO_PATIENT


def test_those_to_assess_come_first(recipient: CaseRecipient, staff: User) -> None:
    old, new = (
        misdeliveries.record(faxed(recipient, name).id, TOLD, by=staff, at=NOW)
        for name in ("old", "new")
    )
    misdeliveries.assess(
        new.id, assessment="Closed.", bar_address=True, by=staff, at=NOW
    )

    assert misdelivery_lists.listed(Wanted()).rows == [old, new]
    assert misdelivery_lists.listed(Wanted(open_only=True)).rows == [old]


def test_a_closed_incidents_address_is_opened_and_closed_again_on_record(
    recipient: CaseRecipient, staff: User
) -> None:
    delivery = faxed(recipient, state="delivered")
    incident = misdeliveries.record(delivery.id, TOLD, by=staff, at=NOW)
    why = barred.why(delivery.address)
    assert f"Incident {incident.id}" in why
    assert "once it is closed" in why
    with pytest.raises(RuleError, match="Close the incident"):
        misdeliveries.bar(incident.id, barred=False, by=staff, at=NOW)
    misdeliveries.assess(
        incident.id, assessment="Told.", bar_address=True, by=staff, at=NOW
    )
    assert "once it is closed" not in barred.why(delivery.address)

    for is_barred in (False, False, True):
        misdeliveries.bar(incident.id, barred=is_barred, by=staff, at=NOW)
        assert bool(barred.among([delivery.address])) is is_barred
        assert bool(barred.why(delivery.address)) is is_barred

    events = AuditEvent.select().where(
        AuditEvent.event == "delivery:misdelivery_address"
    )
    said = [each.detail["address_barred"] for each in events.order_by(AuditEvent.id)]
    assert said == [False, True]
    fax_numbers.block(delivery.address, why="a shop", by="x", at=NOW)
    assert "It is right after all" in barred.why(delivery.address)
