"""Which fax numbers are proven, and for whom: one query for however many."""

from collections.abc import Collection
from typing import Any

from models import ChannelName, ContactCheck, Licence, Pharmacy, Prescriber, User
from pmp import bulk

Owner = User | Licence | Prescriber | Pharmacy
OWNERS = ("user", "licence", "prescriber", "pharmacy")
# Whose it is, their id, and the number.
Proof = tuple[str, int, str]


def kind_of(owner: Owner) -> str:
    """Name what an owner is: the column that points to it."""
    return type(owner).__name__.lower()


def among(numbers: Collection[str]) -> frozenset[Proof]:
    """Give the proofs that there are of fax numbers (+1 and ten digits)."""
    wanted = sorted({each for each in numbers if each})
    if not wanted:
        return frozenset()
    query: Any = (
        ContactCheck.select()
        .where(bulk.among(ContactCheck.address, wanted))
        .where(ContactCheck.channel == ChannelName.FAX)
        .where(ContactCheck.confirmed_at.is_null(is_null=False))
        .where(ContactCheck.ended_at.is_null())
    )
    return frozenset(
        (name, check.__data__[name], check.address)
        for check in query
        for name in OWNERS
        if check.__data__[name] is not None
    )


def is_among(
    proven: Collection[Proof], number: str, owners: Collection[Owner | None]
) -> bool:
    """Tell whether a number is proven for one of these."""
    return any(
        (kind_of(owner), owner.id, number) in proven for owner in owners if owner
    )
