"""Telling somebody, at the old number or address, that their ways were changed.

Whoever took over an account would send its reports elsewhere: who had them until now
is told, and can call.
"""

from datetime import datetime

from models import ChannelName, DeliveryKind, User
from pmp import deliveries
from pmp.deliveries import Route, barred, contacts


def tell_old(user: User, old: Route, *, at: datetime) -> None:
    """Send the news to a number or address that was used until now.

    Not where that is somebody else's by now, and never by text message.
    """
    if old.channel == ChannelName.SMS or barred.among([old.address]):
        return
    deliveries.request(
        kind=DeliveryKind.CONTACT_CHANGE,
        subject_id=user.id,
        routes=[old],
        dedupe_key=f"contact-change:{user.id}:{old.channel}:{at:%Y%m%d%H%M%S%f}",
        at=at,
    )


def report_routes(user: User) -> list[Route]:
    """Give the ways by which a user's reports come, first choice first."""
    who = user.prescriber or user.pharmacy
    if who is not None:
        return contacts.routes_for(who)
    return contacts.own_routes(user)


def tell_if_moved(user: User, before: list[Route], *, at: datetime) -> None:
    """Tell who had the reports until now, where they no longer come first.

    `before` are the ways as they were, of `report_routes`.
    """
    after = report_routes(user)
    if before and not before[0].awaits and before[:1] != after[:1]:
        tell_old(user, before[0], at=at)
