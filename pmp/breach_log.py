"""Messages that reached the wrong person, year by year: what the privacy officer files.

Counts and a list of incidents; it names no patient.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from models import Delivery, Misdelivery, User
from pmp import audit, clock
from pmp.deliveries import delivery_lists
from pmp.wording import us_date, words

HEADINGS = (
    "Incident",
    "Written down",
    "By",
    "Delivery",
    "What",
    "Channel",
    "Sent to",
    "Sent",
    "Who has it",
    "The pages",
    "A breach",
    "What was decided",
    "Closed",
    "By",
)


@dataclass(frozen=True)
class Log:
    """A year's incidents, the first first, and how many of which sort there are.

    `counts` has pairs of words and numbers, in the order to show them.
    """

    year: int
    rows: list[Misdelivery]
    counts: list[tuple[str, int]]


def years(*, at: datetime) -> list[int]:
    """Give the years that have incidents, and this one, the newest first."""
    first: Misdelivery | None = (
        Misdelivery.select().order_by(Misdelivery.recorded_at).first()
    )
    this_year = clock.day_of(at).year
    since = clock.day_of(first.recorded_at).year if first else this_year
    return list(range(this_year, since - 1, -1))


def of_year(year: int) -> Log:
    """Give the log of a calendar year of the program's zone."""
    query: Any = (
        Misdelivery.select(Misdelivery, Delivery)
        .join(Delivery)
        .where(Misdelivery.recorded_at >= clock.start_of(date(year, 1, 1)))
        .where(Misdelivery.recorded_at < clock.start_of(date(year + 1, 1, 1)))
        .order_by(Misdelivery.id)
    )
    rows = list(query)
    return Log(year, rows, _counts(rows))


def lines(log: Log, *, by: User, at: datetime) -> list[list[Any]]:
    """Give the log as lines of a file, under HEADINGS; kept on record."""
    audit.record(
        audit.Event.DELIVERIES_DOWNLOADED,
        actor=by.username,
        subject=f"breach_log:{log.year}",
        at=at,
        detail={"rows": len(log.rows)},
    )
    return [_line(row) for row in log.rows]


def breach_words(incident: Misdelivery) -> str:
    """Say what was decided about an incident, in a word."""
    if incident.assessed_at is None:
        return "not decided"
    if incident.is_breach is None:
        return "not said"
    return "yes" if incident.is_breach else "no"


def _counts(rows: list[Misdelivery]) -> list[tuple[str, int]]:
    """Count by decision, channel, and what became of the pages."""
    decided = Counter(breach_words(row) for row in rows)
    channels = Counter(words(row.delivery.channel) for row in rows)
    became = Counter(words(row.became) for row in rows)
    return [
        ("Incidents", len(rows)),
        ("Breaches", decided["yes"]),
        ("No breach", decided["no"]),
        ("To be decided", decided["not decided"]),
        *((f"By {name.lower()}", number) for name, number in sorted(channels.items())),
        *(
            (f"Pages: {name.lower()}", number)
            for name, number in sorted(became.items())
        ),
    ]


def _line(row: Misdelivery) -> list[Any]:
    sent = row.delivery
    return [
        row.id,
        us_date(row.recorded_at),
        row.recorded_by,
        sent.id,
        words(sent.kind),
        words(sent.channel),
        delivery_lists.address_words(sent),
        us_date(sent.submitted_at),
        row.told_by,
        words(row.became),
        breach_words(row),
        row.assessment,
        us_date(row.assessed_at),
        row.assessed_by or "",
    ]
