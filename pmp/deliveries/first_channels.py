"""The first way to reach each of many prescribers or pharmacies, in a few queries.

The same as `contacts.routes_for` gives first for each of them: see there for the rules.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from peewee import JOIN

from models import ChannelName, Licence, Pharmacy, Prescriber, User, UserStatus
from pmp import bulk
from pmp.deliveries import contacts

Someone = Prescriber | Pharmacy


def first_channels(
    table: type[Someone], ids: Collection[int]
) -> dict[int, ChannelName | None]:
    """Give the channel of each, by id; None: no way is known."""
    query: Any = (
        table.select(table, Licence)
        .join(Licence, JOIN.LEFT_OUTER)
        .where(bulk.among(table.id, sorted(ids)))
    )
    people: list[Someone] = list(query)
    user_of, licence_of = _users(table, people), _licences(people)
    known = contacts.known_of(
        address
        for who in people
        for address in contacts.addresses_of(
            who, user_of.get(who.id), licence_of.get(who.id)
        ).values()
    )
    found: dict[int, ChannelName | None] = {}
    for who in people:
        user, licence = user_of.get(who.id), licence_of.get(who.id)
        routes = contacts.ways_from(who, user, licence, known).routes
        found[who.id] = routes[0].channel if routes else None
    return found


def _users(table: type[Someone], people: Iterable[Someone]) -> dict[int, User]:
    """Give the first active user who is each of them, or has their licence."""
    mine = User.prescriber if table is Prescriber else User.pharmacy
    ids = sorted(who.id for who in people)
    holders: defaultdict[int, list[int]] = defaultdict(list)
    for who in people:
        if who.licence:
            holders[who.licence.id].append(who.id)
    linked = bulk.among(mine, ids)
    by_licence = mine.is_null() & bulk.among(User.licence, sorted(holders))
    users: Any = (
        User.select()
        .where(linked | by_licence)
        .where(User.status == UserStatus.ACTIVE)
        .order_by(User.id)
    )
    found: dict[int, User] = {}
    for user in users:
        own = user.__data__[mine.name]
        for each in holders[user.__data__["licence"]] if own is None else [own]:
            found.setdefault(each, user)
    return found


def _licences(people: Iterable[Someone]) -> dict[int, Licence]:
    """Give each one's licence: as linked, else the one active licence of their DEA."""
    found = {who.id: who.licence for who in people if who.licence}
    alone = {
        who.id: who.dea
        for who in people
        if not who.licence and who.dea and not getattr(who, "dea_suffix", "")
    }
    by_dea: defaultdict[str, list[Licence]] = defaultdict(list)
    query: Any = (
        Licence.select()
        .where(bulk.among(Licence.dea, sorted(set(alone.values()))))
        .where(Licence.active)
    )
    for licence in query:
        by_dea[licence.dea].append(licence)
    for who_id, dea in alone.items():
        if len(by_dea[dea]) == 1:
            found[who_id] = by_dea[dea][0]
    return found
