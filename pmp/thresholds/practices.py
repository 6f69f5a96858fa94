"""Which prescribers are of one practice, for rules that count a practice once.

Whoever is counted once too often may hide a patient from a report, so both must agree:
the address of record on the licence (street and suite, and the first five digits of the
ZIP code), and the telephone (as reported, else the licence's). A prescriber without a
licence, an address or a telephone is a practice alone. See docs/decisions/0023.
"""

import re
from collections.abc import Collection
from typing import Any

from models import Licence, Prescriber

_PHONE_DIGITS = 10
_ZIP_DIGITS = 5


def of_prescribers(prescriber_ids: Collection[int]) -> dict[int, int]:
    """Give each prescriber's practice: the lowest id among those who are of it."""
    query: Any = (
        Prescriber.select(
            Prescriber.id, Prescriber.phone, Licence.phone, Licence.street, Licence.zip
        )
        .join(Licence)
        .where(Prescriber.id.in_(sorted(prescriber_ids)))
        .order_by(Prescriber.id)
        .tuples()
    )
    practice = {each: each for each in prescriber_ids}
    firsts: dict[tuple[str, str, str], int] = {}
    for number, reported, licensed, street, code in query:
        if key := practice_key(reported or licensed or "", street, code):
            practice[number] = firsts.setdefault(key, number)
    return practice


def practice_key(phone: str, street: str, code: str) -> tuple[str, str, str] | None:
    """Give what the prescribers of one practice have in common; None if unknown."""
    digits = re.sub(r"\D", "", phone)[-_PHONE_DIGITS:]
    place = re.sub(r"[^A-Z0-9]+", " ", street.upper()).strip()
    area = re.sub(r"\D", "", code)[:_ZIP_DIGITS]
    known = len(digits) == _PHONE_DIGITS and len(area) == _ZIP_DIGITS and place
    return (digits, place, area) if known else None
