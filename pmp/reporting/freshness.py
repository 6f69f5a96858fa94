"""How recent each pharmacy's reports are, for a reader of what it reported."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from models import Pharmacy
from pmp.prepared import ahead, among, prepared
from pmp.reporting import banner, dispensers, standing
from pmp.reporting.banner import Now
from pmp.wording import span_words, us_date


@dataclass(frozen=True)
class Freshness:
    """When a pharmacy last reported, and what it owes.

    `due` is when its next report is, or was, due; None for one that need not report.
    `missing` are the first and last day of what is late, empty else.
    """

    pharmacy_id: int
    name: str
    last_reported: datetime | None
    due: date | None
    missing: tuple[date, date] | None = None

    @property
    def is_late(self) -> bool:
        return self.missing is not None

    @property
    def words(self) -> str:
        """Say it: "last reported 11/12/2026; 11/01/2026 to 11/15/2026 was due …"."""
        last = f"last reported {us_date(self.last_reported)}"
        parts = [last if self.last_reported else "has not reported yet"]
        if self.missing:
            days = span_words(*self.missing)
            parts.append(f"due {us_date(self.due)}, late: {days} may be incomplete")
        elif self.due:
            parts.append(f"next due {us_date(self.due)}")
        return ", ".join(parts)


def of(pharmacies: Collection[int], *, today: date) -> list[Freshness]:
    """Give how recent the reports of some pharmacies are, the late ones first."""
    if not pharmacies:
        return []
    numbers = sorted(pharmacies)
    with ahead(
        _pharmacies.asked(pharmacies=numbers),
        *standing.last_reports_asked(numbers),
        dispensers.who_must_report_asked(numbers),
    ):
        some = _pharmacies(pharmacies=numbers)
        last = standing.last_reports(some)
        obliged = dispensers.who_must_report_among(numbers)
    owing = [each for each in some if each.id in obliged]
    states = banner.states(owing, today=today) if owing else []
    now = {each.pharmacy.id: each for each in states}
    made = [_made(each, last.get(each.id), now.get(each.id)) for each in some]
    return sorted(made, key=lambda each: (not each.is_late, each.name))


@prepared
def _pharmacies() -> Any:
    return Pharmacy.select().where(among(Pharmacy.id, "pharmacies"))


def _made(pharmacy: Pharmacy, last: datetime | None, now: Now | None) -> Freshness:
    due = now.due if now and not now.due.exempt else None
    late = due and due.is_open and due.days < 0
    return Freshness(
        pharmacy_id=pharmacy.id,
        name=(pharmacy.name or f"DEA {pharmacy.dea}").upper(),
        last_reported=last,
        due=due.period.due if due else None,
        missing=(due.open_from, due.period.last) if due and late else None,
    )
