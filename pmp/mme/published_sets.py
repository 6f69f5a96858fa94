"""The published tables of MME factors, one file for each in `published/`."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

DEFAULT_RULE_SET = "cdc-2022"
_FOLDER = Path(__file__).parent / "published"


@dataclass(frozen=True)
class RuleSet:
    """A published table: key → bands of (milligrams a day up to, factor)."""

    name: str
    title: str
    source: str
    bands: Mapping[str, tuple[tuple[Decimal | None, Decimal], ...]]

    def factor(self, key: str, daily_amount: Decimal) -> Decimal | None:
        for upper, factor in self.bands.get(key, ()):
            if upper is None or daily_amount <= upper:
                return factor
        return None


def rule_set_names() -> list[str]:
    """Names of the published sets that can be chosen, sorted."""
    return sorted(file.stem for file in _FOLDER.glob("*.json"))


def rule_sets() -> list[RuleSet]:
    """Give every published set that can be chosen, by name."""
    return [rule_set(name) for name in rule_set_names()]


@cache
def rule_set(name: str = DEFAULT_RULE_SET) -> RuleSet:
    """Give the rule set of a name, or of one of its other names; KeyError if none.

    Case, blanks and punctuation do not count: "CDC 2022" is "cdc-2022".
    """
    for file in sorted(_FOLDER.glob("*.json")):
        content = json.loads(file.read_text("utf-8"))
        if _plain(name) in map(_plain, (content["name"], *content["aliases"])):
            bands = {key: _bands(value) for key, value in content["factors"].items()}
            return RuleSet(content["name"], content["title"], content["source"], bands)
    raise KeyError(name)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def _bands(value: str | list[list[str]]) -> tuple[tuple[Decimal | None, Decimal], ...]:
    if isinstance(value, str):
        return ((None, Decimal(value)),)
    return tuple(
        (Decimal(upper) if upper else None, Decimal(factor)) for upper, factor in value
    )
