"""Faxes that HylaFAX has received: fetched from its recvq, and deleted there once kept.

The hook FaxDispatch may bring the same faxes to the drop folder, at once; both ways
name a fax by its bytes, so it is one fax whichever comes first, and however often the
deletion fails.
"""

import logging

from gateway import inbound, pages
from gateway.channels import fax_hylafax
from gateway.hfaxd import Received, Refused, Session
from gateway.message import DeliveryError
from models import InboundFax

log = logging.getLogger(__name__)


def collect() -> list[int]:
    """Take in every fax that lies in recvq; give the ids of those that are kept.

    Nothing where the settings name no HylaFAX server, or it does not answer.
    """
    account = fax_hylafax.account()
    if account is None:
        return []
    try:
        with fax_hylafax.session_at(account) as session:
            waiting = [each for each in session.received() if _may_be_fetched(each)]
            return [fax.id for each in waiting if (fax := _take_in(session, each))]
    except DeliveryError as error:
        log.warning("received faxes not fetched: %s", error.error_class)
        return []


def _may_be_fetched(received: Received) -> bool:
    """Tell whether a fax is here whole, and not too large for anything but a person."""
    return not received.busy and received.size <= pages.LARGEST_FILE


def _take_in(session: Session, received: Received) -> InboundFax | None:
    """Fetch one fax and keep it; what is no fax stands in the tray as unreadable."""
    path = f"recvq/{received.file}"
    try:
        body = session.fetch(path, most=pages.LARGEST_FILE)
        fax = inbound.receive_anything(
            body,
            from_number=received.caller,
            station=received.station,
            source=fax_hylafax.CARRIER,
        )
        session.ask(f"DELE {path}")
    except Refused as refused:
        log.warning("a received fax stays at HylaFAX: %s", str(refused)[:3])
        return None
    return fax
