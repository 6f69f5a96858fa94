"""Asking whoever got a message by mistake to destroy it: on paper, or by fax.

It says when what came and to which number, and nothing of what was in it. It goes
where the message went, though nothing else does any more.
"""

from dataclasses import dataclass
from datetime import datetime

from models import ChannelName, Delivery, DeliveryKind, Misdelivery, User
from pmp import audit, clock, database, misdeliveries
from pmp.deliveries import Route, outbox
from pmp.errors import RuleError
from pmp.wording import phone, us_date, words

BY = frozenset({ChannelName.FAX, ChannelName.LETTER})
URGENT = 2


@dataclass(frozen=True)
class Sheet:
    """What stands on the page. `to_lines` are of the envelope's window, or empty."""

    incident: int
    to_lines: list[str]
    channel: str
    number: str
    sent_on: str
    delivery: int
    is_closed: bool  # nothing more is sent there
    dated: str


def may_send(incident: Misdelivery) -> bool:
    """Tell whether the gateway can bring it where the message went."""
    return incident.delivery.channel in BY


def sent(incident: Misdelivery) -> list[Delivery]:
    """Give the notices of an incident that the gateway was handed, the first first."""
    query = (
        Delivery.select()
        .where(Delivery.kind == DeliveryKind.DESTROY_NOTICE)
        .where(Delivery.subject_id == incident.id)
        .order_by(Delivery.id)
    )
    return list(query)


def sheet(incident: Misdelivery, *, at: datetime) -> Sheet:
    """Give what stands on the page; a date is MM/DD/YYYY in the program's zone."""
    delivery = incident.delivery
    letter = delivery.channel == ChannelName.LETTER
    return Sheet(
        incident=incident.id,
        to_lines=delivery.address.splitlines() if letter else [],
        channel=words(delivery.channel).lower(),
        number="" if letter else _where(delivery),
        sent_on=us_date(delivery.submitted_at or delivery.created_at),
        delivery=delivery.id,
        is_closed=incident.address_barred,
        dated=us_date(clock.day_of(at)),
    )


def printed(incident_id: int, *, by: User, at: datetime) -> Sheet:
    """Give the page to somebody who prints it, on record; NotFoundError."""
    incident = misdeliveries.get(incident_id)
    audit.record(
        audit.Event.DESTROY_NOTICE_PRINTED,
        actor=by.username,
        subject=f"delivery:{incident.delivery.id}",
        at=at,
        detail={"incident": incident.id},
    )
    return sheet(incident, at=at)


def send(incident_id: int, *, by: User, at: datetime) -> Delivery:
    """Send the page where the message went; give its delivery.

    RuleError for an email, and while one is on its way already.
    """
    with database.atomic():
        incident = misdeliveries.get(incident_id)
        if not may_send(incident):
            raise RuleError(
                "It cannot be sent there. Print it, or say it by telephone."
            )
        before = sent(incident)
        if any(each.state not in outbox.FINAL for each in before):
            raise RuleError(f"Delivery {before[-1].id} is on its way with it already.")
        stray = incident.delivery
        made = outbox.request(
            kind=DeliveryKind.DESTROY_NOTICE,
            subject_id=incident.id,
            routes=[Route(stray.channel, stray.address)],
            dedupe_key=f"destroy_notice:{incident.id}:{len(before) + 1}",
            at=at,
            priority=URGENT,
        )
        text = f"asked for by {by.username}"
        outbox.note(made, None, source=by.username, at=at, text=text)
    return made


def _where(delivery: Delivery) -> str:
    if delivery.channel == ChannelName.EMAIL:
        return delivery.address
    return phone(delivery.address)
