"""What a version of a threshold rule says, and what the arithmetic needs of it."""

from dataclasses import dataclass, replace

from models import Care, Connective, DrugClass, RuleKind, RuleStatus, ThresholdRule
from pmp import settings
from pmp.thresholds.crossings import Numbers

SCHEDULES = ("CII", "CIII", "CIV", "CV")


@dataclass(frozen=True)
class Terms:
    """What a version of a rule says.

    `schedules` empty: every scheduled drug; `drug_classes` empty: every class. Of the
    kinds but providers, `amount` is in MME or mg a day, or in days; for a daily amount
    `window_days` are the days below it that end a crossing.
    """

    name: str
    prescribers: int = 1
    pharmacies: int = 1
    connective: Connective = Connective.AND
    window_days: int = 90
    schedules: tuple[str, ...] = ()
    status: RuleStatus = RuleStatus.ACTIVE
    kind: RuleKind = RuleKind.PROVIDERS
    amount: int = 0
    gap_days: int = 0
    drug_classes: tuple[str, ...] = ()
    minimum_fills: int = 1
    practices_once: bool = False
    exclusions: tuple[str, ...] = ()
    cool_down_days: int = 0
    send_when_worse: bool = True


def terms_of(rule: ThresholdRule) -> Terms:
    """Give what a stored version says."""
    return Terms(
        name=rule.name,
        prescribers=rule.prescribers,
        pharmacies=rule.pharmacies,
        connective=rule.connective,
        window_days=rule.window_days,
        schedules=tuple(rule.schedules),
        status=rule.status,
        kind=rule.kind,
        amount=rule.amount,
        gap_days=rule.gap_days,
        drug_classes=tuple(rule.drug_classes),
        minimum_fills=rule.minimum_fills,
        practices_once=rule.practices_once,
        exclusions=tuple(rule.exclusions),
        cool_down_days=rule.cool_down_days,
        send_when_worse=rule.send_when_worse,
    )


def plain(terms: Terms) -> Terms:
    """Give terms without what their kind does not ask for, lists in their order."""
    terms = replace(
        terms,
        schedules=tuple(each for each in SCHEDULES if each in terms.schedules),
        drug_classes=tuple(each for each in DrugClass if each in terms.drug_classes),
        exclusions=tuple(each for each in Care if each in terms.exclusions),
        gap_days=terms.gap_days if terms.kind == RuleKind.LONG_OPIOID_USE else 0,
    )
    if terms.kind == RuleKind.PROVIDERS:
        return replace(terms, amount=0)
    in_a_row = terms.kind == RuleKind.LONG_OPIOID_USE
    return replace(
        terms,
        prescribers=1,
        pharmacies=1,
        connective=Connective.AND,
        window_days=1 if in_a_row else terms.window_days,
        schedules=(),
        drug_classes=(),
        minimum_fills=1,
        practices_once=False,
    )


def numbers_of(terms: Terms | ThresholdRule) -> Numbers:
    """Give what the arithmetic needs of a rule."""
    return Numbers(
        terms.prescribers,
        terms.pharmacies,
        both=terms.connective == Connective.AND,
        days=terms.window_days,
        schedules=frozenset(terms.schedules),
        drug_classes=frozenset(terms.drug_classes),
        minimum_fills=terms.minimum_fills,
        practices_once=terms.practices_once,
        exclusions=frozenset(terms.exclusions),
        kind=terms.kind,
        amount=terms.amount,
        gap_days=terms.gap_days,
        carry_forward_days=settings.current().carry_forward_days,
    )
