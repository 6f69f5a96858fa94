"""Made-up people in any number, with names as common and as rare as in a real state.

Names are put together from syllables: the shares of the matcher's own tables are not
used, so that nothing is measured by what it was made from.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import accumulate, product
from random import Random

from pmp.matching import Identity

_ONSETS = "B BR C CH D DR F G GR H J K KL L M N P PR R S ST SCH T TR V W Z"
_VOWELS = "A E I O U AI EA OU"
_MIDDLES = "L LL R RR N NN M T TT S SS K LD ND RT"
_LAST_ENDS = "SON MAN ER EZ SKI ELL INGTON FORD LEY BERG O IC TON ARD"
_FIRST_ENDS = "A E Y IE AN EL IN INE ICK ON US ETTE"
_STREET_NAMES = "MAPLE ELM OAK CHAPEL ORANGE PROSPECT FOREST RIVER HILLSIDE SUMMER"
_STREETS = _STREET_NAMES.split()
_FIRST_BIRTH = date(1930, 1, 1)
_BIRTH_DAYS = 31_000


def people(random: Random, count: int) -> Iterator[Identity]:
    """Give people; the n-th commonest name is borne by 1/n as many as the commonest."""
    lasts, last_weights = _names(random, _LAST_ENDS)
    firsts, first_weights = _names(random, _FIRST_ENDS)
    while count > 0:
        batch = min(count, 10_000)
        count -= batch
        for last, first in zip(
            random.choices(lasts, cum_weights=last_weights, k=batch),
            random.choices(firsts, cum_weights=first_weights, k=batch),
            strict=True,
        ):
            days = int(random.random() * _BIRTH_DAYS)
            yield Identity(
                last=last,
                first=first,
                middle="",
                suffix="",
                birth_date=_FIRST_BIRTH + timedelta(days=days),
                sex="FM"[days & 1],
                street=f"{1 + int(random.random() * 2000)} "
                f"{_STREETS[int(random.random() * 10)]} ST",
                city="HARTFORD",
                state="CT",
                zip=f"06{int(random.random() * 1000):03}",
                phone=f"860{int(random.random() * 10**7):07}",
            )


def _names(random: Random, ends: str) -> tuple[list[str], list[float]]:
    """Give names, the commonest first, and the running sum of how common they are."""
    parts = (_ONSETS, _VOWELS, _MIDDLES, ends)
    names = ["".join(each) for each in product(*map(str.split, parts))]
    random.shuffle(names)
    weights = accumulate(1 / (place + 20) for place in range(len(names)))
    return names, list(weights)
