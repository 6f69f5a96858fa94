"""User names, and the numbers of licences: who has them."""

from collections.abc import Iterator
from typing import Any

from peewee import fn

from models import Licence, Pharmacy, User
from pmp.codes.hits import Hit
from pmp.permissions import Permission

LEAST = 3


def found(text: str) -> list[Hit]:
    """Give the user of a user name; who has a licence, DEA, NPI or NCPDP number."""
    plain = _plain(text)
    if len(plain) < LEAST:
        return []
    return [*_user(plain), *_licensed(plain), *_pharmacies(plain)]


def _user(plain: str) -> Iterator[Hit]:
    user: User | None = User.select().where(_bare(User.username) == plain).first()
    if user is not None:
        yield _hit(user, f"User {user.username}: {user.name}")


def _licensed(plain: str) -> Iterator[Hit]:
    licences = (
        Licence.select()
        .where(
            (_bare(Licence.code) == plain)
            | (fn.LOWER(Licence.dea) == plain)
            | (Licence.npi == plain)
        )
        .limit(5)
    )
    for licence in licences:
        what = f"Licence {licence.code}, {licence.name}"
        users = list(User.select().where(User.licence == licence))
        for user in users:
            yield _hit(user, f"{what}: user {user.username}")
        if not users:
            address = f"/staff/users?text={licence.code}"
            yield Hit(f"{what}: nobody has an account", address, Permission.USER_READ)


def _pharmacies(plain: str) -> Iterator[Hit]:
    pharmacies = (
        Pharmacy.select()
        .where(
            (fn.LOWER(Pharmacy.dea) == plain)
            | (Pharmacy.ncpdp == plain)
            | (Pharmacy.npi == plain)
        )
        .limit(5)
    )
    for pharmacy in pharmacies:
        what = f"Pharmacy {pharmacy.name}: its reporting"
        address = f"/staff/reporting/pharmacies/{pharmacy.id}"
        yield Hit(what, address, Permission.REPORTING_WATCH)


def _hit(user: User, what: str) -> Hit:
    return Hit(what, f"/staff/users/{user.id}", Permission.USER_READ)


def _plain(text: str) -> str:
    return "".join(sign for sign in text.lower() if sign.isalnum())


def _bare(column: Any) -> Any:
    """Give a column's words without dots and hyphens, in small letters."""
    return fn.REPLACE(fn.REPLACE(fn.LOWER(column), ".", ""), "-", "")
