"""Staff are told once: one email a carrier, one an hour for all that needs them."""

from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from models import (
    AlertKind,
    ChannelName,
    Circuit,
    Delivery,
    DeliveryKind,
    DeliveryState,
    ErrorClass,
    StaffAlert,
)
from pmp import deliveries, settings
from pmp.deliveries import Route, alerts, calling, circuits, delivery_desk
from tests.conftest import NOW
from tests.factories import make_user

HOUR = timedelta(hours=1)
_numbers = count(1)


@pytest.fixture(autouse=True)
def lee(db: settings.Settings) -> None:
    make_user(username="lee", email="lee@example.org")
    make_user(username="kim", email="kim@example.org")


def failed(**fields: Any) -> Delivery:
    number = next(_numbers)
    delivery = deliveries.request(
        kind=fields.pop("kind", DeliveryKind.TICKET_NOTICE),
        subject_id=number,
        routes=[Route(ChannelName.EMAIL, "doctor@example.org")],
        dedupe_key=f"test:{number}",
        at=NOW,
    )
    facts = {"state": DeliveryState.FAILED, "needs_staff": True, **fields}
    Delivery.update(**facts).where(Delivery.id == delivery.id).execute()
    row: Delivery = Delivery.get_by_id(delivery.id)
    return row


def mails() -> list[Delivery]:
    query = Delivery.select().where(Delivery.kind == DeliveryKind.STAFF_ALERT)
    return list(query.order_by(Delivery.id))


def leave() -> None:
    """Have the alerts sent."""
    (
        Delivery.update(state=DeliveryState.SENT)
        .where(Delivery.kind == DeliveryKind.STAFF_ALERT)
        .execute()
    )


def test_a_thousand_failures_make_one_mail_to_each() -> None:
    for _ in range(30):
        failed()
    failed(state=DeliveryState.HELD, error_class=ErrorClass.IN_DOUBT)
    failed(needs_staff=False)
    failed(state=DeliveryState.QUEUED)

    alert = alerts.tell_of_deliveries(at=NOW)

    assert alert is not None
    assert alert.content == {
        "failed, with something for staff to see to": 30,
        "may have been sent: look before it is sent again": 1,
    }
    assert [mail.address for mail in mails()] == ["lee@example.org", "kim@example.org"]
    leave()
    assert alerts.tell_of_deliveries(at=NOW + HOUR) is None


def test_what_needs_staff_again_is_told_again() -> None:
    delivery = failed()
    alerts.tell_of_deliveries(at=NOW)
    leave()

    delivery_desk.retry(delivery.id, by=None, at=NOW)
    claimed = deliveries.claim(delivery.id, carrier="smtp", at=NOW)
    assert claimed is not None
    deliveries.mark_failed(claimed, error_class=ErrorClass.REJECTED, text="550", at=NOW)

    alert = alerts.tell_of_deliveries(at=NOW + HOUR)
    assert alert is not None
    assert sum(alert.content.values()) == 1


def test_while_mail_is_down_alerts_do_not_pile_up_and_the_next_tells_all() -> None:
    failed()
    alerts.tell_of_deliveries(at=NOW)
    for hours in range(1, 50):
        failed()
        assert alerts.tell_of_deliveries(at=NOW + hours * HOUR) is None
    assert len(mails()) == 2
    leave()

    alert = alerts.tell_of_deliveries(at=NOW + 50 * HOUR)

    assert alert is not None
    assert sum(alert.content.values()) == 49


def test_an_alert_that_fails_is_no_reason_for_another() -> None:
    failed(kind=DeliveryKind.STAFF_ALERT)

    assert alerts.tell_of_deliveries(at=NOW) is None


def test_a_carrier_that_is_not_called_is_told_of_once() -> None:
    calling.use({ChannelName.FAX: "laml", ChannelName.LETTER: "print"}, at=NOW)
    opened()

    [alert] = alerts.tell_of_carriers(at=NOW)

    assert alert.kind == AlertKind.CARRIER
    assert (alert.content["carrier"], alert.content["error_class"]) == (
        "laml",
        "carrier_down",
    )
    assert len(mails()) == 2
    leave()
    assert alerts.tell_of_carriers(at=NOW + HOUR) == []


def test_a_carrier_that_fails_and_works_by_turns_is_told_of_once_an_hour() -> None:
    calling.use({ChannelName.FAX: "laml"}, at=NOW)
    for minutes in range(0, 60, 5):
        opened(at=NOW + timedelta(minutes=minutes))
        alerts.tell_of_carriers(at=NOW + timedelta(minutes=minutes))
        leave()
    assert StaffAlert.select().count() == 1

    opened(at=NOW + HOUR)
    assert len(alerts.tell_of_carriers(at=NOW + HOUR)) == 1


def test_a_pause_by_staff_is_no_news_to_them() -> None:
    calling.use({ChannelName.FAX: "laml"}, at=NOW)
    circuits.pause("laml", by=None, at=NOW, reason="Holiday")

    assert alerts.tell_of_carriers(at=NOW) == []


def opened(at: Any = NOW) -> None:
    Circuit.update(
        state="open",
        since=at,
        until=at,
        error_class=ErrorClass.CARRIER_DOWN,
        troubled=True,
    ).where(Circuit.carrier == "laml").execute()
