"""The night's job drops what is over."""

from datetime import timedelta

from gateway import schedule
from models import WaitingVoid
from pmp import clock, settings
from tests.factories import make_dispensation, make_submission


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
