"""Threshold rules: which numbers a patient must reach to be reported.

A rule is never changed: a change is a new version with a reason and an author, and the
newest version of each name is in force unless it is off.
"""

from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from peewee import IntegrityError, fn

from models import Care, DrugClass, RuleKind, RuleStatus, ThresholdRule, User
from pmp import audit, database, sorting
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.thresholds.presets import DEFAULT, PRESETS
from pmp.thresholds.rule_sentences import sending, sentence
from pmp.thresholds.terms import SCHEDULES, Terms, numbers_of, plain, terms_of

__all__ = [
    "DEFAULT",
    "PRESETS",
    "SCHEDULES",
    "Terms",
    "numbers_of",
    "plain",
    "sending",
    "sentence",
    "terms_of",
]
ACTIVE_FIRST = "status"
SORTS: dict[str, Any] = {
    "name": lambda rule: rule.name.casefold(),
    "status": lambda rule: list(RuleStatus).index(rule.status),
    "written": lambda rule: rule.written_at,
}
CHANGED = "Somebody else has just changed this rule. Look at it again."
LONGEST_WINDOW = 731
LONGEST_GAP = 30
MOST = 99
MOST_OF = {
    RuleKind.DAILY_MME: 9999,
    RuleKind.OPIOID_BENZODIAZEPINE: LONGEST_WINDOW,
    RuleKind.LONG_OPIOID_USE: LONGEST_WINDOW,
    RuleKind.METHADONE: 999,
}
"""The highest amount that a kind may ask for."""


def write(
    *,
    terms: Terms,
    reason: str,
    by: User | None,
    at: datetime,
    replaces: int | None = None,
) -> ThresholdRule:
    """Write the next version of the rule of this name, or the first.

    Capitals and blanks make no other name. `replaces` is the id of the version that it
    is to follow, 0 for none: ConflictError if another is the newest by now.
    """
    require_sound(terms, reason)
    last = named(terms.name)
    if replaces is not None and replaces != (last.id if last else 0):
        raise ConflictError(CHANGED, "name")
    name = last.name if last else " ".join(terms.name.split())
    terms = replace(plain(terms), name=name)
    author = by.username if by else "system"
    try:
        with database.atomic():
            rule = _stored(
                terms, last.version if last else 0, reason=reason, author=author, at=at
            )
            audit.record(
                audit.Event.RULE_WRITTEN,
                actor=author,
                subject=f"rule:{rule.id}",
                at=at,
                detail={
                    "rule": sentence(rule),
                    "sending": sending(rule),
                    "version": rule.version,
                    "status": rule.status.value,
                    "reason": reason,
                },
            )
    except IntegrityError as clash:
        raise ConflictError(CHANGED, "name") from clash
    return rule


def switch(
    rule: ThresholdRule, status: RuleStatus, *, reason: str, by: User, at: datetime
) -> ThresholdRule:
    """Make a rule active, silent or off: its next version, which says the same.

    ConflictError if another version than `rule` is in force by now.
    """
    if versions(rule)[0].id != rule.id:
        raise ConflictError(CHANGED)
    if status == rule.status:
        raise RuleError(f"The rule is {status.value} already.", "status")
    terms = replace(terms_of(rule), status=status)
    return write(terms=terms, reason=reason, by=by, at=at)


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


def named(name: str) -> ThresholdRule | None:
    """Give the newest version of the rule of a name; None if there is none yet.

    In capitals or not, however many blanks; the same spelling is found first.
    """
    same = [rule for rule in _newest() if _plain_name(rule.name) == _plain_name(name)]
    return min(same, key=lambda rule: rule.name != name, default=None)


def newest(sort: str = ACTIVE_FIRST) -> list[ThresholdRule]:
    """Give the newest version of each rule, active ones first, then by name.

    Or in another order, one of SORTS; a minus before it turns it round. They are too
    few to be narrowed, or for pages.
    """
    by_name = sorted(_newest(), key=lambda rule: rule.name)
    order = sorting.known(sort, SORTS, otherwise=ACTIVE_FIRST)
    return sorting.rows_in_order(by_name, order, SORTS)


def in_force() -> list[ThresholdRule]:
    """Give the rules that make cases: the newest of each name, active or silent."""
    return [rule for rule in _newest() if rule.status != RuleStatus.OFF]


def is_active(rule: ThresholdRule) -> bool:
    """Tell whether a rule's newest version has reports sent."""
    return bool(versions(rule)[0].status == RuleStatus.ACTIVE)


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


def _plain_name(name: str) -> str:
    return " ".join(name.split()).casefold()


def _stored(
    terms: Terms, last: int, *, reason: str, author: str, at: datetime
) -> ThresholdRule:
    columns = {each.name: getattr(terms, each.name) for each in fields(terms)}
    for name in ("schedules", "drug_classes", "exclusions"):
        columns[name] = list(columns[name])
    rule: ThresholdRule = ThresholdRule.create(
        **columns,
        version=last + 1,
        reason=reason,
        written_by=author,
        written_at=at,
    )
    return rule


def require_sound(terms: Terms, reason: str) -> None:
    """Raise RuleError where terms make no sense, or the reason for them is missing."""
    if not terms.name.strip():
        raise RuleError("Give the rule a name", "name")
    if terms.kind == RuleKind.PROVIDERS:
        _require_numbers_of_providers(terms)
    else:
        _require_amount(terms)
    if not 1 <= terms.window_days <= LONGEST_WINDOW:
        raise RuleError(f"Give a window of 1 to {LONGEST_WINDOW} days", "window_days")
    if not set(terms.exclusions) <= set(Care):
        raise RuleError("Choose among what can be left out", "exclusions")
    if not 0 <= terms.cool_down_days <= LONGEST_WINDOW:
        raise RuleError(
            f"Give a cool-down of 0 to {LONGEST_WINDOW} days", "cool_down_days"
        )
    if not reason.strip():
        raise RuleError("Say why: the next reader will want to know", "reason")


def _require_numbers_of_providers(terms: Terms) -> None:
    names = {
        "prescribers": "prescribers",
        "pharmacies": "pharmacies",
        "minimum_fills": "fills",
    }
    for field, word in names.items():
        if not 1 <= getattr(terms, field) <= MOST:
            raise RuleError(f"Give a number of {word} from 1 to {MOST}", field)
    if not set(terms.schedules) <= set(SCHEDULES):
        raise RuleError("Choose among the schedules II to V", "schedules")
    if not set(terms.drug_classes) <= set(DrugClass):
        raise RuleError("Choose among the classes of drugs", "drug_classes")


def _require_amount(terms: Terms) -> None:
    most = MOST_OF[terms.kind]
    if not 1 <= terms.amount <= most:
        raise RuleError(f"Give a number from 1 to {most}", "amount")
    together = terms.kind == RuleKind.OPIOID_BENZODIAZEPINE
    if together and terms.amount > terms.window_days:
        raise RuleError(
            "So many days do not fit into the window: make it longer", "window_days"
        )
    if not 0 <= terms.gap_days <= LONGEST_GAP:
        raise RuleError(f"Give a gap of 0 to {LONGEST_GAP} days", "gap_days")
