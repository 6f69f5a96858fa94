"""Numbers that staff and papers name: fax 12, delivery 12, print run 3, case 5.

A number alone may be several things; each that there is, is offered.
"""

import re
from collections.abc import Iterator
from typing import Any

from models import (
    Delivery,
    DeliveryAttempt,
    InboundFax,
    Misdelivery,
    PrintRun,
    Submission,
    ThresholdCase,
)
from pmp.codes.hits import Hit
from pmp.permissions import Permission
from pmp.wording import us_date, words

NUMBERED = re.compile(r"(?i)([a-z ]*?)\W*(\d{1,9})(?:-\d+)?")
# What each is called, its table, page and who may open it, and how it is told.
_THINGS: tuple[tuple[str, Any, str, Permission, Any], ...] = (
    (
        "delivery fax message letter",
        Delivery,
        "/staff/deliveries/{}",
        Permission.DELIVERY_WATCH,
        lambda row: (
            f"Delivery {row.id}: {words(row.kind).lower()} by"
            f" {words(row.channel).lower()}, {us_date(row.created_at)}"
        ),
    ),
    (
        "fax received",
        InboundFax,
        "/staff/faxes/{}",
        Permission.FAX_DESK,
        lambda row: f"Fax {row.id}, received {us_date(row.received_at)}",
    ),
    (
        "submission file upload",
        Submission,
        "/staff/submissions/{}",
        Permission.SUBMISSION_READ_ALL,
        lambda row: f"Submission {row.id} of {us_date(row.received_at)}",
    ),
    (
        "case",
        ThresholdCase,
        "/staff/cases/{}",
        Permission.CASE_WORK,
        lambda row: f"Threshold case {row.id} of {us_date(row.detected_at)}",
    ),
    (
        "run print",
        PrintRun,
        "/staff/letters/runs/{}",
        Permission.LETTER_PRINT,
        lambda row: f"Print run {row.id} of {us_date(row.opened_at)}",
    ),
    (
        "incident",
        Misdelivery,
        "/staff/misdeliveries/{}",
        Permission.DELIVERY_WATCH,
        lambda row: f"Incident {row.id} of {us_date(row.recorded_at)}",
    ),
)


def found(text: str) -> list[Hit]:
    """Give each thing with the number of a text, and what a carrier calls so."""
    return [*_numbered(text), *_by_carrier(text)]


def _numbered(text: str) -> Iterator[Hit]:
    match = NUMBERED.fullmatch(text)
    if match is None or int(match[2]) >= 2**31:
        return
    said, number = set(match[1].lower().split()), int(match[2])
    for names, table, page, permission, told in _THINGS:
        row = table.get_or_none(table.id == number)
        if row is not None and said <= set(names.split()):
            yield Hit(told(row), page.format(number), permission)


def _by_carrier(text: str) -> Iterator[Hit]:
    """Give the delivery of a carrier's reference or a tracking number."""
    attempt = (
        DeliveryAttempt.select()
        .where(DeliveryAttempt.carrier_reference == text)
        .order_by(DeliveryAttempt.id.desc())
        .first()
    )
    if attempt is not None:
        number = attempt.delivery.id
        what = f"Delivery {number}, which its carrier calls {text}"
        address = f"/staff/deliveries/{number}"
        yield Hit(what, address, Permission.DELIVERY_WATCH)
