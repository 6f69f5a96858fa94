"""Telling an applicant that something has changed, by the ways that they gave."""

from collections.abc import Collection
from datetime import datetime

from models import Application, ChannelName, DeliveryKind
from pmp import deliveries
from pmp.deliveries import Route
from pmp.reaching import texts

ANY = (ChannelName.EMAIL, ChannelName.FAX, ChannelName.LETTER)
# While a letter is on its way anyhow, another one would only be paper.
NO_LETTER = (ChannelName.EMAIL, ChannelName.FAX)


def notify(
    application: Application, *, at: datetime, ways: Collection[ChannelName] = ANY
) -> None:
    """Tell the applicant that something has changed, in the transaction of its cause.

    By the channel they prefer, else email, else fax, else a letter to the practice or
    pharmacy, as far as it is one of `ways`; by text message too, where they agreed to
    it. The notice holds the code and a link, no more.
    """
    texts.notify(application, at=at)
    routes = [route for route in _routes(application) if route.channel in ways]
    if not routes:
        return
    deliveries.request(
        kind=DeliveryKind.REGISTRATION_NOTICE,
        subject_id=application.id,
        routes=routes,
        dedupe_key=f"registration_notice:{application.id}:{application.status}:{at:%Y%m%d%H%M%S}",
        at=at,
    )


def _routes(application: Application) -> list[Route]:
    town = f"{application.city}, {application.state} {application.zip}"
    person = f"{application.first_name} {application.last_name}".strip()
    name = application.pharmacy_name or person
    letter = f"{name}\n{application.street}\n{town}".upper()
    ways = {
        ChannelName.EMAIL: application.email,
        ChannelName.FAX: application.fax,
        ChannelName.LETTER: letter,
    }
    order = sorted(ways, key=lambda way: way != application.preferred_channel)
    return [Route(way, ways[way]) for way in order if ways[way]]
