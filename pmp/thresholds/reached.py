"""What a case reached against what its rule asks for: in words, and which is worse."""

from typing import Any, Protocol

from models import RuleKind, ThresholdCase, ThresholdRule
from pmp import mme
from pmp.thresholds.crossings import Crossing
from pmp.thresholds.terms import Terms
from pmp.wording import us_date


def reached_words(case: ThresholdCase) -> str:
    """Say a case's count against its threshold, for the report and for staff.

    "6 prescribers and 5 pharmacies (the rule asks for 5 and 5)", "112 MME a day on
    03/04/2026 (the rule asks for 90)".
    """
    rule = case.rule
    if rule.kind == RuleKind.PROVIDERS:
        asked = f"{rule.prescribers} {rule.connective.value} {rule.pharmacies}"
        return f"{counted_words(case)} (the rule asks for {asked})"
    return f"{counted_words(case)} (the rule asks for {rule.amount})"


def counted_words(case: ThresholdCase) -> str:
    """Say what a case counted: "6 prescribers and 5 pharmacies", "30 days …"."""
    return crossing_words(case.rule, case)


def crossing_words(
    rule: Terms | ThresholdRule, crossing: Crossing | ThresholdCase
) -> str:
    """Say what a crossing counts under a rule, also one that only would make a case."""
    if rule.kind == RuleKind.PROVIDERS or crossing.reached is None:
        once = ", each practice once," if rule.practices_once else ""
        return people_words(crossing.prescribers, crossing.pharmacies, once)
    number = mme.plain(crossing.reached, to="0.1")
    day = us_date(crossing.reached_on)
    if rule.kind == RuleKind.DAILY_MME:
        return f"{number} MME a day on {day}"
    if rule.kind == RuleKind.METHADONE:
        return f"{number} mg of methadone a day on {day}"
    days = "1 day" if crossing.reached == 1 else f"{number} days"
    if rule.kind == RuleKind.OPIOID_BENZODIAZEPINE:
        return f"{days} of an opioid with a benzodiazepine from {day} on"
    return f"{days} of opioids in a row from {day} on"


def people_words(prescribers: int, pharmacies: int, how: str = "") -> str:
    """Say "6 prescribers and 5 pharmacies", with `how` the first were counted."""
    written = _number(prescribers, "prescriber", "prescribers")
    return f"{written}{how} and {_number(pharmacies, 'pharmacy', 'pharmacies')}"


class Reaching(Protocol):
    """What reached the numbers of a rule: a case, or what would be one."""

    @property
    def rule(self) -> Any: ...
    @property
    def prescribers(self) -> Any: ...
    @property
    def pharmacies(self) -> Any: ...
    @property
    def reached(self) -> Any: ...


def is_worse(case: Reaching, earlier: Reaching) -> bool:
    """Tell whether a case reached more than an earlier one of its rule.

    Where the rule counted something else by then, it did.
    """
    if case.rule.kind != earlier.rule.kind:
        return True
    if case.rule.kind == RuleKind.PROVIDERS:
        return bool(
            case.prescribers > earlier.prescribers
            or case.pharmacies > earlier.pharmacies
        )
    if case.reached is None or earlier.reached is None:
        return True
    return bool(case.reached > earlier.reached)


def _number(count: int, one: str, more: str) -> str:
    return f"1 {one}" if count == 1 else f"{count} {more}"
