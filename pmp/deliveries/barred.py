"""Numbers and addresses where messages reached somebody else: none go there again.

But for the one that asks whoever lives there to destroy what came.
"""

from collections.abc import Iterable
from typing import Any

from models import Delivery, DeliveryKind, Misdelivery


def among(addresses: Iterable[str]) -> set[str]:
    """Give those of the addresses to which nothing more is sent."""
    # Incidents are few and deliveries are not: these first, or all of those are read.
    rows: Any = Misdelivery.select(Misdelivery.delivery).where(
        Misdelivery.address_barred
    )
    astray = [number for (number,) in rows.tuples()]
    if not astray:
        return set()
    found: Any = (
        Delivery.select(Delivery.address)
        .where(Delivery.id.in_(astray))
        .where(Delivery.address.in_([each for each in addresses if each]))
    )
    return {address for (address,) in found.tuples()}


def closes(delivery: Delivery) -> bool:
    """Tell whether a delivery must not go where it is addressed to."""
    asks_to_destroy = delivery.kind == DeliveryKind.DESTROY_NOTICE
    return not asks_to_destroy and bool(among([delivery.address]))
