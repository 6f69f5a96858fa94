"""Tells staff that a carrier is not called, or how many deliveries need them.

Numbers and a link: no name, no address, and not what a carrier answered, since it may
have quoted one.
"""

from datetime import datetime

from gateway import messages
from gateway.message import Message
from models import AlertKind, Delivery, DeliveryAttempt, ErrorClass, StaffAlert
from pmp import settings

_CHANNELS = {"email": "Email", "fax": "Fax", "letter": "Letters", "sms": "SMS"}
_WHY = {
    ErrorClass.THROTTLED: "it asks us to wait",
    ErrorClass.CONFIGURATION: (
        "it refuses our settings: its address, our account or a certificate"
    ),
}
_DOWN = "it does not answer, or takes nothing"


def compose(delivery: Delivery, _attempt: DeliveryAttempt) -> Message:
    """Give the alert, as things stood when it was made."""
    alert: StaffAlert = StaffAlert.get_by_id(delivery.subject_id)
    desk = f"{settings.current().public_url}/staff/deliveries"
    if alert.kind == AlertKind.DIGEST:
        counts = alert.content
        return messages.mail(
            delivery,
            "staff_alert",
            kind=alert.kind.value,
            counts=counts,
            total=sum(counts.values()),
            link=f"{desk}?attention=y",
        )
    content = alert.content
    channel = content["channel"]
    return messages.mail(
        delivery,
        "staff_alert",
        kind=alert.kind.value,
        channel=_CHANNELS.get(channel, channel),
        carrier=content["carrier"],
        since=datetime.fromisoformat(content["since"]),
        why=_WHY.get(ErrorClass(content["error_class"]), _DOWN),
        by_hand=content["error_class"] == ErrorClass.CONFIGURATION,
        link=desk,
    )
