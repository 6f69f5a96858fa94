"""What to offer at a wrong field: values that would pass the check, each with its why.

Guesses come from the text itself (`pmp.asap.remedies`), from the registers of drugs,
prescribers and pharmacies (`registered`), and from what the same pharmacy reported
before (`earlier_fills`).  Whatever the rules would refuse is dropped.  Nothing is ever
filled in but by the user.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice

from models import User
from pmp import asap
from pmp.asap import remedies
from pmp.asap.remedies import Guess, days
from pmp.uploads.checking import Checker
from pmp.uploads.suggestions import earlier_fills, registered

MOST = 4
"""Suggestions shown at one field; more would have to be read."""

__all__ = ["Guess", "by_rule", "suggest"]


def suggest(
    elements: Mapping[str, str], wrong: Iterable[str], *, checker: Checker, by: User
) -> dict[str, list[Guess]]:
    """Give the suggestions for the wrong elements of a record, the likeliest first."""
    before = checker.check(elements)
    found = {}
    for element in wrong:
        offered = _guesses(element, elements, checker=checker, by=by)
        good = (each for each in offered if _passes(before, element, each, checker))
        if kept := list(islice(_each_once(good), MOST)):
            found[element] = kept
    return found


def by_rule(
    element: str, elements: Mapping[str, str], *, rule: str, checker: Checker, by: User
) -> Guess | None:
    """Give the one value that a rule finds for an element; None if none or several."""
    before = checker.check(elements)
    found = [
        each
        for each in _each_once(_guesses(element, elements, checker=checker, by=by))
        if each.rule == rule and _passes(before, element, each, checker)
    ]
    return found[0] if len(found) == 1 else None


def _guesses(
    element: str, elements: Mapping[str, str], *, checker: Checker, by: User
) -> Iterator[Guess]:
    found = chain(
        remedies.guesses(element, elements, today=checker.today),
        registered.guesses(element, elements, by=by),
        earlier_fills.guesses(element, elements, checker=checker),
    )
    # What was reported before is better known than what a finger may have meant.
    return iter(sorted(found, key=lambda guess: guess.rule == days.SLIP))


def _each_once(guesses: Iterable[Guess]) -> Iterator[Guess]:
    seen = set()
    for each in guesses:
        if each.value not in seen:
            seen.add(each.value)
            yield each


def _passes(before: asap.Record, element: str, guess: Guess, checker: Checker) -> bool:
    """Whether the value mends the element and brings no new error."""
    given = before.draft.elements
    if guess.value == given.get(element, ""):
        return False
    after = checker.check({**given, element: guess.value})
    if element.startswith("PHA") and not checker.covers(after):
        return False
    errors = {_mark(problem) for problem in before.problems if _is_error(problem)}
    return not any(
        problem.element == element
        or (_is_error(problem) and _mark(problem) not in errors)
        for problem in after.problems
    )


def _mark(problem: asap.Problem) -> tuple[str, str]:
    return problem.code, problem.element


def _is_error(problem: asap.Problem) -> bool:
    return problem.severity is not asap.Severity.WARNING
