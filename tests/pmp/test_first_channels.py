import random
from typing import Any

import pytest

from models import ChannelName, Pharmacy, Prescriber, Role, UserStatus
from pmp import settings
from pmp.deliveries import contacts
from pmp.deliveries.first_channels import first_channels
from tests.factories import (
    make_licence,
    make_pharmacy,
    make_prescriber,
    make_user,
    prove_fax,
)
from tests.statements import statements

NUMBERS = ["+18605550133", "+18605550134", "+18605550135"]

pytestmark = pytest.mark.usefixtures("db")


@pytest.mark.parametrize("policy", ["off", "users", "all"])
@pytest.mark.parametrize("seed", range(1, 4))
def test_they_are_those_of_each_one_asked_alone(seed: int, policy: str) -> None:
    with settings.changed(fax_verified_only=policy):
        _compare(seed)


def test_many_are_asked_in_as_many_queries_as_few() -> None:
    chance = random.Random(1)  # noqa: S311 - a repeatable state
    people = [each for _ in range(60) if isinstance(each := _someone(chance), Pharmacy)]
    counts = []
    for some in (people[:2], people):
        with statements() as asked:
            first_channels(Pharmacy, {who.id for who in some})
        counts.append(len(asked))
    assert counts[0] == counts[1] < 10


def _compare(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a repeatable state
    people: list[Any] = [_someone(chance) for _ in range(120)]

    for table in (Prescriber, Pharmacy):
        own = [who for who in people if isinstance(who, table)]
        found = first_channels(table, {who.id for who in own[1:]})
        expected = {who.id: _first(who) for who in own[1:]}
        assert found == expected
        assert len(set(found.values())) == 4  # every way, and none


def test_nobody_has_no_channel() -> None:
    make_prescriber()  # noise

    assert first_channels(Prescriber, []) == {}


def _first(who: Prescriber | Pharmacy) -> ChannelName | None:
    routes = contacts.routes_for(who)
    return routes[0].channel if routes else None


def _someone(chance: random.Random) -> Prescriber | Pharmacy:
    """Make somebody with or without licence, users, numbers and an address."""
    make = chance.choice([make_prescriber, make_pharmacy])
    licence = make_licence(
        fax=chance.choice([None, "8605550133"]),
        city=chance.choice(["", "HARTFORD"]),
        preferred_channel=chance.choice([None, *contacts.ORDER]),
        active=chance.random() < 0.8,
    )
    linked = chance.choice([licence, None])
    who: Any = make(licence=linked, fax=chance.choice([None, None, "8605550134"]))
    if linked is None and chance.random() < 0.6:
        for one in [licence] + [make_licence()] * (chance.random() < 0.2):
            one.dea = who.dea
            one.save()
    mine = "prescriber" if isinstance(who, Prescriber) else "pharmacy"
    for turn in range(chance.choice([0, 1, 1, 2])):
        number = chance.randrange(10**6)
        make_user(
            chance.choice([Role.PRACTITIONER, Role.PHARMACY]),
            email=chance.choice([None, f"user{number}@example.org"]),
            fax=chance.choice([None, "8605550135"]),
            preferred_channel=chance.choice([None, *contacts.ORDER]),
            status=chance.choice([UserStatus.ACTIVE, UserStatus.SUSPENDED]),
            licence=None if turn else chance.choice([linked, None]),
            **{mine: chance.choice([who, None])},
        )
    if chance.random() < 0.3:
        prove_fax(who, chance.choice(NUMBERS))
    if chance.random() < 0.3:
        prove_fax(licence, chance.choice(NUMBERS))
    someone: Prescriber | Pharmacy = who
    return someone
