"""What befalls the fills of a synthetic state, and what becomes of their records.

A record is sent twice, voided, revised, dispensed in parts, spoilt; some of it days
later.  What comes later does so after at least `SOONEST` days: a late file is in by
then, so that the truth holds whoever submits the files in their order.
"""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import accumulate

from pmp.asap.cast import Draw
from pmp.asap.fills import Fill

SOONEST = 5
"""Days after a fill at which something further of it is sent, at the earliest."""

Later = Callable[[int, Callable[[str], None]], None]
"""Have something done so many days later; it is given that day as CCYYMMDD."""


def _send_twice(fill: Fill, random: Draw, later: Later) -> None:
    del random, later
    fill.write("stored")
    fill.write("duplicate", "sent twice in one file")


def _replace(fill: Fill, random: Draw, later: Later) -> None:
    del random, later
    fill.write("stored", "voided below")
    fill.with_elements(DSP01="02").write("voided", "replaced in the same file")
    fill.with_elements(DSP09=half(fill)).write("stored", "replaces a voided record")


def _return_to_stock(fill: Fill, random: Draw, later: Later) -> None:
    fill.write("stored", "voided later")
    void = fill.with_elements(DSP01="02")
    later(7 + int(random() * 7), lambda _: void.write("voided", "returned to stock"))


def _revise(fill: Fill, random: Draw, later: Later) -> None:
    fill.write("stored", "revised later")
    days = SOONEST + int(random() * 6)
    revised = fill.with_elements(DSP01="01", DSP09=half(fill))
    later(days, lambda _: revised.write("revised", "another quantity"))


def _revise_day(fill: Fill, random: Draw, later: Later) -> None:
    """Send another date filled, which is part of what a fill is known by."""
    fill.write("stored", "revised later")
    revised = fill.with_elements(DSP01="01").on(day_after(fill.element(5)))
    days = SOONEST + int(random() * 6)
    later(days, lambda _: revised.write("revised", "another date filled"))


def _send_again(fill: Fill, random: Draw, later: Later) -> None:
    fill.write("stored")
    days = SOONEST + int(random() * 20)
    later(days, lambda _: fill.write("duplicate", "sent again in a later file"))


def _contradict(fill: Fill, random: Draw, later: Later) -> None:
    fill.write("stored")
    other = fill.with_elements(DSP09=half(fill))
    days = SOONEST + int(random() * 6)
    later(days, lambda _: other.write("duplicate", "contradicts an earlier record"))


def _dispense_in_parts(fill: Fill, random: Draw, later: Later) -> None:
    part = fill.with_elements(DSP09=half(fill), DSP13="01")
    part.write("stored", "first part")

    def the_rest(day: str) -> None:
        part.with_elements(DSP13="02").on(day).write("stored", "second part")

    later(SOONEST + int(random() * 3), the_rest)


def _void_unknown(fill: Fill, random: Draw, later: Later) -> None:
    del random, later
    number = fill.store.next_prescription()
    fill.write("stored")
    void = fill.with_elements(DSP01="02", DSP02=number)
    void.write("void_not_found", "void of a number that was never sent")


def _revise_unknown(fill: Fill, random: Draw, later: Later) -> None:
    del random, later
    fill.with_elements(DSP01="01").write("stored", "revises what was never sent")


def _compound(fill: Fill, random: Draw, later: Later) -> None:
    del random, later
    fill.as_compound(fill.element(9)).write("stored", "compound")


def _pick_up(fill: Fill, random: Draw, later: Later) -> None:
    del later
    serial = f"{int(random() * 10**9):09}"
    fill.picked_up_by_another(serial).write("stored", "picked up by another")


SHARES = {
    _send_twice: 0.006,
    _replace: 0.004,
    _return_to_stock: 0.01,
    _revise: 0.006,
    _revise_day: 0.002,
    _send_again: 0.002,
    _contradict: 0.002,
    _dispense_in_parts: 0.005,
    _void_unknown: 0.001,
    _revise_unknown: 0.001,
    _compound: 0.003,
    _pick_up: 0.01,
}
"""What befalls which share of the fills."""

MISHAPS = tuple(SHARES)
SUMS = tuple(accumulate(SHARES.values()))
SHARE = SUMS[-1]


def befall(fill: Fill, drawn: float, random: Draw, later: Later) -> None:
    """Have something happen to a fill; `drawn` lies below `SHARE` and says what."""
    for mishap, until in zip(MISHAPS, SUMS, strict=True):
        if drawn < until:
            mishap(fill, random, later)
            return
    fill.write("stored")


def spoil(fill: Fill, random: Draw) -> None:
    """Send a fill with something wrong, for which it is held."""
    bad, why = fill.spoilt(random)
    bad.write("held", why)


def half(fill: Fill) -> str:
    """Give half of a fill's quantity, in whole units."""
    return str(max(1, int(fill.element(9)) // 2))


def day_after(day: str) -> str:
    """Give the day after one, both CCYYMMDD."""
    return f"{date.fromisoformat(day) + timedelta(days=1):%Y%m%d}"
