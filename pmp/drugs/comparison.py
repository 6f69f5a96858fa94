"""What the table of drugs says beside what CDC's table says of the same NDC.

A difference is told, never mended: CDC's table is of 2018 and knows no routes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from pmp import mme
from pmp.drugs.cdc_table import Published
from pmp.drugs.drug_files import ProductFacts

RULE_SET = "cdc-2018"


@dataclass(frozen=True)
class Difference:
    """One fact of one NDC on which the two tables differ, in words."""

    ndc: str
    drug: str
    what: str
    ours: str
    theirs: str

    @property
    def sentence(self) -> str:
        return f"{self.ndc} {self.drug}: {self.what} {self.ours}, CDC {self.theirs}"


@dataclass
class Comparison:
    """How many NDCs were compared, and each fact that differs."""

    compared: int = 0
    agree: int = 0
    differences: list[Difference] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Count the NDCs, then the differences by what differs."""
        by_what = Counter(each.what for each in self.differences)
        return {"compared": self.compared, "agree": self.agree, **in_order(by_what)}

    def add(self, rows: Iterable[Published], known: Mapping[str, ProductFacts]) -> None:
        """Compare rows with what the table knows, or with what we derive from them."""
        for row in rows:
            found = list(_differences(known.get(row.facts.ndc, row.facts), row))
            self.compared += 1
            self.agree += not found
            self.differences += found


def in_order(counts: Mapping[str, int]) -> dict[str, int]:
    """Give counts in the order of their words."""
    return dict(sorted(counts.items()))


def _differences(ours: ProductFacts, row: Published) -> Iterator[Difference]:
    pairs = {
        "factor": (_factor(ours), row.factor),
        "strength": (_amount(ours), _amount(row.facts)),
        "MME key": (ours.mme_key, row.facts.mme_key),
        "class": (ours.drug_class, row.facts.drug_class),
        "long-acting": (ours.long_acting, row.long_acting),
    }
    if row.long_acting is None:
        del pairs["long-acting"]
    for what, (one, other) in pairs.items():
        if one != other:
            name = row.drug or row.facts.ingredient
            yield Difference(ours.ndc, name, what, _words(one), _words(other))


def _factor(facts: ProductFacts) -> Decimal | None:
    return mme.rule_set(RULE_SET).factor(facts.mme_key, Decimal(0))


def _amount(facts: ProductFacts) -> Decimal | None:
    """Give the strength in one unit, so that 7.5 mg/15mL equals 0.5 mg/mL."""
    known = mme.amount_per_unit(facts.strength, facts.strength_unit, key=facts.mme_key)
    return facts.strength if known is None else known


def _words(value: object) -> str:
    if isinstance(value, Decimal):
        return mme.plain(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value else "none"
