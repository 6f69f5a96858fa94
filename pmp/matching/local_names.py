"""How common names are among those who were reported, and what is a name at all.

A sample of the latest reports, once there are enough; until then the country's shares
alone.  What hardly anybody is called is a slip of the keyboard rather than a name.
"""

from collections import Counter
from functools import lru_cache

import models
from pmp import database
from pmp.matching.agreement import COMMON, Frequencies
from pmp.matching.name_frequencies import FIRST, LAST, RARE_FIRST, RARE_LAST

_SAMPLE = 100_000
_FEWEST = 20_000
_FEWEST_TO_HEAR = 80_000
"""Of fewer, a name that nobody has may still be one: one in 20,000 is called so."""

_LIKE_SO_MANY = 20_000
"""The country's shares count like a sample of so many."""


def frequencies(people: int) -> Frequencies:
    """Give the shares among so many patients; found anew when they have doubled."""
    if people < _FEWEST:
        return COMMON
    return _sampled(str(models.database.database), people.bit_length())


@lru_cache(maxsize=2)
def _sampled(_database: str, _doubled: int) -> Frequencies:
    mark = "?" if database.is_sqlite() else "%s"
    sql = (
        'SELECT last_key, first_key FROM "reported_identity"'  # noqa: S608
        f" ORDER BY id DESC LIMIT {mark}"
    )
    rows = models.database.execute_sql(sql, (_SAMPLE,)).fetchall()
    return sampled(Counter(row[0] for row in rows), Counter(row[1] for row in rows))


def sampled(last: Counter[str], first: Counter[str]) -> Frequencies:
    """Give the shares of names that were counted, mixed with the country's."""
    count = first.total()
    return Frequencies(
        last=_mixed(last, LAST, RARE_LAST, count),
        first=_mixed(first, FIRST, RARE_FIRST, count),
        heard=frozenset(name for name, times in first.items() if times > 1)
        if count >= _FEWEST_TO_HEAR
        else None,
    )


def _mixed(
    counts: Counter[str], shares: dict[str, float], rare: float, count: int
) -> dict[str, float]:
    total = count + _LIKE_SO_MANY
    return {
        name: (counts[name] + shares.get(name, rare) * _LIKE_SO_MANY) / total
        for name in counts.keys() | shares.keys()
    }
