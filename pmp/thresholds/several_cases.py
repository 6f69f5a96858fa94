"""Many cases released or closed at once, after a look at what that does.

Each case is a transaction of its own: one that somebody else has dealt with meanwhile
does not keep the others waiting.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from models import CaseStatus, ChannelName, Pharmacy, Prescriber, ThresholdCase, User
from pmp.deliveries import contacts
from pmp.errors import RuleError
from pmp.thresholds import case_sending, threshold_cases
from pmp.thresholds.case_lists import PAGE_SIZE

ENDED = (CaseStatus.CLOSED, CaseStatus.WITHDRAWN)


@dataclass(frozen=True)
class Review:
    """What releasing, or closing, these cases would do.

    `channels` counts the reports that a release would send, by each one's first way;
    `unreachable` those of whom none is known.
    """

    cases: Sequence[ThresholdCase]
    passed_over: Sequence[ThresholdCase]
    channels: Counter[ChannelName] = field(default_factory=Counter)
    unreachable: int = 0

    @property
    def recipients(self) -> int:
        """How many reports would go out."""
        return sum(self.channels.values()) + self.unreachable


@dataclass(frozen=True)
class Done:
    """How many cases were dealt with, and why the others were not, by case id."""

    cases: int
    refused: dict[int, str]


def review_release(case_ids: Iterable[int]) -> Review:
    """Tell what releasing cases would send, to how many, by which channel."""
    found = _cases(case_ids)
    cases = [case for case in found if may_be_released(case)]
    ways = _Ways()
    for case in cases:
        ways.add(case)
    rest = [case for case in found if case not in cases]
    return Review(cases, rest, ways.channels, ways.unreachable)


def may_be_released(case: ThresholdCase) -> bool:
    """Tell whether a case waits for its release, or was kept unsent."""
    return case_sending.waits(case)


def may_be_chosen(case: ThresholdCase) -> bool:
    """Tell whether anything can be done with a case on the list."""
    return may_be_closed(case) or may_be_released(case)


def may_be_closed(case: ThresholdCase) -> bool:
    """Tell whether a case has not ended, or might still be sent."""
    return case.status not in ENDED or case_sending.is_unsent(case)


def review_close(case_ids: Iterable[int]) -> Review:
    """Tell which of these cases would be closed."""
    found = _cases(case_ids)
    return Review(
        [case for case in found if may_be_closed(case)],
        [case for case in found if not may_be_closed(case)],
    )


def release(case_ids: Iterable[int], *, by: User, at: datetime) -> Done:
    """Send the reports of these cases."""
    return _each(case_ids, lambda case: threshold_cases.release(case, by=by, at=at))


def close(case_ids: Iterable[int], *, reason: str, by: User, at: datetime) -> Done:
    """End these cases: nothing more is sent for them. A reason is required."""
    if not reason.strip():
        raise RuleError("Say why the cases are closed", "reason")
    return _each(
        case_ids,
        lambda case: threshold_cases.close(case, reason=reason, by=by, at=at),
    )


def _each(
    case_ids: Iterable[int], act: Callable[[ThresholdCase], ThresholdCase]
) -> Done:
    done, refused = 0, {}
    for case_id in _few(case_ids):
        try:
            act(threshold_cases.get(case_id))
        except RuleError as refusal:
            refused[case_id] = refusal.message
        else:
            done += 1
    return Done(done, refused)


def _cases(case_ids: Iterable[int]) -> list[ThresholdCase]:
    query = ThresholdCase.select().where(ThresholdCase.id.in_(_few(case_ids)))
    return list(query.order_by(ThresholdCase.id))


def _few(case_ids: Iterable[int]) -> list[int]:
    """Give each id once; RuleError for none, or more than a page has."""
    wanted = sorted(set(case_ids))
    if not wanted:
        raise RuleError("Choose at least one case", "cases")
    if len(wanted) > PAGE_SIZE:
        raise RuleError(f"Choose at most {PAGE_SIZE} cases at once", "cases")
    return wanted


class _Ways:
    """Counts reports by the first way to each; who is on many cases is asked once."""

    def __init__(self) -> None:
        self.channels: Counter[ChannelName] = Counter()
        self.unreachable = 0
        self._known: dict[tuple[str, int], ChannelName | None] = {}

    def add(self, case: ThresholdCase) -> None:
        prescribers, pharmacies = case_sending.awaiting(case)
        for table, ids in ((Prescriber, prescribers), (Pharmacy, pharmacies)):
            for each in ids:
                if way := self._way(table, each):
                    self.channels[way] += 1
                else:
                    self.unreachable += 1

    def _way(self, table: type[Prescriber | Pharmacy], each: int) -> ChannelName | None:
        key = (table.__name__, each)
        if key not in self._known:
            routes = contacts.routes_for(table.get_by_id(each))
            self._known[key] = routes[0].channel if routes else None
        return self._known[key]
