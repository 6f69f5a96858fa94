"""What staff read when deliveries need them: numbers, a link, and nobody's name."""

from datetime import timedelta

import pytest

from gateway import schedule
from gateway.message import Message
from gateway.messages import staff_alert
from models import ChannelName, Delivery, DeliveryAttempt, DeliveryKind, DeliveryState
from pmp import settings
from pmp.deliveries import calling, circuits
from tests.factories import make_user
from tests.gateway.conftest import Clock, make_delivery, sends_to, work
from tests.servers.carrier import Carrier

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture(autouse=True)
def lee(db: settings.Settings) -> None:
    make_user(username="lee", email="lee@example.org")


def mails() -> list[Message]:
    query = Delivery.select().where(Delivery.kind == DeliveryKind.STAFF_ALERT)
    return [staff_alert.compose(each, DeliveryAttempt()) for each in query]


def test_a_digest_has_numbers_and_a_link(now: Clock) -> None:
    failed = make_delivery(address="+18605550177")
    Delivery.update(state=DeliveryState.FAILED, needs_staff=True).where(
        Delivery.id == failed.id
    ).execute()

    schedule.tell_staff()

    [mail] = mails()
    assert mail.subject == "1 delivery needs you"
    assert "1 failed, with something for staff to see to" in mail.text
    assert "/staff/deliveries?attention=y" in mail.text
    assert "5550177" not in mail.text


@pytest.mark.usefixtures("fixed_message")
def test_a_carrier_that_refuses_our_account_is_told_of_at_once(now: Clock) -> None:
    with Carrier(usual="401", reports=False) as carrier, sends_to(carrier):
        faxes = [make_delivery() for _ in range(5)]
        schedule.sweep_deliveries()
        work()
        schedule.alert()
        assert len([call for call in carrier.calls if call[0] == "POST"]) == 1

        [mail] = mails()
        assert mail.subject == "Fax: nothing is sent by laml for now"
        assert "it refuses our settings" in mail.text
        assert "401" not in mail.text
        waiting = [Delivery.get_by_id(each.id) for each in faxes]
        assert sum(each.attempts for each in waiting) == 1

        carrier.usual = "ok"
        now.go_on(minutes=7)
        schedule.sweep_deliveries()
        work()
        schedule.sweep_deliveries()
        work()
        assert len(carrier.taken) == 5
        assert calling.may_call(ChannelName.FAX, "laml", at=now())


def test_a_delivery_behind_a_paused_carrier_goes_by_the_next_way_in_the_end(
    now: Clock,
) -> None:
    fax = make_delivery()
    Delivery.update(further_routes=[["email", "doctor@example.org"]]).execute()
    calling.use({ChannelName.FAX: "folder"}, at=now())
    circuits.pause("folder", by=None, at=now(), reason="Holiday")

    now.at = fax.deadline_at + timedelta(minutes=1)
    schedule.give_up()

    child = Delivery.get(Delivery.parent == fax)
    assert child.channel == ChannelName.EMAIL
