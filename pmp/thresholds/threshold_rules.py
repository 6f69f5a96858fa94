"""Threshold rules: how many prescribers and/or pharmacies, in how many days.

A rule is never changed: a change is a new version with a reason and an author, and the
newest version of each name is in force unless it is off. Connecticut's numbers are not
published; the presets are what others use.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from peewee import IntegrityError, fn

from models import Connective, RuleStatus, ThresholdRule, User
from pmp import audit, database
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.thresholds.crossings import Numbers

SCHEDULES = ("CII", "CIII", "CIV", "CV")
LONGEST_WINDOW = 731
MOST = 99


@dataclass(frozen=True)
class Terms:
    """What a version of a rule says. `schedules` empty: every scheduled drug."""

    name: str
    prescribers: int
    pharmacies: int
    connective: Connective
    window_days: int
    schedules: tuple[str, ...] = ()
    status: RuleStatus = RuleStatus.ACTIVE


DEFAULT = Terms(
    "3 prescribers and 3 pharmacies",
    prescribers=3,
    pharmacies=3,
    connective=Connective.AND,
    window_days=90,
    schedules=("CII", "CIII", "CIV"),
)
# Oklahoma's and California's published criteria, the PDMP TTAC's suggestion, and the
# Pharmacy Quality Alliance's measure of multiple providers; 6 months are 182 days.
PRESETS = (
    Terms("Oklahoma", 5, 5, Connective.AND, 90, status=RuleStatus.OFF),
    Terms("California", 6, 6, Connective.OR, 182, status=RuleStatus.OFF),
    Terms("TTAC", 5, 5, Connective.AND, 182, status=RuleStatus.OFF),
    Terms("PQA", 4, 4, Connective.AND, 180, status=RuleStatus.OFF),
)


def terms_of(rule: ThresholdRule) -> Terms:
    """Give what a stored version says."""
    return Terms(
        rule.name,
        rule.prescribers,
        rule.pharmacies,
        rule.connective,
        rule.window_days,
        tuple(rule.schedules),
        rule.status,
    )


def numbers_of(terms: Terms | ThresholdRule) -> Numbers:
    """Give what the arithmetic needs of a rule."""
    return Numbers(
        terms.prescribers,
        terms.pharmacies,
        both=terms.connective == Connective.AND,
        days=terms.window_days,
        schedules=frozenset(terms.schedules),
    )


def sentence(terms: Terms | ThresholdRule) -> str:
    """Say a rule in words: 3 or more prescribers and 3 or more pharmacies in …."""
    return (
        f"{terms.prescribers} or more prescribers {terms.connective.value} "
        f"{terms.pharmacies} or more pharmacies "
        f"in {terms.window_days} days, {_scope(terms.schedules)}"
    )


def write(*, terms: Terms, reason: str, by: User | None, at: datetime) -> ThresholdRule:
    """Write the next version of the rule of this name, or the first."""
    _require_sound(terms, reason)
    terms = replace(terms, schedules=_in_order(terms.schedules))
    author = by.username if by else "system"
    try:
        with database.atomic():
            rule = _stored(terms, reason=reason, author=author, at=at)
            audit.record(
                audit.Event.RULE_WRITTEN,
                actor=author,
                subject=f"rule:{rule.id}",
                at=at,
                detail={
                    "rule": sentence(rule),
                    "version": rule.version,
                    "status": rule.status.value,
                    "reason": reason,
                },
            )
    except IntegrityError as clash:
        raise ConflictError(
            "Somebody else has just changed this rule. Look at it again.", "name"
        ) from clash
    return rule


def seed(*, at: datetime) -> list[ThresholdRule]:
    """Write the default rule and the presets, once; none if there is any rule."""
    with database.atomic():
        if ThresholdRule.select().exists():
            return []
        return [
            write(terms=terms, reason="As delivered.", by=None, at=at)
            for terms in (DEFAULT, *PRESETS)
        ]


def get(rule_id: int) -> ThresholdRule:
    """Give a version of a rule by its id; NotFoundError."""
    rule: ThresholdRule | None = ThresholdRule.get_or_none(id=rule_id)
    if rule is None:
        raise NotFoundError("There is no such rule.")
    return rule


def newest() -> list[ThresholdRule]:
    """Give the newest version of each rule, active ones first, then by name."""
    order = list(RuleStatus)
    return sorted(_newest(), key=lambda rule: (order.index(rule.status), rule.name))


def in_force() -> list[ThresholdRule]:
    """Give the rules that make cases: the newest of each name, active or silent."""
    return [rule for rule in _newest() if rule.status != RuleStatus.OFF]


def versions(rule: ThresholdRule) -> list[ThresholdRule]:
    """Give every version of a rule, newest first."""
    return list(
        ThresholdRule.select()
        .where(ThresholdRule.name == rule.name)
        .order_by(ThresholdRule.version.desc())
    )


def _newest() -> list[ThresholdRule]:
    latest = ThresholdRule.select(fn.MAX(ThresholdRule.id)).group_by(ThresholdRule.name)
    return list(
        ThresholdRule.select()
        .where(ThresholdRule.id.in_(latest))
        .order_by(ThresholdRule.id)
    )


def _stored(terms: Terms, *, reason: str, author: str, at: datetime) -> ThresholdRule:
    last = (
        ThresholdRule.select(fn.MAX(ThresholdRule.version))
        .where(ThresholdRule.name == terms.name)
        .scalar()
    )
    rule: ThresholdRule = ThresholdRule.create(
        name=terms.name,
        version=(last or 0) + 1,
        status=terms.status,
        prescribers=terms.prescribers,
        pharmacies=terms.pharmacies,
        connective=terms.connective,
        window_days=terms.window_days,
        schedules=list(terms.schedules),
        reason=reason,
        written_by=author,
        written_at=at,
    )
    return rule


def _require_sound(terms: Terms, reason: str) -> None:
    if not terms.name.strip():
        raise RuleError("Give the rule a name", "name")
    for field in ("prescribers", "pharmacies"):
        if not 1 <= getattr(terms, field) <= MOST:
            raise RuleError(f"Give a number of {field} from 1 to {MOST}", field)
    if not 1 <= terms.window_days <= LONGEST_WINDOW:
        raise RuleError(f"Give a window of 1 to {LONGEST_WINDOW} days", "window_days")
    if not set(terms.schedules) <= set(SCHEDULES):
        raise RuleError("Choose among the schedules II to V", "schedules")
    if not reason.strip():
        raise RuleError("Say why: the next reader will want to know", "reason")


def _in_order(schedules: Sequence[str]) -> tuple[str, ...]:
    return tuple(schedule for schedule in SCHEDULES if schedule in schedules)


def _scope(schedules: Sequence[str]) -> str:
    chosen = _in_order(schedules)
    if not chosen or chosen == SCHEDULES:
        return "all schedules"
    first, last = SCHEDULES.index(chosen[0]), SCHEDULES.index(chosen[-1])
    if len(chosen) > 1 and last - first == len(chosen) - 1:
        return f"{chosen[0]}\N{EN DASH}{chosen[-1]}"
    return ", ".join(chosen)
