"""Whose deliveries are meant by a number, an email address or a name."""

from collections.abc import Iterable
from typing import Any

from models import ChannelName, Delivery, Licence, Pharmacy, Prescriber, User
from pmp import identifiers

MOST_PEOPLE = 200
SHORTEST_NUMBER = 4


def matching(text: str) -> Any:
    """Give the condition of deliveries to whoever a text means.

    Four or more digits: a telephone number or the end of one. With an @: a part of an
    email address. Else a name: on the letter, or of the user, licence, prescriber or
    pharmacy whose number or email address it is.
    """
    digits = _digits(text)
    if digits:
        return _numbers() & Delivery.address.endswith(digits)
    if "@" in text:
        by_mail = Delivery.channel == ChannelName.EMAIL
        return by_mail & Delivery.address.contains(text)
    known = sorted(_addresses_of(text))
    on_letter = (Delivery.channel == ChannelName.LETTER) & Delivery.address.contains(
        text
    )
    return on_letter | Delivery.address.in_(known) if known else on_letter


def _digits(text: str) -> str:
    if any(sign.isalpha() for sign in text) or "@" in text:
        return ""
    digits = "".join(sign for sign in text if sign.isdigit())
    return digits[-10:] if len(digits) >= SHORTEST_NUMBER else ""


def _numbers() -> Any:
    return Delivery.channel.not_in([ChannelName.EMAIL, ChannelName.LETTER])


def _addresses_of(name: str) -> set[str]:
    """Give the numbers and email addresses of people and places with such a name."""
    words = name.replace(",", " ").split()
    found: set[str] = set()
    for row in _named(User, User.name, words):
        found |= {row.email or "", *_dialled((row.fax, row.phone))}
    for table in (Licence, Pharmacy):
        for row in _named(table, table.name, words):
            found |= _dialled((row.fax, row.phone))
    for row in _prescribers(words):
        found |= _dialled((row.fax, row.phone))
    return found - {""}


def _named(table: Any, column: Any, words: Iterable[str]) -> list[Any]:
    query = table.select()
    for word in words:
        query = query.where(column.contains(word))
    return list(query.limit(MOST_PEOPLE))


def _prescribers(words: Iterable[str]) -> list[Any]:
    query: Any = Prescriber.select()
    for word in words:
        either = Prescriber.last_name.contains(word)
        query = query.where(either | Prescriber.first_name.contains(word))
    return list(query.limit(MOST_PEOPLE))


def _dialled(numbers: Iterable[str | None]) -> set[str]:
    return {identifiers.e164(each) or "" for each in numbers if each}
