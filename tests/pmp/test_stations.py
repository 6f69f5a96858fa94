"""Another machine than before answers at a number: staff say what that means."""

import pytest

from models import (
    ChannelName,
    Delivery,
    DeliveryEvent,
    DeliveryKind,
    DeliveryState,
    FaxNumber,
    StationChange,
    StationVerdict,
)
from pmp import deliveries
from pmp.deliveries import Route, callbacks, contacts
from pmp.deliveries.callbacks import CarrierReport, Progress
from pmp.errors import ConflictError
from pmp.reaching import stations
from tests.conftest import NOW
from tests.factories import make_licence, make_prescriber, make_user

pytestmark = pytest.mark.usefixtures("db")

NUMBER, NEXT = "+18605550120", "next@example.org"


def faxed(station: str, *, number: str = NUMBER, turn: int = 0) -> Delivery:
    """Have a fax taken by a machine that calls itself something."""
    delivery = deliveries.request(
        kind=DeliveryKind.TICKET_NOTICE,
        subject_id=1,
        routes=[Route(ChannelName.FAX, number), Route(ChannelName.EMAIL, NEXT)],
        dedupe_key=f"fax {Delivery.select().count()}",
        at=NOW,
    )
    claim = deliveries.claim(delivery.id, carrier="laml", at=NOW)
    assert claim
    assert deliveries.begin(claim, pdf=None, at=NOW)
    deliveries.mark_submitted(claim, reference=f"FX{delivery.id}", at=NOW)
    for _ in range(1 + turn):
        report = CarrierReport(
            f"FX{delivery.id}", "delivered", Progress.DELIVERED, station=station
        )
        callbacks.apply(report, carrier="laml", source="call-back", at=NOW)
    return Delivery.get_by_id(delivery.id)


def test_the_last_name_of_a_machine_is_kept_and_another_is_flagged_once() -> None:
    faxed("DR ADAMS")
    faxed("SHOP", number="+18605550199")  # noise: another number
    for same in ("dr. adams ", "DR ADAMS", ""):
        assert not faxed(same).needs_staff
    assert stations.open_changes() == []

    other = faxed("BOB'S GARAGE", turn=2)
    faxed("BOB'S GARAGE")

    [change] = stations.open_changes()
    assert (change.before, change.after) == ("DR ADAMS", "BOB'S GARAGE")
    assert change.delivery == other
    assert (other.state, other.needs_staff) == (DeliveryState.DELIVERED, True)
    notes = [event.note for event in DeliveryEvent.select() if "before" in event.note]
    assert notes == [
        "the machine that answered calls itself “BOB'S GARAGE”; before: “DR ADAMS”"
    ]
    assert FaxNumber.get(number=NUMBER).station == "BOB'S GARAGE"


def test_a_new_machine_of_theirs_changes_nothing_else() -> None:
    faxed("DR ADAMS")
    other = faxed("DR ADAMS NEW")
    [change] = stations.open_changes()
    staff = make_user()

    stations.settle(change.id, StationVerdict.RIGHT, by=staff, at=NOW)

    assert stations.open_changes() == []
    assert not Delivery.get_by_id(other.id).needs_staff
    assert Delivery.select().where(Delivery.parent == other).count() == 0
    with pytest.raises(ConflictError, match=staff.username):
        stations.settle(change.id, StationVerdict.WRONG_NUMBER, by=staff, at=NOW)
    assert StationChange.get_by_id(change.id).verdict == StationVerdict.RIGHT


def test_a_wrong_number_is_blocked_and_the_message_goes_by_the_next_way() -> None:
    doctor = make_prescriber(licence=make_licence(fax=NUMBER))
    faxed("DR ADAMS")
    other = faxed("BOB'S GARAGE")
    [change] = stations.open_changes()

    settled = stations.settle(
        change.id, StationVerdict.WRONG_NUMBER, by=make_user(), at=NOW
    )

    assert settled.goes_on
    assert settled.goes_on.parent == other
    assert (settled.goes_on.channel, settled.goes_on.address) == (
        ChannelName.EMAIL,
        NEXT,
    )
    assert [way.channel for way in contacts.routes_for(doctor)] == [ChannelName.LETTER]
    assert FaxNumber.get(number=NUMBER).blocked_at == NOW
