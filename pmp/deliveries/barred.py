"""Numbers and addresses of somebody else: nothing more is sent there.

Because a message reached a stranger, or because staff found the number to be wrong. But
for the one message that asks whoever lives there to destroy what came.
"""

from collections.abc import Iterable
from typing import Any

from models import Delivery, DeliveryKind, FaxNumber, Misdelivery
from pmp import bulk


def among(addresses: Iterable[str]) -> set[str]:
    """Give those of the addresses to which nothing more is sent."""
    wanted = sorted({each for each in addresses if each})
    return _astray(wanted) | _blocked(wanted) if wanted else set()


def why(address: str) -> str:
    """Say why nothing is sent to an address, and where that is undone; "" if it is."""
    said = [
        f"Incident {each.id} says that a message reached somebody else there: “Use it"
        " again” on the page of the incident undoes it"
        + ("." if each.assessed_at else ", once it is closed.")
        for each in incidents(address)
    ]
    if _blocked([address]):
        said.append(
            "The number is blocked as wrong: “It is right after all” on its page, under"
            " Fax numbers, undoes it."
        )
    return " ".join(said)


def incidents(address: str) -> list[Misdelivery]:
    """Give the incidents that close an address, the first first."""
    query = (
        Misdelivery.select(Misdelivery)
        .join(Delivery)
        .where(Misdelivery.address_barred)
        .where(Delivery.address == address)
        .order_by(Misdelivery.id)
    )
    return list(query)


def _astray(addresses: list[str]) -> set[str]:
    # Incidents are few and deliveries are not: these first, or all of those are read.
    rows: Any = Misdelivery.select(Misdelivery.delivery).where(
        Misdelivery.address_barred
    )
    incidents = [number for (number,) in rows.tuples()]
    if not incidents:
        return set()
    found: Any = (
        Delivery.select(Delivery.address)
        .where(Delivery.id.in_(incidents))
        .where(bulk.among(Delivery.address, addresses))
    )
    return {address for (address,) in found.tuples()}


def closes(delivery: Delivery) -> bool:
    """Tell whether a delivery must not go where it is addressed to."""
    asks_to_destroy = delivery.kind == DeliveryKind.DESTROY_NOTICE
    return not asks_to_destroy and bool(among([delivery.address]))


def _blocked(addresses: list[str]) -> set[str]:
    found: Any = (
        FaxNumber.select(FaxNumber.number)
        .where(bulk.among(FaxNumber.number, addresses))
        .where(FaxNumber.blocked_at.is_null(is_null=False))
    )
    return {number for (number,) in found.tuples()}
