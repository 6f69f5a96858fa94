"""Which fax of a carrier's list is ours, and what a look at the carrier shows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.message import DeliveryError
from models import ErrorClass
from pmp.deliveries import carrier_copies
from pmp.deliveries.callbacks import CarrierReport

# How much a carrier's clock may be before ours.
SLOW_CLOCK = timedelta(minutes=10)


@dataclass(frozen=True)
class Listed:
    """A fax in a carrier's list; `mark`: the hash of the token that we gave it.

    No mark: the carrier does not say whose it is, which some do of older faxes.
    """

    report: CarrierReport
    mark: str
    made_at: datetime | None


@dataclass(frozen=True)
class Finding:
    """What was found about a carrier; None: it cannot be told from here."""

    is_good: bool | None
    text: str


def pick(
    listed: Iterable[Listed], media_sha256: str, *, carrier: str
) -> CarrierReport | None:
    """Give the report of the fax with our mark; None where it is surely not there.

    A fax without a mark that no other attempt knows, made since this one began, may be
    this one: then nobody can tell, and it must not be sent again unasked.
    """
    unmarked = []
    for fax in listed:
        if fax.mark and fax.mark == media_sha256:
            return fax.report
        if not fax.mark:
            unmarked.append(fax)
    if not unmarked:
        return None
    known = carrier_copies.known(
        [fax.report.reference for fax in unmarked], carrier=carrier
    )
    began = carrier_copies.began_at(media_sha256)
    if any(_may_be_it(fax, known, began) for fax in unmarked):
        raise DeliveryError(
            ErrorClass.CARRIER_DOWN, "the carrier lists a fax that may be this one"
        )
    return None


def about_number(number: str, *, known: bool) -> Finding:
    """Say whether the carrier has our fax number."""
    if known:
        return Finding(is_good=True, text=f"{number} is a number of this account.")
    return Finding(
        is_good=False,
        text=f"{number} is not a number of this account: change PMP_FAX_NUMBER, or "
        "rent the number there. Faxes from it would be refused.",
    )


def _may_be_it(fax: Listed, known: set[str], began: datetime | None) -> bool:
    if fax.report.reference in known:
        return False
    if began is None or fax.made_at is None:
        return True
    return fax.made_at >= began - SLOW_CLOCK
