"""How much one user may search, so that nobody trawls through the population.

A refusal says when the user can go on and whom to call. Lists of tomorrow's patients
have a limit of their own and do not count here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models import LookUp, LookUpOrigin, LookUpOutcome, User
from pmp import clock, settings
from pmp.wording import phone, us_time

TEN_MINUTES = timedelta(minutes=10)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Refusal:
    """Which limit is reached, and what the user is told."""

    limit: str
    words: str


def refusal(*, by: User, similar: bool, at: datetime) -> Refusal | None:
    """Give why a user may not search now; None if they may."""
    chosen = settings.current()
    if until := _until(by, at, chosen.look_ups_per_ten_minutes, TEN_MINUTES):
        most = chosen.look_ups_per_ten_minutes
        what = f"You have looked up {most} times in 10 minutes"
        return _refusal("ten_minutes", what, until)
    if until := _tomorrow(by, at, chosen.look_ups_per_day):
        what = f"You have looked up {chosen.look_ups_per_day} times today"
        return _refusal("day", what, until)
    if until := _after_misses(by, at, chosen.look_up_misses_in_a_row):
        most = chosen.look_up_misses_in_a_row
        what = f"{most} searches in a row have found nobody"
        return _refusal("misses", what, until)
    most = chosen.similar_look_ups_per_hour
    if similar and (until := _until(by, at, most, HOUR, LookUp.similar)):
        what = f"You have searched {most} times in an hour with similar spellings"
        return _refusal("similar", what, until)
    return None


def counted(user: User) -> Any:
    """Select a user's look-ups that count: no refused ones, no lists of patients."""
    return LookUp.select().where(
        (LookUp.user == user)
        & (LookUp.outcome != LookUpOutcome.REFUSED)
        & (LookUp.origin != LookUpOrigin.SCHEDULE)
    )


def _refusal(limit: str, what: str, until: datetime) -> Refusal:
    program = phone(settings.current().program_phone)
    words = (
        f"{what}. You can go on at {us_time(until)}. If a patient cannot wait so long,"
        f" call the program, {program}. This is recorded."
    )
    return Refusal(limit, words)


def _until(
    user: User, at: datetime, most: int, within: timedelta, *only: Any
) -> datetime | None:
    """Give when the oldest of so many in a span leaves it; None if they are fewer."""
    query = counted(user).where(LookUp.at > at - within, *only)
    oldest = query.order_by(LookUp.at.desc()).offset(most - 1).first()
    return oldest.at + within if oldest else None


def _tomorrow(user: User, at: datetime, most: int) -> datetime | None:
    today = clock.day_of(at)
    if counted(user).where(LookUp.at >= clock.start_of(today)).count() < most:
        return None
    return clock.start_of(today + timedelta(days=1))


def _after_misses(user: User, at: datetime, most: int) -> datetime | None:
    query = counted(user).where(LookUp.at > at - HOUR)
    last = list(query.order_by(LookUp.at.desc(), LookUp.id.desc()).limit(most))
    # One that waits for its answer, in another request or for ever, has found nobody.
    without = {LookUpOutcome.NONE, LookUpOutcome.ASKED}
    missed = [each for each in last if each.outcome in without]
    return last[-1].at + HOUR if len(missed) == most else None
